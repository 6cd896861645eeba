"""The schema, as named steps. A step and the row that records it are one transaction; a newer schema is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from sloagent.errors import StoreError
from sloagent.store.seals import ROLL_UPS, first_seals, sealed_anew

APPLICATION_ID = 0x534C4F41
"""`SLOA` in the file's header: what tells our file from any other SQLite database without opening it."""

_FIRST_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO meta VALUES ('generation', 0)",
    # Ids of dictionaries are never used twice, so what another process has read of them stays true.
    "CREATE TABLE series (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL UNIQUE, seen_until INTEGER NOT NULL)",
    "CREATE TABLE texts (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL UNIQUE, seen_until INTEGER NOT NULL)",
    "CREATE TABLE limits (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL UNIQUE, seen_until INTEGER NOT NULL)",
    "CREATE TABLE bounds (id INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB NOT NULL UNIQUE, seen_until INTEGER NOT NULL)",
    """CREATE TABLE slo_versions (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, slo_set TEXT NOT NULL, slo TEXT NOT NULL, fingerprint TEXT NOT NULL,
        interval_seconds INTEGER NOT NULL, window_seconds INTEGER NOT NULL, spec TEXT NOT NULL, watched_from INTEGER,
        UNIQUE (source, slo_set, slo, fingerprint))""",
    """CREATE TABLE slots (
        slo_id INTEGER NOT NULL REFERENCES slo_versions, slot INTEGER NOT NULL, outcome INTEGER NOT NULL,
        cause INTEGER NOT NULL, kind TEXT NOT NULL, query_id INTEGER NOT NULL REFERENCES texts,
        histogram_id INTEGER REFERENCES texts, detail_id INTEGER REFERENCES texts, warnings_id INTEGER REFERENCES texts,
        series_count INTEGER NOT NULL, PRIMARY KEY (slo_id, slot)) WITHOUT ROWID""",
    # `value` has no type: a REAL column would turn -0.0 into 0.0.
    """CREATE TABLE verdicts (
        slo_id INTEGER NOT NULL, slot INTEGER NOT NULL, series_id INTEGER NOT NULL REFERENCES series,
        outcome INTEGER NOT NULL, cause INTEGER NOT NULL, flags INTEGER NOT NULL, events REAL, value, quantiles BLOB,
        share_lower REAL, share_upper REAL, limit_id INTEGER REFERENCES limits, detail_id INTEGER REFERENCES texts,
        PRIMARY KEY (slo_id, slot, series_id), FOREIGN KEY (slo_id, slot) REFERENCES slots) WITHOUT ROWID""",
    """CREATE TABLE tiles (
        slo_id INTEGER NOT NULL REFERENCES slo_versions, slot INTEGER NOT NULL, series_count INTEGER NOT NULL,
        PRIMARY KEY (slo_id, slot)) WITHOUT ROWID""",
    """CREATE TABLE tile_series (
        slo_id INTEGER NOT NULL, slot INTEGER NOT NULL, series_id INTEGER NOT NULL REFERENCES series,
        bounds_id INTEGER NOT NULL REFERENCES bounds, counts BLOB NOT NULL,
        PRIMARY KEY (slo_id, slot, series_id), FOREIGN KEY (slo_id, slot) REFERENCES tiles) WITHOUT ROWID""",
    """CREATE TABLE pieces (
        slo_id INTEGER NOT NULL REFERENCES slo_versions, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
        query_id INTEGER NOT NULL REFERENCES texts, series_count INTEGER NOT NULL,
        PRIMARY KEY (slo_id, start_ms, end_ms)) WITHOUT ROWID""",
    """CREATE TABLE piece_series (
        slo_id INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
        series_id INTEGER NOT NULL REFERENCES series, bounds_id INTEGER REFERENCES bounds, counts BLOB NOT NULL,
        PRIMARY KEY (slo_id, start_ms, end_ms, series_id),
        FOREIGN KEY (slo_id, start_ms, end_ms) REFERENCES pieces) WITHOUT ROWID""",
    """CREATE TABLE roll_ups (
        slo_id INTEGER NOT NULL REFERENCES slo_versions, first_slot INTEGER NOT NULL, last_slot INTEGER NOT NULL,
        recorded_slots BLOB NOT NULL, refused INTEGER NOT NULL, refusals TEXT NOT NULL, histograms TEXT NOT NULL,
        overrides_used TEXT NOT NULL, series_count INTEGER NOT NULL, PRIMARY KEY (slo_id, first_slot)) WITHOUT ROWID""",
    """CREATE TABLE roll_up_series (
        slo_id INTEGER NOT NULL, first_slot INTEGER NOT NULL, series_id INTEGER NOT NULL REFERENCES series,
        good INTEGER NOT NULL, warned INTEGER NOT NULL, bad INTEGER NOT NULL, undecided INTEGER NOT NULL,
        idle INTEGER NOT NULL, too_few INTEGER NOT NULL, measured INTEGER NOT NULL, minima BLOB, worst_slot INTEGER,
        outcome INTEGER, cause INTEGER, flags INTEGER, events REAL, value, quantiles BLOB,
        share_lower REAL, share_upper REAL, limit_id INTEGER REFERENCES limits, detail_id INTEGER REFERENCES texts,
        PRIMARY KEY (slo_id, first_slot, series_id), FOREIGN KEY (slo_id, first_slot) REFERENCES roll_ups) WITHOUT ROWID""",
    # Moments of runs are microseconds since the epoch, as exact as a person can write them.
    """CREATE TABLE runs (
        name TEXT PRIMARY KEY, start_us INTEGER NOT NULL, end_us INTEGER, labels TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE phases (
        run TEXT NOT NULL REFERENCES runs, position INTEGER NOT NULL, name TEXT NOT NULL, start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY (run, position)) WITHOUT ROWID""",
    """CREATE TABLE exclusions (
        run TEXT NOT NULL REFERENCES runs, position INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
        reason TEXT NOT NULL, PRIMARY KEY (run, position)) WITHOUT ROWID""",
)


