"""A run: a named stretch of time with labels, phases and exclusions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sloagent.model.slo import Labels
from sloagent.model.timerange import TimeRange


@dataclass(frozen=True, slots=True)
class Phase:
    """A named part of a run."""

    name: str
    range: TimeRange
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A stretch that does not count (chaos, maintenance), and why."""

    range: TimeRange
    reason: str


@dataclass(frozen=True, slots=True)
class Run:
    """`end` is None while the run goes on."""

    name: str
    start: datetime
    end: datetime | None
    labels: Labels = ()
    phases: tuple[Phase, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
