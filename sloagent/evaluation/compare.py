"""A run beside its baseline: distributions, and the verdict of an SLO from those of its series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import expm1, isfinite

from sloagent.evaluation.compare_numbers import compare_shares, compare_values
from sloagent.evaluation.deciding import STILL, Interval, Wander, Yardstick, around, decided, logarithmic
from sloagent.evaluation.quantiles import quantile, raised
from sloagent.evaluation.shift import Pair, pair_of, quantile_shift, shared_bounds, shift_at, shift_of
from sloagent.model.comparison import WORST_FIRST, Change, Moved, MovedDistribution, Terms, Why
from sloagent.model.distribution import Distribution

__all__ = ["compare_distributions", "compare_shares", "compare_values", "roll_up"]

LEAST_EVENTS = 100.0
"""Of either run, for its distribution to be compared."""
LEAST_BEYOND = 10.0
"""Events of either run on either side of a percentile, for it to be compared."""
ALL, PROMISED, BEYOND = 0.8, 0.15, 0.05
"""What the three tests have of the level: a change of all latencies is the likelier one, and the surest to be told."""

_HIDDEN = Moved(Change.CANNOT_TELL, Why.INSIDE_BUCKET)


def compare_distributions(
    slo_percentile: float,
    percentiles: Sequence[float],
    baseline: Distribution | None,
    current: Distribution | None,
    terms: Terms,
    series: int = 1,
    looks: float = 1.0,
    wander: Wander = STILL,
) -> MovedDistribution:
    """What became of one series of a latency; counts are events, None is a run that lacks it, percentiles in percent.

    Three tests share the level, because a regression may hit only the slow: the factor between all latencies, told by
    all bounds; that between the promised percentiles; and that at each bound beyond them. worse: one of them is.
    same: the first two are, and no bound beyond surely is not. better: one is, and the first two are surely not worse.
    `series` is how many are compared of one SLO: each has that part of the level (Bonferroni). So have the percentiles
    among themselves; they decide nothing. `looks` is among how many looks at a run that goes on the level is shared, and
    `wander` how far a stretch of it lies from the whole.

    Nothing is the same inside one bucket: a size takes two bounds that the events straddle, and the promised percentile
    must lie between such bounds in both runs. See `evaluation.shift` for what is supposed between bounds.
    """
    pair = _comparable(baseline, current)
    if isinstance(pair, Why):
        overall = Moved(Change.CANNOT_TELL, pair)
        singles = [overall] * len(percentiles)
    else:
        yardstick = Yardstick(terms, series, looks, wander)
        overall = _overall(pair, slo_percentile, yardstick)
        singles = [_quantile(pair, percentile, yardstick.among(len(percentiles))) for percentile in percentiles]
    return MovedDistribution(
        _with_values(overall, slo_percentile, baseline, current),
        tuple(_with_values(moved, p, baseline, current) for moved, p in zip(singles, percentiles, strict=True)),
    )


def roll_up(moved: Iterable[Moved]) -> Change:
    """The verdict of an SLO from those of its series; one that was not run in both, or has too few events, does not count.

    worse if one is worse; else it cannot be told if one of them cannot, or there is none; else better if one is; else
    same. A series with too few events does not gate an SLO, so it does not keep it from being compared either.
    """
    changes = {one.change for one in moved if one.why not in (Why.NOT_RUN, Why.TOO_FEW)}
    return next((change for change in WORST_FIRST if change in changes), Change.CANNOT_TELL)


def _comparable(baseline: Distribution | None, current: Distribution | None) -> Pair | Why:
    if baseline is None or current is None:
        return Why.NOT_RUN
    fewest = min(raised(baseline.counts)[-1], raised(current.counts)[-1])
    if fewest < LEAST_EVENTS:
        return Why.TOO_FEW if fewest > 0 else Why.NOT_RUN
    bounds = shared_bounds(baseline, current)
    return pair_of(baseline, current, bounds) if bounds else Why.OTHER_BOUNDS


def _overall(pair: Pair, percentile: float, yardstick: Yardstick) -> Moved:
    whole = _whole(pair, yardstick.among(1 / ALL))
    promised = replace(_quantile(pair, percentile, yardstick.among(1 / PROMISED)), percentile=percentile)
    beyond = _beyond(pair, percentile, yardstick.among(1 / BEYOND))
    for moved in (whole, promised, *beyond):
        if moved.change is Change.WORSE:
            return moved
    for moved, other in ((whole, promised), (promised, whole)):
        harmless = other.change is not Change.CANNOT_TELL or (
            other.upper is not None and other.upper <= yardstick.terms.tolerance
        )
        if moved.change is Change.BETTER and harmless:
            return moved
    undecided = [moved for moved in (whole, promised) if moved.change is Change.CANNOT_TELL]
    return next(iter((*undecided, *beyond, whole)))


def _whole(pair: Pair, yardstick: Yardstick) -> Moved:
    shift = shift_of(pair)
    if shift is None:
        return _HIDDEN
    moved = _by_interval(around(shift.estimate, yardstick.reach * shift.error), yardstick)
    if len(pair.logs) > 1:
        return moved
    match moved.change:
        case Change.WORSE:
            return replace(moved, estimate=None, upper=None)
        case Change.BETTER:
            return replace(moved, estimate=None, lower=None)
    return _HIDDEN


def _quantile(pair: Pair, percentile: float, yardstick: Yardstick) -> Moved:
    rarer = min(percentile, 100 - percentile) / 100
    if rarer * min(pair.baseline.total, pair.current.total) < LEAST_BEYOND * (1 - 1e-9):
        return Moved(Change.CANNOT_TELL, Why.TOO_FEW)
    moved = _by_interval(quantile_shift(pair, percentile / 100, yardstick.reach), yardstick)
    hidden = moved.estimate is None and moved.change is Change.CANNOT_TELL
    return replace(moved, why=Why.INSIDE_BUCKET) if hidden else moved


def _beyond(pair: Pair, percentile: float, yardstick: Yardstick) -> list[Moved]:
    """The bounds above the percentile of either run at which a change is sure."""
    highest = [max(both) for both in zip(pair.baseline.shares, pair.current.shares, strict=True)]
    places = [place for place, share in enumerate(highest) if share >= percentile / 100]
    each = yardstick.among(max(1, len(places)))
    found = []
    for place in places:
        if (shift := shift_at(pair, place)) is not None:
            moved = _by_interval(around(shift.estimate, each.reach * shift.error), each)
            found.append(replace(moved, bound=pair.bounds[place]))
    return [moved for moved in found if moved.change is not Change.SAME and moved.why is not Why.STRADDLES]


def _by_interval(interval: Interval, yardstick: Yardstick) -> Moved:
    interval = yardstick.widened(interval)
    change, why = decided(interval, logarithmic(yardstick.terms), yardstick)
    estimate, lower, upper = (
        expm1(end) if end is not None and isfinite(end) else None
        for end in (interval.estimate, interval.lower, interval.upper)
    )
    return Moved(change, why, estimate=estimate, lower=lower, upper=upper)


def _with_values(moved: Moved, percentile: float, baseline: Distribution | None, current: Distribution | None) -> Moved:
    """With the percentile of both, and with the bucket that hides a change."""
    before, now = (quantile(run, percentile) if run is not None else None for run in (baseline, current))
    bucket = None
    if moved.why is Why.INSIDE_BUCKET and before is not None and now is not None:
        bucket = min(before.lower, now.lower), max(before.upper, now.upper)
    values = (before.value if before is not None else None, now.value if now is not None else None)
    return replace(moved, baseline=values[0], current=values[1], bucket=bucket)
