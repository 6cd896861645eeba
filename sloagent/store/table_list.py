"""A damaged file whose own list of tables cannot be read, read by that of a new store.

Where the roots of our tables lie follows from the steps of the schema alone: in a store of years and in a backup of one they
are where they are in a store that was begun just now, but for tables that later steps added to it: what those hold is lost
then. What does not fit is not taken over, for its seals do not fit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sloagent.store.connection import Database
from sloagent.store.damage import UnavailableError
from sloagent.store.first_look import mark_of
from sloagent.store.wreck import Wreck

_PAGE_BYTES = 4096
_INTERIOR, _FILE_HEADER_BYTES = 5, 100


@contextmanager
def opened(source: Path, path: Path) -> Iterator[Wreck]:
    """The file, or where its list of tables cannot be read, a copy of it with the list of a new store, if that helps.

    `path` is where the store lay. The copy lies beside the file while it is read; the file itself is not changed.
    Raises StoreError where there is no room for a copy, or where it cannot be made.
    """
    room = source.with_name(f"{source.name}.copy")
    try:
        shutil.rmtree(room, ignore_errors=True)  # left by a process that was killed
        wreck = Wreck(source)
        try:
            if not wreck.names_our_tables and not wreck.is_foreign:
                copy = Wreck(_copied(source, room, path))
                if copy.knows_anything():
                    wreck.close()
                    wreck = copy
                else:
                    copy.close()
            yield wreck
        finally:
            wreck.close()
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _copied(source: Path, room: Path, path: Path) -> Path:
    copy = room / "copy.db"
    logs = [Path(f"{name}-wal") for name in (source, copy)]
    try:
        needed = sum(one.stat().st_size for one in (source, logs[0]) if one.exists())
        free = shutil.disk_usage(source.parent).free
        if free < 2 * needed:  # the new store takes about as much as the copy
            raise UnavailableError(
                f"the list of tables in {source} cannot be read: salvaging the rest needs a copy of it, and {2 * needed}"
                f" bytes of room, of which there are {free}; free some, or remove {mark_of(path)} to go on without it"
            )
        room.mkdir(mode=0o700)
        pages = _pages_of_the_list(_new_store(room / "new.db"))
        shutil.copyfile(source, copy)
        if logs[0].exists():
            shutil.copyfile(*logs)
        with copy.open("r+b") as file:
            page_count = max(-(-os.fstat(file.fileno()).st_size // _PAGE_BYTES), *pages)
            for number, content in pages.items():
                file.seek((number - 1) * _PAGE_BYTES)
                file.write(_as_first_page(content, page_count) if number == 1 else content)
            file.truncate(page_count * _PAGE_BYTES)
    except OSError as error:
        raise UnavailableError(
            f"the list of tables in {source} cannot be read, and no copy of it can be made: {error.strerror}"
        ) from error
    return copy


def _new_store(path: Path) -> bytes:
    Database(str(path)).close()
    return path.read_bytes()


def _pages_of_the_list(content: bytes) -> dict[int, bytes]:
    """The pages of `sqlite_master` by number: its root is page 1. None of ours has a row that needs more than a page."""
    found: dict[int, bytes] = {}
    waiting = [1]
    while waiting:
        number = waiting.pop()
        page = found[number] = content[(number - 1) * _PAGE_BYTES : number * _PAGE_BYTES]
        start = _FILE_HEADER_BYTES if number == 1 else 0
        if page[start] == _INTERIOR:
            places = (start + 12 + 2 * cell for cell in range(_integer(page, start + 3, 2)))
            waiting += [
                _integer(page, start + 8, 4),
                *(_integer(page, _integer(page, place, 2), 4) for place in places),
            ]
    return found


def _as_first_page(content: bytes, page_count: int) -> bytes:
    """The page with another size of the file in its header, and without unused pages."""
    page = bytearray(content)
    page[28:32] = page_count.to_bytes(4, "big")
    page[32:40] = bytes(8)
    page[92:96] = page[24:28]  # the size is believed only where these two agree
    return bytes(page)


def _integer(page: bytes, start: int, length: int) -> int:
    return int.from_bytes(page[start : start + length], "big")
