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


class Why(StrEnum):
    """What a change rests on, or why it cannot be told; sentences are made from it and the numbers."""

    DECIDED = "decided"
    """The whole interval lies on one side of the tolerance, or within it."""
    STRADDLES = "straddles"
    """The interval lies on both sides of the tolerance's edge: more data would tell."""
    INSIDE_BUCKET = "inside_bucket"
    """Both lie in one bucket, whose bounds show no difference: a shift inside it is invisible."""
    NOT_RUN = "not_run"
    """One of the two was not measured."""
    TOO_FEW = "too_few"
    """Fewer events, or fewer parts of the run, than a comparison needs."""
    NO_DISTRIBUTION = "no_distribution"
    """One of the two is a number that somebody wrote down: nothing tells how sure it is."""
    OTHER_BOUNDS = "other_bounds"
    """The two histograms share no bound at which they can be compared."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a comparison is held to. Both are shares."""

    tolerance: float = 0.05
    """A change up to this is the same: what two runs of the same thing may differ by."""
    level: float = 0.01
    """How often at most a run and SLO without a change beyond the tolerance's noise is called worse."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One number beside the baseline's. Relative changes: +0.15 is fifteen percent more; None where unknown."""

    change: Change
    why: Why
    baseline: float | None = None
    current: float | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    """The interval of the relative change at the level of the terms, shared among the series compared."""
