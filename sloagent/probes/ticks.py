"""When a probe tries: at every whole multiple of its interval since it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator


async def ticks(every: float) -> AsyncGenerator[int]:
    """How many ticks passed while the one before was at work, at each tick; the first is now. `every` is seconds.

    Nothing piles up and nothing drifts: a tick that comes while work is under way is skipped, and the next one is at
    its own time.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    tick = skipped = 0
    while True:
        await asyncio.sleep(begun + tick * every - loop.time())
        yield skipped
        passed = int((loop.time() - begun) / every)
        skipped = max(0, passed - tick)
        tick = max(tick, passed) + 1
