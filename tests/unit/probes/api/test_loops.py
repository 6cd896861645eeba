"""The two loops, against a socket that takes its time: what was due is told of, however late it began."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from sloagent.probes.api.alarm import Alarm
from sloagent.probes.api.call import UNFINISHED, Call
from sloagent.probes.api.caller import Caller
from sloagent.probes.api.crew import Crew, closed_loop, open_loop
from sloagent.probes.endpoint import Endpoint
from sloagent.probes.settings import EndpointSettings

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TAKES_SECONDS = 0.04


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request of a connection after a while."""
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(TAKES_SECONDS)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


class Get:
    """The work: one request."""

    def __init__(self, caller: Caller, told: list[Call]) -> None:
        self.caller = caller
        self.told = told
        self.due: list[float] = []

    async def one(self, intended: float | None) -> None:
        self.due.append(intended or 0.0)
        await self.caller.call("get", "", "GET", "/x", intended=intended, place=intended is not None)

    def never_begun(self, intended: float) -> None:
        self.due.append(intended)
        self.told.append(Call("get", "", intended, None, time.monotonic(), UNFINISHED, ok=False))


def driven(
    directory: Path, most: int, drive: Callable[[Get, Crew], Coroutine[None, None, None]], *, grace: float = 5.0
) -> tuple[Get, list[Call]]:
    """The work after a loop has been driven with it."""

    async def run() -> tuple[Get, list[Call]]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        (directory / "kubeconfig").write_text(
            json.dumps(
                {
                    "current-context": "c",
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
                    "clusters": [
                        {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}}
                    ],
                    "users": [{"name": "c", "user": {"token": "t"}}],
                }
            )
        )
        endpoint = Endpoint("one", EndpointSettings(kubeconfig=directory / "kubeconfig"))
        await endpoint.ask("GET", "/")  # libraries are loaded
        told: list[Call] = []
        work, crew = Get(Caller(endpoint, told.append, most=most, timeout=5.0), told), Crew()
        try:
            await drive(work, crew)
            await crew.end(grace)
        finally:
            await endpoint.close()
            server.close()
        return work, told

    return asyncio.run(run())


async def opened(work: Get, crew: Crew, rate: float, seconds: float, seed: int = 1) -> None:
    driver = asyncio.create_task(open_loop(rate, work, work.caller, crew, random.Random(seed)))
    await asyncio.sleep(seconds)
    driver.cancel()
    await asyncio.gather(driver, return_exceptions=True)


def test_an_open_loop_begins_when_it_is_time_whatever_became_of_those_before(tmp_path):
    _, told = driven(tmp_path, 1000, lambda work, crew: opened(work, crew, 200, 0.4))
    assert 50 < len(told) < 120
    late = sorted(call.before - call.intended for call in told if call.before is not None)
    assert len(told) - len(late) <= 1, "one may be due in the moment of the end"
    assert late[len(late) // 2] < TAKES_SECONDS / 4, "nobody waited for anybody"


def test_beyond_its_bound_an_open_loop_begins_late_which_counts_and_what_never_began_is_told_of(tmp_path):
    work, told = driven(tmp_path, 1, lambda work, crew: opened(work, crew, 200, 0.4))
    begun = [call for call in told if call.before is not None]
    assert len(begun) < 15
    assert len(told) == len(work.due) > 50, "each that was due is told of, once"
    assert len(set(work.due)) == len(work.due)
    latest = max(begun, key=lambda call: call.intended)
    assert latest.latency_seconds > latest.after - latest.before + 0.2
    assert {call.code for call in told if call.before is None} == {UNFINISHED}


def test_the_same_seed_draws_the_same_times(tmp_path):
    def gaps() -> list[float]:
        work, _ = driven(tmp_path, 1000, lambda work, crew: opened(work, crew, 200, 0.1, seed=7))
        return [later - earlier for earlier, later in zip(work.due, work.due[1:], strict=False)][:8]

    assert gaps() == pytest.approx(gaps(), abs=1e-6)


def test_a_closed_loops_worker_begins_when_its_last_call_has_ended(tmp_path):
    async def drive(work: Get, crew: Crew) -> None:
        over = asyncio.Event()
        for _ in range(2):
            crew.start(closed_loop(work, over.is_set))
        await asyncio.sleep(0.3)
        over.set()

    _, told = driven(tmp_path, 2, drive)
    assert 8 <= len(told) <= 16
    assert all(call.ok for call in told)


def test_what_is_under_way_after_the_grace_is_unfinished(tmp_path):
    async def drive(work: Get, crew: Crew) -> None:
        crew.start(work.one(None))
        await asyncio.sleep(TAKES_SECONDS / 4)

    _, told = driven(tmp_path, 1, drive, grace=0.0)
    assert [(call.code, call.ok) for call in told] == [(UNFINISHED, False)]
    assert told[0].before is not None


def test_a_mistake_in_a_task_comes_out(tmp_path):
    async def wrong() -> None:
        raise ZeroDivisionError

    async def drive(_: Get, crew: Crew) -> None:
        crew.start(wrong())
        await asyncio.wait([crew.failed])

    with pytest.raises(ZeroDivisionError):
        driven(tmp_path, 1, drive)


def test_the_alarm_rings_when_it_is_time_and_not_before():
    async def earliest() -> float:
        with Alarm() as alarm:
            after = []
            for _ in range(40):
                moment = time.monotonic() + 0.0021
                await alarm.at(moment)
                after.append(time.monotonic() - moment)
            return min(after)

    assert asyncio.run(earliest()) >= 0
