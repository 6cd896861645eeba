"""One series of an SLO beside the same series of another run: each sort of SLI by its own comparison."""

from __future__ import annotations

from collections.abc import Sequence

from sloagent.evaluation.compare import compare_distributions, compare_shares, compare_values
from sloagent.evaluation.deciding import STILL, Wander
from sloagent.model.comparison import MovedDistribution, Terms
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Events
from sloagent.model.slo import SLO, Labels, LatencySLI, RatioSLI

Measured = Distribution | Events | Sequence[float]
"""Of a latency its events by bound, of a ratio its events on both sides, of a value the means of equal parts."""


def compare_series(
    slo: SLO,
    labels: Labels,
    baseline: Measured | None,
    current: Measured | None,
    terms: Terms,
    series: int = 1,
    looks: float = 1.0,
    wander: Wander = STILL,
) -> MovedDistribution:
    """What became of a series that `series` others share the level with; of all but a latency it is one number.

    None is a run that lacks it. `looks` is more than 1 where `current` is a window of a run that goes on, and is compared
    again and again: among so many looks the level is shared, where it is of sampling. `wander` is how far such a window
    lies from the whole of a run; of a value the parts of the baseline tell it.
    """
    sli = slo.sli
    if isinstance(sli, LatencySLI):
        before, now = (one if isinstance(one, Distribution) else None for one in (baseline, current))
        return compare_distributions(slo.main_percentile, slo.quantiles, before, now, terms, series, looks, wander)
    objective = slo.objective
    if isinstance(sli, RatioSLI):
        had, has = (one if isinstance(one, Events) else None for one in (baseline, current))
        moved = compare_shares(
            had, has, sli.counts, terms, series, looks, wander,
            promised=objective.limit_for(labels).at_least if objective is not None else None,
            absent_is_zero=sli.bad_absent_is_zero,
        )  # fmt: skip
    else:
        falling = objective is not None and objective.limit.at_least is not None
        moved = compare_values(_means(baseline), _means(current), terms, series, looks, falling_is_worse=falling)
    return MovedDistribution(moved, (moved,))


def _means(measured: Measured | None) -> Sequence[float]:
    return () if measured is None or isinstance(measured, Distribution | Events) else measured
