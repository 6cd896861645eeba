"""The requests of one load to one target: so many at once, each timed, and told of when it has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from sloagent.probes.api.call import UNFINISHED, Call, Tell, Verb
from sloagent.probes.endpoint import Endpoint, EndpointError


class Caller:
    """Makes requests. `most` is how many may be under way; who wants one more waits, and its latency counts that."""

    def __init__(self, endpoint: Endpoint, tell: Tell, *, most: int, timeout: float) -> None:
        self._endpoint = endpoint
        self._tell = tell
        self._timeout = timeout
        self._room = asyncio.Semaphore(most)
        self.in_flight = 0

    async def room(self) -> None:
        """Wait for room for one more request, and take it: the next `call` is told that it has its `place`."""
        await self._room.acquire()

    async def call(
        self, verb: Verb, key: str, method: str, path: str, *, intended: float | None = None, place: bool = False,
        query: Mapping[str, str] | None = None, body: bytes | None = None, began: Callable[[float], None] | None = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """The status and the body of the answer; (the status, b"") where it was refused, and 0 where none came.

        `intended` is when it was due, monotonic; without it that is now. `began` is told when it is sent.
        """
        due = time.monotonic() if intended is None else intended
        before: float | None = None
        code, why, ok, status, answer = UNFINISHED, "", False, 0, b""
        try:
            if not place:
                await self._room.acquire()
                place = True
            self.in_flight += 1
            before = time.monotonic()
            if began is not None:
                began(before)
            try:
                status, answer = await self._endpoint.send(
                    method, path, query=query, body=body, timeout=self._timeout
                )  # fmt: skip
                code, ok = str(status), True
            except EndpointError as error:
                status, code, why = error.status, str(error.status or error.reason), error.message
        finally:
            after = time.monotonic()
            if before is not None:
                self.in_flight -= 1
            if place:
                self._room.release()
            self._tell(Call(verb, key, due, before, after, code, ok, why))
        return status, answer
