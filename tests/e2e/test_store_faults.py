"""The daemon over a store that fails: it goes on judging and telling, says what it cannot remember, and recovers by itself.

Real file systems: where one has to be mounted, the tests need root or sudo, and say so where they have neither.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.agent import SLOAGENT, UP_EVERY_SECOND, AgentDirectory, DaemonProcess, wait_until
from tests.prometheus import Prometheus, await_first_scrape, scraping_itself

QUICK = "evaluation: {delay: 200ms, query_timeout: 5s}\nstore: {path: store/sloagent.db}\n"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with scraping_itself(tmp_path_factory.mktemp("prometheus") / "data") as server:
        await_first_scrape(server)
        time.sleep(5)  # so that no window of a test reaches back before the first scrape
        yield server


@pytest.fixture
def agent(prometheus: Prometheus) -> Iterator[AgentDirectory]:
    """In a directory that other users may enter, which pytest's own are not."""
    directory = Path(tempfile.mkdtemp(prefix="sloagent-faults-"))
    directory.chmod(0o755)
    made = AgentDirectory(directory / "agent", prometheus.url, slos={"own.yaml": UP_EVERY_SECOND}, extra=QUICK)
    (made.directory / "store").mkdir()
    yield made
    shutil.rmtree(directory)


def store_of(agent: AgentDirectory) -> Path:
    return agent.directory / "store" / "sloagent.db"


@contextmanager
def running(agent: AgentDirectory, program: Sequence[str] = SLOAGENT) -> Iterator[DaemonProcess]:
    """The daemon, whether or not it becomes ready."""
    daemon = DaemonProcess(agent)
    with daemon.log.open("ab") as log:
        daemon.process = subprocess.Popen(
            [*program, "run", "-c", str(agent.configuration)],
            stdout=log, stderr=log, cwd=agent.directory, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    try:
        wait_until(lambda: answers(daemon), what=f"the daemon listening; it said {daemon.log.read_text()}")
        yield daemon
        assert "Traceback" not in daemon.log.read_text()
    finally:
        if daemon.process is not None:
            daemon.process.kill()
            daemon.process.wait()


def answers(daemon: DaemonProcess) -> bool:
    try:
        daemon.get("/-/healthy")
    except OSError:
        return False
    return True


def not_ready(daemon: DaemonProcess) -> str:
    """What /-/ready says while it refuses; empty while it does not."""
    try:
        daemon.get("/-/ready")
    except urllib.error.HTTPError as error:
        assert error.code == 503
        return error.read().decode()
    return ""


def newest(daemon: DaemonProcess) -> float:
    return daemon.metric("sloagent_slo_evaluated_slot_timestamp_seconds", slo="up") or 0.0


def passes(daemon: DaemonProcess) -> None:
    wait_until(lambda: daemon.metric("sloagent_slo_outcome", slo="up", outcome="pass") == 1.0, what="a pass")


def in_trouble(daemon: DaemonProcess, words: str) -> None:
    """It says so everywhere, and goes on: three more slots are judged and told."""
    wait_until(lambda: words in not_ready(daemon), what=f"/-/ready saying {words!r} instead of {not_ready(daemon)!r}")
    wait_until(lambda: daemon.metric("sloagent_store_up") == 0.0, what="sloagent_store_up being 0")
    before = newest(daemon)
    wait_until(lambda: newest(daemon) >= before + 3, what="evaluation going on")
    assert daemon.metric("sloagent_slo_outcome", slo="up", outcome="pass") == 1.0
    assert words in daemon.log.read_text()


def well_again(daemon: DaemonProcess) -> None:
    wait_until(lambda: not not_ready(daemon), what=f"being ready again; it says {not_ready(daemon)!r}")
    wait_until(lambda: daemon.metric("sloagent_store_up") == 1.0, what="sloagent_store_up being 1")


def every_slot_is_there(agent: AgentDirectory, daemon: DaemonProcess, first: int) -> dict[int, str]:
    """All slots from `first` to now are recorded once, with the verdict that they have, and the store is sound."""
    until = max(first + 3, int(time.time()))
    found: dict[int, str] = {}

    def filled() -> bool:
        found.clear()
        done = agent.command("store", "dump")
        for line in done.stdout.splitlines():
            row = json.loads(line)
            if row["kind"] == "slot":
                assert row["slot"] not in found
                found[row["slot"]] = row["outcome"]
        return set(range(first, until)) <= set(found)

    wait_until(filled, 60, "the missing slots being filled")
    assert {found[slot] for slot in range(first, until)} == {"pass"}
    checked = agent.command("store", "check")
    assert checked.returncode == 0, checked.stdout
    return found


def first_slot(agent: AgentDirectory) -> int:
    return min(row["slot"] for row in map(json.loads, agent.dump().splitlines()) if row["kind"] == "slot")


def set_aside(agent: AgentDirectory) -> list[str]:
    return sorted(entry.name for entry in store_of(agent).parent.iterdir() if entry.name.startswith("sloagent.db."))


AS_ROOT = () if os.geteuid() == 0 else ("sudo", "--non-interactive")
"""Only root mounts. A tmpfs is everybody's to write."""


@contextmanager
def mounted(*words: str) -> Iterator[None]:
    """Something mounted at the last of the words."""
    done = subprocess.run([*AS_ROOT, "mount", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"this test mounts a file system: it needs root, or sudo without a password: {done.stderr}"
    )
    try:
        yield
    finally:
        subprocess.run([*AS_ROOT, "umount", "--lazy", words[-1]], check=True)


def fill(path: Path) -> None:
    """Take all the room that is left, byte by byte in the end."""
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def test_a_full_disk_and_room_again(agent: AgentDirectory) -> None:
    with mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(store_of(agent).parent)), running(agent) as daemon:
        passes(daemon)
        well_again(daemon)
        first = first_slot(agent)
        ballast = store_of(agent).with_name("ballast")
        fill(ballast)
        in_trouble(daemon, "the disk is full")
        ballast.unlink()
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)
        assert set_aside(agent) == []
        assert daemon.stop() == 0


