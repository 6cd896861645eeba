"""What was concluded: verdicts of a slot and of a range. Absence is None, never a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sloagent.model.distribution import Distribution
from sloagent.model.samples import Question
from sloagent.model.slo import SLO, Labels, Limit


class Outcome(StrEnum):
    """The seven outcomes. Only the first two say that the promise was kept."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no_data"
    ERROR = "error"
    MEASURED = "measured"


class Cause(StrEnum):
    """Why an outcome is what it is. `evaluation.reasons` makes the sentence, from the cause and the numbers."""

    DECIDED = "decided"
    """The numbers decide: pass, warn or fail."""
    DECIDED_DESPITE_FALL = "decided_despite_fall"
    """Cumulative counts fall from bound to bound, and the numbers decide all the same."""
    LIMIT_INSIDE_BUCKET = "limit_inside_bucket"
    LIMIT_BEYOND_LAST_BUCKET = "limit_beyond_last_bucket"
    FALLING_COUNTS = "falling_counts"
    """Cumulative counts fall from bound to bound, and the fall is wider than the decision."""
    TOO_FEW_EVENTS = "too_few_events"
    NO_EVENTS = "no_events"
    NO_SERIES = "no_series"
    NOT_A_NUMBER = "not_a_number"
    BAD_ABSENT = "bad_absent"
    """The total counts events but the bad events have no series: a typo, or nothing bad yet."""
    NO_OBJECTIVE = "no_objective"
    MALFORMED = "malformed"
    PART_EXCEEDS_TOTAL = "part_exceeds_total"
    TOTAL_ABSENT = "total_absent"
    REFUSED = "refused"
    """The source refused the question; `detail` has its words."""
    SERIES_DECIDE = "series_decide"
    """A slot's outcome rolled up from its series."""
    NOT_GATING = "not_gating"
    """A slot whose series are all without events or below `min_events`."""
    UNDECIDED_WINDOWS = "undecided_windows"
    """A range whose undecided windows could tip it."""
    TOO_LITTLE_EVALUATED = "too_little_evaluated"
    GROWS = "grows"
    """A range that passes its limit and fails its leak limit."""
    STATED = "stated"
    """Somebody else measured the number and wrote it down."""
    NOT_RUN = "not_run"
    """Nobody has measured it."""
    LOWER_BOUND = "lower_bound"
    """A part of what is measured keeps the promise, which says nothing of the whole."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """A percentile's value as Prometheus states it, and the bucket it lies in: lower < truth ≤ upper.

    `lower` is -inf or 0 in the first bucket; `upper` is +inf in the last.
    """

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Share:
    """A share between 0 and 1, known to lie in [lower, upper]; equal where it is exact."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One series of one SLO at one slot, or over a stretch taken as a whole."""

    labels: Labels
    outcome: Outcome
    cause: Cause
    gates: bool
    """False for a series without events, below `min_events`, or without objective: listed and counted, never passed."""
    events: float | None = None
    """Events in the window: rate × window, a real number. None for a value."""
    value: float | None = None
    """Latency: the promised percentile (P99 without a promise). Ratio: the share of good events. Value: the number."""
    quantiles: tuple[Quantile | None, ...] = ()
    """In the order of `SLO.quantiles`; empty unless latency with events."""
    good_share: Share | None = None
    limit: Limit | None = None
    """The limit that applied (an override's, if one matched); None without objective."""
    overridden: bool = False
    detail: str = ""
    """The peer's own words, for an error; else empty."""
    lower_bound: str = ""
    """The metric that was judged, where it is only a part of what is measured; its numbers are lower bounds."""


@dataclass(frozen=True, slots=True)
class SlotHeader:
    """A recorded slot as a whole, without its series."""

    slot: int
    outcome: Outcome
    cause: Cause
    query: str
    histogram: str
    """The metric that answered; empty where none did, or where none is named."""
    detail: str = ""
    warnings: tuple[str, ...] = ()
    kind: str = ""
    """The `samples.Kind` of a refusal; else empty."""


@dataclass(frozen=True, slots=True)
class SlotVerdict:
    """All of one SLO at one slot: what the store commits. `pending` ones are told live but never stored."""

    slo: SLO
    slot: int
    outcome: Outcome
    cause: Cause
    question: Question
    verdicts: tuple[Verdict, ...]
    detail: str = ""
    warnings: tuple[str, ...] = ()
    pending: bool = False
    kind: str = ""
    """The `samples.Kind` of a refusal; else empty."""
    distributions: Mapping[Labels, Distribution] | None = None
    """Rates by bound, of a latency SLI; the store keeps those of the slots that tile the time."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How many of a range's windows came out how.

    expected = good + bad + undecided + idle + too_few + measured + excluded.
    """

    expected: int
    good: int
    """Windows that met the objective (pass or warn)."""
    warned: int
    """Of the good ones, those past the warn level."""
    bad: int
    undecided: int
    """inconclusive, error, pending or missing."""
    idle: int
    """Answered, no events."""
    too_few: int
    """Answered, fewer events than `min_events`: listed, they do not gate."""
    excluded: int
    missing: int
    """Of the undecided ones, those nobody has asked or got an answer for: pending or missing."""
    measured: int = 0
    """Answered, nothing promised of them: windows of an SLO without objective, or the answered slots of an SLO."""
    refused: int = 0
    """Of the undecided ones, those that are recorded without an answer: refused for good, lost or never answered."""

    @property
    def evaluated(self) -> int:
        """Slots with an answer, among those that are not excluded; 90 % of them must be, for anything to pass."""
        return self.expected - self.excluded - self.missing - self.refused

    @property
    def judged(self) -> int:
        """The denominator of the share of good windows."""
        return self.good + self.bad + self.undecided


@dataclass(frozen=True, slots=True)
class WorstWindow:
    """The slot at which a series did worst, and its verdict there."""

    slot: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Growth:
    """A robust slope in base units per second, with its 95 % interval."""

    slope: float
    lower: float
    upper: float
    windows: int
    sustained: bool
    """Whether it grew in each part of the run at much the same pace. Only then may it be called a leak."""
    latest: float
    """The level at the end: the greatest of the last half hour's two-minute minima, in base units."""


@dataclass(frozen=True, slots=True)
class RangeVerdict:
    """One series of one SLO over a range, in three named readings: good windows, the whole stretch, the worst window."""

    labels: Labels
    outcome: Outcome
    cause: Cause
    gates: bool
    windows: Windows
    good_windows: Share | None
    whole: Verdict | None
    """Judged from the added pieces of the stretch; None for a value, or where there are no pieces."""
    worst: WorstWindow | None
    growth: Growth | None = None
    limit: Limit | None = None
    overridden: bool = False


@dataclass(frozen=True, slots=True)
class RangeSummary:
    """One SLO over a range: its rolled-up outcome, and its series worst first."""

    slo: SLO
    outcome: Outcome
    cause: Cause
    windows: Windows
    """Of the slots themselves (was the SLO evaluated), not of a series."""
    series: tuple[RangeVerdict, ...]
    detail: str = ""
    histograms: tuple[str, ...] = ()
    """The metric names that answered, in order of first use; more than one means that the name changed."""
    unused_overrides: tuple[Labels, ...] = ()
