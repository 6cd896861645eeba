"""Alerts: what is known of them as of a slot, how they came and went, and what receivers have been told.

What is known is concluded from the recorded slots of an SLO, in their order. So it goes when a late slot comes, and no
transition ever lies behind the newest checkpoint of its SLO: from there on they are made again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import groupby
from typing import TypeVar

import msgspec

from sloagent.errors import StoreError
from sloagent.model.alert import Active, Checkpoint, Key, Rule, Severity, Stage, Told, Transition
from sloagent.model.slo import SLO, Labels
from sloagent.store import AlertStep, compact, versions
from sloagent.store.dictionary import Names, seen_until
from sloagent.store.roll_ups import hour_of
from sloagent.store.sql import Connection

_EARLIEST = -(2**62)
_BEHIND = (
    "FROM alert_transitions WHERE slo_id = ?"
    " AND slot > coalesce((SELECT max(slot) FROM alert_states WHERE slo_id = ?), ?)"
)
_Entries = list[tuple[Rule, int, dict[str, str], Active]]
Word = TypeVar("Word", Rule, Stage, Severity)


def active_text(active: Mapping[Key, Active]) -> str:
    """The alerts as JSON, ascending by key and without what goes without saying; infinities as Python's json writes them."""
    entries = [
        [key.rule, key.window, dict(key.labels), dict(_fields(one))]
        for key, one in sorted(active.items(), key=lambda entry: entry[0])
    ]
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _fields(active: Active) -> Iterator[tuple[str, object]]:
    for field in fields(active):
        value = getattr(active, field.name)
        if value != field.default:
            yield field.name, value


def active_from_text(text: str) -> dict[Key, Active]:
    """The inverse of `active_text`. Raises StoreError."""
    try:
        entries = msgspec.convert(json.loads(text), _Entries)
    except ValueError as error:
        raise compact.damaged(f"a checkpoint of alerts makes no sense ({error})") from error
    return {Key(rule, window, tuple(labels.items())): active for rule, window, labels, active in entries}


def newest_checkpoint(connection: Connection, slo_id: int) -> Checkpoint | None:
    """The one at the latest slot; None where there is none."""
    row = connection.execute(
        "SELECT slot, content, chain FROM alert_states WHERE slo_id = ? ORDER BY slot DESC LIMIT 1", (slo_id,)
    ).fetchone()
    return None if row is None else Checkpoint(row[0], active_from_text(row[1]), row[2])


def read_checkpoints(connection: Connection, slo_id: int) -> Iterator[Checkpoint]:
    """All of them, ascending."""
    for slot, content, chain in connection.execute(
        "SELECT slot, content, chain FROM alert_states WHERE slo_id = ? ORDER BY slot", (slo_id,)
    ):
        yield Checkpoint(slot, active_from_text(content), chain)


def take_step(connection: Connection, names: Names, slo_id: int, step: AlertStep) -> bool:
    """Write a step unless it was made from something else than what is there now; whether it was written."""
    after, slot = _EARLIEST if step.after is None else step.after, step.checkpoint.slot
    for told in (slot, *(transition.slot for transition in step.transitions)):
        if not after < told <= slot:
            raise StoreError(f"{step.slo.set}/{step.slo.name}: alerts from {after} to {slot} cannot change at {told}")
    newest = connection.execute(
        "SELECT slot, chain FROM alert_states WHERE slo_id = ? ORDER BY slot DESC LIMIT 1", (slo_id,)
    ).fetchone()
    there = connection.execute(
        "SELECT count(*) FROM slots WHERE slo_id = ? AND slot > ? AND slot <= ?", (slo_id, after, slot)
    ).fetchone()
    made_from = None if step.after is None else (step.after, step.after_chain)
    if newest != made_from or there != (step.slots,):
        return False
    if step.transitions:
        connection.executemany(
            "INSERT INTO alert_transitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(slo_id, *_transition_row(connection, names, transition)) for transition in step.transitions],
        )
    content = active_text(step.checkpoint.active)
    if step.after is not None and hour_of(step.after) == hour_of(slot):
        connection.execute(
            "UPDATE alert_states SET slot = ?, chain = ?, content = ? WHERE slo_id = ? AND slot = ?",
            (slot, step.checkpoint.chain, content, slo_id, after),
        )
    else:  # The last one of an hour stays, so that a late slot costs at most an hour.
        connection.execute(
            "INSERT INTO alert_states (slo_id, slot, chain, content) VALUES (?, ?, ?, ?)",
            (slo_id, slot, step.checkpoint.chain, content),
        )
    return True


def _transition_row(connection: Connection, names: Names, one: Transition) -> tuple[object, ...]:
    series = names.series.id_of(connection, one.key.labels, seen_until(one.slot))
    return (
        one.slot, one.key.rule.value, one.key.window, series,
        one.stage.value, one.severity.value, one.started, one.run, one.reason,
    )  # fmt: skip