def test_a_disk_that_is_full_from_the_start(agent: AgentDirectory) -> None:
    with mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(store_of(agent).parent)):
        ballast = store_of(agent).with_name("ballast")
        fill(ballast)
        with running(agent) as daemon:
            passes(daemon)
            in_trouble(daemon, "the store")
            first = int(newest(daemon))
            ballast.unlink()
            well_again(daemon)
            every_slot_is_there(agent, daemon, first)
            assert set_aside(agent) == []


def test_a_log_that_fills_a_small_disk_is_emptied_and_recording_goes_on(agent: AgentDirectory) -> None:
    """On 400 KiB the log never reaches the size at which it is emptied by itself."""
    with mounted("-t", "tmpfs", "-o", "size=400k", "tmpfs", str(store_of(agent).parent)), running(agent) as daemon:
        passes(daemon)
        first = first_slot(agent)
        wait_until(lambda: "the disk is full" in daemon.log.read_text(), 60, "the log filling the disk")
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)


def test_a_file_system_that_is_mounted_for_reading_only(agent: AgentDirectory) -> None:
    directory = str(store_of(agent).parent)
    with running(agent) as daemon:
        passes(daemon)
        well_again(daemon)
        assert daemon.stop() == 0
    first = first_slot(agent)
    with mounted("-o", "bind,ro", directory, directory), running(agent) as daemon:
        passes(daemon)
        in_trouble(daemon, "cannot be written")
        subprocess.run([*AS_ROOT, "mount", "-o", "remount,bind,rw", directory], check=True)
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)


def test_a_directory_that_is_not_there_yet(agent: AgentDirectory) -> None:
    store_of(agent).parent.rmdir()
    with running(agent) as daemon:
        passes(daemon)
        in_trouble(daemon, "there is no directory")
        first = int(newest(daemon))
        store_of(agent).parent.mkdir()
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)


def test_permissions_lost_and_given_back(agent: AgentDirectory) -> None:
    program = SLOAGENT
    if os.geteuid() == 0:  # whom no permission stops
        without = "-dac_override,-dac_read_search"
        program = ("setpriv", f"--inh-caps={without}", f"--bounding-set={without}", *SLOAGENT)
    with running(agent, program) as daemon:
        passes(daemon)
        well_again(daemon)
        first = first_slot(agent)
        store_of(agent).parent.chmod(0)
        in_trouble(daemon, "Permission denied")
        store_of(agent).parent.chmod(0o755)
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)
        assert set_aside(agent) == []


