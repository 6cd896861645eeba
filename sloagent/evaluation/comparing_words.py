"""What moved: one sentence for each comparison, made from its verdict and its numbers."""

from __future__ import annotations

from sloagent.evaluation import wording
from sloagent.evaluation.phrases import phrase
from sloagent.model.comparison import Change, Moved, Terms, Why
from sloagent.model.slo import SLO, ValueSLI
from sloagent.model.verdict import Quantile


def sentence(slo: SLO, moved: Moved, terms: Terms, lang: str = "en") -> str:
    """What became of a number since the baseline, and how sure that is; plain text, not escaped for any place."""
    match moved.why:
        case Why.NOT_RUN:
            before, now = moved.baseline is not None, moved.current is not None
            return phrase("not_run_now" if before else "not_run_before" if now else "not_run_ever", lang)
        case Why.INSIDE_BUCKET if moved.bucket is None:
            return phrase("moved_inside_one_bucket", lang)
        case Why.INSIDE_BUCKET:
            assert moved.bucket is not None
            shown = wording.bucket(Quantile(moved.bucket[1], *moved.bucket), slo.unit, lang)
            return phrase("moved_inside_bucket", lang, bucket=shown)
        case Why.LOWER_BOUND:
            return phrase("moved_lower_bound", lang)
        case Why.OTHER_BOUNDS:
            return phrase("moved_other_bounds", lang)
        case Why.TOO_FEW:
            return phrase("moved_too_few_parts" if isinstance(slo.sli, ValueSLI) else "moved_too_few_events", lang)
        case Why.NO_DISTRIBUTION if moved.estimate is None:
            return phrase("moved_stated_only", lang)
        case Why.NO_DISTRIBUTION:
            return phrase("moved_stated", lang, change=signed(moved.estimate or 0.0))
    tolerance = wording.exactly(terms.tolerance, "ratio")
    return phrase(_verdict(moved, terms), lang, change=_change(slo, moved, terms, lang), tolerance=tolerance)


MOST_SAID = 9.0
"""Of a relative change, tenfold: how far beyond it lies is known to nobody who reads it from buckets."""


def signed(change: float, *, against: float | None = None) -> str:
    """A relative change with its sign: `+15.2 %`, `−3 %`; never rounded onto `against`, a size without sign.

    Beyond tenfold it says so, `> +900 %`; nothing falls by more than 100 %.
    """
    if change > MOST_SAID:
        return f"> +{wording.percent(MOST_SAID)}"
    change = max(change, -1.0)
    text = wording.percent(abs(change), against=against)
    return text if change == 0 else f"{'+' if change > 0 else '−'}{text}"


def _verdict(moved: Moved, terms: Terms) -> str:
    lower, upper = moved.lower, moved.upper
    match moved.change:
        case Change.SAME if lower is not None and upper is not None:
            return "moved_same" if max(-lower, upper) <= terms.tolerance else "moved_within_budget"
        case Change.SAME:
            return "moved_within_budget"
        case Change.CANNOT_TELL:
            return "moved_noise" if moved.why is Why.NOISE else "moved_straddles"
    return "moved_from_nothing" if lower is None and upper is None else "moved_decided"


def _change(slo: SLO, moved: Moved, terms: Terms, lang: str) -> str:
    """The change with its interval, and what it is of, where not of all."""
    if moved.estimate is not None:
        low, high = (
            None if end is None else signed(end, against=terms.tolerance) for end in (moved.lower, moved.upper)
        )
        change = signed(moved.estimate, against=terms.tolerance)
        text = phrase("change", lang, change=change, lower=low or "−100 %", upper=high or "+∞")
    elif moved.lower is None and moved.upper is None:
        before, now = (wording.quantity(value or 0.0, slo.unit) for value in (moved.baseline, moved.current))
        text = phrase("change_to", lang, baseline=before, current=now)
    else:
        end = moved.lower if moved.lower is not None and moved.lower > 0 else moved.upper
        text = phrase("change_at_least", lang, change=signed(min(end or 0.0, MOST_SAID), against=terms.tolerance))
    if moved.bound is not None:
        bound = wording.exactly(moved.bound, slo.unit)
        return phrase("change_at_bound", lang, bound=bound, percentile=f"{slo.main_percentile:g}", change=text)
    if moved.percentile is not None:
        return phrase("change_of_percentile", lang, percentile=f"{moved.percentile:g}", change=text)
    return text
