"""An answer that is made once for all who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor

PIECE_BYTES = 64 * 1024
"""What is handed to a connection at a time, so that a slow reader holds up no more than that."""


class SharedAnswer:
    """Makes an answer in a thread, one at a time. For the event loop's thread.

    Whoever asks while one is being made waits for the next, which all of them share: it is never older than the question.
    """

    def __init__(self, make: Callable[[], Iterable[bytes]], executor: Executor) -> None:
        self._make = make
        self._executor = executor
        self._next: asyncio.Task[Sequence[bytes]] | None = None
        self._turn = asyncio.Lock()

    async def get(self) -> Sequence[bytes]:
        """The answer in pieces. Raises what making it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._made())
        return await asyncio.shield(self._next)

    async def _made(self) -> Sequence[bytes]:
        async with self._turn:
            self._next = None
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._pieces)

    def _pieces(self) -> Sequence[bytes]:
        return [
            part[start : start + PIECE_BYTES] for part in self._make() for start in range(0, len(part), PIECE_BYTES)
        ]
