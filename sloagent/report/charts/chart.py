"""What a chart shows, as plain data: of no language, no format and no drawing library. Values are in base units."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite

from sloagent.model.slo import Text
from sloagent.model.verdict import Outcome, Quantile

MOST_LINES = 8
"""More than this nobody can tell apart; the rest stands in the table."""


class Kind(StrEnum):
    """How the values of a chart over time are drawn."""

    LINES = "lines"
    STACKED = "stacked"
    """Areas on top of each other: what parts make of a total."""


@dataclass(frozen=True, slots=True)
class Point:
    """One window of a series: its value at a slot and, of a percentile, the bucket: lower < truth ≤ upper."""

    slot: int
    value: float | None
    """None where the window has none: the line is broken there."""
    outcome: Outcome
    lower: float | None = None
    upper: float | None = None
    lower_bound: bool = False
    """Whether it is of a part of what is measured, so that the truth is not below it."""

    @property
    def drawn(self) -> float | None:
        """The value that a line may show: none in the first and the last bucket, of which only the bound is known."""
        if self.value is None or not isfinite(self.value) or self.in_first or self.in_last:
            return None
        return self.value

    @property
    def bucket(self) -> Quantile | None:
        """The percentile as tables word it; None where no bucket is known."""
        if self.value is None or self.lower is None or self.upper is None:
            return None
        return Quantile(self.value, self.lower, self.upper)

    @property
    def in_first(self) -> bool:
        """Whether nothing but the bound of the first bucket is known: the truth lies at or below it."""
        return self.lower in (0.0, -inf) and self.lower != self.upper and not self.in_last

    @property
    def in_last(self) -> bool:
        """Whether nothing but the last bound is known: the truth lies beyond it."""
        return self.upper == inf


@dataclass(frozen=True, slots=True)
class ChartLimit:
    """A limit that is drawn. `lines` names those it holds for where it does not hold for all."""

    value: float
    warns: bool = False
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One line of a chart, or one area of a stack."""

    name: str
    """Untrusted, and of any length."""
    points: tuple[Point, ...]
    """Ascending."""
    colour: int
    """Place in the palette; a line of the baseline has that of its counterpart."""
    baseline: bool = False
    """Of the earlier run, moved so that both begin together."""
    limits: tuple[ChartLimit, ...] = ()
    """What this line is judged by."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase or an exclusion: its name or reason, and from when to when, seconds since the epoch."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Restart:
    """A process of a component that started within the run."""

    component: str
    at: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Values over time. The first line is the one that matters most: its buckets are drawn."""

    id: str
    """Unique in the report, of letters, digits and dashes."""
    title: Text
    unit: str
    kind: Kind
    start: int
    end: int
    """Seconds since the epoch."""
    lines: tuple[ChartLine, ...]
    limits: tuple[ChartLimit, ...] = ()
    phases: tuple[Stretch, ...] = ()
    exclusions: tuple[Stretch, ...] = ()
    restarts: tuple[Restart, ...] = ()
    step: int = 60
    """Seconds that one point stands for: the interval, or the width of a column where windows were thinned."""
    windows: int = 0
    """Windows that the drawn lines had before they were thinned; 0 where none was left out."""
    more: int = 0
    """Series that are not drawn."""
    share_of_good: bool = False
    """Whether the values are shares of good events, of which the distance from 100 % matters, not from 0."""
    baseline: str | None = None
    """The name of the run that the dashed lines are of; None without one."""
    lower_bound: str = ""
    """The metric of a part of what is measured that windows of the drawn lines were judged by; empty where none was."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A percentile (in percent) of a stage and the bucket that it lies in."""

    percentile: float
    quantile: Quantile


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of a chart of stages: percentiles over the whole run."""

    name: Text
    series: str
    """Which series of the SLO; empty for its only one."""
    bars: tuple[Bar, ...]
    """Ascending by percentile."""
    limit: float | None = None
    limited: float | None = None
    """The percentile that the limit is for."""
    baseline: tuple[Bar, ...] = ()
    lower_bound: bool = False
    """Whether the bars are of a part of what is measured."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Latencies of several SLOs side by side, each percentile as the bucket that it lies in; in seconds."""

    id: str
    title: Text
    stages: tuple[Stage, ...]
    baseline: str | None = None


AnyChart = Chart | Stages
