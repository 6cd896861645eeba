"""What can be wrong with a store, said in sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from sloagent.errors import StoreError
from sloagent.store import alerts, compact, documents, hour_sums, seals
from sloagent.store.dictionary import Names
from sloagent.store.pieces import read_pieces
from sloagent.store.roll_ups import read_roll_ups
from sloagent.store.slots import read_slots, read_tiles
from sloagent.store.sql import Connection
from sloagent.store.versions import Version, every

_EARLIEST, _LATEST = -(2**62), 2**62
_MOST_FINDINGS = 20

_COUNTED = (
    ("slots", "verdicts", "slot", "verdicts"),
    ("tiles", "tile_series", "slot", "distributions"),
    ("pieces", "piece_series", "start_ms, end_ms", "series"),
    ("roll_ups", "roll_up_series", "first_slot", "series"),
)
"""(table of wholes, table of parts, key beside slo_id, what the parts are)."""

_VERSION, _LIMIT = ("slo_id", "slo_versions", "id"), ("limit_id", "limits", "id")
_SERIES, _DETAIL = ("series_id", "series", "id"), ("detail_id", "texts", "id")
_QUERY, _BOUNDS = ("query_id", "texts", "id"), ("bounds_id", "bounds", "id")
_REFERENCES: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "alert_states": [_VERSION],
    "alert_told": [_VERSION, _SERIES],
    "alert_transitions": [_VERSION, _SERIES],
    "exclusions": [("run", "runs", "name")],
    "phases": [("run", "runs", "name")],
    "hour_sums": [_VERSION],
    "piece_series": [
        ("slo_id, start_ms, end_ms", "pieces", "slo_id, start_ms, end_ms"), _SERIES, _BOUNDS,
    ],
    "pieces": [_VERSION, _QUERY],
    "roll_up_series": [
        ("slo_id, first_slot", "roll_ups", "slo_id, first_slot"), _SERIES, _LIMIT, _DETAIL,
    ],
    "roll_ups": [_VERSION],
    "slots": [_VERSION, _QUERY, ("histogram_id", "texts", "id"), _DETAIL, ("warnings_id", "texts", "id")],
    "tile_series": [("slo_id, slot", "tiles", "slo_id, slot"), _SERIES, _BOUNDS],
    "tiles": [_VERSION],
    "verdicts": [("slo_id, slot", "slots", "slo_id, slot"), _SERIES, _LIMIT, _DETAIL],
}  # fmt: skip
"""By table: (columns, table they refer to, its key)."""


def examine(connection: Connection, names: Names) -> list[str]:
    """At most twenty sentences of each sort; empty when the store is sound. Reads every row."""
    return [
        *_orphans(connection),
        *_incomplete(connection),
        *_unreadable(connection, names),
        *islice(documents.unreadable(connection), _MOST_FINDINGS),
    ]


def examine_file(connection: sqlite3.Connection, names: Names) -> list[str]:
    """`examine` after SQLite's own check of its file: what lies on damaged pages proves nothing about what was written."""
    try:
        damage = [
            f"SQLite finds the file damaged: {message}"
            for (message,) in connection.execute(f"PRAGMA integrity_check({_MOST_FINDINGS})")
            if message != "ok"
        ]
        return damage or [*examine(connection, names), *seals.broken(connection)]
    except sqlite3.DatabaseError as error:
        return [f"SQLite cannot read the file to its end: {error}"]


def _orphans(connection: Connection) -> Iterator[str]:
    for table, references in _REFERENCES.items():
        found: dict[str, int] = {}
        for columns, parent, key in references:
            mine = ", ".join(f"{table}.{column}" for column in columns.split(", "))
            # All names are constants. A reference that may be empty then refers to nothing.
            (count,) = connection.execute(
                f"SELECT count(*) FROM {table} WHERE {mine.split(', ')[-1]} IS NOT NULL"  # noqa: S608
                f" AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE ({_qualified('parent', key)}) = ({mine}))"
            ).fetchone()
            if count:
                found[parent] = found.get(parent, 0) + count
        for parent, count in sorted(found.items()):
            yield f"rows of `{table}` refer to what is not in `{parent}`: {count}"


def _incomplete(connection: Connection) -> Iterator[str]:
    for wholes, parts, key, what in _COUNTED:
        # All names are constants above.
        rows = connection.execute(
            f"SELECT slo, {key}, series_count, found FROM (SELECT slo_id, {key}, series_count, (SELECT count(*) FROM"  # noqa: S608
            f" {parts} WHERE (slo_id, {key}) = ({_qualified(wholes, f'slo_id, {key}')})) AS found FROM {wholes}) AS counted"
            f" JOIN slo_versions ON slo_versions.id = slo_id WHERE found <> series_count LIMIT {_MOST_FINDINGS}"
        )
        for slo, *place, expected, found in rows:
            yield f"`{wholes}` says {expected} {what} of {slo} at {'–'.join(map(str, place))}, and {found} are there"


def _qualified(table: str, key: str) -> str:
    return ", ".join(f"{table}.{column}" for column in key.split(", "))


def _unreadable(connection: Connection, names: Names) -> Iterator[str]:
    for version in every(connection):
        name = f"{version.slo_set}/{version.slo}"
        try:
            if version.as_slo().fingerprint() != version.fingerprint:
                yield f"{name}: the stored SLO is not the one its fingerprint {version.fingerprint} was made of"
        except (ValueError, KeyError, TypeError) as error:
            yield f"{name}: the stored SLO cannot be read ({error!r})"
            continue
        yield from _contents(connection, names, version, name)


def _contents(connection: Connection, names: Names, version: Version, name: str) -> Iterator[str]:
    here, interval = version.id, version.interval
    everything = (here, _EARLIEST, _LATEST)
    readings = (
        ("slots", read_slots(connection, names, here, version.as_slo(), _EARLIEST, _LATEST)),
        ("tiles", read_tiles(connection, names, *everything)),
        ("pieces", read_pieces(connection, names, *everything)),
        ("alerts", alerts.everything(connection, names, here)),
        ("roll-ups", read_roll_ups(connection, names, here, interval, _EARLIEST, _LATEST)),
    )
    for what, reading in readings:
        try:
            for _ in reading:
                pass
        except StoreError as error:
            yield f"{name}: its {what} cannot be read: {error.message}"
        except (ValueError, TypeError) as error:
            yield f"{name}: its {what} cannot be read ({error!r})"
    known = {slot for (slot,) in connection.execute("SELECT slot FROM slots WHERE slo_id = ?", (here,))}
    twice: set[int] = set()
    for first, blob in connection.execute("SELECT first_slot, recorded_slots FROM roll_ups WHERE slo_id = ?", (here,)):
        for slot in compact.slots_from_blob(blob, first, interval):
            (twice if slot in known else known).add(slot)
    if twice:
        yield f"{name}: slots are recorded twice: {len(twice)}, the first {min(twice)}"
    if behind := alerts.behind_all_checkpoints(connection, here):
        yield f"{name}: alerts changed at slots that were not looked at yet: {behind}"
    if spoilt := hour_sums.spoilt(connection, here):
        yield f"{name}: sums kept ahead of time are not as they were written: {spoilt}, and are not used"
    ahead = {
        slot for _, slots in hour_sums.sums_within(connection, here, interval, _EARLIEST, _LATEST) for slot in slots
    }
    if strange := ahead - known:
        yield f"{name}: sums kept ahead of time stand for slots that are not recorded: {len(strange)}"
