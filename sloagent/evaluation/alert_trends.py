"""What a run that goes on says to the rules that look at more than one slot: regression and leak."""

from __future__ import annotations

from collections.abc import Mapping

from sloagent.evaluation import wording
from sloagent.evaluation.alerting import Held, Look, State
from sloagent.evaluation.compare_series import Measured
from sloagent.evaluation.comparing_words import sentence
from sloagent.evaluation.drift import growth, is_leak
from sloagent.evaluation.quantiles import quantile
from sloagent.evaluation.reasons import grows
from sloagent.evaluation.recent import LOOKS_IN_A_WINDOW
from sloagent.evaluation.regressing import Side, regressions
from sloagent.model.alert import Regressing, Rule, Severity
from sloagent.model.comparison import Change, Moved, Terms, Why
from sloagent.model.distribution import Distribution
from sloagent.model.slo import SLO, Labels, LatencySLI, RatioSLI
from sloagent.model.tally import SeriesTally

LEAK_LOOK_SECONDS = 3_600
"""At the slots that are multiples of it growth is looked at."""
LEAK_LOOKS = 2
"""In a row: what does not leak may look like it at one of a day's looks, and seldom does at the next."""

_STATES = {
    Why.NOT_RUN: State.UNSEEN,
    Why.TOO_FEW: State.UNSEEN,
    Why.OTHER_BOUNDS: State.UNKNOWN,
    Why.LOWER_BOUND: State.UNKNOWN,
}
"""What is known of a series that is not worse; of all other reasons that it is seen, and not surely worse."""


def regression_look(rule: Regressing, baseline: Side, current: Side, looks: float, baseline_name: str) -> Look:
    """The look at a stretch of `recent`; `baseline_name` is the run beside which it is.

    One look that finds a series worse is enough, for the level is that of any look of the run being wrong. It is over
    when the looks of a whole window were calm.
    """
    holds: dict[Labels, Held] = {}
    others: dict[Labels, State] = {}
    for labels, moved in regressions(rule.terms, baseline, current, looks).items():
        if moved.change is Change.WORSE:
            holds[labels] = Held(
                rule.severity, moved.current, _worse(rule.terms, moved, labels, baseline, current, baseline_name)
            )
        else:
            others[labels] = _STATES.get(moved.why, State.CALM)
    if not current.series:  # nothing has recovered: what is asked for has gone
        return Look(Rule.REGRESSION, 0, 1, LOOKS_IN_A_WINDOW, {}, {}, State.UNKNOWN)
    return Look(Rule.REGRESSION, 0, 1, LOOKS_IN_A_WINDOW, holds, others, State.UNSEEN)


def _worse(terms: Terms, moved: Moved, labels: Labels, baseline: Side, current: Side, baseline_name: str) -> str:
    slo = current.slo
    now = _shown(slo, moved.current, current.series[labels])
    before = _shown(slo, moved.baseline, baseline.series[labels])
    what = ""
    if isinstance(slo.sli, LatencySLI):
        what = f"P{slo.main_percentile:g} "
    elif isinstance(slo.sli, RatioSLI):
        what = "bad "
    return f"{sentence(slo, moved, terms)}, beside {baseline_name}: {what}{now}, was {before}"


def _shown(slo: SLO, number: float | None, measured: Measured) -> str:
    """The number that was compared, a percentile with its bucket."""
    if isinstance(measured, Distribution):
        return wording.percentile(quantile(measured, slo.main_percentile))
    return wording.ABSENT if number is None else wording.quantity(number, slo.unit)


def leak_look(slo: SLO, severity: Severity, slot: int, series: Mapping[Labels, SeriesTally]) -> Look:
    """The look at the series of the tally of a run from its beginning to a slot: do they grow as a leak does.

    The rule is that of a run's verdict (`evaluation.drift`), which tells nothing below an hour or 30 windows.
    """
    holds: dict[Labels, Held] = {}
    others: dict[Labels, State] = {}
    most = slo.objective.grows_at_most if slo.objective is not None else None
    for labels, row in series.items():
        if row.minima and row.minima[-1][0] < slot - LEAK_LOOK_SECONDS:
            continue  # gone since the last look: what it did before says nothing of now
        grown = growth(row.minima, row.good + row.bad + row.measured) if most is not None else None
        if grown is None or most is None:
            others[labels] = State.UNKNOWN
        elif is_leak(grown, most):
            holds[labels] = Held(severity, grown.slope, grows(slo, grown, most))
        else:
            others[labels] = State.CALM
    return Look(Rule.LEAK, 0, LEAK_LOOKS, LEAK_LOOKS, holds, others, State.UNSEEN if series else State.UNKNOWN)
