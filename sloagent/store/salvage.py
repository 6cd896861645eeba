"""What can be read of a damaged store, put into a new one: whole slots, tiles, pieces, roll-ups, runs, documents, SLOs only.

A whole is taken over if its seal is that of the rows that can be read, and if everything that it refers to can be read and
has its own. What is left out stays missing in the new store, and is asked for again where Prometheus still knows it.
"""

from __future__ import annotations

import sqlite3
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sloagent.store import alerts, table_list, versions
from sloagent.store.connection import Database
from sloagent.store.dictionary import Dictionary, seen_until
from sloagent.store.roll_ups import covers, rolled_slots
from sloagent.store.seals import DICTIONARIES, NAMED, PIECES, ROLL_UPS, SLOTS, TILES, VERSIONS, Row, Sort, Tables
from sloagent.store.wreck import Wreck

WHOLES_AT_ONCE = 200
"""In one transaction: each is whole or not there, whenever it ends."""

_REFERS = {
    "series_id": "series", "query_id": "texts", "histogram_id": "texts", "detail_id": "texts", "warnings_id": "texts",
    "limit_id": "limits", "bounds_id": "bounds",
}  # fmt: skip
_LAST_SECOND: Mapping[Sort, Callable[[Row], int]] = {
    SLOTS: lambda own: own[1],
    TILES: lambda own: own[1],
    PIECES: lambda own: own[2] // 1000,
    ROLL_UPS: lambda own: own[2],
}
"""Of a whole's own row: until when it tells of something."""
_MOST_REMEMBERED = 50_000
_quantile = struct.Struct("<Id")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there were of each."""

    slots: int = 0
    tiles: int = 0
    pieces: int = 0
    roll_ups: int = 0
    runs: int = 0
    documents: int = 0
    slo_versions: int = 0

    def __str__(self) -> str:
        return (
            f"{self.slots} slots, {self.tiles} tiles, {self.pieces} pieces, {self.roll_ups} hourly sums,"
            f" {self.runs} runs, {self.documents} documents, {self.slo_versions} SLOs"
        )


@dataclass(frozen=True, slots=True)
class Salvage:
    """What became of a damaged store."""

    set_aside: Path
    """Where the damaged file lies now, with its -wal, -shm and -journal."""
    saved: Counts
    lost: Counts | None
    """Of those that the file still names, at least so many; None where it names nothing and cannot be read throughout."""
    unreadable: int
    """How often a table, or an SLO's part of one, could not be read throughout."""


class _LostError(Exception):
    """Something that a whole refers to cannot be read."""


def salvage(source: Path, path: Path, stop: threading.Event) -> Salvage | None:
    """Put what can be read of `source` into the store at `path`, which is begun where there is none.

    May be interrupted at any moment and done again: what is there already stays. None where `stop` was set meanwhile.
    Raises StoreError where the new store cannot be written.
    """
    with closing(Database(str(path), salvaging=True)) as target, table_list.opened(source, path) as wreck:
        if wreck.is_foreign:
            return Salvage(source, Counts(), Counts(), 0)
        salvor = _Salvor(wreck, target, stop)
        salvor.work()
        if stop.is_set():
            return None
        saved, lost = Counts(**salvor.saved), Counts(**salvor.lost)
        nothing_known = saved == lost == Counts() and wreck.unreadable > 0
        return Salvage(source, saved, None if nothing_known else lost, wreck.unreadable)