def test_a_newer_schema_is_never_touched_and_the_daemon_recovers_when_it_is_gone(agent: AgentDirectory) -> None:
    with running(agent) as daemon:
        passes(daemon)
        assert daemon.stop() == 0
    newer = sqlite3.connect(store_of(agent))
    newer.execute("INSERT INTO migrations (name) VALUES ('0999 from the future')")
    newer.commit()
    newer.close()
    before = store_of(agent).read_bytes()
    with running(agent) as daemon:
        passes(daemon)
        in_trouble(daemon, "written by a newer sloagent")
        first = int(newest(daemon))
        assert store_of(agent).read_bytes() == before
        assert set_aside(agent) == []
        refused = agent.command("store", "check")
        assert refused.returncode == 3
        assert "newer sloagent" in refused.stderr
        for end in ("", "-wal", "-shm"):
            store_of(agent).with_name(f"sloagent.db{end}").unlink(missing_ok=True)
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)


@pytest.mark.parametrize("content", [b"garbage\n" * 10_000, b"SQLite format 3\x00" + bytes(90_000), b"x"])
def test_garbage_at_the_start_is_set_aside(agent: AgentDirectory, content: bytes) -> None:
    store_of(agent).write_bytes(content)
    refused = agent.command("store", "check")
    assert refused.returncode == 3
    assert set_aside(agent) == []
    with running(agent) as daemon:
        passes(daemon)
        well_again(daemon)
        first = first_slot(agent)
        every_slot_is_there(agent, daemon, first)
        (name,) = set_aside(agent)
        assert daemon.metric("sloagent_store_set_aside_files") == 1.0
        assert store_of(agent).with_name(name).read_bytes() == content
        assert name in daemon.log.read_text()
        assert "level=error" in daemon.log.read_text()


@pytest.mark.parametrize("name", ["notes.txt", "link.db"])
def test_a_file_that_was_never_a_store_is_not_touched(agent: AgentDirectory, name: str) -> None:
    directory = store_of(agent).parent
    agent.configuration.write_text(agent.configuration.read_text().replace("store/sloagent.db", f"store/{name}"))
    notes = directory / "notes.txt"
    notes.write_text("what we found out on Thursday\n" * 100)
    if name != notes.name:
        (directory / name).symlink_to(notes)
    before, content = notes.stat(), notes.read_bytes()
    with running(agent) as daemon:
        passes(daemon)
        in_trouble(daemon, "it was not touched")
        assert daemon.stop() == 0
        assert daemon.log.read_text().count("it was not touched") < 4, "told over and over"
    for words in (["store", "check"], ["store", "dump"], ["backfill", "--from", "-10s"]):
        refused = agent.command(*words)
        assert refused.returncode == 3
        assert "it was not touched" in refused.stderr
    after = notes.stat()
    assert notes.read_bytes() == content
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert {entry.name for entry in directory.iterdir()} == {"notes.txt", name}


def test_a_damaged_list_of_tables_costs_no_slot(agent: AgentDirectory) -> None:
    with running(agent) as daemon:
        passes(daemon)
        first = first_slot(agent)
        wait_until(lambda: newest(daemon) > first + 6, what="some slots")
        assert daemon.stop() == 0
    remembered = set(agent.dump().splitlines())
    with store_of(agent).open("r+b") as file:
        file.seek(20 * 4096)
        file.write(random.Random(1).randbytes(4096))
    damaged = store_of(agent).read_bytes()
    with running(agent) as daemon:
        passes(daemon)
        well_again(daemon)
        assert set(agent.dump().splitlines()) >= remembered
        nothing = "0 slots, 0 tiles, 0 pieces, 0 hourly sums, 0 runs, 0 documents, 0 SLOs"
        assert f"{nothing}; stretches that cannot be read: 0" in daemon.log.read_text()
        (name,) = [name for name in set_aside(agent) if ".damaged-" in name]
        assert store_of(agent).with_name(name).read_bytes() == damaged


