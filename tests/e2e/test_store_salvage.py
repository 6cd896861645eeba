"""A store of several thousand slots, damaged at seeded places and salvaged; and a salvage that is killed again and again."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from sloagent.errors import StoreError
from sloagent.model.piece import Piece
from sloagent.model.samples import Events
from sloagent.store.first_look import mark_of
from sloagent.store.resilient import ResilientStore
from sloagent.store.salvage import Counts, salvage
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, plain_slot

SLOTS, SEEDS, KILLS, PAGES = 3000, 12, 25, 10
ALWAYS = (0, 2**40)
PAGE = 4096
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, list[str]]:
    path = tmp_path_factory.mktemp("whole") / "sloagent.db"
    store = SQLiteStore(path)
    store.append("p", [plain_slot(HOUR + 60 * n, n=4) for n in range(SLOTS)])
    for hour in range(20):
        start = (HOUR + 3600 * hour) * 1000
        store.append_piece("p", LATENCY, Piece(start, start + 3_600_000, "q", {(): Events(1.0, 2.0)}))
    store.roll_up(HOUR + 10 * 3600)
    assert store.check() == []
    lines = list(store.dump())
    store.close()
    return path, lines


def damage(content: bytearray, chance: random.Random) -> None:
    """Flip bits, overwrite stretches, cut off the end."""
    for _ in range(chance.choice([1, 5, 20, 100])):
        start = chance.randrange(PAGE if chance.random() < 0.95 else 0, len(content))
        content[start] ^= 1 << chance.randrange(8)
        if chance.random() < 0.3:
            length = chance.choice([8, 512, 4096, 40_000])
            content[start : start + length] = chance.randbytes(len(content[start : start + length]))
    if chance.random() < 0.1:
        del content[chance.randrange(PAGE, len(content)) :]


def test_of_any_damage_only_what_was_written_is_saved_and_every_slot_is_whole(whole, tmp_path):
    original = set(whole[1])
    content = whole[0].read_bytes()
    saved = 0
    for seed in range(SEEDS):
        damaged = bytearray(content)
        damage(damaged, random.Random(seed))
        old, new = tmp_path / f"{seed}.old", tmp_path / f"{seed}.new"
        old.write_bytes(damaged)
        said = salvage(old, new, threading.Event())
        assert said is not None
        store = SQLiteStore(new)
        lines = list(store.dump())
        assert set(lines) <= original, f"seed {seed}: something that was never written"
        assert store.check() == [], f"seed {seed}"
        assert old.read_bytes() == damaged, f"seed {seed}: the damaged file was changed"
        store.close()
        saved += len(lines)
        old.unlink()
        new.unlink()
    # Not every file can be read at all, but most of what was written comes back.
    assert saved > len(original) * SEEDS / 2


def test_any_one_page_may_be_overwritten_with_noise(whole, tmp_path):
    """Those that hold the list of tables cost nothing; of the others, none costs more than what it holds or leads to."""
    original = set(whole[1])
    content = whole[0].read_bytes()
    chance = random.Random(11)
    of_the_list = [1, 21, 23]
    others = chance.sample(sorted(set(range(2, len(content) // PAGE + 1)) - set(of_the_list)), PAGES)
    slots = sum(line.startswith('{"kind":"slot"') for line in original)
    for page in (*of_the_list, *others):
        damaged = bytearray(content)
        damaged[(page - 1) * PAGE : page * PAGE] = chance.randbytes(PAGE)
        old, new = tmp_path / f"{page}.old", tmp_path / f"{page}.new"
        old.write_bytes(damaged)
        said = salvage(old, new, threading.Event())
        assert said is not None
        store = SQLiteStore(new)
        lines = set(store.dump())
        assert store.check() == [], f"page {page}"
        store.close()
        assert lines <= original, f"page {page}: something that was never written"
        assert old.read_bytes() == damaged, f"page {page}: the damaged file was changed"
        if page in of_the_list:
            assert lines == original, f"page {page}: {said}"
        elif lines != original:
            assert said.lost != Counts() or said.unreadable, f"page {page}: what is lost is told"
            assert said.lost is None or said.saved.slots + said.lost.slots == slots or said.unreadable, f"page {page}"
        assert {entry.name for entry in tmp_path.iterdir()} <= {
            old.name,
            new.name,
            f"{new.name}-wal",
            f"{new.name}-shm",
        }
        old.unlink()
        new.unlink()


def test_no_damage_makes_the_daemons_store_raise_anything_but_its_own_errors(whole, tmp_path):
    content = whole[0].read_bytes()
    for seed in range(12):
        directory = tmp_path / str(seed)
        directory.mkdir()
        path = directory / "sloagent.db"
        damaged = bytearray(content)
        damage(damaged, random.Random(1000 + seed))
        path.write_bytes(damaged)
        store = ResilientStore(lambda path=path: SQLiteStore(path), path=path, retry_seconds=0.0)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert time.monotonic() < deadline, f"seed {seed}: {store.trouble}"
            try:
                store.recorded("p", LATENCY, ALWAYS)
                for _ in store.slots("p", LATENCY, ALWAYS):
                    pass
                for _ in store.tiles("p", LATENCY, ALWAYS):
                    pass
                store.added("p", LATENCY, sorted(store.cuts("p", LATENCY, 0, 2**50)))
                store.roll_up(HOUR + 20 * 3600)
                recorded = store.append("p", [plain_slot(HOUR + 60 * (SLOTS + seed))])
            except StoreError:
                time.sleep(0.01)
            else:
                break
        assert recorded == 1
        assert store.trouble == ""
        store.close()


def open_for_ever(path: Path, told: Connection) -> None:
    """What the daemon does: open, and go on until it works; then say so."""
    told.send("begun")
    store = ResilientStore(lambda: SQLiteStore(path), path=path, retry_seconds=0.01)
    while True:
        try:
            for _ in store.dump():
                pass
        except StoreError:
            time.sleep(0.002)
        else:
            told.send("well")
            signal.pause()


def test_a_salvage_that_is_killed_again_and_again_ends_with_the_same_store_and_loses_no_file(whole, tmp_path):
    damaged = bytearray(whole[0].read_bytes())
    for start in range(60 * PAGE, len(damaged), 90 * PAGE):
        damaged[start : start + PAGE] = bytes(PAGE)
    (tmp_path / "calm").mkdir()
    calm = tmp_path / "calm" / "old.db"
    calm.write_bytes(damaged)
    began = time.monotonic()
    assert salvage(calm, calm.with_name("new.db"), threading.Event()) is not None
    calm_seconds = time.monotonic() - began
    expected = SQLiteStore(calm.with_name("new.db"))
    path = tmp_path / "sloagent.db"
    path.write_bytes(damaged)

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sloagent.store.resilient", "sloagent.store.sqlite"])
    chance = random.Random(5)
    killed = while_salvaging = 0
    while True:
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=open_for_ever, args=(path, there))
        child.start()
        there.close()
        assert here.poll(PATIENCE_SECONDS), "the child did not begin"
        assert here.recv() == "begun"
        if killed % 4:  # in the midst of it, first early and then ever later; else while it begins
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not mark_of(path).exists() and not here.poll(0.001):
                assert time.monotonic() < deadline, "nothing was set aside"
        until = calm_seconds * chance.uniform(0.0, killed / KILLS)
        done = here.poll(until if killed < KILLS else PATIENCE_SECONDS)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join(PATIENCE_SECONDS)
        assert child.exitcode == -signal.SIGKILL
        if done and here.recv() == "well":
            break
        killed += 1
        assert killed <= KILLS, "the salvage did not end"
        if mark_of(path).exists():
            while_salvaging += 1
            with pytest.raises(StoreError):  # nobody takes a part for the whole
                SQLiteStore(path, read_only=True)
    assert while_salvaging > 2

    store = SQLiteStore(path)
    assert store.check() == []
    assert list(store.dump()) == list(expected.dump())
    store.close()
    expected.close()
    aside = [entry for entry in tmp_path.iterdir() if ".damaged-" in entry.name]
    assert [entry.read_bytes() == damaged for entry in aside if entry.suffix.endswith("Z")] == [True]
    assert not mark_of(path).exists()
    shutil.rmtree(tmp_path / "calm")
