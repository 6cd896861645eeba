"""Rules as data: what is recorded, what alerts, and what of an SLO could not be said."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.model.slo import SLO
from sloagent.sources import recorded

Pairs = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they are written."""

VERDICT = "sloagent:slo_pass"
"""1 where the window kept the promise, 0 where it did not, absent where that is undecided or nothing happened."""
EVENTS = "sloagent:slo_events"
GOOD_SHARE = "sloagent:slo_good_share"
VALUE = "sloagent:slo_value"
PERCENTILE = "sloagent:slo_percentile_value"
ERROR_RATIO = "slo:sli_error:ratio_rate"
"""Sloth's; the window follows."""
WINDOW_LABEL = "sloth_window"
SLOTH_LABELS = ("sloth_id", "sloth_service", "sloth_slo", WINDOW_LABEL)
VIOLATED, BURNS, NO_DATA, UNDECIDED = "SLOViolated", "SLOBurnsBudget", "SLONoData", "SLOCannotBeJudged"
TAKEN_LABELS = frozenset({
    "alertname", "alertstate", "severity", "set", "slo", "window", "percentile",
    *SLOTH_LABELS, *recorded.LABELS, recorded.MARK,
})  # fmt: skip
"""Labels that the rules set themselves: a series that tells its own by one of them would lose it."""


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule."""

    metric: str
    expression: str
    labels: Pairs


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule. `after` and `keep` are seconds: how long it must hold, and how long it stays after that."""

    name: str
    expression: str
    after: int
    labels: Pairs
    annotations: Pairs
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Compiled:
    """An SLO as one group of rules, in the order in which they are evaluated."""

    slo: SLO
    rules: tuple[Record | Alert, ...]
    left_out: tuple[str, ...] = ()
    """What it promises beyond these rules, in sentences."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An SLO that no rule says faithfully, and why."""

    slo: SLO
    reason: str


def group_name(slo: SLO) -> str:
    """The name of an SLO's group of rules."""
    return f"sloagent-{slo.set}-{slo.name}"


def selector(slo: SLO) -> str:
    """The matchers that choose an SLO's recorded series. Names of sets and SLOs need no escaping."""
    return f'{{set="{slo.set}", slo="{slo.name}"}}'


def own_labels(slo: SLO) -> Pairs:
    """The labels of what sloagent names itself: those of its metrics."""
    return (("set", slo.set), ("slo", slo.name))


def shared_labels(slo: SLO) -> Pairs:
    """The labels of what is named as by Sloth: its dashboards choose and join by them."""
    return (
        *own_labels(slo),
        ("sloth_id", f"{slo.set}-{slo.name}"),
        ("sloth_service", slo.set),
        ("sloth_slo", slo.name),
    )
