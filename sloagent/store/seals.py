"""A checksum for each whole that the file holds: SQLite does not notice a number that has changed on the disk, this does.

A whole is a slot with its verdicts, a tile, piece or roll-up with its series, a run with its phases and exclusions, an SLO,
a document, or an entry of a dictionary. Its seal is made anew from what the tables hold, in the transaction that changes it.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

Key = tuple[Any, ...]
"""The values of a sort's key columns: numbers, or names."""
Row = tuple[Any, ...]
Tables = list[tuple[str, list[Row]]]
"""The rows of one whole by table, its own table first, each table's rows in one order."""

_MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of whole. Every column of its tables is sealed, but `seen_until`, which changes with use."""

    number: int
    """Its number in `seals`; never given another meaning."""
    table: str
    key: tuple[str, ...]
    parts: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    """(table, columns that hold the key, column by which they ascend)."""
    columns: str = "*"

    def rows(self, connection: sqlite3.Connection, key: Key) -> Tables:
        """What the tables hold of the whole; empty where it is not there."""
        own = connection.execute(self._select(self.columns, self.table, self.key), key).fetchall()
        if not own:
            return []
        return [
            (self.table, own),
            *(
                (table, connection.execute(f"{self._select('*', table, columns)} ORDER BY {order}", key).fetchall())
                for table, columns, order in self.parts
            ),
        ]

    def sealed_under(self, key: Key) -> tuple[int, int, int, int]:
        """The key in `seals`."""
        numbers = [part if isinstance(part, int) else zlib.crc32(part.encode()) for part in key]
        first, second, third = (*numbers, 0, 0)[:3]
        return self.number, first, second, third

    @staticmethod
    def _select(what: str, table: str, columns: Sequence[str]) -> str:
        # All names are constants of this module.
        return f"SELECT {what} FROM {table} WHERE {' AND '.join(f'{column} = ?' for column in columns)}"  # noqa: S608


_SLOT, _PIECE, _ROLL_UP = ("slo_id", "slot"), ("slo_id", "start_ms", "end_ms"), ("slo_id", "first_slot")
SLOTS = Sort(1, "slots", _SLOT, (("verdicts", _SLOT, "series_id"),))
TILES = Sort(2, "tiles", _SLOT, (("tile_series", _SLOT, "series_id"),))
PIECES = Sort(3, "pieces", _PIECE, (("piece_series", _PIECE, "series_id"),))
ROLL_UPS = Sort(4, "roll_ups", _ROLL_UP, (("roll_up_series", _ROLL_UP, "series_id"),))
VERSIONS = Sort(5, "slo_versions", ("id",))
RUNS = Sort(6, "runs", ("name",), (("phases", ("run",), "position"), ("exclusions", ("run",), "position")))
DICTIONARIES = {
    table: Sort(number, table, ("id",), columns="id, content")
    for number, table in enumerate(("series", "texts", "limits", "bounds"), start=7)
}
DOCUMENTS = Sort(11, "documents", ("kind", "name"))
NAMED = (RUNS, DOCUMENTS)
"""The sorts whose keys are names, not numbers."""
SORTS = (SLOTS, TILES, PIECES, ROLL_UPS, VERSIONS, RUNS, *DICTIONARIES.values(), DOCUMENTS)


def seal_of(rows: Tables) -> int:
    """The checksum of a whole."""
    return zlib.crc32(ascii(rows).encode())


def first_seals(connection: sqlite3.Connection) -> None:
    """The step of the schema: seal everything that is there; of sorts that later steps bring, there is nothing yet."""
    connection.execute(
        "CREATE TABLE seals (sort INTEGER NOT NULL, first INTEGER NOT NULL, second INTEGER NOT NULL,"
        " third INTEGER NOT NULL, seal INTEGER NOT NULL, PRIMARY KEY (sort, first, second, third)) WITHOUT ROWID"
    )
    for sort in SORTS:
        if sort is not DOCUMENTS:
            for key in _keys(connection, sort):
                _seal(connection, sort, key)


@contextmanager
def sealed_anew(connection: sqlite3.Connection, sort: Sort) -> Iterator[None]:
    """Around a step of the schema that adds columns: what was as it was written is sealed with them, nothing else."""
    wrong = set(_wrong(connection, sort))
    yield
    for key in _keys(connection, sort):
        if key not in wrong:
            _seal(connection, sort, key)


def watch(connection: sqlite3.Connection) -> None:
    """Have a writer note which wholes each transaction touches; `renew` seals them before it is committed."""
    connection.execute("CREATE TEMP TABLE touched (sort, a, b, c, PRIMARY KEY (sort, a, b, c)) WITHOUT ROWID")
    for sort in SORTS:
        events = ("INSERT", "DELETE", "UPDATE") if sort is VERSIONS else ("INSERT", "DELETE")
        for event in events:
            row = "OLD" if event == "DELETE" else "NEW"
            values = [*(f"{row}.{column}" for column in sort.key), "0", "0"][:3]
            connection.execute(  # all names are constants
                f"CREATE TEMP TRIGGER {sort.table}_{event} AFTER {event} ON main.{sort.table} BEGIN"  # noqa: S608
                f" INSERT OR IGNORE INTO touched VALUES ({sort.number}, {', '.join(values)}); END"
            )


def renew(connection: sqlite3.Connection) -> None:
    """Seal what the transaction has touched, as it stands now; for the writer, right before COMMIT."""
    by_number = {sort.number: sort for sort in SORTS}
    touched = connection.execute("SELECT sort, a, b, c FROM touched").fetchall()
    if touched:
        connection.execute("DELETE FROM touched")
    for number, *key in touched:
        sort = by_number[number]
        _seal(connection, sort, tuple(key[: len(sort.key)]))


def _seal(connection: sqlite3.Connection, sort: Sort, key: Key) -> None:
    rows = sort.rows(connection, key)
    under = sort.sealed_under(key)
    if rows:
        connection.execute("INSERT OR REPLACE INTO seals VALUES (?, ?, ?, ?, ?)", (*under, seal_of(rows)))
    else:
        connection.execute("DELETE FROM seals WHERE (sort, first, second, third) = (?, ?, ?, ?)", under)


def seal_under(connection: sqlite3.Connection, under: tuple[int, int, int, int]) -> int | None:
    """The seal that was made of a whole; None where there is none."""
    row = connection.execute(
        "SELECT seal FROM seals WHERE (sort, first, second, third) = (?, ?, ?, ?)", under
    ).fetchone()
    return None if row is None else row[0]


def broken(connection: sqlite3.Connection) -> Iterator[str]:
    """What is not as it was written, in sentences; at most twenty of each sort. Reads every row."""
    for sort in SORTS:
        for key in islice(_wrong(connection, sort), _MOST_FINDINGS):
            yield f"`{sort.table}` {'–'.join(map(str, key))} is not as it was written: its checksum is another"


def _wrong(connection: sqlite3.Connection, sort: Sort) -> Iterator[Key]:
    for key in _keys(connection, sort):
        if seal_under(connection, sort.sealed_under(key)) != seal_of(sort.rows(connection, key)):
            yield key


def _keys(connection: sqlite3.Connection, sort: Sort) -> Iterator[Key]:
    return connection.execute(f"SELECT {', '.join(sort.key)} FROM {sort.table}")  # noqa: S608 - constants
