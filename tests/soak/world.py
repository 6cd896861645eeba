"""The time of the soak's world, which stands still until it is moved on, and what the daemons' own clocks make of it.

Shared memory, because many processes read it at every look at the clock: a file with the world's time for all, and
for each daemon a file with the error of its clock, what it is doing, and where it is to die.
"""

from __future__ import annotations

import mmap
import struct
from enum import IntEnum
from pathlib import Path


class Phase(IntEnum):
    """What a daemon is doing; several at once, on several threads."""

    STARTING = 0
    ASKING = 1
    CATCHING_UP = 2
    COMMITTING = 3
    PIECES = 4
    ROLLING_UP = 5
    PRUNING = 6
    RELOADING = 7
    IDLE = 8
    """None of the others."""


_SIZE = 64
_NUMBER = struct.Struct("@d")
"""Written in one move on every machine with 64 bits, so that nobody reads half of it."""
_ARMED, _COUNTDOWN, _ROUNDS, _BUSY = 16, 17, 18, 24


class World:
    """The true time, seconds since the epoch."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._memory = _opened(file)

    @property
    def now(self) -> float:
        """The true time."""
        return float(_NUMBER.unpack_from(self._memory)[0])

    @now.setter
    def now(self, seconds: float) -> None:
        _NUMBER.pack_into(self._memory, 0, seconds)


class Slate:
    """One daemon's file: the error of its clock, in seconds; what it is doing; where it is to kill itself."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._memory = _opened(file)

    @property
    def error(self) -> float:
        """Seconds by which the daemon's wall clock is ahead of the true time."""
        return float(_NUMBER.unpack_from(self._memory)[0])

    @error.setter
    def error(self, seconds: float) -> None:
        _NUMBER.pack_into(self._memory, 0, seconds)

    def begin(self) -> None:
        """A new process: nothing is being done, nothing is armed."""
        self._memory[_ARMED:] = bytes(_SIZE - _ARMED)

    @property
    def rounds(self) -> int:
        """How many rounds of house-keeping the process has ended, modulo 256."""
        return self._memory[_ROUNDS]

    def round_is_over(self) -> None:
        """Count a round of house-keeping."""
        self._memory[_ROUNDS] = (self._memory[_ROUNDS] + 1) % 256

    def enter(self, phase: Phase, by: int = 1) -> None:
        """One thread more, or with -1 one less, is in this phase."""
        place = _BUSY + phase
        self._memory[place] = max(0, min(255, self._memory[place] + by))

    def doing(self) -> list[Phase]:
        """The phases that some thread is in."""
        return [phase for phase in Phase if self._memory[_BUSY + phase]] or [Phase.IDLE]

    def arm(self, phase: Phase, countdown: int) -> None:
        """Have the daemon kill itself the `countdown`-th time that it comes by the deadly place of this phase."""
        self._memory[_COUNTDOWN] = countdown
        self._memory[_ARMED] = phase + 1

    def is_last(self, phase: Phase) -> bool:
        """Whether this is where the daemon is to die."""
        if self._memory[_ARMED] != phase + 1:
            return False
        left = max(1, self._memory[_COUNTDOWN]) - 1
        self._memory[_COUNTDOWN] = left
        return left == 0


def _opened(file: Path) -> mmap.mmap:
    if not file.exists():
        file.write_bytes(bytes(_SIZE))
    with file.open("r+b") as opened:
        return mmap.mmap(opened.fileno(), _SIZE)
