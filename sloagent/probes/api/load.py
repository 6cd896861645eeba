"""One load on one target, once: prepare, drive, wait for what is under way, take away what was made."""

from __future__ import annotations

import asyncio
import random
import re
import resource
import time

import msgspec

from sloagent.errors import SloagentError
from sloagent.probes.api.call import Call, Tell
from sloagent.probes.api.caller import Caller
from sloagent.probes.api.churn import Churn
from sloagent.probes.api.crew import Crew, closed_loop, open_loop
from sloagent.probes.api.existing import Getting, Listing, Updating
from sloagent.probes.api.leftovers import take_away
from sloagent.probes.api.metrics import LoadMetrics
from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.api.watching import Watching
from sloagent.probes.attention import Attention, leave_the_libraries_alone
from sloagent.probes.endpoint import Endpoint
from sloagent.probes.telemetry import ProbeTelemetry

LOAD_LABEL, TARGET_LABEL = "sloagent.io/load", "sloagent.io/target"
"""The labels of everything that is created. Two targets may be two roads to one cluster, so one label is not enough."""
CUT_OFF_SECONDS = 2.0
"""A creation that was cut off may still take effect; after this time what it made is looked for once more."""
_Work = Listing | Getting | Updating | Churn


class Load:
    """Drives one load on one target. `tell` hears of every call, as the metrics do."""

    def __init__(
        self, settings: ApiLoadSettings, endpoint: Endpoint, tell: Tell, metrics: LoadMetrics, *,
        telemetry: ProbeTelemetry, attention: Attention, chance: random.Random,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._endpoint = endpoint
        self._metrics = metrics
        self._chance = chance
        self._labels = {LOAD_LABEL: settings.name, TARGET_LABEL: endpoint.name}
        self._cut_off = False

        def told(call: Call) -> None:
            if call.verb == "create" and not call.ok and call.before is not None and not call.code.startswith("4"):
                self._cut_off = True
            metrics.tell(call)
            tell(call)

        most = settings.open.max_in_flight if settings.open else settings.closed.workers if settings.closed else 1
        self._caller = Caller(endpoint, told, most=most, timeout=settings.timeout)
        self._watching: Watching | None = None
        if settings.watch:
            self._watching = Watching(
                settings, endpoint, told, self._labels, telemetry=telemetry, attention=attention, chance=chance
            )
        self._work: _Work
        match settings.call:
            case "list":
                self._work = Listing(settings, endpoint, self._caller, told)
            case "get":
                self._work = Getting(settings, endpoint, self._caller, told, chance)
            case "update":
                self._work = Updating(settings, endpoint, self._caller, told, chance)
            case "churn":
                prefix = _prefix(settings.name, endpoint.name, chance)
                self._work = Churn(settings, endpoint, self._caller, told, self._labels, prefix, self._watching)

    async def run(self, stop: asyncio.Event) -> float:
        """Drive it for its duration or until `stop`; return for how many seconds.

        Raises EndpointError or SloagentError where it cannot begin, or may have left something behind. Cancelled, it
        takes away what it made before it ends.
        """
        if not isinstance(self._work, Churn):
            await self._prepare(self._work)
            return await self._drive(stop)
        await self._take_away(patient=False)
        try:
            return await self._watched(stop)
        finally:
            await self._take_away(patient=True)
            if self._cut_off:
                await asyncio.sleep(CUT_OFF_SECONDS)
                await self._take_away(patient=True)

    async def _watched(self, stop: asyncio.Event) -> float:
        if self._watching is None:
            return await self._drive(stop)
        watching = asyncio.create_task(self._watching.run())
        try:
            await self._watching.opened()
            seconds = await self._drive(stop)
            await self._watching.end(self._settings.grace)
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            if not watching.cancelled():
                watching.result()  # a mistake of ours, which comes out
        return seconds

    async def _prepare(self, work: Listing | Getting | Updating) -> None:
        try:
            await work.prepare()
        except msgspec.MsgspecError as error:
            raise SloagentError(f"{self._endpoint.name}: the answer is no list of objects: {error}") from error

    async def _drive(self, stop: asyncio.Event) -> float:
        leave_the_libraries_alone()
        settings, crew, over, begun = self._settings, Crew(), asyncio.Event(), time.monotonic()
        stopped = asyncio.create_task(_set(stop))
        driver: asyncio.Task[None] | None = None
        self._metrics.begin(lambda: self._caller.in_flight)
        try:
            if settings.open is not None:
                driver = crew.start(open_loop(settings.open.rate, self._work, self._caller, crew, self._chance))
            elif settings.closed is not None:
                for _ in range(settings.closed.workers):
                    crew.start(closed_loop(self._work, over.is_set))
            await asyncio.wait({stopped, crew.failed}, timeout=settings.duration, return_when=asyncio.FIRST_COMPLETED)
            return time.monotonic() - begun
        finally:
            over.set()
            stopped.cancel()
            if driver is not None:
                driver.cancel()
                await asyncio.wait([driver])
            if isinstance(self._work, Churn):
                self._work.end()
            await crew.end(settings.grace)
            self._metrics.end()

    async def _take_away(self, *, patient: bool) -> None:
        settings = self._settings
        await take_away(self._endpoint, settings.what, settings.namespace or "", self._labels, patient=patient)


def allow_connections() -> None:
    """Let the process have as many connections as it may: a stall makes thousands, and shells allow 1024 files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _set(event: asyncio.Event) -> None:
    await event.wait()


def _prefix(load: str, target: str, chance: random.Random) -> str:
    """Of the names of objects: whose they are, and something that no earlier run had."""
    words = (re.sub(r"[^a-z0-9]+", "-", word.lower())[:24].strip("-") for word in (load, target))
    return f"sloagent-{'-'.join(words)}-{chance.getrandbits(32):08x}"
