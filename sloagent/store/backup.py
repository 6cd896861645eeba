"""A copy of the store, made while it is in use."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sloagent.errors import StoreError
from sloagent.store.connection import Database, told


class Streaming(Protocol):
    """A source of tables that need not fit into memory, all as of one moment."""

    def stream(self, sql: str) -> Iterator[tuple[object, ...]]:
        """The rows of a statement one by one."""
        ...


def back_up(database: Database, target: Path) -> None:
    """Write a consistent copy without unused space. It appears under its name only when it is whole and on the disk.

    Raises StoreError; an existing target is never touched.
    """
    with _appearing(target) as partial, database.apart() as connection, told(str(partial)):
        connection.execute("VACUUM INTO ?", (str(partial),))


def copy_to_file(source: Streaming, target: Path) -> None:
    """Write the tables of another database into an SQLite file. Appears and raises as `back_up` does."""
    with _appearing(target) as partial, told(str(partial)):
        copy = Database(str(partial))
        try:
            with copy.writing() as connection:
                for table in _tables(connection):
                    _copy(source, connection, table)
        finally:
            copy.close()


def _tables(connection: sqlite3.Connection) -> list[str]:
    # The file has its own steps, its own counter of what was pruned, and makes its own seals.
    return [
        table
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        if table not in ("migrations", "meta", "seals") and not table.startswith("sqlite_")
    ]


def _copy(source: Streaming, connection: sqlite3.Connection, table: str) -> None:
    columns = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    # All names are those of our own tables.
    rows = source.stream(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
    connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A name beside the target to write to; what was written there is given the target's name at the end."""
    if target.exists() or target.is_symlink():
        raise StoreError(f"{target} exists already", hint="a backup never replaces a file: choose another name")
    if not target.parent.is_dir():
        raise StoreError(f"there is no directory {target.parent} to write the backup to")
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        _remove(partial)
        yield partial
        _sync(partial)
        _name(partial, target)
        _sync(target.parent)
    except OSError as error:
        raise StoreError(f"the backup {target} cannot be written: {error.strerror}") from error
    finally:
        _remove(partial)


def _remove(partial: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{partial}{suffix}").unlink(missing_ok=True)


def _name(partial: Path, target: Path) -> None:
    """Give the copy its name, failing where somebody else has taken it in the meantime."""
    try:
        target.hardlink_to(partial)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        partial.rename(target)  # A file system without hard links.


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
