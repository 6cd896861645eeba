"""Whether this process attends to its sockets: what waited in them was not seen when it came."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

BEAT_SECONDS = 0.02
LATE_SECONDS = 0.03
"""A beat that comes later than this shows that the loop did not turn, or that the process was stopped."""
AFTER_SECONDS = 0.1
"""For so long after a stall what is read may have waited."""


def leave_the_libraries_alone() -> None:
    """Let the garbage collector not go through all that was imported: each time it would stop the loop for 30 ms."""
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


class Attention:
    """A beat in the loop; `lacking` tells whether what is read now may have waited in a socket."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._doubted_until = 0.0

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self.beat()

    def beat(self) -> None:
        """The loop has turned."""
        now = self._clock()
        if now - self._last > BEAT_SECONDS + LATE_SECONDS:
            self._doubted_until = now + AFTER_SECONDS
        self._last = now

    def lacking(self, now: float) -> bool:
        """Whether something read now may have come earlier by more than a beat."""
        return now < self._doubted_until or now - self._last > BEAT_SECONDS + LATE_SECONDS
