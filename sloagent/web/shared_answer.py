"""An answer that is made once for all who wait for it."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Executor

PIECE_BYTES = 64 * 1024
"""What is handed to a connection at a time, so that a slow reader holds up no more than that."""
_GZIP = 31
"""zlib's name for a gzip header, and 32 KiB of memory."""
_QUICKEST = 1

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
        self._plain: list[_Queue] = []
        self._packed: list[_Queue] = []
        self._turn = asyncio.Lock()
        self._making: set[asyncio.Task[None]] = set()

    async def get(self, *, packed: bool) -> AsyncIterator[bytes]:
        """The answer in pieces, in gzip if `packed`; the first is made. Raises what making it raises, here or later."""
        queue = _Queue()
        if not self._plain and not self._packed:
            task = asyncio.create_task(self._made())
            self._making.add(task)
            task.add_done_callback(self._making.discard)
        (self._packed if packed else self._plain).append(queue)
        return _pieces(await _next(queue), queue)

    async def _made(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._turn:
            plain, self._plain = self._plain, []
            packed, self._packed = self._packed, []

            def hand_out(queues: Sequence[_Queue], part: bytes) -> None:
                for start in range(0, len(part), PIECE_BYTES):
                    loop.call_soon_threadsafe(_put, queues, part[start : start + PIECE_BYTES])

            def make() -> None:
                packer = zlib.compressobj(_QUICKEST, wbits=_GZIP)
                for part in self._make():
                    if plain:
                        hand_out(plain, part)
                    if packed:
                        hand_out(packed, packer.compress(part))
                hand_out(packed, packer.flush())

            try:
                await loop.run_in_executor(self._executor, make)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, and the server logs it
                _put([*plain, *packed], error)
            else:
                _put([*plain, *packed], None)


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