class _Salvor:
    """One salvage under way. Roll-ups come before slots, so that no slot is recorded twice."""

    def __init__(self, wreck: Wreck, target: Database, stop: threading.Event) -> None:
        self._wreck, self._target, self._stop = wreck, target, stop
        self._entries = {table: Dictionary(table, _as_it_is, _as_it_is) for table in DICTIONARIES}
        self._contents: dict[tuple[str, int], str | bytes] = {}
        self._columns: dict[str, list[str]] = {}
        self.saved: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()

    def work(self) -> None:
        """Take over everything, until done or stopped."""
        for sort in NAMED:
            self._take(sort, None, 0, 0)
            # Their seals do not tell their names, but how many there were.
            told = self.saved[sort.table] + self.lost[sort.table]
            self.lost[sort.table] += max(0, self._wreck.count_sealed(sort) - told)
        for (old,) in list(self._wreck.keys(VERSIONS)):
            if self._stop.is_set():
                return
            new, interval = self._version(old)
            for sort in (ROLL_UPS, SLOTS, TILES, PIECES):
                self._take(sort, old, new, interval)

    def _version(self, old: int) -> tuple[int, int]:
        """(its number in the new store, its interval); zeros where it cannot be read, and then nothing of it can be used."""
        rows = self._wreck.whole(VERSIONS, (old,))
        if rows is None:
            self.lost[VERSIONS.table] += self._wreck.sealed(VERSIONS, (old,))
            return 0, 0
        _, source, slo_set, slo, fingerprint, interval, window, spec, watched_from = rows[0][1][0]
        name = (source, slo_set, slo, fingerprint)
        find = "SELECT id FROM slo_versions WHERE (source, slo_set, slo, fingerprint) = (?, ?, ?, ?)"
        with self._target.writing() as connection:
            row = connection.execute(find, name).fetchone()
            if row is None:
                connection.execute(
                    "INSERT INTO slo_versions (source, slo_set, slo, fingerprint, interval_seconds, window_seconds, spec)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*name, interval, window, spec),
                )
                row = connection.execute(find, name).fetchone()
            if watched_from is not None:
                versions.watch(connection, row[0], watched_from)
        self.saved[VERSIONS.table] += 1
        return row[0], interval

    def _take(self, sort: Sort, old: int | None, new: int, interval: int) -> None:
        keys = self._wreck.keys(sort, old)
        while batch := list(islice(keys, WHOLES_AT_ONCE)):
            with self._target.writing() as connection:
                for key in batch:
                    if self._stop.is_set():
                        return
                    try:
                        rows = self._wreck.whole(sort, key) if new or sort in NAMED else None
                        taken = rows is not None and self._put(connection, sort, rows, new, interval)
                    except _LostError:
                        taken = False
                    (self.saved if taken else self.lost)[sort.table] += taken or self._wreck.sealed(sort, key)

    def _put(self, connection: sqlite3.Connection, sort: Sort, rows: Tables, new: int, interval: int) -> bool:
        """Write one whole unless it, or what stands for it, is there already; true. Raises _LostError before it writes."""
        ((_, (own,)), *_) = rows
        if sort is SLOTS and covers(connection, new, own[1], interval):
            return True
        if sort is ROLL_UPS and self._stands_there(connection, new, interval, own[1], own[2]):
            return True
        until = 0 if sort in NAMED else seen_until(_LAST_SECOND[sort](own))
        translated = [
            (table, [self._translated(connection, table, row, new, until) for row in table_rows])
            for table, table_rows in rows
        ]
        for table, table_rows in translated:
            places = ", ".join("?" * len(self._columns_of(connection, table)))
            written = connection.executemany(
                f"INSERT INTO {table} VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608 - constants
                table_rows,
            )
            if table == sort.table and not written.rowcount:
                break
        else:
            if sort is SLOTS:
                alerts.forget_from(connection, [(new, own[1])])
        return True

    def _stands_there(self, connection: sqlite3.Connection, new: int, interval: int, first: int, last: int) -> bool:
        stretch = (new, first, last)
        found = connection.execute("SELECT 1 FROM slots WHERE slo_id = ? AND slot BETWEEN ? AND ?", stretch).fetchone()
        return found is not None or any(rolled_slots(connection, new, interval, first, last))

    def _translated(self, connection: sqlite3.Connection, table: str, row: Row, new: int, until: int) -> Row:
        """The row with the numbers of the new store in the place of the old ones; columns that it has not yet are empty."""
        columns = self._columns_of(connection, table)
        return tuple(
            self._number(connection, column, value, new, until)
            for column, value in zip(columns, row + (None,) * (len(columns) - len(row)), strict=True)
        )

    def _number(self, connection: sqlite3.Connection, column: str, value: object, new: int, until: int) -> object:
        if column == "slo_id":
            return new
        if isinstance(value, int) and column in _REFERS:
            return self._entry(connection, _REFERS[column], value, until)
        if isinstance(value, bytes) and column == "quantiles":
            return b"".join(
                _quantile.pack(bucket and self._entry(connection, "bounds", bucket, until), number)
                for bucket, number in _quantile.iter_unpack(value)
            )
        return value

    def _entry(self, connection: sqlite3.Connection, table: str, old: int, until: int) -> int:
        content = self._contents.get((table, old))
        if content is None:
            content = self._wreck.content(table, old)
            if content is None:
                raise _LostError
            if len(self._contents) >= _MOST_REMEMBERED:
                self._contents.clear()
            self._contents[table, old] = content
        return self._entries[table].id_of(connection, content, until)

    def _columns_of(self, connection: sqlite3.Connection, table: str) -> list[str]:
        if table not in self._columns:
            self._columns[table] = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        return self._columns[table]


def _as_it_is(content: str | bytes) -> str | bytes:
    return content
