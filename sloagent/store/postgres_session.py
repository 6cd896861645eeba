"""One connection to PostgreSQL: our SQL in its words, and an end to every wait."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

V = TypeVar("V")

_LOOK_SECONDS = 0.1


class SilenceError(psycopg.OperationalError):
    """Nothing came back for too long, not even a refusal."""


class Bounded(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which no wait is endless, whatever became of the network or the server."""

    patience_seconds = math.inf

    def wait(self, gen: PQGen[V], interval: float = _LOOK_SECONDS, timeout: float | None = None) -> V:
        """What the generator gives; raises SilenceError when patience ends, which no `timeout` of psycopg's own does."""
        return super().wait(_until(time.monotonic() + self.patience_seconds, gen), interval, timeout)


def _until(deadline: float, gen: PQGen[V]) -> PQGen[V]:
    """The same conversation with whoever waits on the socket, who also says every `interval` that nothing has come."""
    try:
        wanted = next(gen)
        while True:
            came = yield wanted
            if time.monotonic() > deadline:
                raise SilenceError("there was no answer at all")
            wanted = gen.send(came)
    except StopIteration as end:
        result: V = end.value
        return result


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
