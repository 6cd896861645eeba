"""One connection to PostgreSQL: our SQL in its words, and an end to every wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

V = TypeVar("V")


class Bounded(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which no wait is endless, whatever became of the network or the server."""

    patience_seconds: float | None = None

    def wait(self, gen: PQGen[V], interval: float = 0.1, timeout: float | None = None) -> V:
        """What the generator gives; raises psycopg.OperationalError when patience ends."""
        return super().wait(gen, interval, self.patience_seconds if timeout is None else timeout)


@lru_cache(maxsize=512)
def _with_its_placeholders(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


class Session:
    """A `sql.Connection` to PostgreSQL."""

    def __init__(self, raw: Bounded) -> None:
        self.raw = raw

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement."""
        return self.raw.execute(_with_its_placeholders(sql), parameters, binary=True)

    def executemany(self, sql: str, parameters: Sequence[Sequence[object]], /) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement for each row of parameters, without waiting for the answer in between."""
        cursor = self.raw.cursor()
        cursor.executemany(_with_its_placeholders(sql), parameters)
        return cursor

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement one by one, of a table that need not fit into memory. Nothing else may run meanwhile."""
        return self.raw.cursor().stream(sql, binary=True)

    @property
    def _usable(self) -> bool:
        return not self.raw.closed and self.raw.info.transaction_status not in (
            TransactionStatus.ACTIVE,
            TransactionStatus.UNKNOWN,
        )

    def is_idle_again(self) -> bool:
        """Roll back what is open; whether the connection can be used on. It is closed if not."""
        if self._usable:
            with suppress(psycopg.Error):
                if self.raw.info.transaction_status != TransactionStatus.IDLE:
                    self.execute("ROLLBACK")
                return True
        self.raw.close()
        return False
