"""What repeats is kept once: labels, texts, limits and bounds, each under a number."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sloagent.model.slo import Labels, Limit
from sloagent.store import compact
from sloagent.store.sql import Connection

Key = TypeVar("Key", bound=Hashable)
Content = TypeVar("Content")

_DAY_SECONDS = 86_400
_MOST_REMEMBERED = 50_000


def seen_until(moment: int) -> int:
    """Until when an entry used at `moment` (seconds) is kept at least: whole days, so that it is seldom written."""
    return (moment // _DAY_SECONDS + 2) * _DAY_SECONDS


class Dictionary(Generic[Key, Content]):
    """One table of (id, content): found by key, read by number. Ids are never used twice."""

    def __init__(
        self, table: str, encode: Callable[[Key], str | bytes], decode: Callable[[str | bytes], Content]
    ) -> None:
        self.table = table
        self._encode, self._decode = encode, decode
        self._ids: dict[Key, tuple[int, int]] = {}
        self.known: dict[int, Content] = {}
        """What was read lately, by number: a look into it saves the call of `content`."""
        # The table's name is one of four constants below.
        self._find = f"SELECT id, seen_until FROM {table} WHERE content = ?"  # noqa: S608
        self._insert = f"INSERT INTO {table} (content, seen_until) VALUES (?, ?)"  # noqa: S608
        self._touch = f"UPDATE {table} SET seen_until = ? WHERE id = ?"  # noqa: S608
        self._read = f"SELECT content FROM {table} WHERE id = ?"  # noqa: S608

    def id_of(self, connection: Connection, key: Key, until: int) -> int:
        """The number of `key`, newly given if need be; for the writer, inside its transaction."""
        known = self._ids.get(key)
        if known is not None and known[1] >= until:
            return known[0]
        content = self._encode(key)
        row = connection.execute(self._find, (content,)).fetchone()
        if row is None:
            connection.execute(self._insert, (content, until))
            row = connection.execute(self._find, (content,)).fetchone()
        found, stored = int(row[0]), int(row[1])
        if stored < until:
            connection.execute(self._touch, (until, found))
        until = max(until, stored)
        if len(self._ids) >= _MOST_REMEMBERED:
            self._ids.clear()
        self._ids[key] = (found, until)
        return found

    def find(self, connection: Connection, key: Key) -> int | None:
        """The number of `key`, or None where nothing has used it yet; for readers."""
        row = connection.execute(self._find, (self._encode(key),)).fetchone()
        return None if row is None else int(row[0])

    def content(self, connection: Connection, number: int) -> Content:
        """What stands under a number. Raises StoreError when nothing does."""
        if number in self.known:
            return self.known[number]
        row = connection.execute(self._read, (number,)).fetchone()
        if row is None:
            raise compact.damaged(f"it refers to {self.table} {number}, which is not there")
        content = self._decode(row[0])
        if len(self.known) >= _MOST_REMEMBERED:
            self.known.clear()
        self.known[number] = content
        return content

    def forget(self) -> None:
        """Drop what the writer remembers: after a rollback, or when another process has pruned."""
        self._ids.clear()


def _doubles(content: str | bytes) -> tuple[float, ...]:
    assert isinstance(content, bytes)
    return compact.doubles_from(content)


class Names:
    """The four dictionaries of a store."""

    def __init__(self) -> None:
        self.series: Dictionary[Labels, Labels] = Dictionary("series", compact.labels_text, compact.labels_from_text)
        self.texts: Dictionary[str, str] = Dictionary("texts", str, str)
        self.limits: Dictionary[Limit, Limit] = Dictionary("limits", compact.limit_text, compact.limit_from_text)
        self.bounds: Dictionary[bytes, tuple[float, ...]] = Dictionary("bounds", bytes, _doubles)
        """Found by their packed doubles, in which -0.0 is not 0.0."""
        self._generation: int | None = None

    def refresh(self, connection: Connection) -> None:
        """At the start of a write transaction: forget what a prune may have removed since."""
        (generation,) = connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
        if generation != self._generation:
            self.forget()
            self._generation = generation

    def forget(self) -> None:
        """Drop what the writer remembers."""
        for dictionary in (self.series, self.texts, self.limits, self.bounds):
            dictionary.forget()
