"""What is promised, as it lies in a run file; and the atoms that the whole file is made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sloagent.model.slo import Evaluate, Gate, Status

Count = Annotated[int, Meta(ge=0, le=2**53)]
Slot = Annotated[int, Meta(ge=0, le=253_402_300_799)]
"""Seconds since the epoch, before the year 10000."""
Seconds = Annotated[int, Meta(ge=1, le=2**31)]
Number = float | Literal["NaN", "+Inf", "-Inf"]
Time = Annotated[datetime, Meta(tz=True)]
Labels = dict[str, str]
Stretch = tuple[Slot, Slot]


class Block(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An object of the file."""


class Text(Block, frozen=True):
    """A text in English and perhaps in Chinese."""

    en: str = ""
    zh: str = ""


class Limit(Block, frozen=True):
    """The numbers a series is judged by, in base units."""

    at_most: float | None = None
    at_least: float | None = None
    warn_at: float | None = None


class LowerBound(Block, frozen=True):
    """A histogram of a part of what is measured."""

    histogram: str
    where: str = ""


class Latency(Block, frozen=True):
    """A histogram."""

    histogram: tuple[str, ...]
    where: str = ""
    by: tuple[str, ...] = ()
    native: bool = False
    lower_bound: tuple[LowerBound, ...] = ()


class Ratio(Block, frozen=True):
    """Good or bad events over total."""

    counts: Literal["good", "bad"]
    events: str
    total: str
    bad_absent_is_zero: bool = False


class Value(Block, frozen=True):
    """A number per series."""

    query: str
    unit: str


class SLI(Block, frozen=True):
    """Exactly one of the three."""

    latency: Latency | None = None
    ratio: Ratio | None = None
    value: Value | None = None


class Override(Block, frozen=True):
    """Another limit for the series that match."""

    match: Labels
    limit: Limit


class Objective(Block, frozen=True):
    """What is promised."""

    limit: Limit
    windows_at_least: Annotated[float, Meta(gt=0, le=1)]
    percentile: Annotated[float, Meta(gt=0, le=100)] | None = None
    overrides: tuple[Override, ...] = ()
    grows_at_most: float | None = None
    judge: Gate = Gate.WINDOWS


class SLO(Block, frozen=True):
    """An SLI with its objective; without one it is to be determined."""

    name: str
    fingerprint: str
    sli: SLI
    interval: Seconds
    window: Seconds
    min_events: Annotated[float, Meta(ge=0)]
    objective: Objective | None = None
    title: Text | None = None
    status: Status = Status.OFFICIAL
    section: str = ""
    note: Text | None = None
    allow_partial: bool = False
    place: str = ""
    declared: Limit | None = None
    evaluate: Evaluate = Evaluate.RAW


class SLOSet(Block, frozen=True):
    """The SLOs of one file."""

    name: str
    slos: tuple[SLO, ...]
    title: Text | None = None
    place: str = ""
