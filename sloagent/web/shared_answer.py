"""An answer that is made once for all who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Executor

PIECE_BYTES = 64 * 1024
"""What is handed to a connection at a time, so that a slow reader holds up no more than that."""

_Queue = asyncio.Queue[bytes | Exception | None]
"""Pieces, then None; or what went wrong."""


class SharedAnswer:
    """Makes an answer in a thread, one at a time. For the event loop's thread.

    Whoever asks while one is being made waits for the next, which all of them share: it is never older than the question.
    Pieces are handed out as they are made, so that nobody holds the whole.
    """

    def __init__(self, make: Callable[[], Iterable[bytes]], executor: Executor) -> None:
        self._make = make
        self._executor = executor
        self._waiting: list[_Queue] = []
        self._turn = asyncio.Lock()
        self._making: set[asyncio.Task[None]] = set()

    async def get(self) -> AsyncIterator[bytes]:
        """The answer in pieces, the first of which is made. Raises what making it raises, here or at a later piece."""
        queue = _Queue()
        self._waiting.append(queue)
        if len(self._waiting) == 1:
            task = asyncio.create_task(self._made())
            self._making.add(task)
            task.add_done_callback(self._making.discard)
        return _pieces(await _next(queue), queue)

    async def _made(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._turn:
            queues, self._waiting = self._waiting, []

            def hand_out() -> None:
                for part in self._make():
                    for start in range(0, len(part), PIECE_BYTES):
                        loop.call_soon_threadsafe(_put, queues, part[start : start + PIECE_BYTES])

            try:
                await loop.run_in_executor(self._executor, hand_out)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, and the server logs it
                _put(queues, error)
            else:
                _put(queues, None)


def _put(queues: Sequence[_Queue], piece: bytes | Exception | None) -> None:
    for queue in queues:
        queue.put_nowait(piece)


async def _next(queue: _Queue) -> bytes | None:
    piece = await queue.get()
    if isinstance(piece, Exception):
        raise piece
    return piece


async def _pieces(first: bytes | None, queue: _Queue) -> AsyncIterator[bytes]:
    piece = first
    while piece is not None:
        yield piece
        piece = await _next(queue)