def test_a_foreign_database_is_set_aside_only_when_nobody_has_it_open(agent: AgentDirectory) -> None:
    foreign = sqlite3.connect(store_of(agent))
    foreign.execute("CREATE TABLE theirs (content TEXT)")
    foreign.execute("INSERT INTO theirs VALUES ('precious')")
    foreign.commit()
    with running(agent) as daemon:
        passes(daemon)
        in_trouble(daemon, "another program")
        assert set_aside(agent) == []
        foreign.close()
        well_again(daemon)
        (name,) = set_aside(agent)
        assert ".foreign-" in name
        every_slot_is_there(agent, daemon, first_slot(agent))
    theirs = sqlite3.connect(store_of(agent).with_name(name))
    assert theirs.execute("SELECT content FROM theirs").fetchall() == [("precious",)]
    theirs.close()


def damage(path: Path, seed: int) -> None:
    """Overwrite what is beyond the first page of the file, and of its log, here and there."""
    chance = random.Random(seed)
    for file in (path, path.with_name(path.name + "-wal")):
        if file.exists() and file.stat().st_size > 8192:
            with file.open("r+b") as opened:
                for start in range(4096, file.stat().st_size, 4096):
                    if chance.random() < 0.7:
                        opened.seek(start)
                        opened.write(chance.randbytes(2048))


def test_a_store_that_is_damaged_while_it_is_used_is_set_aside_and_what_is_missing_is_asked_for_again(
    agent: AgentDirectory,
) -> None:
    with running(agent) as daemon:
        passes(daemon)
        well_again(daemon)
        first = first_slot(agent)
        wait_until(lambda: newest(daemon) > first + 8, what="some slots")
        damage(store_of(agent), 2)
        wait_until(lambda: len(set_aside(agent)) > 0, 60, "the damage being found")
        before = newest(daemon)
        wait_until(lambda: newest(daemon) >= before + 3, what="evaluation going on")
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)
        words = daemon.log.read_text()
        assert "salvaged from" in words
        told = "".join(re.findall(r"It was set aside as (.*), and a new store is begun", words))
        names = {name for name in set_aside(agent) if ".damaged-" in name}
        assert set(re.findall(r"sloagent\.db\.damaged-[\w-]+", told)) == names
        assert any(name.endswith("Z-wal") for name in names)
        assert not [name for name in set_aside(agent) if name.endswith(".salvage")]


def test_a_lock_that_another_process_holds_is_no_damage(agent: AgentDirectory) -> None:
    with running(agent) as daemon:
        passes(daemon)
        well_again(daemon)
        first = first_slot(agent)
        other = sqlite3.connect(store_of(agent), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        in_trouble(daemon, "is held by another process")
        other.close()
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)
        assert set_aside(agent) == []


def test_of_two_agents_one_sets_the_file_aside_and_both_go_on_in_the_new_one(
    agent: AgentDirectory, prometheus: Prometheus
) -> None:
    store = f"store: {{path: '{store_of(agent)}'}}\n"
    other = AgentDirectory(
        agent.directory.parent / "other", prometheus.url, slos={"own.yaml": UP_EVERY_SECOND},
        extra=QUICK.splitlines()[0] + "\n" + store,
    )  # fmt: skip
    with running(agent) as one, running(other) as two:
        for daemon in (one, two):
            passes(daemon)
            well_again(daemon)
        first = first_slot(agent)
        wait_until(lambda: newest(one) > first + 6, what="some slots")
        damage(store_of(agent), 2)
        wait_until(lambda: len(set_aside(agent)) > 0, 60, "the damage being found")
        for daemon in (one, two):
            before = newest(daemon)
            wait_until(lambda daemon=daemon, before=before: newest(daemon) >= before + 3, what="evaluation going on")
            well_again(daemon)
        every_slot_is_there(agent, one, first)
        assert len({name.partition("-")[2].partition("-")[0] for name in set_aside(agent)}) == 1
        logs = one.log.read_text() + two.log.read_text()
        assert logs.count("It was set aside as") == 1


def test_a_store_that_was_moved_away_while_used_is_begun_anew(agent: AgentDirectory) -> None:
    with running(agent) as daemon:
        passes(daemon)
        well_again(daemon)
        first = first_slot(agent)
        store_of(agent).rename(store_of(agent).with_name("elsewhere.db"))
        wait_until(store_of(agent).exists, what="a new store")
        well_again(daemon)
        every_slot_is_there(agent, daemon, first)
        assert "moved, removed or replaced" in daemon.log.read_text()


assert sys.platform == "linux", "these tests mount file systems and look into /proc"
