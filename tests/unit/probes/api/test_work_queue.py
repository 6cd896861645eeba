"""The work queue: what waits is not put in twice, and nobody works on one key at once."""

from __future__ import annotations

import asyncio

from sloagent.probes.api.work_queue import WorkQueue


def taken(queue: WorkQueue) -> tuple[str, float] | None:
    """What a worker gets now; None where it would have to wait."""

    async def take() -> tuple[str, float] | None:
        try:
            return await asyncio.wait_for(queue.take(), 0)
        except TimeoutError:
            task = asyncio.ensure_future(queue.take())
            await asyncio.sleep(0)
            if task.done():
                return task.result()
            task.cancel()
            return None

    return asyncio.run(take())


def test_a_key_that_waits_is_taken_once_and_has_waited_since_its_first_event():
    queue = WorkQueue()
    queue.add("a", 1.0)
    queue.add("b", 2.0)
    queue.add("a", 3.0)
    assert taken(queue) == ("a", 1.0)
    assert taken(queue) == ("b", 2.0)
    assert taken(queue) is None


def test_a_key_that_is_worked_on_waits_until_that_is_done():
    queue = WorkQueue()
    queue.add("a", 1.0)
    assert taken(queue) == ("a", 1.0)
    queue.add("a", 2.0)
    queue.add("a", 3.0)
    assert taken(queue) is None
    queue.done("a")
    assert taken(queue) == ("a", 2.0)


def test_a_key_of_which_nothing_more_came_is_not_worked_on_again():
    queue = WorkQueue()
    queue.add("a", 1.0)
    assert taken(queue) == ("a", 1.0)
    queue.done("a")
    assert taken(queue) is None
