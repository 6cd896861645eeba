"""The SQL that SQLite and PostgreSQL have in common, and the little that a connection must do for it.

Placeholders are `?`. New rows that may be there already say ON CONFLICT. A number that a new row is given is asked for
afterwards: SQLite tells it by RETURNING only since 3.35.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from sloagent.errors import StoreError

T = TypeVar("T")
Work = Callable[["Connection"], T]


class CollisionError(StoreError):
    """The database undid the transaction for the sake of another one; the same again may succeed."""


class Rows(Protocol):
    """What a statement gave. Rows are tuples, whose types only the statement knows."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection inside a transaction. NaN is written as NULL; all other numbers and texts come back as they were."""

    def execute(self, sql: str, parameters: Sequence[object] = ..., /) -> Rows:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Sequence[Sequence[object]], /) -> Rows:
        """Run one statement for each row of parameters."""
        ...


class Database(Protocol):
    """Where the tables lie. Errors of the database leave it as StoreErrors."""

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction, committed on leaving and rolled back on any exception; one at a time in all processes.

        A connection object is never handed out again once the database may have become another one behind it.
        """
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one moment, however long it is read."""
        ...

    def size_bytes(self) -> int:
        """Bytes on disk."""
        ...

    def close(self) -> None:
        """Let go of it. Idempotent."""
        ...