_DOCUMENTS = """CREATE TABLE documents (
    kind TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (kind, name))"""


_HOUR_SUMS = """CREATE TABLE hour_sums (
    slo_id INTEGER NOT NULL, first_slot INTEGER NOT NULL, format INTEGER NOT NULL, recorded_slots BLOB NOT NULL,
    content BLOB NOT NULL, windows BLOB, PRIMARY KEY (slo_id, first_slot)) WITHOUT ROWID"""


_ALERTS = (
    """CREATE TABLE alert_states (
        slo_id INTEGER NOT NULL, slot INTEGER NOT NULL, chain INTEGER NOT NULL, content TEXT NOT NULL,
        PRIMARY KEY (slo_id, slot)) WITHOUT ROWID""",
    """CREATE TABLE alert_transitions (
        slo_id INTEGER NOT NULL, slot INTEGER NOT NULL, rule TEXT NOT NULL, window_seconds INTEGER NOT NULL,
        series_id INTEGER NOT NULL, stage TEXT NOT NULL, severity TEXT NOT NULL, started INTEGER NOT NULL,
        run TEXT NOT NULL, reason TEXT NOT NULL,
        PRIMARY KEY (slo_id, slot, rule, window_seconds, series_id)) WITHOUT ROWID""",
    """CREATE TABLE alert_told (
        slo_id INTEGER NOT NULL, receiver TEXT NOT NULL, rule TEXT NOT NULL, window_seconds INTEGER NOT NULL,
        series_id INTEGER NOT NULL, started INTEGER NOT NULL, firing_until REAL NOT NULL, resolved REAL,
        labels TEXT NOT NULL,
        PRIMARY KEY (slo_id, receiver, rule, window_seconds, series_id)) WITHOUT ROWID""",
    "CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until_us INTEGER NOT NULL) WITHOUT ROWID",
)


def _first_tables(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _FIRST_TABLES:
        connection.execute(statement)


def _documents(connection: sqlite3.Connection) -> None:
    connection.execute(_DOCUMENTS)


def _numbers_of_sums(connection: sqlite3.Connection) -> None:
    with sealed_anew(connection, ROLL_UPS):
        for column in ("value_count INTEGER", "value_total BLOB", "value_least REAL", "value_greatest REAL"):
            connection.execute(f"ALTER TABLE roll_up_series ADD COLUMN {column}")


def _hour_sums(connection: sqlite3.Connection) -> None:
    connection.execute(_HOUR_SUMS)


def _alerts(connection: sqlite3.Connection) -> None:
    for statement in _ALERTS:
        connection.execute(statement)


Step = tuple[str, Callable[[sqlite3.Connection], None]]

STEPS: tuple[Step, ...] = (
    ("0001 first tables", _first_tables),
    ("0002 seals", first_seals),
    ("0003 documents", _documents),
    ("0004 numbers of hourly sums", _numbers_of_sums),
    ("0005 sums ahead of time", _hour_sums),
    ("0006 alerts", _alerts),
)
"""Every change of the schema, oldest first. A name is never changed once it was released."""


def applied(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The names of the steps that this file has seen, oldest first. Only reads."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone() is None:
        return ()
    return tuple(name for (name,) in connection.execute("SELECT name FROM migrations ORDER BY position"))


def pending(connection: sqlite3.Connection, path: str, steps: tuple[Step, ...] = STEPS) -> tuple[Step, ...]:
    """The steps still to be taken. Only reads. Raises StoreError when the file was written by a newer sloagent."""
    done = applied(connection)
    refuse_newer(path, done, [name for name, _ in steps])
    return steps[len(done) :]


def refuse_newer(place: str, done: Sequence[str], known: Sequence[str]) -> None:
    """Raise StoreError unless the steps that were taken are the first of those that this program knows."""
    for position, name in enumerate(done):
        if list(known[position : position + 1]) != [name]:
            raise StoreError(
                f"{place} was written by a newer sloagent: it has the schema step {name!r}, this one knows {len(known)}",
                hint="use that sloagent or a newer one; nothing was changed",
            )


def migrate(connection: sqlite3.Connection, path: str, steps: tuple[Step, ...] = STEPS) -> None:
    """Take the pending steps in one transaction, so that a store is never half made; safe while others do the same."""
    if not pending(connection, path, steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for name, step in pending(connection, path, steps):  # another process may have been first
            step(connection)
            connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"
            )
            connection.execute("INSERT INTO migrations (name) VALUES (?)", (name,))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
