"""A damaged store set aside: renamed with its neighbours in its own directory, never overwritten, never deleted.

A file beside the store, the mark, is written before the first rename and taken away when what can be read has been salvaged.
Whoever finds it goes on from there, so a process that is killed at any moment loses neither the old file nor the way to it.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sloagent.store.damage import UnavailableError
from sloagent.store.first_look import OTHER_NAME, Identity, can_have_been_a_store, identity, mark_of

MOST_IN_A_DAY = 5
"""A store that is damaged again and again lies on a failing disk, or meets a mistake of ours: then moving does not help."""

NEIGHBOURS = ("-wal", "-journal", "-shm")
"""What SQLite keeps beside a file, under its name with these ends."""
_STAMP = "%Y%m%dT%H%M%SZ"
_ENDS = r"\.(?:damaged|foreign)-(\d{8}T\d{6}Z)(-\d+)?"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of the store's directory. Raises UnavailableError at once while another process holds it."""
    handle = -1
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise UnavailableError(f"another sloagent is salvaging the store {path}") from error
    except OSError as error:
        if handle >= 0:
            os.close(handle)
        raise UnavailableError(f"the directory {path.parent} cannot be locked: {error.strerror}") from error
    try:
        yield
    finally:
        os.close(handle)


def unfinished(path: Path) -> Path | None:
    """The file that was set aside and is not salvaged yet; None where there is none. Raises UnavailableError."""
    try:
        name = mark_of(path).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UnavailableError(f"{mark_of(path)} cannot be read: {error}") from error
    if not re.fullmatch(re.escape(path.name) + _ENDS, name):
        raise UnavailableError(
            f"{mark_of(path)} does not name a file that was set aside: {name[:80]!r}",
            hint="if there is none beside the store, remove this file",
        )
    return path.with_name(name)


def set_aside(path: Path, why: str) -> Path:
    """Rename the store and its neighbours to `<name>.<why>-<UTC time>`; returns the new name of the file itself.

    Only for who holds the lock. Raises UnavailableError where the directory cannot be written, after MOST_IN_A_DAY, and
    for what cannot have been a store.
    """
    if not can_have_been_a_store(path):
        raise UnavailableError(
            f"the store {path} is damaged, but a link, or not known to have been a store at all: it stays where it is",
            hint=OTHER_NAME,
        )
    now = datetime.now(UTC)
    before = _set_aside_since(path, now - timedelta(days=1))
    if len(before) >= MOST_IN_A_DAY:
        raise UnavailableError(
            f"the store {path} is damaged, and {len(before)} damaged ones were set aside within a day: it stays where it is",
            hint=f"check the disk; the last one is {before[-1]}",
        )
    target = _free_name(path, f"{path.name}.{why}-{now:{_STAMP}}")
    try:
        _write_mark(path, target.name)
        finish_moving(path, target)
    except OSError as error:
        raise UnavailableError(
            f"the store {path} is damaged and cannot be set aside: {error.strerror}",
            hint="check the permissions of its directory, and whether it is mounted for reading only",
        ) from error
    return target


def finish_moving(path: Path, target: Path) -> None:
    """Do the renames that are still to be done; the file itself goes last, so that it tells whether all is done."""
    if target.exists():
        return
    for end in (*NEIGHBOURS, ""):
        source, goal = Path(f"{path}{end}"), Path(f"{target}{end}")
        if source.exists() and not goal.exists():
            source.rename(goal)
    _sync(path.parent)


def with_neighbours(path: Path) -> list[Path]:
    """The file and those of its neighbours that are there."""
    return [one for one in (Path(f"{path}{end}") for end in ("", *NEIGHBOURS)) if os.path.lexists(one)]


def set_log_aside(path: Path, file: Identity | None, log: Identity | None) -> Path | None:
    """Rename the log of a file that no longer lies at `path`: its new name, None where there is nothing to be done.

    Else SQLite would apply it to whatever lies there now, or delete it. Raises UnavailableError where it cannot be renamed.
    """
    source = Path(f"{path}-wal")
    with alone(path):
        if log is None or identity(source) != log or identity(path) == file:
            return None
        target = _free_name(path, f"{path.name}.replaced-{datetime.now(UTC):{_STAMP}}")
        try:
            source.rename(f"{target}-wal")
            Path(f"{path}-shm").unlink(missing_ok=True)  # made of the log, whenever it is opened
            _sync(path.parent)
        except OSError as error:
            raise UnavailableError(f"the log {source} cannot be renamed: {error.strerror}") from error
    return Path(f"{target}-wal")


def finished(path: Path) -> None:
    """Take the mark away: the new store holds all that can be had of the old one."""
    mark_of(path).unlink(missing_ok=True)
    _sync(path.parent)


def held_by_others(path: Path) -> bool:
    """Whether another process has the file open, or may have it: one of another user cannot be seen."""
    wanted = identity(path)
    try:
        if wanted is None or os.geteuid() not in (0, path.stat().st_uid):
            return True
        processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    except OSError:
        return True
    return any(_holds(process, wanted) for process in processes if int(process.name) != os.getpid())


def _holds(process: Path, wanted: tuple[int, int]) -> bool:
    try:
        return any(identity(entry) == wanted for entry in (process / "fd").iterdir())
    except OSError:
        return False  # It has ended, or is another user's.


def _set_aside_since(path: Path, moment: datetime) -> list[str]:
    oldest = moment.strftime(_STAMP)
    pattern = re.compile(re.escape(path.name) + _ENDS)
    found = (pattern.fullmatch(entry.name) for entry in path.parent.iterdir())
    return sorted(one.group() for one in found if one and one.group(1) >= oldest)


def _free_name(path: Path, wanted: str) -> Path:
    number, name = 1, wanted
    while any(os.path.lexists(path.with_name(name + end)) for end in ("", *NEIGHBOURS)):
        number += 1
        name = f"{wanted}-{number}"
    return path.with_name(name)


def _write_mark(path: Path, name: str) -> None:
    mark = mark_of(path)
    partial = mark.with_name(f"{mark.name}.{os.getpid()}-{time.monotonic_ns()}")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.rename(mark)
    finally:
        partial.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
