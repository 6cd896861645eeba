"""A run as a report needs it: everything that is told of it, wherever it was read (a store, a file), and nothing to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sloagent.model.facts import NO_FACTS, Facts
from sloagent.model.piece import Counted
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels, SLOSet
from sloagent.model.tally import Tally
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import Outcome, Verdict


class Absence(StrEnum):
    """Why a slot has no outcome."""

    MISSING = "missing"
    """Expected, but nobody has an answer for it."""
    EXCLUDED = "excluded"
    SUMMED = "summed"
    """Recorded, and part of an hourly sum by now: its own outcome is not known any more."""


State = Outcome | Absence


@dataclass(frozen=True, slots=True)
class Part:
    """One SLO over a stretch: the run, a phase, a day. What `evaluation.summarise` concludes from."""

    expected: int
    """Slots of the stretch, excluded ones among them."""
    excluded: int
    tally: Tally
    whole: Mapping[Labels, Counted] | None
    """Each series's events over the stretch, added from its pieces; None where not all of them are known."""
    answered: Mapping[Labels, tuple[str, ...]] = field(default_factory=dict)
    """The metrics that each series's events were read from; empty where none of them is a lower bound."""


@dataclass(frozen=True, slots=True)
class Day:
    """The slots of a run that lie in one day, UTC: Kubernetes's "cluster-day"."""

    start: int
    """Midnight, seconds since the epoch."""
    part: Part


@dataclass(frozen=True, slots=True)
class Line:
    """One series over time, for a chart."""

    labels: Labels
    windows: tuple[tuple[int, Verdict], ...]
    """(slot, verdict), ascending. Where they were thinned: of each column those with the least and the greatest value."""
    seen: int
    """How many windows there were before they were thinned."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question by which one slot can be judged again by hand."""

    slot: int
    query: str
    curl: str
    said: str = ""
    """The peer's own words, where it refused."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Numbers of one series that somebody else measured and wrote down: no distribution, no windows, no bounds."""

    percentiles: Mapping[float, float] = field(default_factory=dict)
    """By percentile in percent, in the SLO's base unit."""
    value: float | None = None
    """Of an SLI without percentiles."""
    count: float | None = None
    """Of the latencies that the numbers above are made of."""
    calls: float | None = None
    """Calls that were tried; where errors are counted they are counted among these."""
    errors: float | None = None
    minimum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class SLORecord:
    """One SLO over the run."""

    slo: SLO
    whole: Part
    phases: tuple[Part, ...] = ()
    """One per phase of the run, in their order."""
    days: tuple[Day, ...] = ()
    """Ascending; of a run that lies within one day, that one."""
    slots: range = range(0)
    """The expected ones."""
    states: tuple[State, ...] = ()
    """What each of them came out as."""
    refused: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """By kind of refusal, first and last slot of each stretch of them."""
    warnings: Mapping[str, int] = field(default_factory=dict)
    """Prometheus's warnings and how many slots carried them."""
    asked: Asked | None = None
    """The question of the worst window, or of the newest slot."""
    lines: tuple[Line, ...] = ()
    """Of the series that charts may draw, worst first."""
    means: Mapping[Labels, tuple[float, ...]] = field(default_factory=dict)
    """Of a value: the mean of each equal part of the run that has one, ascending; for comparisons."""
    under_declared: Part | None = None
    """The same windows judged by the limit that the set declares, where the one in force is more lenient."""
    stated: Mapping[Labels, Stated] = field(default_factory=dict)
    trouble: str = ""
    """Why slots stayed without an answer, when they were last asked for."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who was asked."""

    name: str
    """The name under which verdicts are kept."""
    url: str
    """Without credentials."""
    version: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """All of it. A range without a name is a run named ""."""

    run: Run
    span: TimeRange
    """What was judged of the run: to its end, or as far as it had come."""
    sets: tuple[SLOSet, ...]
    slos: tuple[SLORecord, ...]
    """In the order of the sets."""
    peer: Peer
    facts: Facts = NO_FACTS
    configuration: str = ""
    """The effective configuration as YAML, secrets hidden."""
    version: str = ""
    """Of the sloagent that made it."""
    written_by_hand: bool = False
    """Its numbers are stated: whoever wrote them answers for them."""
