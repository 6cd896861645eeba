"""A run that goes on beside a whole earlier one, look by look, at a level that holds for all looks together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sloagent.evaluation.compare import LEAST_EVENTS
from sloagent.evaluation.compare_numbers import LEAST_PARTS
from sloagent.evaluation.compare_series import Measured, compare_series
from sloagent.evaluation.quantiles import raised
from sloagent.model.comparison import Change, Moved, Terms, Why
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Events
from sloagent.model.slo import SLO, Labels, LatencySLI


@dataclass(frozen=True, slots=True)
class Side:
    """What a run, or a stretch of it, knows of the series of an SLO."""

    slo: SLO
    """As it was asked then."""
    series: Mapping[Labels, Measured]
    """Events, not rates; of a value the means of equal parts."""
    answered: Mapping[Labels, tuple[str, ...]] = field(default_factory=dict)
    """The metrics that a series was read from, where one of them is a lower bound; a series that is absent had none."""

    def lower_bound(self, labels: Labels) -> str:
        """The metric of a part of what is measured that a series was read from; empty where it was not."""
        sli = self.slo.sli
        return sli.lower_bound(self.answered.get(labels, ())) if isinstance(sli, LatencySLI) else ""


def regressions(terms: Terms, baseline: Side, current: Side, looks: float) -> dict[Labels, Moved]:
    """What became of every series that either side knows, the current one over a stretch of `recent`.

    It is the report's comparison (`evaluation.compare`), and only `worse` is a regression. The level of the terms is
    that of any false alarm in the run: it is shared among the series that the baseline tells enough of to be compared,
    whenever they are seen, and what sampling has of it among the looks. The noise between runs is not, for a run has it
    but once.
    """
    slo = current.slo
    comparable = sum(map(_tells, baseline.series.values())) or 1
    found = {}
    for labels in sorted({*baseline.series, *current.series}):
        before, now = baseline.series.get(labels), current.series.get(labels)
        moved = compare_series(slo, labels, before, now, terms, comparable, looks).overall
        bounds = baseline.lower_bound(labels), current.lower_bound(labels)
        alone = all(side.answered.get(labels) == bounds[:1] for side in (baseline, current))
        if any(bounds) and not alone and moved.why is not Why.NOT_RUN:
            moved = Moved(Change.CANNOT_TELL, Why.LOWER_BOUND, moved.baseline, moved.current)
        found[labels] = moved
    return found


def _tells(measured: Measured) -> bool:
    """Whether there is enough of the baseline's series for another ever to be compared with it."""
    match measured:
        case Distribution():
            return raised(measured.counts)[-1] >= LEAST_EVENTS
        case Events():
            return measured.total is not None and measured.total >= LEAST_EVENTS
    return len(measured) >= LEAST_PARTS
