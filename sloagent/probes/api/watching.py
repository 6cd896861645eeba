"""How long it takes until a watch shows what a client has written, and then until a controller's worker has it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping

import msgspec

from sloagent.errors import SloagentError
from sloagent.probes.api.call import Call, Tell
from sloagent.probes.api.leftovers import selector
from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.api.work_queue import WorkQueue
from sloagent.probes.attention import Attention
from sloagent.probes.endpoint import Endpoint
from sloagent.probes.objects import Metadata
from sloagent.probes.pulse import Pulse
from sloagent.probes.seen import Doubt, Seen
from sloagent.probes.telemetry import ProbeTelemetry
from sloagent.probes.watch import Watch

SEQUENCE = "sloagent.io/sequence"
"""The annotation that tells the versions of an object apart: 0 as created, then the number of the update."""
PULSE_SECONDS = 1.0
OPEN_SECONDS = 30.0
"""For so long the watch may take to be open."""
_ITS_OWN = (Doubt.NONE, Doubt.LATE)
"""A late event is what a client waits for; any other doubt means that the moment of seeing says nothing of the API."""


class _Whole(msgspec.Struct, frozen=True):
    """An object that is sent whole, as informers ask for it, though only this is read."""

    metadata: Metadata = Metadata()


class Watching:
    """One watch on the load's own objects, and one worker behind a queue."""

    def __init__(
        self, settings: ApiLoadSettings, endpoint: Endpoint, tell: Tell, labels: Mapping[str, str], *,
        telemetry: ProbeTelemetry, attention: Attention, chance: random.Random,
    ) -> None:  # fmt: skip
        self._tell = tell
        self._attention = attention
        self._sent: dict[tuple[str, int], float] = {}
        self._all_seen = asyncio.Event()
        self._queue = WorkQueue()
        self._namespace = namespace = settings.namespace or ""
        self._pulse = Pulse(endpoint, settings.what.path(namespace), PULSE_SECONDS, telemetry=telemetry, chance=chance)
        self._watch = Watch(
            endpoint, settings.what, _Whole, self._seen, telemetry=telemetry, attention=attention, pulse=self._pulse,
            namespace=namespace, selector=selector(labels), chance=chance,
        )  # fmt: skip

    async def run(self) -> None:
        """Watch and work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pulse.run())
            tasks.create_task(self._watch.run())
            tasks.create_task(self._work())

    async def opened(self) -> None:
        """Wait until the watch shows what happens, and this process sees it. Raises SloagentError after a while."""
        over = time.monotonic() + OPEN_SECONDS
        while not self._watch.current or self._attention.lacking(time.monotonic()):
            if time.monotonic() > over:
                raise SloagentError(f"the watch cannot be opened: {self._watch.why_not or 'this process is too busy'}")
            await asyncio.sleep(0.02)

    def expect(self, name: str, number: int) -> Callable[[float], None]:
        """What to call with the time at which this version of the object is sent."""

        def sent(at: float) -> None:
            self._sent[name, number] = at

        return sent

    def expect_no_more(self, name: str, number: int) -> None:
        """It was refused, or nobody knows whether it was taken."""
        self._sent.pop((name, number), None)

    async def end(self, grace: float) -> None:
        """Wait until all that was sent has been seen, at most `grace` seconds; tell of what was not."""
        over = time.monotonic() + grace
        while self._sent and time.monotonic() < over:
            self._all_seen.clear()
            try:
                await asyncio.wait_for(self._all_seen.wait(), over - time.monotonic())
            except TimeoutError:
                break
        for (name, _), at in self._sent.items():
            key = f"{self._namespace}/{name}" if self._namespace else name
            self._tell(Call("watch", key, at, at, time.monotonic(), "unseen", ok=False, why="no event came"))
        self._sent.clear()

    def _seen(self, seen: Seen[_Whole]) -> None:
        if seen.object is None:
            return
        metadata = seen.object.metadata
        key = f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name
        self._queue.add(key, seen.at)
        number = metadata.annotations.get(SEQUENCE, "")
        at = self._sent.pop((metadata.name, int(number)), None) if number.isdecimal() else None
        if at is not None:
            ok = seen.doubt in _ITS_OWN
            why = "" if ok else "the watch was interrupted, or this process did not attend to it"
            self._tell(Call("watch", key, at, at, seen.at, "seen" if ok else seen.doubt.value, ok, why))
        if not self._sent:
            self._all_seen.set()

    async def _work(self) -> None:
        while True:
            key, since = await self._queue.take()
            self._tell(Call("queue", key, since, since, time.monotonic(), "seen", ok=True))
            self._queue.done(key)
