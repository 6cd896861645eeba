"""What can be wrong with a store, said in sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sloagent.errors import StoreError
from sloagent.store import compact
from sloagent.store.dictionary import Names
from sloagent.store.pieces import read_pieces
from sloagent.store.roll_ups import read_roll_ups
from sloagent.store.slots import read_slots, read_tiles
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


def examine(connection: sqlite3.Connection, names: Names) -> list[str]:
    """At most twenty sentences of each sort; empty when the store is sound. Reads every row."""
    try:
        damage = [
            f"SQLite finds the file damaged: {message}"
            for (message,) in connection.execute(f"PRAGMA integrity_check({_MOST_FINDINGS})")
            if message != "ok"
        ]
        if damage:
            # What lies on damaged pages proves nothing about what was written.
            return damage
        return [*_orphans(connection), *_incomplete(connection), *_unreadable(connection, names)]
    except sqlite3.DatabaseError as error:
        return [f"SQLite cannot read the file to its end: {error}"]


def _orphans(connection: sqlite3.Connection) -> list[str]:
    found: dict[tuple[str, str], int] = {}
    for table, _row, parent, _constraint in connection.execute("PRAGMA foreign_key_check"):
        found[table, parent] = found.get((table, parent), 0) + 1
    return [
        f"rows of `{table}` refer to what is not in `{parent}`: {count}"
        for (table, parent), count in sorted(found.items())
    ]


def _incomplete(connection: sqlite3.Connection) -> Iterator[str]:
    for wholes, parts, key, what in _COUNTED:
        # All names are constants above.
        rows = connection.execute(
            f"SELECT slo, {key}, series_count, found FROM (SELECT slo_id, {key}, series_count, (SELECT count(*) FROM"  # noqa: S608
            f" {parts} WHERE (slo_id, {key}) = ({_qualified(wholes, key)})) AS found FROM {wholes})"
            f" JOIN slo_versions ON slo_versions.id = slo_id WHERE found <> series_count LIMIT {_MOST_FINDINGS}"
        )
        for slo, *place, expected, found in rows:
            yield f"`{wholes}` says {expected} {what} of {slo} at {'–'.join(map(str, place))}, and {found} are there"


def _qualified(table: str, key: str) -> str:
    return ", ".join(f"{table}.{column}" for column in ("slo_id", *key.split(", ")))


def _unreadable(connection: sqlite3.Connection, names: Names) -> Iterator[str]:
    for version in every(connection):
        name = f"{version.slo_set}/{version.slo}"
        try:
            if version.as_slo().fingerprint() != version.fingerprint:
                yield f"{name}: the stored SLO is not the one its fingerprint {version.fingerprint} was made of"
        except (ValueError, KeyError, TypeError) as error:
            yield f"{name}: the stored SLO cannot be read ({error!r})"
            continue
        yield from _contents(connection, names, version, name)


def _contents(connection: sqlite3.Connection, names: Names, version: Version, name: str) -> Iterator[str]:
    here, interval = version.id, version.interval
    everything = (here, _EARLIEST, _LATEST)
    readings = (
        ("slots", read_slots(connection, names, here, version.as_slo(), _EARLIEST, _LATEST)),
        ("tiles", read_tiles(connection, names, *everything)),
        ("pieces", read_pieces(connection, names, *everything)),
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
