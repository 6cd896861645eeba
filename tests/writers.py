"""Processes that write into one store, of whatever kind: killed at any moment, or two at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.synchronize import Barrier

from sloagent.store import Store
from tests.unit.store.strategies import LATENCY, plain_slot

ALWAYS = (0, 2**40)
SERIES = 20
PATIENCE_SECONDS = 30.0

Opener = Callable[[], Store]
"""Opens the store in the process that is to write; a partial, so that it can be sent there."""


def processes_with(module: str) -> BaseContext:
    """Children are forked from a server that has imported what they need, so that each lives within milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module, "tests.unit.store.strategies"])
    return context


def append_for_ever(opener: Opener, first: int, told: Connection) -> None:
    """Append slot by slot, telling each once it is acknowledged; roll older ones up now and then."""
    store = opener()
    slot = first
    while True:
        store.append("p", [plain_slot(slot, n=SERIES)])
        told.send(slot)
        slot += 60
        if slot % 1800 == 0:
            store.roll_up(slot - 3600)


def append_all(
    opener: Opener, slots: list[int], detail: str, start: Connection, told: Connection, together: Barrier
) -> None:
    """Append the slots in this order, five at a time, once the word is given; neither gets further ahead than that."""
    store = opener()
    told.send("ready")
    start.recv()
    recorded = 0
    for five in range(0, len(slots), 5):
        together.wait(PATIENCE_SECONDS)
        recorded += store.append("p", [plain_slot(slot, n=SERIES, detail=detail) for slot in slots[five : five + 5]])
    told.send(recorded)
    store.close()


def append_from_both_ends(processes: BaseContext, opener: Opener, slots: list[int], details: Sequence[str]) -> None:
    """Two processes append all of the slots, each from its end and with its detail: each slot is recorded by one."""
    children, words, answers = [], [], []
    together = processes.Barrier(len(details))
    for number, detail in enumerate(details):
        start_out, start_in = processes.Pipe(duplex=False)
        told_out, told_in = processes.Pipe(duplex=False)
        order = slots if number == 0 else slots[::-1]
        child = processes.Process(target=append_all, args=(opener, order, detail, start_out, told_in, together))
        child.start()
        children.append(child)
        words.append(start_in)
        answers.append(told_out)
    for answer in answers:
        assert answer.poll(PATIENCE_SECONDS)
        assert answer.recv() == "ready"
    for word in words:
        word.send("go")
    counts = [answer.recv() for answer in answers]
    for child in children:
        child.join(PATIENCE_SECONDS)
        assert child.exitcode == 0
    assert sum(counts) == len(slots)
    assert all(counts), "one of them was done before the other began"


def assert_each_is_whole(store: Store, slots: list[int], details: Sequence[str]) -> None:
    """The store is sound and holds exactly these slots, each as one of the writers wrote it."""
    assert store.check() == []
    back = list(store.slots("p", LATENCY, ALWAYS))
    assert [judged.slot for judged in back] == slots
    for judged in back:
        assert {verdict.detail for verdict in judged.verdicts} == {judged.detail}
        assert judged.detail in details
