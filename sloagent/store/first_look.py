"""What lies where the store should be, seen before SQLite is let near it: the file's first 100 bytes and its neighbours."""

from __future__ import annotations

import os
from pathlib import Path

from sloagent.errors import StoreError
from sloagent.store.damage import DamagedError, ForeignError, UnavailableError
from sloagent.store.migrations import APPLICATION_ID

Identity = tuple[int, int]
"""Device and number of a file: what it keeps when it is renamed, and another in its place does not have."""

_MAGIC = b"SQLite format 3\x00"
DAMAGED = (
    "is damaged",
    "move it away with its -wal and -shm files and put a backup in its place, or let `sloagent run` begin a new one",
)
NO_DATABASE = (
    "is not an SQLite database, or is damaged at its beginning",
    "move it away and put a backup in its place, or let `sloagent run` begin a new one",
)
"""What is wrong, and what to do."""


def mark_of(path: Path) -> Path:
    """The file that says: a damaged store was set aside, and what can be read of it is being put into this one."""
    return path.with_name(f"{path.name}.salvage")


def identity(path: str | Path) -> Identity | None:
    """What tells the file under this name from another that takes its place; None where there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def foreign(path: str) -> ForeignError:
    """The error for a sound database that is not ours."""
    return ForeignError(
        f"{path} is an SQLite database, but not one of sloagent's; it was not touched",
        hint="give `store: {path: …}` another name",
    )


def look_at(path: Path, *, read_only: bool, salvaging: bool) -> None:
    """Raise the StoreError that says why this cannot be our store. No file is well too, unless it is only to be read."""
    try:
        if not salvaging:
            _refuse_unfinished(path)
        _refuse_foreign(path, read_only=read_only)
    except OSError as error:
        message = f"the store {path} cannot be read: {error.strerror}"
        raise UnavailableError(message, hint="check the permissions of the file and of its directory") from error


def _refuse_unfinished(path: Path) -> None:
    mark = mark_of(path)
    if mark.exists():
        raise UnavailableError(
            f"the store {path} is not whole yet: what can be read of a damaged one is being put into it",
            hint=f"`sloagent run` finishes that by itself; the damaged file's name stands in {mark}",
        )


def _refuse_foreign(path: Path, *, read_only: bool) -> None:
    if not path.parent.is_dir():
        raise UnavailableError(
            f"the store {path} cannot be opened: there is no directory {path.parent}",
            hint="create the directory, or give `store: {path: …}` another one",
        )
    if path.is_dir():
        raise UnavailableError(f"the store {path} is a directory", hint="give `store: {path: …}` the name of a file")
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        if read_only:
            raise StoreError(f"there is no store {path}", hint="`store: {path: …}` says where it is") from None
        return
    log = Path(f"{path}-wal")
    if not header and log.exists() and log.stat().st_size:
        what, hint = DAMAGED
        raise DamagedError(f"the store {path} {what}: it is empty, and its log is not", hint=hint)
    if not header or Path(f"{path}-journal").exists():
        return  # New, or interrupted in its very first transaction: SQLite rolls that back, then `_prepare` looks.
    if not header.startswith(_MAGIC) or len(header) < 100:
        what, hint = NO_DATABASE
        raise DamagedError(f"the store {path} {what}", hint=hint)
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise foreign(str(path))


def needs_immutable(path: Path) -> bool:
    """Whether a copy lies where SQLite cannot make its -shm file: then nobody else can be writing to it either."""
    log = Path(f"{path}-wal")
    return not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)
