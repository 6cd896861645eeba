"""What lies where the store should be, seen before SQLite is let near it: the file's first 100 bytes and its neighbours."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sloagent.errors import StoreError
from sloagent.store.damage import DamagedError, ForeignError, UnavailableError
from sloagent.store.migrations import APPLICATION_ID

Identity = tuple[int, int]
"""Device and number of a file: what it keeps when it is renamed, and another in its place does not have."""

_MAGIC = b"SQLite format 3\x00"
_ENDINGS = (".db", ".sqlite", ".sqlite3")
OTHER_NAME = "give `store: {path: …}` the name of a file of its own, such as sloagent.db; move this one away by hand"
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


def can_have_been_a_store(path: Path) -> bool:
    """Whether the file may be renamed: one of its own, no link, with SQLite's header, or a store's name or neighbours."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            has_header = file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False
    return (
        has_header
        or path.suffix.lower() in _ENDINGS
        or any(Path(f"{path}{end}").exists() for end in ("-wal", "-journal", ".salvage"))
    )


def identity(path: str | Path) -> Identity | None:
    """What tells the file under this name from another that takes its place; None where there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def size_of(path: Path) -> int:
    """Bytes; 0 where there is no such file, or it cannot be seen."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


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
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if read_only:
            raise StoreError(f"there is no store {path}", hint="`store: {path: …}` says where it is") from None
        return
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "no regular file"
        raise UnavailableError(f"the store {path} is {what}", hint="give `store: {path: …}` the name of a file")
    with path.open("rb") as file:
        header = file.read(100)
    if not header and size_of(Path(f"{path}-wal")):
        what, hint = DAMAGED
        raise DamagedError(f"the store {path} {what}: it is empty, and its log is not", hint=hint)
    if not header or (Path(f"{path}-journal").exists() and header.startswith((_MAGIC, bytes(len(_MAGIC))))):
        return  # New, or interrupted in its very first transaction: SQLite rolls that back, then `_prepare` looks.
    if not header.startswith(_MAGIC) or len(header) < 100:
        if not can_have_been_a_store(path):
            raise UnavailableError(
                f"{path} is not an SQLite database, and nothing shows that it was one of sloagent's; it was not touched",
                hint=OTHER_NAME,
            )
        what, hint = NO_DATABASE
        raise DamagedError(f"the store {path} {what}", hint=hint)
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise foreign(str(path))


def needs_immutable(path: Path) -> bool:
    """Whether a copy lies where SQLite cannot make its -shm file: then nobody else can be writing to it either."""
    return not os.access(path.parent, os.W_OK) and not size_of(Path(f"{path}-wal"))
