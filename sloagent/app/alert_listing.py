"""What is pending and firing, as the store knows it: for `sloagent alerts list` and the daemon's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sloagent.model.alert import Active, Key, Rule, Severity, Stage, Told
from sloagent.model.slo import SLO
from sloagent.report.plain import JSON, number
from sloagent.report.times import instant
from sloagent.store import Store

_WORST_FIRST = {stage: place for place, stage in enumerate((Stage.FIRING, Stage.PENDING))}
_SEVEREST_FIRST = {severity: place for place, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Listed:
    """One alert of an SLO, and what receivers were told of it."""

    slo: SLO
    key: Key
    active: Active
    told: Mapping[str, Told]
    """By receiver, of those that were told of this episode."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The alerts of SLOs, firing ones first, then by severity."""

    alerts: tuple[Listed, ...]
    looked_at: Mapping[SLO, int]
    """By SLO, the newest slot that was looked at; one of which nothing was is not in it."""


def listing(store: Store, source: str, slos: Sequence[SLO], receivers: Sequence[str]) -> Listing:
    """What the store knows of the alerts of these SLOs. Raises StoreError."""
    alerts: list[Listed] = []
    looked_at: dict[SLO, int] = {}
    for slo in slos:
        known = store.checkpoint(source, slo)
        if known is None:
            continue
        looked_at[slo] = known.slot
        told = {receiver: store.told(source, slo, receiver) for receiver in receivers} if known.active else {}
        for key, active in known.active.items():
            heard = {name: one for name, keys in told.items() if (one := keys.get(key)) and _is_of(one, active)}
            alerts.append(Listed(slo, key, active, heard))
    return Listing(tuple(sorted(alerts, key=_badness)), looked_at)


def alert_data(slo: SLO, key: Key, active: Active) -> dict[str, JSON]:
    """An alert as a JSON-able value."""
    labels: dict[str, JSON] = dict(key.labels)
    return {
        "set": slo.set,
        "slo": slo.name,
        "labels": labels,
        "rule": key.rule.value,
        "window_seconds": key.window or None,
        "stage": active.stage.value,
        "severity": active.severity.value,
        "started": instant(active.started),
        "fired": instant(active.fired) if active.fired is not None else None,
        "run": active.run or None,
        "value": number(active.value),
        "unit": _unit(slo, key.rule),
        "reason": active.reason,
    }


def _unit(slo: SLO, rule: Rule) -> str | None:
    """What the value of an alert is in; None where it has none."""
    match rule:
        case Rule.VIOLATED | Rule.REGRESSION:
            return slo.unit
        case Rule.LEAK:
            return f"{slo.unit}/s"
        case Rule.BURN_RATE:
            return "times the bearable rate"
    return None


def listed_data(one: Listed) -> dict[str, JSON]:
    """An alert with what receivers were told, as a JSON-able value."""
    told: dict[str, JSON] = {name: dict(_told(entry)) for name, entry in sorted(one.told.items())}
    return {**alert_data(one.slo, one.key, one.active), "told": told}


def _told(told: Told) -> Iterator[tuple[str, JSON]]:
    yield "firing_until", instant(int(told.firing_until))
    yield "resolved", instant(int(told.resolved)) if told.resolved is not None else None


def _is_of(told: Told, active: Active) -> bool:
    return active.fired is not None and told.firing_until >= active.fired


def _badness(one: Listed) -> tuple[int, int, str, str, Key]:
    return (
        _WORST_FIRST.get(one.active.stage, 9), _SEVEREST_FIRST[one.active.severity], one.slo.set, one.slo.name, one.key
    )  # fmt: skip
