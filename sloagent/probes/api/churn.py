"""Objects that come, change and go: create, updates, delete, each timed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from sloagent.probes.api.call import UNFINISHED, Call, Tell
from sloagent.probes.api.caller import Caller
from sloagent.probes.api.collection import annotated
from sloagent.probes.api.existing import CONFLICT, read_again
from sloagent.probes.api.settings import CONFIG_MAPS, ApiLoadSettings
from sloagent.probes.api.watching import SEQUENCE, Watching
from sloagent.probes.endpoint import Endpoint

FILLING = "sloagent.io/filling"


@dataclass(slots=True)
class _Life:
    name: str
    born: float
    """When its creation was due, monotonic."""
    early: asyncio.Event = field(default_factory=asyncio.Event)
    """It is to go before its time."""


class Churn:
    """Each arrival, or turn of a worker, is the life of one object."""

    def __init__(
        self, settings: ApiLoadSettings, endpoint: Endpoint, caller: Caller, tell: Tell, labels: Mapping[str, str],
        prefix: str, watching: Watching | None,
    ) -> None:  # fmt: skip
        self._object = settings.object
        self._endpoint = endpoint
        self._caller = caller
        self._tell = tell
        self._prefix = prefix
        self._watching = watching
        self._namespace = settings.namespace or ""
        self._collection = settings.what.path(self._namespace)
        self._metadata, self._rest = parts(settings, labels)
        self._count = 0
        self._alive: dict[str, _Life] = {}
        self._over = False

    async def one(self, intended: float | None) -> None:
        """One life. In an open loop updates and deletion are due at their times, or when the object can be had."""
        self._count += 1
        life = _Life(f"{self._prefix}-{self._count}", time.monotonic() if intended is None else intended)
        if intended is not None and len(self._alive) >= self._object.population:
            oldest = next(iter(self._alive.values()))
            del self._alive[oldest.name]
            oldest.early.set()
        self._alive[life.name] = life
        try:
            if text := await self._create(life, intended):
                await self._live(life, text, timed=intended is not None)
        finally:
            self._alive.pop(life.name, None)

    def never_begun(self, intended: float) -> None:
        """One creation that was due."""
        self._tell(Call("create", "", intended, None, time.monotonic(), UNFINISHED, ok=False))

    def end(self) -> None:
        """Let no object begin anything new; who is left is taken away by its labels, untimed."""
        self._over = True
        for life in self._alive.values():
            life.early.set()

    async def _live(self, life: _Life, text: bytes, *, timed: bool) -> None:
        for number in range(1, self._object.updates + 1):
            due = await self._due(life, number) if timed else None
            if self._over:
                return
            if life.early.is_set():
                break
            text = await self._update(life, number, text, due)
        due = await self._due(life, self._object.updates + 1) if timed else None
        if not self._over:
            await self._delete(life, due)

    async def _due(self, life: _Life, step: int) -> float:
        """Wait until the step is due, or the object has to go early; return when that was.

        That is when the wait ended, however late this process is: only arrivals are asked for at a moment.
        """
        due = life.born + self._object.lifetime * step / (self._object.updates + 1)
        with suppress(TimeoutError):
            await asyncio.wait_for(life.early.wait(), due - time.monotonic())
        return time.monotonic()

    async def _create(self, life: _Life, intended: float | None) -> bytes:
        return await self._write(life, 0, "POST", self._collection, self._named(life.name), intended, place=True)

    async def _update(self, life: _Life, number: int, text: bytes, due: float | None) -> bytes:
        path = f"{self._collection}/{life.name}"
        answer = await self._write(life, number, "PUT", path, annotated(text, SEQUENCE, str(number)), due)
        return answer or text

    async def _write(
        self, life: _Life, number: int, method: str, path: str, body: bytes, due: float | None, *, place: bool = False
    ) -> bytes:
        """What the object is now; b"" where that is not known."""
        status, answer = 0, b""
        try:
            status, answer = await self._caller.call(
                "update" if number else "create", self._key(life), method, path, intended=due, body=body,
                place=place and due is not None,
                began=None if self._watching is None else self._watching.expect(life.name, number),
            )  # fmt: skip
        finally:
            if not answer and self._watching is not None:
                self._watching.expect_no_more(life.name, number)
        return await read_again(self._endpoint, path) if status == CONFLICT and number else answer

    async def _delete(self, life: _Life, due: float | None) -> None:
        path = f"{self._collection}/{life.name}"
        await self._caller.call("delete", self._key(life), "DELETE", path, intended=due)

    def _key(self, life: _Life) -> str:
        return f"{self._namespace}/{life.name}" if self._namespace else life.name

    def _named(self, name: str) -> bytes:
        return msgspec.json.encode({**self._rest, "metadata": {**self._metadata, "name": name}})


def parts(settings: ApiLoadSettings, labels: Mapping[str, str]) -> tuple[dict[str, object], dict[str, object]]:
    """What all objects of the load are alike: their metadata, and the rest."""
    template = dict(settings.object.template)
    given = template.pop("metadata", None)
    metadata: dict[str, object] = dict(given) if isinstance(given, dict) else {}
    annotations = {**_texts(metadata.get("annotations")), SEQUENCE: "0"}
    rest: dict[str, object] = {"kind": "ConfigMap", **template, "apiVersion": settings.what.api_version}
    if filling := "x" * settings.object.size:
        if settings.resource == CONFIG_MAPS:
            rest["data"] = {**_texts(rest.get("data")), "filling": filling}
        else:
            annotations[FILLING] = filling
    metadata["annotations"] = annotations
    metadata["labels"] = {**_texts(metadata.get("labels")), **labels}
    return metadata, rest


def _texts(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
