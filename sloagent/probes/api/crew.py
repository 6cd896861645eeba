"""The tasks of a load, and the two ways to drive it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Protocol

from sloagent.probes.api.alarm import Alarm
from sloagent.probes.api.caller import Caller


class Work(Protocol):
    """What a load does, over and over."""

    async def one(self, intended: float | None) -> None:
        """Do it once. In an open loop at the time `intended`, monotonic, with a place of the caller's; else now."""
        ...

    def never_begun(self, intended: float) -> None:
        """Tell of one that was due at `intended` and that nobody will begin any more."""
        ...


class Crew:
    """Tasks that are ended together. A mistake of ours in one of them comes out of `failed` and of `end`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Begin a task."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def end(self, grace: float) -> None:
        """Wait for the tasks that are left, at most `grace` seconds; cut off what is left then."""
        try:
            await asyncio.sleep(0)  # a task that was cancelled before its first step could tell of nothing
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=grace)
        finally:
            cut_off = list(self._tasks)
            for task in cut_off:
                task.cancel()
            await asyncio.gather(*cut_off, return_exceptions=True)
        if self.failed.done():
            self.failed.result()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)


async def open_loop(rate: float, work: Work, caller: Caller, crew: Crew, chance: random.Random) -> None:
    """Begin the work at random times, `rate` a second (Poisson), until cancelled.

    Only where the caller has no room does one begin late; those that had not begun at the end are told of.
    """
    intended = time.monotonic() + chance.expovariate(rate)
    try:
        with Alarm() as alarm:
            while True:
                await alarm.at(intended)
                await caller.room()
                crew.start(work.one(intended))
                intended += chance.expovariate(rate)
    finally:
        while intended <= time.monotonic():
            work.never_begun(intended)
            intended += chance.expovariate(rate)


async def closed_loop(work: Work, over: Callable[[], bool]) -> None:
    """Do the work again and again until it is over: one worker."""
    while not over():
        await work.one(None)
        await asyncio.sleep(0)  # a refusal at once must not keep the others from their turn
