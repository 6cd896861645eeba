"""Calls on what exists: a list, or get and update of objects chosen at random."""

from __future__ import annotations

import asyncio
import random
import time
from zlib import crc32

from sloagent.errors import SloagentError
from sloagent.probes.api.call import UNFINISHED, Call, Tell, Verb
from sloagent.probes.api.caller import Caller
from sloagent.probes.api.collection import Found, annotated, objects
from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.endpoint import JSON, METADATA_LIST, Endpoint, EndpointError

MOST_NAMES = 5_000
"""Of the objects to get."""
MOST_HELD = 1_000
"""Of the objects to update, which are held as they were last read."""
TOUCHED = "sloagent.io/touched"
"""The annotation that an update changes; it stays."""
CONFLICT = 409
_GONE = 404


class Listing:
    """Lists one page of the objects."""

    def __init__(self, settings: ApiLoadSettings, endpoint: Endpoint, caller: Caller, tell: Tell) -> None:
        self._endpoint = endpoint
        self._timeout = settings.timeout
        self._caller = caller
        self._tell = tell
        self._key = settings.namespace or "*"
        self._path = settings.what.path(settings.namespace or "")
        self._query = {
            **({"limit": str(settings.limit)} if settings.limit else {}),
            **({"resourceVersion": settings.resource_version} if settings.resource_version else {}),
        }

    async def prepare(self) -> None:
        """Ask once, untimed: to log in and to load libraries is no part of a list. Raises EndpointError."""
        await self._endpoint.ask("GET", self._path, query={**self._query, "limit": "1"}, timeout=self._timeout)

    async def one(self, intended: float | None) -> None:
        """One list."""
        await self._caller.call(
            "list", self._key, "GET", self._path, intended=intended, place=intended is not None, query=self._query
        )

    def never_begun(self, intended: float) -> None:
        """One list that was due."""
        self._tell(_never("list", self._key, intended))


class Getting:
    """Gets objects whose names were listed at the start."""

    def __init__(
        self, settings: ApiLoadSettings, endpoint: Endpoint, caller: Caller, tell: Tell, chance: random.Random
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._caller = caller
        self._tell = tell
        self._chance = chance
        self._query = {"resourceVersion": settings.resource_version} if settings.resource_version else {}
        self._there: list[Found] = []

    async def prepare(self) -> None:
        """Learn the names. Raises EndpointError, or SloagentError where there are none."""
        self._there = await _existing(self._settings, self._endpoint, MOST_NAMES, METADATA_LIST)

    async def one(self, intended: float | None) -> None:
        """One get."""
        found = self._chance.choice(self._there)
        path = self._settings.what.path(found.namespace, found.name)
        status, _ = await self._caller.call(
            "get", found.key, "GET", path, intended=intended, place=intended is not None, query=self._query
        )
        if status == _GONE and len(self._there) > 1 and found in self._there:
            self._there.remove(found)

    def never_begun(self, intended: float) -> None:
        """One get that was due."""
        self._tell(_never("get", "", intended))


class Updating:
    """Puts objects back as they were read, one annotation changed. No object is written by two requests at once."""

    def __init__(
        self, settings: ApiLoadSettings, endpoint: Endpoint, caller: Caller, tell: Tell, chance: random.Random
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._caller = caller
        self._tell = tell
        self._chance = chance
        self._idle: list[Found] = []
        self._free = asyncio.Semaphore(0)
        self._count = 0

    async def prepare(self) -> None:
        """Read the objects. Raises EndpointError, or SloagentError where there are none.

        Each target has its own, by their keys: two may be roads to one cluster, and would put each other in conflict.
        """
        targets = self._settings.targets
        mine = targets.index(self._endpoint.name)
        there = await _existing(self._settings, self._endpoint, MOST_HELD * len(targets))
        self._idle = [found for found in there if crc32(found.key.encode()) % len(targets) == mine]
        if not self._idle:
            raise SloagentError(
                f"{self._endpoint.name}: there are {len(there)} {self._settings.resource}, too few to share among"
                f" {len(targets)} targets",
                hint="create more of them, or update on one target",
            )
        self._free = asyncio.Semaphore(len(self._idle))

    async def one(self, intended: float | None) -> None:
        """One update. What was in conflict (409) is read again, untimed."""
        try:
            await self._free.acquire()
        except asyncio.CancelledError:
            if intended is not None:
                self.never_begun(intended)
            raise
        at = self._chance.randrange(len(self._idle))
        self._idle[at], self._idle[-1] = self._idle[-1], self._idle[at]
        left = found = self._idle.pop()
        try:
            left = await self._put(found, intended)
        finally:
            self._idle.append(left)
            self._free.release()

    async def _put(self, found: Found, intended: float | None) -> Found:
        self._count += 1
        path = self._settings.what.path(found.namespace, found.name)
        status, text = await self._caller.call(
            "update", found.key, "PUT", path, intended=intended, place=intended is not None,
            body=annotated(found.text, TOUCHED, str(self._count)),
        )  # fmt: skip
        if status == CONFLICT:
            text = await read_again(self._endpoint, path)
        return Found(found.namespace, found.name, text) if text else found

    def never_begun(self, intended: float) -> None:
        """One update that was due."""
        self._tell(_never("update", "", intended))


async def read_again(endpoint: Endpoint, path: str) -> bytes:
    """The object as it is now, untimed; b"" where it cannot be read."""
    try:
        return await endpoint.ask("GET", path)
    except EndpointError:
        return b""  # the next update says what is the matter


async def _existing(settings: ApiLoadSettings, endpoint: Endpoint, most: int, accept: str = JSON) -> list[Found]:
    there = await objects(
        endpoint, settings.what, settings.namespace or "", most=most, accept=accept, timeout=settings.timeout
    )  # fmt: skip
    if not there:
        where = f"namespace {settings.namespace}" if settings.namespace else "any namespace"
        raise SloagentError(
            f"{endpoint.name}: there are no {settings.resource} in {where} to {settings.call}",
            hint="name another namespace, or create some",
        )
    return there


def _never(verb: Verb, key: str, intended: float) -> Call:
    return Call(verb, key, intended, None, time.monotonic(), UNFINISHED, ok=False)
