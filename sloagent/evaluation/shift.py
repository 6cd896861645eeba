"""By what factor the latencies of one histogram differ from those of another, told by the bounds that events straddle.

The assumption, made here and nowhere else: between two bounds the share of events, as a normal quantile (probit), is
linear in the logarithm of the latency. That is exact for log-normal latencies and smooth for all others. It decides how
large a change is, not whether there is one: equal shares at all bounds are no change under any assumption.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import hypot, inf, log, sqrt
from statistics import NormalDist

from sloagent.evaluation.deciding import Interval
from sloagent.evaluation.quantiles import raised
from sloagent.model.distribution import Distribution

LEAST_BESIDE = 10.0
"""Events of both runs that must lie between two bounds, and beyond the outermost, for a bound to tell anything."""
NARROWEST = 20.0
"""With a single such bound nothing tells how wide latencies spread. Then one standard deviation of their logarithm is
taken to be no less than 1/20, that is 5 %, which makes a change that is seen as small as it can be."""
_EDGE = 1e-15
"""No share is nearer to 0 or 1: with more events than that, floating point would make it one of them."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Curve:
    """One run at the straddled bounds: the share of events at or below each, as such and as a normal quantile.

    Half an event is added on either side, so that no share is 0 or 1.
    """

    total: float
    shares: tuple[float, ...]
    probits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs at the bounds which both histograms have and their events straddle."""

    bounds: tuple[float, ...]
    """Ascending."""
    logs: tuple[float, ...]
    """Of the bounds."""
    baseline: Curve
    current: Curve


@dataclass(frozen=True, slots=True)
class Shift:
    """The logarithm of a factor and its standard error; 0.1 is 10.5 % slower."""

    estimate: float
    error: float


def shared_bounds(baseline: Distribution, current: Distribution) -> tuple[float, ...]:
    """The finite bounds above 0 that both have: a factor of latencies below 0 means nothing."""
    return tuple(bound for bound in sorted({*baseline.bounds} & {*current.bounds}) if 0 < bound < inf)


def pair_of(baseline: Distribution, current: Distribution, bounds: Sequence[float]) -> Pair:
    """Both at those of the shared bounds that at least `LEAST_BESIDE` events of both together lie on either side of."""
    before, now = _at(baseline, bounds), _at(current, bounds)
    total_before, total_now = raised(baseline.counts)[-1], raised(current.counts)[-1]
    kept: list[int] = []
    below = 0.0
    for place in range(len(bounds)):
        count = before[place] + now[place]
        if count - below >= LEAST_BESIDE and total_before + total_now - count >= LEAST_BESIDE:
            kept.append(place)
            below = count
    return Pair(
        tuple(bounds[place] for place in kept),
        tuple(log(bounds[place]) for place in kept),
        _curve([before[place] for place in kept], total_before),
        _curve([now[place] for place in kept], total_now),
    )


def shift_of(pair: Pair) -> Shift | None:
    """The common factor by which latencies differ, told by all bounds; None where there is none to tell it.

    A weighted mean of the horizontal distances of the two curves at the bounds. The weights are those of generalised
    least squares, whose information equals Fisher's for grouped observations of a shifted density; where they would be
    negative they are 0, so that a run that is slower at every bound is never found faster. The error is the multinomial
    one of both runs, independent events supposed. With a single bound it is the least factor that explains the shares.
    """
    middle = _middle(pair)
    shares = [_NORMAL.cdf(y) for y in middle]
    densities = [_NORMAL.pdf(y) * slope for y, slope in zip(middle, _slopes(pair.logs, middle), strict=True)]
    scores = [
        (there - here) / mass if mass > 0 else 0.0
        for here, there, mass in zip([0.0, *densities], [*densities, 0.0], _differences(shares), strict=True)
    ]
    weights = [max(0.0, here - there) for here, there in pairwise(scores)]
    information = sum(weight * density for weight, density in zip(weights, densities, strict=True))
    return _weighted(pair, middle, [weight / information for weight in weights]) if information > 0 else None


def shift_at(pair: Pair, place: int) -> Shift | None:
    """The factor told by one of the bounds alone; None where no event lies near it."""
    middle = _middle(pair)
    density = _NORMAL.pdf(middle[place]) * _slopes(pair.logs, middle)[place]
    weights = [1 / density if place == here else 0.0 for here in range(len(middle))] if density > 0 else []
    return _weighted(pair, middle, weights) if weights else None


def quantile_shift(pair: Pair, share: float, reach: float) -> Interval:
    """The logarithm of the factor between the quantiles of the two; `reach` is in standard errors.

    Each quantile's interval comes from that of its share (Woodruff 1952), the two are joined by the method of variance
    estimates recovery (Zou and Donner 2008). An end is infinite where the quantile lies below or above all bounds.
    """
    wanted = _NORMAL.inv_cdf(share)
    ends = []
    for curve in (pair.baseline, pair.current):
        half = reach * sqrt(share * (1 - share) / curve.total) / _NORMAL.pdf(wanted)
        ends.append([_between(pair.logs, curve.probits, wanted + step) for step in (-half, 0.0, half)])
    ((lowest, _), (was, was_open), (_, highest)), ((least, _), (is_now, is_open), (_, most)) = ends
    if was != was_open or is_now != is_open:
        return Interval(None, least - highest, most - lowest)
    change = is_now - was
    return Interval(change, change - hypot(is_now - least, highest - was), change + hypot(most - is_now, was - lowest))


def _at(distribution: Distribution, bounds: Sequence[float]) -> list[float]:
    counts = dict(zip(distribution.bounds, raised(distribution.counts), strict=True))
    return [counts[bound] for bound in bounds]


def _curve(counts: Sequence[float], total: float) -> Curve:
    shares = tuple(min(max((count + 0.5) / (total + 1), _EDGE), 1 - _EDGE) for count in counts)
    return Curve(total, shares, tuple(_NORMAL.inv_cdf(share) for share in shares))


def _slopes(logs: Sequence[float], middle: Sequence[float]) -> list[float]:
    """Probit per logarithm at each bound: the harmonic mean of those on either side, which at an empty bucket is 0."""
    if len(logs) < 2:
        return [NARROWEST] * len(logs)
    between = [(y - x) / (b - a) for (a, x), (b, y) in pairwise(zip(logs, middle, strict=True))]
    inner = [2 * a * b / (a + b) if a + b > 0 else 0.0 for a, b in pairwise(between)]
    return [between[0], *inner, between[-1]]


def _differences(shares: Sequence[float]) -> list[float]:
    return [there - here for here, there in zip([0.0, *shares], [*shares, 1.0], strict=True)]


def _middle(pair: Pair) -> list[float]:
    return [(a + b) / 2 for a, b in zip(pair.baseline.probits, pair.current.probits, strict=True)]


def _weighted(pair: Pair, middle: Sequence[float], weights: Sequence[float]) -> Shift:
    distances = zip(pair.baseline.probits, pair.current.probits, strict=True)
    estimate = sum(
        weight * _NORMAL.pdf(y) * (before - now)
        for weight, y, (before, now) in zip(weights, middle, distances, strict=True)
    )
    return Shift(estimate, sqrt(_variance(pair.baseline, weights) + _variance(pair.current, weights)))


def _variance(curve: Curve, weights: Sequence[float]) -> float:
    """Of the sum of weighted shares: each event scores the weights of all bounds that it lies at or below."""
    scores = [*reversed(list(accumulate(reversed(weights)))), 0.0]
    masses = _differences(curve.shares)
    mean = sum(mass * score for mass, score in zip(masses, scores, strict=True))
    return sum(mass * (score - mean) ** 2 for mass, score in zip(masses, scores, strict=True)) / curve.total


def _between(logs: Sequence[float], probits: Sequence[float], wanted: float) -> tuple[float, float]:
    """Where a curve reaches a probit: twice the same number, or the open stretch below or above all bounds."""
    if not logs or wanted > probits[-1]:
        return (logs[-1] if logs else -inf), inf
    place = bisect_left(probits, wanted)
    if place == 0:
        return (logs[0], logs[0]) if probits[0] == wanted else (-inf, logs[0])
    low, high = probits[place - 1], probits[place]
    found = logs[place - 1] + (logs[place] - logs[place - 1]) * (wanted - low) / (high - low)
    return found, found
