"""Alerts: by which rules an SLO is watched, what state they are in, and what somebody is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sloagent.model.comparison import Terms

if TYPE_CHECKING:  # an SLO knows by which rules it is watched
    from sloagent.model.slo import Labels


class Severity(StrEnum):
    """Who is to be disturbed: somebody at night, somebody tomorrow, or whoever looks."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class Rule(StrEnum):
    """What an alert is about. The values are the names in files, in the store and on pages."""

    VIOLATED = "violated"
    BURN_RATE = "burn_rate"
    REGRESSION = "regression"
    LEAK = "leak"
    NO_DATA = "no_data"
    CANNOT_EVALUATE = "cannot_evaluate"


ALERT_NAMES: Mapping[Rule, str] = {
    Rule.VIOLATED: "SLOViolated",
    Rule.BURN_RATE: "SLOBurnsBudget",
    Rule.REGRESSION: "SLORegressed",
    Rule.LEAK: "SLOLeaks",
    Rule.NO_DATA: "SLONoData",
    Rule.CANNOT_EVALUATE: "SLOCannotBeJudged",
}
"""The label `alertname`: the same from the daemon and from exported rules."""


class Stage(StrEnum):
    """Where an alert stands; one that does not stand anywhere is inactive."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which alert of an SLO: the rule, the long window of a burn rate in seconds (else 0), and the series."""

    rule: Rule
    window: int = 0
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert began to fire at a slot, or was resolved there. What is only pending is in no history."""

    slot: int
    key: Key
    stage: Stage
    severity: Severity
    started: int
    """The first slot of the episode: since when the condition holds."""
    run: str = ""
    """The run in which it began to fire; empty outside of runs."""
    reason: str = ""
    """In a sentence, with the numbers."""


@dataclass(frozen=True, slots=True)
class Active:
    """An alert that is pending or firing, as of a slot."""

    stage: Stage
    severity: Severity
    started: int
    """The first slot at which its condition held."""
    fired: int | None = None
    """The slot from which it fires; None while it is pending."""
    bad: int = 0
    """Evaluations in a row at which the condition held, while pending."""
    calm: int = 0
    """Evaluations in a row at which it did not hold, while firing."""
    unseen: int = 0
    """Evaluations in a row at which its series was not there, or had no events."""
    run: str = ""
    value: float | None = None
    """The number that was measured when the condition held last, in base units."""
    reason: str = ""
    """Why, at that slot."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is known of an SLO's alerts when every recorded slot up to `slot` has been looked at."""

    slot: int
    active: Mapping[Key, Active] = field(default_factory=dict)
    chain: int = 0
    """A checksum over the slots that were looked at, one after the other: another one where a late slot was among them."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver has been told of one alert. Times are seconds since the epoch."""

    started: int
    """`Active.fired` of the episode that was told last."""
    firing_until: float
    """When it was last told that it fires."""
    resolved: float | None = None
    """When it was told that it is over; None while it fires."""
    labels: Labels = ()
    """The labels under which it was told: its end has to carry the same, whatever the configuration says by then."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert as it is sent. Labels identify it, annotations may change; times are seconds since the epoch."""

    labels: Labels
    annotations: Labels
    starts_at: float
    ends_at: float
    """Ahead of now while it fires, so that it ends by itself if nobody says so again; in the past when it is over."""
    resolved: bool
    generator_url: str = ""


# ---- the rules of an SLO ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Repeated:
    """Told when its condition held at `after` evaluations in a row; over when it did not at `over_after` in a row."""

    after: int
    severity: Severity
    over_after: int = 1


@dataclass(frozen=True, slots=True)
class BurnPair:
    """A burn rate that is told where it is exceeded over both windows. Seconds."""

    factor: float
    long: int
    short: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class Burning:
    """Burn rates over pairs of windows, as they are for 30 days; for a shorter period they are scaled."""

    pairs: tuple[BurnPair, ...]
    period: int | None = None
    """Over how many seconds the error budget is reckoned; None: over the agent's."""


@dataclass(frozen=True, slots=True)
class Regressing:
    """The last `window` seconds beside the baseline run, on the terms of the report's comparison."""

    window: int
    terms: Terms
    severity: Severity


@dataclass(frozen=True, slots=True)
class Alerts:
    """By which rules an SLO is watched; None: not by this one."""

    violated: Repeated | None
    burn_rate: Burning | None
    regression: Regressing | None
    leak: Severity | None
    no_data: Repeated | None
    cannot_evaluate: Repeated | None
    labels: Labels = ()
    """Added to every alert of the SLO."""
    runbook: str = ""
    """A link for whoever is told."""
