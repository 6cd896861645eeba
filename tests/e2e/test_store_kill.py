"""A store whose writers are killed, and a store with two writers at once: processes of their own, real signals."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, plain_slot

KILLS = 60
ALWAYS = (0, 2**40)
SERIES = 20
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def processes() -> Iterator[multiprocessing.context.BaseContext]:
    """Children are forked from a server that has imported what they need, so that each lives within milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sloagent.store.sqlite", "tests.unit.store.strategies"])
    return context


def append_for_ever(path: Path, first: int, told: Connection) -> None:
    """Append slot by slot, telling each once it is acknowledged; roll older ones up now and then."""
    store = SQLiteStore(path)
    slot = first
    while True:
        store.append("p", [plain_slot(slot, n=SERIES)])
        told.send(slot)
        slot += 60
        if slot % 1800 == 0:
            store.roll_up(slot - 3600)


def append_all(
    path: Path, slots: list[int], detail: str, start: Connection, told: Connection, together: Barrier
) -> None:
    """Append the slots in this order, five at a time, once the word is given; neither gets further ahead than that."""
    store = SQLiteStore(path)
    told.send("ready")
    start.recv()
    recorded = 0
    for five in range(0, len(slots), 5):
        together.wait(PATIENCE_SECONDS)
        recorded += store.append("p", [plain_slot(slot, n=SERIES, detail=detail) for slot in slots[five : five + 5]])
    told.send(recorded)
    store.close()


def killed_after_a_while(child: BaseProcess, told: Connection, seconds: float) -> list[int]:
    """Everything the child said before SIGKILL ended it."""
    assert told.poll(PATIENCE_SECONDS), "the child appended nothing"
    said = [told.recv()]
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if told.poll(left):
            said.append(told.recv())
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join(PATIENCE_SECONDS)
    assert child.exitcode == -signal.SIGKILL
    while told.poll():
        try:
            said.append(told.recv())
        except EOFError:
            break
    return said


def test_no_acknowledged_slot_is_lost_and_none_is_half_there_however_often_the_writer_is_killed(processes, tmp_path):
    path = tmp_path / "sloagent.db"
    chance = random.Random(7)
    acknowledged: set[int] = set()
    following = HOUR
    for _ in range(KILLS):
        here, there = processes.Pipe(duplex=False)
        child = processes.Process(target=append_for_ever, args=(path, following, there))
        child.start()
        there.close()
        acknowledged |= set(killed_after_a_while(child, here, chance.uniform(0.0, 0.05)))
        here.close()
        store = SQLiteStore(path)
        recorded = store.recorded("p", LATENCY, ALWAYS)
        assert acknowledged <= recorded
        # At most the one slot that was being acknowledged when the signal came.
        assert len(recorded - acknowledged) <= KILLS
        following = max(recorded) + 60
        store.close()

    store = SQLiteStore(path)
    assert store.check() == []
    assert store.tally("p", LATENCY, [ALWAYS]).recorded == len(recorded)
    assert all(len(judged.verdicts) == SERIES for judged in store.slots("p", LATENCY, ALWAYS))

    never_killed = SQLiteStore(tmp_path / "calm.db")
    never_killed.append("p", [plain_slot(slot, n=SERIES) for slot in sorted(recorded)])
    everything = max(recorded) + 3600
    store.roll_up(everything)
    never_killed.roll_up(everything)
    assert list(store.dump()) == list(never_killed.dump())
    store.close()
    never_killed.close()


@pytest.mark.parametrize("details", [("", ""), ("one", "the other")], ids=["agreeing", "disagreeing"])
def test_two_writers_record_each_slot_once_and_wholly(processes, tmp_path, details):
    path = tmp_path / "sloagent.db"
    slots = [HOUR + 60 * n for n in range(300)]
    children, words, answers = [], [], []
    together = processes.Barrier(len(details))
    for number, detail in enumerate(details):
        start_out, start_in = processes.Pipe(duplex=False)
        told_out, told_in = processes.Pipe(duplex=False)
        order = slots if number == 0 else slots[::-1]
        child = processes.Process(target=append_all, args=(path, order, detail, start_out, told_in, together))
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
    store = SQLiteStore(path)
    assert store.check() == []
    back = list(store.slots("p", LATENCY, ALWAYS))
    assert [judged.slot for judged in back] == slots
    for judged in back:
        assert {verdict.detail for verdict in judged.verdicts} == {judged.detail}
        assert judged.detail in details
    if details == ("", ""):
        alone = SQLiteStore(tmp_path / "alone.db")
        alone.append("p", [plain_slot(slot, n=SERIES) for slot in slots])
        assert list(store.dump()) == list(alone.dump())
        alone.close()
    store.close()