def read_transitions(connection: Connection, names: Names, slo_id: int, first: int, last: int) -> Iterator[Transition]:
    """Those from `first` to `last`, ascending by slot and key. Raises StoreError."""
    rows = connection.execute(
        "SELECT slot, rule, window_seconds, series_id, stage, severity, started, run, reason FROM alert_transitions"
        " WHERE slo_id = ? AND slot BETWEEN ? AND ? ORDER BY slot",
        (slo_id, first, last),
    )
    found = (
        Transition(
            slot, _key(connection, names, rule, window, series), _word(Stage, stage), _word(Severity, severity),
            started, run, reason,
        )
        for slot, rule, window, series, stage, severity, started, run, reason in rows
    )  # fmt: skip
    for _, at_once in groupby(found, key=lambda one: one.slot):
        yield from sorted(at_once, key=lambda one: one.key)


def write_told(connection: Connection, names: Names, receiver: str, entries: Sequence[tuple[int, Key, Told]]) -> None:
    """Put each (SLO's number, key, what was told) in the place of what the receiver was told before."""
    connection.executemany(
        "INSERT INTO alert_told VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (slo_id, receiver, rule, window_seconds, series_id) DO UPDATE"
        " SET started = excluded.started, firing_until = excluded.firing_until, resolved = excluded.resolved,"
        " labels = excluded.labels",
        [
            (
                slo_id, receiver, key.rule.value, key.window,
                names.series.id_of(connection, key.labels, seen_until(int(max(told.firing_until, told.resolved or 0.0)))),
                told.started, told.firing_until, told.resolved, json.dumps(told.labels, ensure_ascii=True),
            )
            for slo_id, key, told in entries
        ],
    )  # fmt: skip


def read_told(connection: Connection, names: Names, slo_id: int, receiver: str) -> dict[Key, Told]:
    """What the receiver was told last of each alert, ascending by key. Raises StoreError."""
    rows = connection.execute(
        "SELECT rule, window_seconds, series_id, started, firing_until, resolved, labels FROM alert_told"
        " WHERE slo_id = ? AND receiver = ?",
        (slo_id, receiver),
    )
    found = [
        (_key(connection, names, rule, window, series), Told(started, firing_until, resolved, _labels(labels)))
        for rule, window, series, started, firing_until, resolved, labels in rows
    ]
    return dict(sorted(found, key=lambda entry: entry[0]))


def _labels(text: str) -> Labels:
    try:
        return msgspec.json.decode(text, type=Labels)
    except msgspec.DecodeError as error:
        raise compact.damaged(f"the labels of an alert that was told make no sense ({error})") from error


def told_firing(connection: Connection, source: str, receiver: str) -> list[SLO]:
    """The SLOs of this source, those of before too, of whose alerts the receiver takes one to fire."""
    rows = connection.execute(
        "SELECT DISTINCT slo_id FROM alert_told WHERE receiver = ? AND resolved IS NULL", (receiver,)
    ).fetchall()
    told = {slo_id for (slo_id,) in rows}
    return [one.as_slo() for one in versions.every(connection) if one.source == source and one.id in told]


def everything(connection: Connection, names: Names, slo_id: int) -> Iterator[Checkpoint | Transition | Told]:
    """All that is kept of the SLO's alerts, in no order: what cannot be read raises StoreError."""
    yield from read_checkpoints(connection, slo_id)
    yield from read_transitions(connection, names, slo_id, _EARLIEST, -_EARLIEST)
    receivers = connection.execute("SELECT DISTINCT receiver FROM alert_told WHERE slo_id = ?", (slo_id,)).fetchall()
    for (receiver,) in receivers:
        yield from read_told(connection, names, slo_id, receiver).values()


def behind_all_checkpoints(connection: Connection, slo_id: int) -> int:
    """How many transitions lie behind the newest checkpoint, as none ever does."""
    (count,) = connection.execute(f"SELECT count(*) {_BEHIND}", (slo_id, slo_id, _EARLIEST)).fetchone()
    return int(count)


def forget_from(connection: Connection, slots: Sequence[tuple[int, int]]) -> None:
    """Forget what was concluded without these slots, (SLO's number, slot): it costs little where nothing was."""
    if slots and connection.executemany("DELETE FROM alert_states WHERE slo_id = ? AND slot >= ?", slots).rowcount:
        connection.executemany(
            f"DELETE {_BEHIND}", [(slo_id, slo_id, _EARLIEST) for slo_id in {one for one, _ in slots}]
        )


def prune(connection: Connection, slo_id: int, before: int) -> int:
    """Forget what is older than `before`, but for the newest checkpoint of an SLO that is still judged.

    Returns how many transitions went.
    """
    connection.execute(
        "DELETE FROM alert_states WHERE slo_id = ? AND slot < ? AND (slot < (SELECT max(slot) FROM alert_states"
        " WHERE slo_id = ?) OR NOT EXISTS (SELECT 1 FROM slots WHERE slo_id = ? AND slot >= ?))",
        (slo_id, before, slo_id, slo_id, before),
    )
    connection.execute(
        "DELETE FROM alert_told WHERE slo_id = ? AND firing_until < ? AND (resolved IS NULL OR resolved < ?)",
        (slo_id, before, before),
    )
    return connection.execute("DELETE FROM alert_transitions WHERE slo_id = ? AND slot < ?", (slo_id, before)).rowcount


def _key(connection: Connection, names: Names, rule: str, window: int, series: int) -> Key:
    return Key(_word(Rule, rule), window, names.series.content(connection, series))


def _word(words: type[Word], text: str) -> Word:
    try:
        return words(text)
    except ValueError as error:
        raise compact.damaged(f"there is no {words.__name__.lower()} {text!r} of an alert") from error
