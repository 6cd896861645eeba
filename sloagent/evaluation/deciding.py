"""From the interval of a change to better, same, worse or cannot tell: one rule for every kind of number."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, log1p
from statistics import NormalDist

from sloagent.model.comparison import Change, Terms, Why

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """A change and where it lies, relative or as a logarithm; `estimate` is None where only the ends are known."""

    estimate: float | None
    lower: float
    upper: float


def reach(terms: Terms, shares: float) -> float:
    """How many standard errors an end lies from the estimate, where the level is shared among so many comparisons."""
    return _NORMAL.inv_cdf(1 - terms.level / max(1.0, shares))


def around(estimate: float, half: float) -> Interval:
    """The interval of an estimate and half a width."""
    return Interval(estimate, estimate - half, estimate + half)


def logarithmic(terms: Terms) -> tuple[float, float]:
    """The edges of the tolerance for a change that is the logarithm of a ratio."""
    return log1p(-terms.tolerance), log1p(terms.tolerance)


def decided(interval: Interval, edges: tuple[float, float], noise: float) -> tuple[Change, Why]:
    """What became of a number of which more is worse.

    worse: the whole interval lies above the upper edge of the tolerance, and the estimate is more than sampling error
    and the noise between runs explain together (`noise` is that of the terms times `reach`; independent errors add in
    squares). better: the mirror image. same: the whole interval lies within the edges. Else it cannot be told.
    """
    below, above = edges
    if interval.lower > above:
        return (Change.WORSE, Why.DECIDED) if _beyond_noise(interval, interval.lower, noise) else _IN_NOISE
    if interval.upper < below:
        return (Change.BETTER, Why.DECIDED) if _beyond_noise(interval, interval.upper, noise) else _IN_NOISE
    if below <= interval.lower and interval.upper <= above:
        return Change.SAME, Why.DECIDED
    return Change.CANNOT_TELL, Why.STRADDLES


_IN_NOISE = (Change.CANNOT_TELL, Why.NOISE)


def _beyond_noise(interval: Interval, end: float, noise: float) -> bool:
    size = end if interval.estimate is None else interval.estimate
    return abs(size) > hypot(size - end, noise)
