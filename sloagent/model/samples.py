"""What a source answers: per series a distribution, a pair of event rates or a number; or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sloagent.model.distribution import Distribution
from sloagent.model.slo import Labels


@dataclass(frozen=True, slots=True)
class Events:
    """A ratio's two sides, events per second as Prometheus gave them. None: that side had no such series."""

    part: float | None
    """The good or the bad events, whichever the SLI asks for."""
    total: float | None


@dataclass(frozen=True, slots=True)
class Malformed:
    """A series that cannot be read, and why: `+Inf` missing, a negative or NaN count, a string."""

    reason: str


Sample = Distribution | Events | float | Malformed


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, in the instant form in which anybody can repeat it."""

    query: str
    histogram: str = ""
    """The metric name that answered, for a latency SLI; of several, the first that returned any series."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer for one slot. `series` is empty where Prometheus knows no such series."""

    question: Question
    series: Mapping[Labels, Sample]
    warnings: tuple[str, ...] = ()
    """Prometheus's warnings, in its own words. A partial answer decides nothing unless the SLO allows it."""


class Kind(StrEnum):
    """Why a question got no answer. The values are those of `sloagent_query_failures_total{kind}`."""

    UNREACHABLE = "unreachable"
    DNS = "dns"
    TLS = "tls"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    """429 or 5xx."""
    UNAUTHORIZED = "unauthorized"
    PROTOCOL = "protocol"
    """Truncated, not JSON, a redirect, a login page."""
    PARTIAL = "partial"
    BAD_DATA = "bad_data"
    EXECUTION = "execution"
    TOO_MANY_SERIES = "too_many_series"
    TOO_LARGE = "too_large"
    HISTORY_LOST = "history_lost"
    NOT_RECORDED = "not_recorded"
    """Rules were to record the answer, and have not."""
    CLOCK = "clock"
    """The slot lies in Prometheus's future: one of the two clocks is wrong."""
    NEVER_ANSWERED = "never_answered"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No usable answer for one slot.

    `final` is a refusal that repeats when asked again (bad_data, execution, a bound, history lost, never answered): it
    is recorded as `error`. All others leave the slot pending.
    """

    question: Question
    kind: Kind
    message: str
    final: bool
