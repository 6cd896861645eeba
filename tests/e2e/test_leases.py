"""A lease that several processes ask for at once, on one file and on one database."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from sloagent.store import Store
from sloagent.store.opening import open_store
from sloagent.store.settings import StoreSettings
from tests.postgres import shared
from tests.writers import PATIENCE_SECONDS, processes_with

ROUNDS, PROCESSES = 40, 4


def ask(opener: Callable[[], Store], holder: str, together: Barrier, told: Connection) -> None:
    """Ask for a lease in each round, all at once, and tell in which it was given."""
    store = opener()
    got = []
    for number in range(ROUNDS):
        together.wait(PATIENCE_SECONDS)
        if store.lease(f"alerts-{number}", holder, 1000.0, 30.0):
            got.append(number)
    told.send(got)
    store.close()


@pytest.mark.parametrize("kind", ["file", "database"])
def test_of_processes_that_ask_at_once_exactly_one_gets_it(tmp_path: Path, kind: str):
    settings = StoreSettings()
    if kind == "database":
        server = shared()
        settings = StoreSettings(url=server.socket_url(server.new_database()))
    opener = partial(open_store, settings, tmp_path / "sloagent.db")
    opener().close()
    processes = processes_with("sloagent.store.postgres")
    together = processes.Barrier(PROCESSES)
    children, answers = [], []
    for number in range(PROCESSES):
        here, there = processes.Pipe(duplex=False)
        child = processes.Process(target=ask, args=(opener, f"agent-{number}", together, there))
        child.start()
        there.close()
        children.append(child)
        answers.append(here)
    given: list[int] = []
    for child, answer in zip(children, answers, strict=True):
        assert answer.poll(PATIENCE_SECONDS)
        given += answer.recv()
        child.join(PATIENCE_SECONDS)
        assert child.exitcode == 0
    assert sorted(given) == list(range(ROUNDS))
