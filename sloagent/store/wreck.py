"""A damaged file, read as far as it goes: from both ends, and beyond every place that cannot be read."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from sloagent.store.first_look import size_of
from sloagent.store.seals import (
    DICTIONARIES,
    DOCUMENTS,
    NAMED,
    SORTS,
    VERSIONS,
    Key,
    Row,
    Sort,
    Tables,
    seal_of,
    seal_under,
)

MOST_FAILURES = 4_000
"""Attempts to read beyond damage, for each SLO and table; each halves a stretch that could not be read at once."""
_LONGEST_VALUE_BYTES = 64 * 2**20
_MOST_KEPT_APART = 200_000
_FOR_EVER, _LONG_SECONDS, _DAY_SECONDS = 2**40, 400 * 86_400, 86_400
_CANNOT = (sqlite3.Error, OverflowError)
_OURS = frozenset(
    {"seals", *(table for sort in SORTS for table in (sort.table, *(part for part, _, _ in sort.parts)))}
    - {DOCUMENTS.table}  # files of earlier versions have none
)


class Wreck:
    """The tables of a damaged file, opened for reading only: neither it nor its log is changed. Never raises for damage."""

    def __init__(self, path: Path) -> None:
        self.unreadable = 0
        """How often a table, or an SLO's part of one, could not be read throughout."""
        self._connection = sqlite3.connect(":memory:")
        self._shared = path.with_name(f"{path.name}-shm")
        self._shared_was_there = self._shared.exists()
        try:
            self._connection = _opened(path)
        except _CANNOT:
            self.unreadable += 1
        self._tables = self._listed()
        self._kept_apart: dict[str, dict[int, str | bytes]] = {}
        self._lowest, self._highest = self._span()

    def close(self) -> None:
        """Let go of the file, and leave beside it what was there before."""
        self._connection.close()
        if not self._shared_was_there:
            with suppress(OSError):
                self._shared.unlink(missing_ok=True)

    @property
    def names_our_tables(self) -> bool:
        """Whether the file's list of tables can be read, and has all of ours."""
        return self._tables is not None and self._tables >= _OURS

    @property
    def is_foreign(self) -> bool:
        """Whether the file's list of tables can be read, and has none of ours."""
        return bool(self._tables) and not _OURS & (self._tables or _OURS)

    def knows_anything(self) -> bool:
        """Whether anything can be read as it was written that needs nothing else: an SLO, a run or a document."""
        return any(self.whole(sort, key) is not None for sort in (VERSIONS, *NAMED) for key in self.keys(sort))

    def whole(self, sort: Sort, key: Key) -> Tables | None:
        """The rows of one whole as they were written; None where that cannot be told."""
        with suppress(*_CANNOT):
            rows = sort.rows(self._connection, key)
            if rows and seal_under(self._connection, sort.sealed_under(key)) == seal_of(rows):
                return rows
        return None

    def content(self, table: str, number: int) -> str | bytes | None:
        """What stands under a number of a dictionary, from its table or from the index that holds it too."""
        sort = DICTIONARIES[table]
        whole = self.whole(sort, (number,))
        if whole is not None:
            content: str | bytes = whole[0][1][0][1]
            return content
        if table not in self._kept_apart:
            self._kept_apart[table] = dict(self._from_index(table))
        found = self._kept_apart[table].get(number)
        with suppress(*_CANNOT):
            if found is not None and seal_under(self._connection, sort.sealed_under((number,))) == seal_of(
                [(table, [(number, found)])]
            ):
                return found
        return None

    def keys(self, sort: Sort, version: int | None = None) -> Iterator[Key]:
        """Every key of the sort (of one SLO, where wholes belong to SLOs) that its table or its seals still name, once."""
        seen: set[Key] = set()
        for key in self._named(sort, version):
            if key not in seen:
                seen.add(key)
                yield key

    def sealed(self, sort: Sort, key: Key) -> bool:
        """Whether the file says, or may have said, that it held this whole."""
        try:
            return seal_under(self._connection, sort.sealed_under(key)) is not None
        except _CANNOT:
            return True

    def count_sealed(self, sort: Sort) -> int:
        """How many wholes of the sort the file says, at least, that it held."""
        return next((count for (count,) in self._rows("SELECT count(*) FROM seals WHERE sort = ?", sort.number)), 0)

    def _named(self, sort: Sort, version: int | None) -> Iterator[Key]:
        columns = ", ".join(sort.key)
        if sort in NAMED:
            for order in ("ASC", "DESC"):
                by = columns.replace(",", f" {order},")
                for row in self._rows(f"SELECT {columns} FROM {sort.table} ORDER BY {by} {order}"):  # noqa: S608
                    if all(isinstance(name, str) for name in row):
                        yield row
            return
        within = (sort.number,) if version is None else (sort.number, version)
        of_version = () if version is None else (version,)
        place = "first" if version is None else "second"
        where = "sort = ?" if version is None else "sort = ? AND first = ?"
        yield from self._through(
            f"SELECT first, second, third FROM seals WHERE {where} AND {place} BETWEEN ? AND ? ORDER BY {place}",  # noqa: S608
            within, sort, place=0 if version is None else 1,
        )  # fmt: skip
        place = sort.key[len(of_version)]
        where = "" if version is None else "slo_id = ? AND "
        yield from self._through(
            f"SELECT {columns} FROM {sort.table} WHERE {where}{place} BETWEEN ? AND ? ORDER BY {place}",  # noqa: S608
            of_version, sort, place=len(of_version),
        )  # fmt: skip

    def _through(self, query: str, before: tuple[int, ...], sort: Sort, place: int) -> Iterator[Key]:
        """The keys of a range, whatever lies damaged in it; some more than once.

        A range is read upwards until it fails, then downwards from its other end; what is left is halved, the widest first.
        """
        scale = 1000 if sort.key[-1] == "end_ms" else 1
        bounds = (0, 100_000) if sort is VERSIONS else (self._lowest * scale, self._highest * scale)
        ranges, failures, whole = deque([bounds]), 0, True
        while ranges:
            low, high = ranges.popleft()
            for order in ("ASC", "DESC"):
                try:
                    for row in self._connection.execute(f"{query} {order}", (*before, low, high)):
                        key = row[: len(sort.key)]
                        if all(isinstance(number, int) for number in key):
                            yield key
                            low, high = (key[place], high) if order == "ASC" else (low, key[place])
                except _CANNOT:
                    failures += 1
                else:
                    break
            else:
                if high - low < 2 or failures > MOST_FAILURES:
                    whole = False
                else:
                    middle = (low + high) // 2
                    ranges += [(low, middle), (middle + 1, high)]
        self.unreadable += not whole

    def _listed(self) -> frozenset[str] | None:
        try:
            rows = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        except _CANNOT:
            return None
        return frozenset(str(name) for (name,) in rows)

    def _span(self) -> tuple[int, int]:
        """Seconds between which every slot and piece lies that can be seen from an end of a table."""
        lowest, highest = _FOR_EVER, 0
        for sort in SORTS[:4]:
            scale = 1000 if sort.key[-1] == "end_ms" else 1
            for query in (
                f"SELECT {sort.key[1]} FROM {sort.table} ORDER BY {', '.join(sort.key)}",  # noqa: S608 - constants
                f"SELECT second FROM seals WHERE sort = {sort.number} ORDER BY first, second, third",  # noqa: S608
            ):
                for backwards in (query, query.replace(",", " DESC,") + " DESC"):
                    for row in self._rows(backwards):
                        if isinstance(row[0], int):
                            lowest, highest = min(lowest, row[0] // scale), max(highest, row[0] // scale)
        now = int(time.time())
        if lowest > highest:
            return now - _LONG_SECONDS, now + _DAY_SECONDS
        return max(0, lowest - _DAY_SECONDS), min(_FOR_EVER, highest + _DAY_SECONDS)

    def _from_index(self, table: str) -> Iterator[tuple[int, str | bytes]]:
        index = f"sqlite_autoindex_{table}_1"
        for order in ("ASC", "DESC"):
            query = f"SELECT id, content FROM {table} INDEXED BY {index} ORDER BY content {order} LIMIT ?"  # noqa: S608
            for number, content in self._rows(query, _MOST_KEPT_APART):
                if isinstance(number, int) and isinstance(content, str | bytes):
                    yield number, content

    def _rows(self, query: str, *parameters: int) -> Iterator[Row]:
        """The rows until one cannot be read."""
        with suppress(*_CANNOT):
            yield from self._connection.execute(query, parameters)


def _opened(path: Path) -> sqlite3.Connection:
    log_bytes = size_of(path.with_name(f"{path.name}-wal"))
    if not size_of(path):  # SQLite deletes the log of an empty file, even when it may only read.
        raise sqlite3.OperationalError(f"{path} is empty")
    mode = "mode=ro" if log_bytes else "immutable=1"  # without a log nothing is left beside it either
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE_BYTES)
    connection.execute("PRAGMA cell_size_check = TRUE")
    connection.execute("PRAGMA trusted_schema = FALSE")
    return connection
