"""One watch: the events of a collection from a version on, as they come, over one answer, and what goes wrong with it."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections.abc import Mapping

from aiohttp import web

from tests.kube.faults import Faults
from tests.kube.refusal import RefusalError, expired
from tests.kube.selectors import selector
from tests.kube.store import ADDED, DELETED, MODIFIED, Collection, Event, encode

LIFE_SECONDS = (1800, 3600)
_PIECES_A_SECOND = 20
_LINGER = struct.pack("ii", 1, 0)


class Settings:
    """How watches behave, all of them; changed by control."""

    bookmark_seconds = 60.0
    gone_as = "event"
    """How a version that is too old is answered: by an ERROR `event` after 200, or by `http` 410."""


class Stream:
    """Open until its time is over, its client has gone, or a fault ends it."""

    def __init__(
        self, collection: Collection, namespace: str, query: Mapping[str, str], *, partial: bool, faults: Faults,
        settings: Settings,
    ) -> None:  # fmt: skip
        self.collection = collection
        self.awake = asyncio.Event()
        self.cut = ""
        self.budget = 0
        """How many bytes may still go out before the cut."""
        self.again = False
        self.expired = False
        self._namespace = f"{namespace}/" if namespace else ""
        self._selected = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        self._partial = partial
        self._bookmarks = query.get("allowWatchBookmarks", "") in ("1", "true")
        self._faults = faults
        self._settings = settings
        self._last = b""
        asked = query.get("resourceVersion", "")
        try:
            self._position = int(asked or 0)
            seconds = int(query.get("timeoutSeconds") or random.randint(*LIFE_SECONDS))
        except ValueError:
            raise RefusalError(400, f'Invalid value: "{asked}": strconv.ParseUint: parsing: invalid syntax') from None
        self._end = time.monotonic() + seconds
        self._initial = asked in ("", "0") or query.get("sendInitialEvents") == "true"
        self._says_initial = self._initial and query.get("sendInitialEvents") == "true"
        if not self._initial and self._position < collection.oldest and settings.gone_as == "http":
            raise expired(self._position, collection.oldest)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The whole answer."""
        answer = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
        answer.enable_chunked_encoding()
        self.collection.streams.add(self)
        try:
            first = self._there() if self._initial else []
            await answer.prepare(request)
            if first:
                await self._send(answer, first, [])
            if await self._follow(answer):
                await answer.write_eof()
            else:
                reset(request)
        except (ConnectionError, asyncio.CancelledError):
            if request.transport is not None and not request.transport.is_closing():
                raise
        finally:
            self.collection.streams.discard(self)
        return answer

    async def _follow(self, answer: web.StreamResponse) -> bool:
        """Until the end; whether it is a clean one."""
        next_bookmark = time.monotonic() + self._settings.bookmark_seconds
        while True:
            self.awake.clear()
            now = time.monotonic()
            if self.cut and self.budget <= 0 and self.cut != "line":
                return self.cut == "end"
            try:
                events, wait_until = self._due(now)
                if self.expired:
                    raise expired(self._position, self.collection.oldest)
            except RefusalError as refusal:
                await self._send(answer, [_line("ERROR", refusal.status())], [])
                return True
            if events or self.again or self.cut == "line":
                lines = self._lines(events)
                if self.cut == "line" and not lines:
                    lines = [self._last or self._bookmark()]
                if not await self._send(answer, lines, events):
                    return self.cut == "end"
                continue
            if now >= self._end:
                return True
            if wait_until is None and self._bookmarks and now >= next_bookmark:
                next_bookmark = now + self._settings.bookmark_seconds
                await self._send(answer, [self._bookmark()], [])
                continue
            until = min(self._end, next_bookmark if self._bookmarks else self._end, wait_until or self._end)
            timer = asyncio.get_running_loop().call_at(until, self.awake.set)
            await self.awake.wait()
            timer.cancel()

    def _due(self, now: float) -> tuple[list[Event], float | None]:
        """What can be sent now, and when there is more that is only late. Raises RefusalError (410)."""
        events = self.collection.since(self._position)
        if not events:
            return [], None
        lag = self._faults.find("lag", self.collection.cluster.name, self.collection.resource.plural)
        if lag is not None:
            ready = [event for event in events if event.at + lag.seconds <= now]
            if len(ready) < len(events):
                return ready, events[len(ready)].at + lag.seconds
        return events, None

    def _there(self) -> list[bytes]:
        """All there is, as if it had just come."""
        self._position = self.collection.cluster.version
        now = self.collection.now
        found = [now[key] for key in self.collection.keys if key.startswith(self._namespace)]
        lines = [
            b'{"type":"ADDED","object":' + (stored.partial if self._partial else stored.whole) + b"}\n"
            for stored in found
            if self._selected is None or self._selected(stored.thing)
        ]
        if self._says_initial:
            lines.append(self._bookmark({"k8s.io/initial-events-end": "true"}))
        return lines

    def _lines(self, events: list[Event]) -> list[bytes]:
        lines = [line for event in events if (line := self._line(event))]
        if events:
            self._position = events[-1].version
        if self.again:
            self.again = False
            lines.append(lines[-1] if lines else self._last)
        return lines

    def _line(self, event: Event) -> bytes:
        """An event as this watch shows it: what begins or ceases to be selected comes or goes."""
        if not event.key.startswith(self._namespace):
            return b""
        if self._selected is None or event.type == DELETED:
            shown = self._selected is None or self._selected(event.stored.thing)
            return event.line(self._partial) if shown else b""
        before = event.before is not None and self._selected(event.before.thing)
        type_ = {(False, True): ADDED, (True, True): MODIFIED, (True, False): DELETED}.get(
            (before, self._selected(event.stored.thing))
        )
        return event.line(self._partial, type_) if type_ else b""

    def _bookmark(self, annotations: dict[str, str] | None = None) -> bytes:
        metadata = {"resourceVersion": str(self.collection.cluster.version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        kind = {"kind": self.collection.kind, "apiVersion": self.collection.resource.api_version}
        if self._partial:
            kind = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        return _line("BOOKMARK", {**kind, "metadata": metadata})

    async def _send(self, answer: web.StreamResponse, lines: list[bytes], events: list[Event]) -> bool:
        """Let these lines out, when and as faults let them; False where the stream is cut with them."""
        if not lines or not (data := b"".join(lines)):
            return True
        where = self.collection.cluster.name, self.collection.resource.plural
        while (hold := self._faults.find("hold", *where)) is not None:
            self.awake.clear()
            timer = asyncio.get_running_loop().call_at(hold.until, self.awake.set)
            await self.awake.wait()
            timer.cancel()
            if self.cut in ("reset", "end") and self.budget <= 0:
                return False
        self._last = lines[-1] or self._last
        whole = not self.cut
        if self.cut == "line":
            data = data[: len(data) - len(self._last) // 2]
        elif self.cut:
            data, whole = data[: self.budget], len(data) < self.budget
            self.budget -= len(data)
        if (drip := self._faults.find("drip", *where)) is not None:
            size = max(1, int(drip.bytes_per_second / _PIECES_A_SECOND))
            for begin in range(0, len(data), size):
                await answer.write(data[begin : begin + size])
                await asyncio.sleep(1 / _PIECES_A_SECOND)
        elif data:
            await answer.write(data)
        sent = time.monotonic()
        for event in events if whole else ():
            if event.record[-1] is None:
                event.record[-1] = sent
        return whole


def _line(type_: str, thing: dict) -> bytes:
    return encode({"type": type_, "object": thing}) + b"\n"


def reset(request: web.Request) -> None:
    """Break the connection off, so that the other side hears a reset."""
    transport = request.transport
    if transport is None:
        return
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    transport.abort()
