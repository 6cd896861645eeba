"""From the interval of a change to better, same, worse or cannot tell: one rule for every kind of number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, isfinite, log1p, sqrt
from statistics import NormalDist

from sloagent.evaluation.student import student_quantile
from sloagent.model.comparison import Change, Terms, Why

_NORMAL = NormalDist()
_FARTHEST, _STEPS = 8.0, 80
"""Over so many standard errors on either side, in so many steps, normal errors are summed."""
_STEP = 2 * _FARTHEST / _STEPS


@dataclass(frozen=True, slots=True)
class Interval:
    """A change and where it lies, relative or as a logarithm; `estimate` is None where only the ends are known."""

    estimate: float | None
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Wander:
    """How far a stretch of a run lies from the whole of it, beyond what sampling explains: a standard deviation."""

    size: float
    degrees: int
    """Of freedom: one less than the stretches that it was told from."""


STILL = Wander(0.0, 1)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What one comparison of several is held to."""

    terms: Terms
    shares: float = 1.0
    """Among how many comparisons the level is shared."""
    looks: float = 1.0
    """Among how many looks at one run: sampling errs anew at each of them, the noise between runs only once."""
    wander: Wander = STILL
    """Of what is compared, where it is a stretch of a run; as a logarithm."""

    def among(self, shares: float) -> Yardstick:
        """That of each of so many comparisons that share the level of this one."""
        return replace(self, shares=self.shares * shares)

    @property
    def level(self) -> float:
        """How often at most the comparison is wrong, over all looks."""
        return self.terms.level / max(1.0, self.shares)

    @property
    def reach(self) -> float:
        """How many standard errors an end lies from the estimate, at each look."""
        return _NORMAL.inv_cdf(1 - self.level / self.looks)

    def widened(self, interval: Interval) -> Interval:
        """The interval of a stretch of a run that wanders, from that which sampling alone would leave (Welch)."""
        if self.wander.size == 0:
            return interval
        lower, upper = interval.lower, interval.upper
        low, high = (lower, upper) if interval.estimate is None else (interval.estimate, interval.estimate)
        return Interval(interval.estimate, low - self._half(low - lower), high + self._half(upper - high))

    def _half(self, sampled: float) -> float:
        if not isfinite(sampled):
            return sampled
        error, wander = (sampled / self.reach) ** 2, self.wander.size**2
        degrees = int((error + wander) ** 2 / wander**2 * self.wander.degrees)
        return student_quantile(self.level / self.looks, degrees) * sqrt(error + wander)


def around(estimate: float, half: float) -> Interval:
    """The interval of an estimate and half a width."""
    return Interval(estimate, estimate - half, estimate + half)


def logarithmic(terms: Terms) -> tuple[float, float]:
    """The edges of the tolerance for a change that is the logarithm of a ratio."""
    return log1p(-terms.tolerance), log1p(terms.tolerance)


def decided(interval: Interval, edges: tuple[float, float], yardstick: Yardstick) -> tuple[Change, Why]:
    """What became of a number of which more is worse. The interval is one whose ends lie as far as the yardstick reaches.

    worse: the whole interval lies above the upper edge of the tolerance, and the estimate is more than sampling error
    and the noise between runs explain together. better: the mirror image. same: the whole interval lies within the
    edges. Else it cannot be told.
    """
    below, above = edges
    if interval.lower > above:
        return (Change.WORSE, Why.DECIDED) if _beyond_noise(interval, interval.lower, yardstick) else _IN_NOISE
    if interval.upper < below:
        return (Change.BETTER, Why.DECIDED) if _beyond_noise(interval, interval.upper, yardstick) else _IN_NOISE
    if below <= interval.lower and interval.upper <= above:
        return Change.SAME, Why.DECIDED
    return Change.CANNOT_TELL, Why.STRADDLES


_IN_NOISE = (Change.CANNOT_TELL, Why.NOISE)


def _beyond_noise(interval: Interval, end: float, yardstick: Yardstick) -> bool:
    size = end if interval.estimate is None else interval.estimate
    half, noise = abs(size - end), yardstick.terms.noise
    once = replace(yardstick, looks=1.0)
    if abs(size) <= hypot(half / yardstick.reach * once.reach, once.reach * noise):  # independent errors add in squares
        return False
    if yardstick.looks <= 1 or half == 0 or noise == 0:
        return True
    return _explained(abs(size), half / yardstick.reach, noise, yardstick.looks) <= yardstick.level


def _explained(size: float, error: float, noise: float, looks: float) -> float:
    """How likely the greatest of the errors of so many looks makes up this size, together with the noise of the run.

    The looks are taken as independent: the greatest error of those whose windows overlap is no greater (Slepian 1962).
    Summed over that greatest error, in standard errors, whose density is known: how likely the noise makes up the rest.
    """
    total = 0.0
    for place in range(_STEPS + 1):
        greatest = place * _STEP - _FARTHEST
        density = looks * _NORMAL.pdf(greatest) * _NORMAL.cdf(greatest) ** (looks - 1)
        total += density * _NORMAL.cdf((error * greatest - size) / noise)
    return total * _STEP
