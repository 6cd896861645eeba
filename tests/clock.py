"""A wall clock that a test sets: a file with the seconds to add, read by `stepped.py` in the daemon and by the test."""

from __future__ import annotations

import time
from pathlib import Path


class WallClock:
    """The clock of a daemon under `stepped.py`. A set is seen whole or not at all."""

    def __init__(self, path: Path, offset_seconds: float = 0.0) -> None:
        self.path = path
        self.step_to(offset_seconds)

    def step_to(self, offset_seconds: float) -> None:
        """From now on it is so many seconds ahead of the real one."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(str(offset_seconds))
        fresh.replace(self.path)

    def set(self, seconds: float) -> None:
        """From now on it goes on from this moment, seconds since the epoch."""
        self.step_to(seconds - time.time())

    def now(self) -> float:
        """What it shows, seconds since the epoch."""
        return time.time() + float(self.path.read_text())
