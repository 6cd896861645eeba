"""A run beside an earlier one: what moved, by how much, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    """What became of a number. Only `worse` is a regression."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    CANNOT_TELL = "cannot_tell"


WORST_FIRST = (Change.WORSE, Change.CANNOT_TELL, Change.BETTER, Change.SAME)
"""The first of them that one of several numbers has is that of all; lists are sorted so, too."""


class Why(StrEnum):
    """What a change rests on, or why it cannot be told; sentences are made from it and the numbers."""

    DECIDED = "decided"
    """The whole interval lies on one side of the tolerance, or within it."""
    STRADDLES = "straddles"
    """The interval lies on both sides of the tolerance's edge: more data would tell."""
    NOISE = "noise"
    """The interval lies beyond the tolerance, but two runs of the same thing may differ by as much."""
    INSIDE_BUCKET = "inside_bucket"
    """Both lie in one bucket, and no bound tells by how much they differ: a shift inside it is invisible."""
    NOT_RUN = "not_run"
    """One of the two was not measured."""
    TOO_FEW = "too_few"
    """Fewer events, or fewer parts of the run, than a comparison needs."""
    NO_DISTRIBUTION = "no_distribution"
    """One of the two is a number that somebody wrote down: nothing tells how sure it is."""
    OTHER_BOUNDS = "other_bounds"
    """The two histograms share no bound at which they can be compared."""
    LOWER_BOUND = "lower_bound"
    """One of the two is of a part of what is measured, and the other is not of the same part."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a comparison is held to. All are shares."""

    tolerance: float = 0.05
    """A change up to this does not matter: surely within it is `same`, and only what is surely beyond it is not."""
    level: float = 0.01
    """How often at most a run and SLO of the same thing is called worse than the baseline."""
    noise: float = 0.03
    """What two runs of the same thing differ by: the standard deviation of the logarithm of their numbers' ratio.

    The counts of a run tell nothing of it, however many there are.
    """


@dataclass(frozen=True, slots=True)
class Moved:
    """One number beside the baseline's. Relative changes: +0.15 is fifteen percent more; None where unknown."""

    change: Change
    why: Why
    baseline: float | None = None
    current: float | None = None
    """As people see them elsewhere: a percentile as Prometheus interpolates it. The change is no quotient of the two."""
    estimate: float | None = None
    """None where only one end of the interval is known, or nothing."""
    lower: float | None = None
    upper: float | None = None
    """The interval of the relative change at the level of the terms, shared among all that is compared of an SLO."""
    percentile: float | None = None
    """In percent: the change is that of this percentile alone."""
    bound: float | None = None
    """The change is that of the latencies around this bound alone, beyond the promised percentile."""
    bucket: tuple[float, float] | None = None
    """The bucket (lower, upper bound) that both lie in, where that is why nothing can be told."""


@dataclass(frozen=True, slots=True)
class MovedDistribution:
    """The distribution of one series beside the baseline's."""

    overall: Moved
    """The verdict. Its numbers are of what decided it, or left it open: all events, the promise, or what lies beyond."""
    percentiles: tuple[Moved, ...]
    """One for each that was asked for, in that order."""
