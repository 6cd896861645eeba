"""What is promised: the SLO as it is meant, after files, defaults, parameters and units have been resolved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import lru_cache

from sloagent.model.alert import Alerts
from sloagent.model.alert_defaults import STANDARD_ALERTS

Labels = tuple[tuple[str, str], ...]
"""A series's labels, sorted by name. A missing label and an empty one are the same, so empty ones are left out."""


class Status(StrEnum):
    """How official a promise is, as the report's SLI/SLO table shows it. It does not change the verdict."""

    OFFICIAL = "official"
    WIP = "wip"


class Evaluate(StrEnum):
    """What is read of an SLI: the metrics themselves, or what exported rules have recorded of them."""

    RAW = "raw"
    RECORDED = "recorded"


class Gate(StrEnum):
    """Which of the three readings of a run decides its verdict."""

    WINDOWS = "windows"
    WHOLE_RUN = "whole_run"
    WORST_WINDOW = "worst_window"


@dataclass(frozen=True, slots=True)
class Text:
    """A title or a sentence for people, in English and perhaps in Chinese."""

    en: str
    zh: str = ""


UNTOLD = Text("")


@dataclass(frozen=True, slots=True)
class LowerBound:
    """A histogram of a part of what is measured, with matchers of its own: the whole takes at least that long."""

    histogram: str
    where: str


@dataclass(frozen=True, slots=True)
class LatencySLI:
    """A histogram. `histograms` are metric names without `_bucket`; the first that answers at a slot is judged."""

    histograms: tuple[str, ...]
    where: str
    by: tuple[str, ...]
    native: bool = False
    lower_bounds: tuple[LowerBound, ...] = ()
    """Asked where none of `histograms` answers. They can prove a failure and never a pass."""

    def lower_bound(self, histograms: Iterable[str]) -> str:
        """The first of these metric names that is a lower bound only; empty where none is."""
        bounds = {bound.histogram for bound in self.lower_bounds}
        return next((name for name in histograms if name in bounds), "")


@dataclass(frozen=True, slots=True)
class RatioSLI:
    """Good or bad events over total. `events` is the query of the good or the bad ones; `$window` is still written."""

    counts: str
    """Which events `events` asks for: "good" or "bad"."""
    events: str
    total: str
    bad_absent_is_zero: bool = False


@dataclass(frozen=True, slots=True)
class ValueSLI:
    """Any PromQL that gives a number per series, in base units (`seconds`, `bytes`, `cores`, `ratio`, …)."""

    query: str
    unit: str


SLI = LatencySLI | RatioSLI | ValueSLI


@dataclass(frozen=True, slots=True)
class Limit:
    """The numbers one series is judged by, in base units. One of `at_most` and `at_least`, except where only growth is."""

    at_most: float | None = None
    at_least: float | None = None
    warn_at: float | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """Another limit for the series whose labels equal all of `match`. The first override that matches applies."""

    match: Labels
    limit: Limit


@dataclass(frozen=True, slots=True)
class Objective:
    """What is promised of an SLI. `percentile` is in percent (0 < p ≤ 100) and set for latency only."""

    limit: Limit
    percentile: float | None = None
    overrides: tuple[Override, ...] = ()
    grows_at_most: float | None = None
    """A leak limit: base units per second, over a run."""
    gate: Gate = Gate.WINDOWS
    windows_at_least: float = 0.99

    def limit_for(self, labels: Labels) -> Limit:
        """The limit of the first override that matches, else the general one."""
        override = self.override_for(labels) if self.overrides else None
        return override.limit if override else self.limit

    def override_for(self, labels: Labels) -> Override | None:
        """The first override that matches; an empty label value in `match` stands for a missing label."""
        for override in self.overrides:
            if all(pair in labels if pair[1] else not any(k == pair[0] for k, _ in labels) for pair in override.match):
                return override
        return None


@dataclass(frozen=True, slots=True)
class SLO:
    """An SLI with its objective, named. `objective` is None where it is still to be determined (TBD): it never gates."""

    set: str
    name: str
    sli: SLI
    objective: Objective | None
    interval: int
    """Seconds."""
    window: int
    """Seconds; a whole multiple of `interval`."""
    title: Text = Text("")
    status: Status = Status.OFFICIAL
    section: str = ""
    note: Text = Text("")
    """What a reader must know to read the numbers rightly, such as "a lower bound"."""
    min_events: float = 0.0
    allow_partial: bool = False
    place: str = ""
    """Where it is written: `path:line`, for messages."""
    declared: Limit | None = None
    """The limit that its set declares, where a parameter of the agent's file put another in its place."""
    evaluate: Evaluate = Evaluate.RAW
    alerts: Alerts = field(default=STANDARD_ALERTS, compare=False, repr=False)
    """By which rules it is watched: who is told does not make it another SLO."""

    @property
    def unit(self) -> str:
        """The base unit of the values that people see."""
        match self.sli:
            case LatencySLI():
                return "seconds"
            case RatioSLI():
                return "ratio"
            case ValueSLI(unit=unit):
                return unit

    @property
    def quantiles(self) -> tuple[float, ...]:
        """The percentiles kept of a latency SLI: 50, 90, 99 and the promised one if it is another; else none."""
        if not isinstance(self.sli, LatencySLI):
            return ()
        promised = self.objective.percentile if self.objective else None
        return (50.0, 90.0, 99.0) if promised in (None, 50.0, 90.0, 99.0) else (50.0, 90.0, 99.0, float(promised or 0))

    @property
    def main_percentile(self) -> float:
        """Which of `quantiles` stands for a latency SLI where one number has to: the promised one, else the 99th."""
        return (self.objective.percentile if self.objective else None) or 99.0

    def fingerprint(self) -> str:
        """The hash under which this SLO's history is kept: of all that changes a verdict, and of no title.

        Hex, 16 characters of SHA-256 over canonical JSON.
        """
        return _fingerprint(self)

    def content(self) -> dict[str, object]:
        """All that changes a verdict, as plain data. A field that came later is left out while it says nothing."""
        sli = asdict(self.sli)
        if not sli.get("lower_bounds", True):
            del sli["lower_bounds"]
        told_later = {} if self.evaluate is Evaluate.RAW else {"evaluate": self.evaluate.value}
        return {
            "kind": type(self.sli).__name__,
            "sli": sli,
            "objective": asdict(self.objective) if self.objective else None,
            "interval": self.interval,
            "window": self.window,
            "min_events": self.min_events,
            "allow_partial": self.allow_partial,
            **told_later,
        }


@lru_cache(maxsize=20_000)  # the store asks for it again and again; twice as many as there may be SLOs
def _fingerprint(slo: SLO) -> str:
    text = json.dumps(slo.content(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SLOSet:
    """The SLOs of one file."""

    name: str
    title: Text
    slos: tuple[SLO, ...]
    place: str = ""
