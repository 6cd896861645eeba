"""A work queue as controllers have it: a key that waits is not put in twice, and nobody works on one key at once.

The rules are those of client-go's workqueue; what is added is since when a key has been waiting.
"""

from __future__ import annotations

import asyncio


class WorkQueue:
    """Keys in the order in which they came, each with the time of the first event that it stands for."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._since: dict[str, float] = {}
        """Of the keys with something to be done; those that are worked on wait here, not in the queue."""
        self._at_work: set[str] = set()

    def add(self, key: str, now: float) -> None:
        """An event of the key came `now`; does nothing to a key that waits already."""
        if key in self._since:
            return
        self._since[key] = now
        if key not in self._at_work:
            self._waiting.put_nowait(key)

    async def take(self) -> tuple[str, float]:
        """The next key, and since when it has been waiting. Say `done` of it."""
        key = await self._waiting.get()
        self._at_work.add(key)
        return key, self._since.pop(key)

    def done(self, key: str) -> None:
        """The work on the key has ended; what came meanwhile lets it wait again."""
        self._at_work.discard(key)
        if key in self._since:
            self._waiting.put_nowait(key)
