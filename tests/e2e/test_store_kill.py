"""A store whose writers are killed, and a store with two writers at once: processes of their own, real signals."""

from __future__ import annotations

import os
import random
import signal
import time
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

import pytest

from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, plain_slot
from tests.writers import (
    ALWAYS,
    PATIENCE_SECONDS,
    SERIES,
    append_for_ever,
    append_from_both_ends,
    assert_each_is_whole,
    processes_with,
)

KILLS = 60


@pytest.fixture(scope="module")
def processes() -> BaseContext:
    return processes_with("sloagent.store.sqlite")


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
        child = processes.Process(target=append_for_ever, args=(partial(SQLiteStore, path), following, there))
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
    append_from_both_ends(processes, partial(SQLiteStore, path), slots, details)
    store = SQLiteStore(path)
    assert_each_is_whole(store, slots, details)
    if details == ("", ""):
        alone = SQLiteStore(tmp_path / "alone.db")
        alone.append("p", [plain_slot(slot, n=SERIES) for slot in slots])
        assert list(store.dump()) == list(alone.dump())
        alone.close()
    store.close()
