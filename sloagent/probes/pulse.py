"""What an API knows, asked at an even pace: the smallest list there is, of which the resourceVersion counts everything.

Against it a watch is held. An event that an answer already counted happened before that answer; one that an answer does
not count happened after the question. Versions are one counter for everything in one etcd, and are compared as numbers,
which Kubernetes promises since 1.35 and which etcd has always given.
"""

from __future__ import annotations

import asyncio
import random
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from sloagent.probes.endpoint import METADATA_LIST, Endpoint, EndpointError
from sloagent.probes.objects import Bare
from sloagent.probes.telemetry import OPENING, ProbeTelemetry

HURRIED_SECONDS = 0.1
REMEMBERED = 1_024


@dataclass(frozen=True, slots=True)
class _Beat:
    asked: float
    answered: float
    version: int


class Pulse:
    """One for each API; `path` is a collection that may be listed there, best a small one."""

    def __init__(
        self,
        endpoint: Endpoint,
        path: str,
        seconds: float,
        *,
        telemetry: ProbeTelemetry,
        chance: random.Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._path = path
        self._seconds = seconds
        self._telemetry = telemetry
        self._chance = chance
        self._clock = clock
        self._beats: deque[_Beat] = deque(maxlen=REMEMBERED)
        self._hurried_until = 0.0
        self.why_not = OPENING

    async def run(self) -> None:
        """Ask until cancelled."""
        share = self._chance.random()  # so that a hundred of them, begun at once, do not ask at once for ever
        while True:
            asked = self._clock()
            try:
                text = await self._endpoint.ask("GET", self._path, query={"limit": "1"}, accept=METADATA_LIST)
                version = int(msgspec.json.decode(text, type=Bare).metadata.resource_version)
            except (EndpointError, msgspec.MsgspecError, ValueError) as error:
                self.why_not = str(error)
            else:
                self.note(asked, self._clock(), version)
            pause = min(HURRIED_SECONDS, self._seconds) if asked < self._hurried_until else self._seconds
            await asyncio.sleep(max(0.0, asked + share * pause - self._clock()))
            share = 1.0

    def note(self, asked: float, answered: float, version: int) -> None:
        """An answer. One with an older version than the one before is from a cache that lags, and tells nothing."""
        self._telemetry.round_trip.labels(self._endpoint.name).set(answered - asked)
        if not self._beats or version >= self._beats[-1].version:
            self._beats.append(_Beat(asked, answered, version))

    def hurry(self, seconds: float) -> None:
        """Ask more often for a while."""
        self._hurried_until = self._clock() + seconds

    def version_after(self, moment: float) -> int | None:
        """What had happened some time after this moment, by the first answer to a question asked since; None as yet."""
        found = None
        for beat in reversed(self._beats):
            if beat.asked < moment:
                break
            found = beat.version
        return found

    def happened_within(self, version: int) -> tuple[float, float]:
        """After which moment, and before which, this version came about; infinite where no answer tells."""
        first = bisect_left(self._beats, version, key=lambda beat: beat.version)
        after = self._beats[first - 1].asked if first else float("-inf")
        before = self._beats[first].answered if first < len(self._beats) else float("inf")
        return after, before
