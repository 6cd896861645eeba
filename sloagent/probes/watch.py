"""One watch that never gives up, and that knows what it did not see.

A list, then a watch from the list's version on; a watch that ends goes on from the last version it showed, and if that is
gone (410) everything is listed anew and compared with what was known. Of every event it is asked whether it happened
while nobody was watching, and whether it was held up on the way; the API's pulse tells. A watch that was found late once
is not believed until an event is known to have come in time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Generic

import msgspec

from sloagent.probes.attention import Attention
from sloagent.probes.endpoint import JSON, METADATA, METADATA_LIST, Endpoint, EndpointError
from sloagent.probes.objects import Bare
from sloagent.probes.pulse import Pulse
from sloagent.probes.resource import Resource
from sloagent.probes.seen import AnyObject, Change, Doubt, Seen
from sloagent.probes.telemetry import OPENING, ProbeTelemetry

LATE_SECONDS = 0.1
"""An event that comes so much later than an answer which already counted it was held up."""
IN_TIME_SECONDS = 0.15
"""An event that came so soon after a question whose answer did not count it yet was not held up."""
HURRY_SECONDS = 10.0
PAGE = 500
SILENCE_SECONDS = 150.0
"""A watch that shows nothing for so long, not even a bookmark (one a minute), is taken for dead."""
LIFE_SECONDS = (300, 600)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 30.0
_GONE = 410
_CHANGES = {"ADDED": Change.ADDED, "MODIFIED": Change.MODIFIED, "DELETED": Change.DELETED}


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str | None = msgspec.field(default=None, name="continue")


class _Head(msgspec.Struct):
    metadata: _ListMetadata = msgspec.field(default_factory=_ListMetadata)
    items: list[msgspec.Raw] | None = None


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Status(msgspec.Struct):
    code: int = 0
    message: str | None = None
    reason: str | None = None


class Watch(Generic[AnyObject]):
    """Follows one resource of one API and tells `tell` of every change, in order."""

    def __init__(
        self,
        endpoint: Endpoint,
        resource: Resource,
        kind: type[AnyObject],
        tell: Callable[[Seen[AnyObject]], None],
        *,
        telemetry: ProbeTelemetry,
        attention: Attention,
        pulse: Pulse,
        namespace: str = "",
        selector: str = "",
        chance: random.Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._resource = resource
        self._path = resource.path(namespace)
        self._query = {"labelSelector": selector} if selector else {}
        self._accept = (METADATA_LIST, METADATA) if kind is Bare else (JSON, JSON)
        self._decoder = msgspec.json.Decoder(kind)
        self._tell = tell
        self._telemetry = telemetry
        self._attention = attention
        self._pulse = pulse
        self._chance = chance
        self._clock = clock
        self._labels = (endpoint.name, resource.plural)
        self._known: dict[str, int] = {}
        self._listed_once = False
        self._version = ""
        """Where the next watch begins; empty where everything has to be listed first."""
        self._opened = 0.0
        self._opened_at_version: int | None = None
        """What had happened when the watch was open; None until that is known."""
        self._believed = True
        self._was_current = False
        self._open = False
        self.why_not = OPENING

    @property
    def current(self) -> bool:
        """Whether there is a watch, and it is known what had happened when it was opened."""
        if self._open and self._opened_at_version is None:
            self._opened_at_version = self._pulse.version_after(self._opened)
            if self._opened_at_version is None:
                self.why_not = self._pulse.why_not
        return self._open and self._opened_at_version is not None

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            opened = self._clock()
            resumed, outdated = bool(self._version), False
            try:
                if not self._version:
                    await self._list()
                await self._follow()
                reason = ""  # the server ended it in its time
            except EndpointError as error:
                if error.status == _GONE:
                    self._version, outdated = "", resumed
                reason, self.why_not = error.reason, f"{self._resource}: {error.message}"
                pause = max(pause, min(error.retry_after, LONGEST_PAUSE_SECONDS))
            except (msgspec.MsgspecError, ValueError) as error:
                self._version = ""
                reason, self.why_not = "not_understood", f"{self._resource}: {error}"
            finally:
                self._open = False
            lived = self._clock() - opened
            if reason:
                self._telemetry.restarts.labels(*self._labels, reason).inc()
            if lived > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            if outdated:  # too long away, which is no trouble of the server's: listed at once
                continue
            if reason or lived < LONGEST_PAUSE_SECONDS:  # a server that ends every watch at once is not to be flooded
                await asyncio.sleep(pause * self._chance.uniform(0.5, 1.0))
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _list(self) -> None:
        """Everything there is, page by page; what differs from what was known is told as found by listing."""
        doubt = Doubt.GAP if self._listed_once else Doubt.EXISTED
        there: set[str] = set()
        query, version = {**self._query, "limit": str(PAGE)}, ""
        while True:
            text = await self._endpoint.ask("GET", self._path, query=query, accept=self._accept[0])
            page = msgspec.json.decode(text, type=_Head)
            version = page.metadata.resource_version
            for raw in page.items or ():
                self._found(self._decoder.decode(raw), doubt, there)
            await asyncio.sleep(0)  # a long list must not keep the watches waiting
            if not page.metadata.continue_:
                break
            query["continue"] = page.metadata.continue_
        for uid in self._known.keys() - there:
            del self._known[uid]
            self._missed()
            self._tell(Seen(Change.DELETED, uid, None, self._clock(), Doubt.GAP))
        int(version)  # ValueError where versions are no numbers: then nothing could be told of any event
        self._version, self._listed_once = version, True

    def _found(self, found: AnyObject, doubt: Doubt, there: set[str]) -> None:
        uid, version = found.metadata.uid, int(found.metadata.resource_version)
        there.add(uid)
        known = self._known.get(uid)
        if known is None or known < version:
            self._known[uid] = version
            if doubt is Doubt.GAP:
                self._missed()
            self._tell(Seen(Change.ADDED if known is None else Change.MODIFIED, uid, found, self._clock(), doubt))

    async def _follow(self) -> None:
        query = {
            **self._query, "watch": "1", "resourceVersion": self._version, "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._chance.randint(*LIFE_SECONDS)),
        }  # fmt: skip
        async with self._endpoint.lines(
            self._path, query=query, accept=self._accept[1], silence=SILENCE_SECONDS
        ) as lines:
            self._opened, self._opened_at_version, self._believed = self._clock(), None, True
            self._open = True
            async for line in lines:
                self._take(line)

    def _take(self, line: bytes) -> None:
        at = self._clock()
        event = msgspec.json.decode(line, type=_Event)
        change = _CHANGES.get(event.type)
        if change is None:
            if event.type == "ERROR":
                status = msgspec.json.decode(event.object, type=_Status)
                raise EndpointError(
                    f"{self._endpoint.name}: {self._resource}: {status.message or status.reason or 'an error'}",
                    status=status.code, reason=status.reason or "error",
                )  # fmt: skip
            if event.type == "BOOKMARK":
                self._version = msgspec.json.decode(event.object, type=Bare).metadata.resource_version
            return
        found = self._decoder.decode(event.object)
        uid, version = found.metadata.uid, int(found.metadata.resource_version)
        if version <= int(self._version):  # events come in the order of their versions
            self._telemetry.duplicates.labels(*self._labels).inc()
            return
        self._version = found.metadata.resource_version
        if change is Change.DELETED:
            self._known.pop(uid, None)
        else:
            change = Change.MODIFIED if uid in self._known else Change.ADDED
            self._known[uid] = version
        self._tell(Seen(change, uid, found, at, self._doubt(version, at)))

    def _doubt(self, version: int, at: float) -> Doubt:
        if not self.current or version <= (self._opened_at_version or 0):
            return Doubt.RESUMED if self._was_current else Doubt.EXISTED
        self._was_current = True
        after, before = self._pulse.happened_within(version)
        if at - before > LATE_SECONDS:
            self._believed = False
        elif at - after <= IN_TIME_SECONDS:
            self._believed = True
        if not self._believed:
            self._pulse.hurry(HURRY_SECONDS)
            return Doubt.LATE
        return Doubt.STALLED if self._attention.lacking(at) else Doubt.NONE

    def _missed(self) -> None:
        self._telemetry.missed.labels(*self._labels).inc()
