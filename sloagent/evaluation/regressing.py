"""A run that goes on beside a whole earlier one, look by look, at a level that holds for all looks together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import fmean, variance

from sloagent.evaluation.compare import LEAST_EVENTS
from sloagent.evaluation.compare_numbers import LEAST_PARTS, share_shift
from sloagent.evaluation.compare_series import Measured, compare_series
from sloagent.evaluation.deciding import STILL, Wander
from sloagent.evaluation.quantiles import raised
from sloagent.evaluation.shift import pair_of, shared_bounds, shift_of
from sloagent.model.comparison import Change, Moved, Terms, Why
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted, added
from sloagent.model.samples import Events
from sloagent.model.slo import SLO, Labels, LatencySLI, RatioSLI

SURELY = 2.0
"""Standard deviations of a variance, by which parts must differ more than sampling explains: what hardly shows is little
beside sampling, and the tolerance has room for it."""


@dataclass(frozen=True, slots=True)
class Side:
    """What a run, or a stretch of it, knows of the series of an SLO."""

    slo: SLO
    """As it was asked then."""
    series: Mapping[Labels, Measured]
    """Events, not rates; of a value the means of equal parts."""
    answered: Mapping[Labels, tuple[str, ...]] = field(default_factory=dict)
    """The metrics that a series was read from, where one of them is a lower bound; a series that is absent had none."""
    wander: Mapping[Labels, Wander] = field(default_factory=dict)
    """Of the baseline: `wandering`. A series that is absent is supposed to be still."""

    def lower_bound(self, labels: Labels) -> str:
        """The metric of a part of what is measured that a series was read from; empty where it was not."""
        sli = self.slo.sli
        return sli.lower_bound(self.answered.get(labels, ())) if isinstance(sli, LatencySLI) else ""


def wandering(slo: SLO, parts: Iterable[Mapping[Labels, Counted]]) -> dict[Labels, Wander]:
    """How far the parts of a whole run lie from one another, beyond what sampling explains: what a stretch errs by.

    `parts` are the pieces of the baseline run, which are an hour long but for those at its cuts. Told of series with
    enough events in at least six of them; of a value its means tell it.
    """
    each: dict[Labels, list[Counted]] = {}
    for part in parts:
        for labels, one in part.items():
            if _tells(one):
                each.setdefault(labels, []).append(one)
    found = {labels: _wander(slo, several) for labels, several in each.items() if len(several) >= LEAST_PARTS}
    return {labels: wander for labels, wander in found.items() if wander is not None}


def _wander(slo: SLO, parts: Sequence[Counted]) -> Wander | None:
    whole = added(parts)
    apart = [found for part in parts if (found := _apart(slo, whole, part)) is not None]
    if len(apart) < LEAST_PARTS:
        return None
    seen = variance([estimate for estimate, _ in apart])
    # Each error is that of the part and of the whole, which has so many times its events and errs alike beside all.
    explained = fmean(error**2 for _, error in apart) / (1 + 1 / len(apart))
    degrees = len(apart) - 1
    sure = seen > explained * (1 + SURELY * sqrt(2 / degrees))
    return Wander(sqrt(seen - explained) if sure else 0.0, degrees)


def _apart(slo: SLO, whole: Counted, part: Counted) -> tuple[float, float] | None:
    """The logarithm of the factor between a part and the whole, and its error by sampling."""
    if isinstance(whole, Distribution) and isinstance(part, Distribution):
        shift = shift_of(pair_of(whole, part, shared_bounds(whole, part)))
        return (shift.estimate, shift.error) if shift is not None else None
    if isinstance(whole, Events) and isinstance(part, Events) and isinstance(slo.sli, RatioSLI):
        return share_shift(whole, part, slo.sli.counts)
    return None


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
        wander = baseline.wander.get(labels, STILL)
        moved = compare_series(slo, labels, before, now, terms, comparable, looks, wander).overall
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
