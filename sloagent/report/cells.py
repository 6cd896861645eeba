"""The cells that several tables share: percentiles with their bucket, limits, windows, the exact number behind each."""

from __future__ import annotations

from math import inf

from sloagent.evaluation import wording
from sloagent.model.slo import SLO, Labels, LatencySLI, Limit
from sloagent.model.verdict import Cause, Quantile, RangeVerdict, Verdict
from sloagent.report import times
from sloagent.report.escaping import visible
from sloagent.report.grid import Cell, soft
from sloagent.report.naming import series_name
from sloagent.report.verdicts import good_windows, stacked
from sloagent.report.words import Words


def name_of(labels: Labels) -> str:
    """A series's name, cut where it is endless; empty without labels."""
    return visible(series_name(labels))


def number(text: str, exact: str = "", below: str = "") -> Cell:
    """A number, its bucket and perhaps a time below it."""
    shown, bucket = stacked(text)
    return Cell(shown, sub=", ".join(part for part in (bucket, below) if part), exact=exact)


def quantile_cell(quantile: Quantile | None, slo: SLO, words: Words, *, lower_bound: bool = False) -> Cell:
    """A percentile with the bucket that it lies in."""
    if quantile is None:
        return soft(wording.ABSENT)
    text = wording.percentile(quantile, slo.unit, words.language, lower_bound=lower_bound)
    return number(text, exact_quantile(quantile, slo.unit, lower_bound=lower_bound))


def exact_quantile(quantile: Quantile, unit: str, *, lower_bound: bool = False) -> str:
    """All digits: the bucket and, where it is known, what Prometheus interpolates in it."""
    if quantile.lower == quantile.upper:
        return f"{quantile.value!r} {unit}"
    if lower_bound:
        return f"{quantile.lower!r} < x {unit}; histogram_quantile of the part {quantile.value!r}"
    upper = "+Inf" if quantile.upper == inf else repr(quantile.upper)
    return f"{quantile.lower!r} < x ≤ {upper} {unit}; histogram_quantile {quantile.value!r}"


def value_cell(slo: SLO, verdict: Verdict | None, words: Words, below: str = "") -> Cell:
    """What a verdict measured."""
    if verdict is None:
        return soft(wording.ABSENT)
    if verdict.cause is Cause.NOT_RUN:
        return soft(words.say("not_run"))
    quantile = wording.promised_quantile(slo, verdict) if isinstance(slo.sli, LatencySLI) else None
    if quantile is not None:
        exact = exact_quantile(quantile, slo.unit, lower_bound=bool(verdict.lower_bound))
    else:
        exact = "" if verdict.value is None else f"{verdict.value!r} {slo.unit}"
    text = wording.value(slo, verdict, words.language)
    return soft(text) if text == wording.ABSENT else number(text, exact, below)


def worst_cell(slo: SLO, series: RangeVerdict | None, slots: range, words: Words) -> Cell:
    """The worst window's number and its time, among the slots of the run."""
    if series is None or series.worst is None or series.worst.verdict.value is None:
        return soft(wording.ABSENT)
    return value_cell(slo, series.worst.verdict, words, times.within(series.worst.slot, slots))


def windows_cell(series: RangeVerdict | None, words: Words) -> Cell:
    """The good windows of those that were judged."""
    text = good_windows(series, words)
    return soft(text) if text == wording.ABSENT else Cell(text, exact=_share(series))


def _share(series: RangeVerdict | None) -> str:
    share = series.good_windows if series else None
    if share is None:
        return ""
    return f"{share.lower!r}" if share.lower == share.upper else f"{share.lower!r} … {share.upper!r}"


def limit_text(slo: SLO, limit: Limit | None, words: Words) -> str:
    """The limit alone: which percentile it is for stands in the heading."""
    if slo.objective is None:
        return words.say("tbd")
    return wording.objective(slo, limit).removeprefix(f"P{slo.objective.percentile or 0:g} ")


def objective_text(slo: SLO, words: Words, limit: Limit | None = None) -> str:
    """What is promised, or that nothing is yet."""
    return wording.objective(slo, limit) if slo.objective is not None else words.say("tbd")


def quiet(series: RangeVerdict) -> bool:
    """Whether a series is only listed: it does not gate."""
    return not series.gates and series.cause in (
        Cause.TOO_FEW_EVENTS, Cause.NO_EVENTS, Cause.NO_SERIES, Cause.NOT_RUN,
    )  # fmt: skip


def measured_cells(slo: SLO, series: RangeVerdict, words: Words) -> list[Cell]:
    """The numbers of the whole run; of a value, which has none, those of its worst window and its mean."""
    whole = series.whole
    if not isinstance(slo.sli, LatencySLI):
        return [value_cell(slo, whole or (series.worst.verdict if series.worst else None), words)]
    if whole is not None and series.cause is Cause.NOT_RUN:
        return [soft(words.say("not_run")) for _ in slo.quantiles]
    if whole is None or not whole.quantiles:
        return [soft(wording.ABSENT) for _ in slo.quantiles]
    bounded = bool(whole.lower_bound)
    return [quantile_cell(quantile, slo, words, lower_bound=bounded) for quantile in whole.quantiles]


def percentile_columns(slo: SLO, words: Words) -> list[str]:
    """The headings over `measured_cells`."""
    return [f"P{p:g}" for p in slo.quantiles] if isinstance(slo.sli, LatencySLI) else [words.say("value")]
