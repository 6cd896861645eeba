"""A copy of the store, made while it is in use."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from sloagent.errors import StoreError
from sloagent.store.connection import Database, told


def back_up(database: Database, target: Path) -> None:
    """Write a consistent copy without unused space. It appears under its name only when it is whole and on the disk.

    Raises StoreError; an existing target is never touched.
    """
    if target.exists() or target.is_symlink():
        raise StoreError(f"{target} exists already", hint="a backup never replaces a file: choose another name")
    if not target.parent.is_dir():
        raise StoreError(f"there is no directory {target.parent} to write the backup to")
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        partial.unlink(missing_ok=True)
        with database.apart() as connection, told(str(partial)):
            connection.execute("VACUUM INTO ?", (str(partial),))
        _sync(partial)
        _name(partial, target)
        _sync(target.parent)
    except OSError as error:
        raise StoreError(f"the backup {target} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


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
