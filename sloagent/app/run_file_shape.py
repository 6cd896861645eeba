"""The run file `sloagent/run/v1` as it lies on disk: JSON objects, strict, told one by one in docs/run-file.md.

What is left out has its default. A field that is added later must have one, so that older files keep their hash. Labels
are objects; what is kept by labels is a list whose entries name them. A verdict that stands under a series has the
labels of that series.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, field

from sloagent.app.run_file_promises import Block, Count, Labels, Limit, Number, Seconds, SLOSet, Slot, Stretch, Time
from sloagent.model.verdict import Cause, Outcome

SCHEMA: Final = "sloagent/run/v1"


class Phase(Block, frozen=True, rename={"start": "from", "end": "to"}):
    """A named part of the run."""

    name: str
    start: Time
    end: Time
    note: str = ""


class Exclusion(Block, frozen=True, rename={"start": "from", "end": "to"}):
    """A stretch that does not count."""

    start: Time
    end: Time
    reason: str


class Run(Block, frozen=True, rename={"start": "from", "end": "to"}):
    """The run; without `to` it was still going on."""

    name: str
    start: Time
    end: Time | None = None
    labels: Labels = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()


class Span(Block, frozen=True, rename={"start": "from", "end": "to"}):
    """What was judged of it."""

    start: Time
    end: Time


class Verdict(Block, frozen=True):
    """One series at one slot. Quantiles are [value, lower, upper], in the order of the SLO's percentiles."""

    outcome: Outcome
    cause: Cause
    gates: bool
    events: Number | None = None
    value: Number | None = None
    quantiles: tuple[tuple[Number, Number, Number] | None, ...] = ()
    good_share: tuple[Number, Number] | None = None
    limit: Limit | None = None
    overridden: bool = False
    detail: str = ""
    lower_bound: str = ""


class Worst(Block, frozen=True):
    """The slot at which a series did worst."""

    slot: Slot
    verdict: Verdict


class Numbers(Block, frozen=True):
    """The numbers of a value's windows: how many finite ones, and their exact sum as `numerator/denominator`."""

    count: Count
    total: Annotated[str, Meta(pattern=r"^-?[0-9]{1,1000}/[1-9][0-9]{0,999}$")]
    least: Number | None = None
    greatest: Number | None = None


class Series(Block, frozen=True):
    """How the windows of one series came out."""

    labels: Labels
    good: Count = 0
    warned: Count = 0
    bad: Count = 0
    undecided: Count = 0
    idle: Count = 0
    too_few: Count = 0
    measured: Count = 0
    worst: Worst | None = None
    minima: tuple[tuple[Slot, Number], ...] = ()
    numbers: Numbers | None = None


class Tally(Block, frozen=True):
    """How the slots came out."""

    recorded: Count = 0
    refused: Count = 0
    refusals: dict[str, Count] = field(default_factory=dict)
    histograms: tuple[str, ...] = ()
    overrides_used: tuple[Labels, ...] = ()
    series: tuple[Series, ...] = ()


class Counted(Block, frozen=True):
    """What a series counted: a distribution by the number of its bounds in the file, or the two sides of a ratio."""

    labels: Labels
    bounds: Count | None = None
    counts: tuple[Annotated[float, Meta(ge=0)], ...] = ()
    part: Number | None = None
    total: Number | None = None
    answered: tuple[str, ...] = ()


class Part(Block, frozen=True):
    """An SLO over a stretch."""

    expected: Count
    excluded: Count
    tally: Tally
    whole: tuple[Counted, ...] | None = None


class Day(Block, frozen=True):
    """The slots of one day, UTC."""

    start: Slot
    part: Part


class Slots(Block, frozen=True):
    """The expected slots, `step` seconds apart, and what became of them: [what, how many in a row]."""

    first: Slot
    step: Seconds
    states: tuple[tuple[str, Annotated[int, Meta(ge=1, le=2**31)]], ...]


class Asked(Block, frozen=True):
    """The question by which one slot can be judged again."""

    slot: Slot
    query: str
    curl: str
    said: str = ""


class Line(Block, frozen=True):
    """One series over time; of `seen` windows those that are drawn."""

    labels: Labels
    windows: tuple[tuple[Slot, Verdict], ...]
    seen: Count


class Means(Block, frozen=True):
    """The means of the parts of the run of one series."""

    labels: Labels
    means: tuple[Number, ...]


class Stated(Block, frozen=True):
    """Numbers that somebody wrote down. Percentiles are [percent, value]."""

    labels: Labels
    percentiles: tuple[tuple[Annotated[float, Meta(gt=0, le=100)], Number], ...] = ()
    value: Number | None = None
    count: Number | None = None
    calls: Number | None = None
    errors: Number | None = None
    minimum: Number | None = None
    mean: Number | None = None
    deviation: Number | None = None
    maximum: Number | None = None


class SLORecord(Block, frozen=True):
    """One SLO over the run."""

    set: str
    slo: str
    whole: Part
    phases: tuple[Part, ...] = ()
    days: tuple[Day, ...] = ()
    slots: Slots | None = None
    refused: dict[str, tuple[Stretch, ...]] = field(default_factory=dict)
    warnings: dict[str, Count] = field(default_factory=dict)
    asked: Asked | None = None
    lines: tuple[Line, ...] = ()
    means: tuple[Means, ...] = ()
    under_declared: Part | None = None
    stated: tuple[Stated, ...] = ()
    trouble: str = ""


class Peer(Block, frozen=True):
    """Who was asked."""

    name: str
    url: str
    version: str


class File(Block, frozen=True):
    """The whole file. `sha256` is that of the file without it, written canonically."""

    schema: Literal["sloagent/run/v1"]
    run: Run
    span: Span
    peer: Peer
    sets: tuple[SLOSet, ...]
    slos: tuple[SLORecord, ...]
    sha256: str = ""
    version: str = ""
    written_by_hand: bool = False
    bounds: tuple[tuple[Number, ...], ...] = ()
    facts: dict[str, object] = field(default_factory=dict)
    configuration: str = ""
