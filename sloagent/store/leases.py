"""Leases: which of several agents on one store may do what only one of them is to do."""

from __future__ import annotations

from sloagent.store.sql import Connection


def take(connection: Connection, name: str, holder: str, now: float, seconds: float) -> bool:
    """Have the lease from `now` on for so many seconds, unless another one has it; whether `holder` has it."""
    written = connection.execute(
        "INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
        " SET holder = excluded.holder, until_us = excluded.until_us"
        " WHERE leases.holder = excluded.holder OR leases.until_us <= ?",
        (name, holder, _microseconds(now + seconds), _microseconds(now)),
    )
    return written.rowcount == 1


def release(connection: Connection, name: str, holder: str) -> None:
    """Give it up, if `holder` has it."""
    connection.execute("DELETE FROM leases WHERE name = ? AND holder = ?", (name, holder))


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
