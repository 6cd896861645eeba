"""When a probe tries."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from sloagent.probes.ticks import ticks

EVERY = 0.02


async def come(count: int, *works: float) -> list[tuple[float, int]]:
    """(time since the start, skipped) of the first ticks; after each there is work for so many seconds."""
    loop = asyncio.get_running_loop()
    begun, found = loop.time(), []
    async with aclosing(ticks(EVERY)) as times:
        async for skipped in times:
            found.append((loop.time() - begun, skipped))
            if len(found) == count:
                break
            if len(found) <= len(works):
                await asyncio.sleep(works[len(found) - 1])
    return found


def test_the_first_tick_is_now_and_none_comes_before_its_time() -> None:
    found = asyncio.run(come(5))
    number = -1
    for at, skipped in found:
        number += 1 + skipped
        assert at >= number * EVERY - 1e-4
    assert found[0] == (pytest.approx(0, abs=EVERY), 0)


def test_ticks_that_pass_during_work_are_skipped_and_counted_and_the_next_is_at_its_own_time() -> None:
    found = asyncio.run(come(3, 3.5 * EVERY))
    at, skipped = found[1]
    assert skipped >= 3
    assert at >= (1 + skipped) * EVERY - 1e-4, "the next whole multiple, not at once"
    assert found[2][0] >= (2 + skipped + found[2][1]) * EVERY - 1e-4
