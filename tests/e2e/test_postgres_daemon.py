"""The daemon on a store in PostgreSQL that is stopped and started, cut off, and shared with a second daemon."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.agent import SLOAGENT, UP_EVERY_SECOND, AgentDirectory, DaemonProcess, wait_until
from tests.postgres import PASSWORD, PostgresServer, Wire
from tests.prometheus import Prometheus, await_first_scrape, scraping_itself

VARIABLE = "SLOAGENT_TEST_STORE_PASSWORD"
EVALUATION = "evaluation: {delay: 1s, query_timeout: 5s}\n"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with scraping_itself(tmp_path_factory.mktemp("prometheus") / "data") as server:
        await_first_scrape(server)
        yield server


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def directory_on(path: Path, prometheus: Prometheus, store: str) -> AgentDirectory:
    return AgentDirectory(
        path, prometheus.url, slos={"own.yaml": UP_EVERY_SECOND}, extra=f"{EVALUATION}store: {store}\n"
    )


def slots_of(agent: AgentDirectory) -> list[int]:
    rows = map(json.loads, agent.dump().splitlines())
    return [row["slot"] for row in rows if row["kind"] == "slot"]


def newest_told(daemon: DaemonProcess) -> float:
    return daemon.metric("sloagent_slo_evaluated_slot_timestamp_seconds", slo="up") or 0.0


def listens(daemon: DaemonProcess) -> bool:
    try:
        daemon.get("/-/healthy")
    except OSError:
        return False
    return True


def filled(agent: AgentDirectory, until: int) -> tuple[int, int]:
    """The first recorded slot and `until`, once no slot is missing between the two."""

    def whole() -> bool:
        slots = slots_of(agent)
        return set(range(slots[0], until + 1)) <= set(slots)

    wait_until(whole, 60, "the missing slots being filled")
    return slots_of(agent)[0], until


def of_slots(dump: str, last: int) -> list[str]:
    """The lines that slots make, up to `last`; at a full hour a daemon adds a piece, which a backfill does not."""
    lines = [line for line in dump.splitlines() if not line.startswith('{"kind":"piece')]
    return [line for line in lines if json.loads(line).get("slot", 0) <= last]


def backfilled(path: Path, prometheus: Prometheus, first: int, last: int) -> str:
    """What an SQLite store holds after one backfill over these slots."""
    calm = directory_on(path, prometheus, "{path: sloagent.db}")
    words = (
        "--from",
        datetime.fromtimestamp(first, UTC).isoformat(),
        "--to",
        datetime.fromtimestamp(last, UTC).isoformat(),
    )
    done = calm.command("backfill", *words)
    assert done.returncode == 0, done.stderr
    return calm.dump()


def test_a_database_that_is_stopped_and_started_loses_no_slot_and_holds_up_nothing_else(tmp_path, prometheus, postgres):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    url = postgres.url(postgres.new_database())
    agent = directory_on(tmp_path / "agent", prometheus, f"{{url: '{url}', password_file: '{secret}', timeout: 5s}}")
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: len(slots_of(agent)) >= 3, what="the first slots")
        postgres.stop("immediate")
        wait_until(lambda: daemon.metric("sloagent_store_up") == 0.0, what="sloagent_store_up being 0")
        before = newest_told(daemon)
        wait_until(lambda: newest_told(daemon) >= before + 4, what="evaluation going on")
        assert daemon.metric("sloagent_slo_outcome", slo="up", outcome="pass") == 1.0
        assert "cannot be reached" in daemon.log.read_text()
        stopped_until = int(time.time())
        postgres.start()
        wait_until(lambda: daemon.metric("sloagent_store_up") == 1.0, what="sloagent_store_up being 1")
        wait_until(lambda: daemon.metric("sloagent_pending_slots") == 0.0, what="catching up")
        first, last = filled(agent, stopped_until + 2)
        shown = daemon.get("/metrics") + daemon.get("/api/v1/verdicts")
        assert daemon.stop() == 0
    dump = of_slots(agent.dump(), last)
    assert dump == of_slots(backfilled(tmp_path / "calm", prometheus, first, last), last)
    checked = agent.command("store", "check")
    assert (checked.returncode, checked.stderr) == (0, "")
    log = daemon.log.read_text()
    assert "Traceback" not in log
    shown += log + agent.command("config", "show").stdout + checked.stdout + "\n".join(dump)
    assert PASSWORD not in shown
    assert "password" in agent.command("config", "show").stdout


def test_a_wire_to_the_database_that_swallows_everything_stops_no_evaluation_and_loses_no_slot(
    tmp_path, prometheus, postgres
):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    with Wire(postgres.port) as wire:
        url = postgres.url(postgres.new_database(), wire.port)
        agent = directory_on(
            tmp_path / "agent", prometheus, f"{{url: '{url}', password_file: '{secret}', timeout: 1s}}"
        )
        with DaemonProcess(agent) as daemon:
            wait_until(lambda: len(slots_of(agent)) >= 3, what="the first slots")
            wire.silent = True
            wait_until(lambda: daemon.metric("sloagent_store_up") == 0.0, what="sloagent_store_up being 0")
            before = newest_told(daemon)
            wait_until(lambda: newest_told(daemon) >= before + 2, what="evaluation going on")
            wire.cut()
            wire.silent = False
            wait_until(lambda: daemon.metric("sloagent_store_up") == 1.0, what="sloagent_store_up being 1")
            first, last = filled(agent, int(time.time()))
            assert daemon.stop() == 0
        calm = backfilled(tmp_path / "calm", prometheus, first, last)
        assert of_slots(agent.dump(), last) == of_slots(calm, last)
        assert "Traceback" not in daemon.log.read_text()


def test_a_daemon_that_starts_before_its_database_begins_to_remember_when_it_comes(tmp_path, prometheus, postgres):
    url = postgres.socket_url(postgres.new_database())
    agent = directory_on(tmp_path / "agent", prometheus, f"{{url: '{url}', timeout: 5s}}")
    postgres.stop()
    daemon = DaemonProcess(agent)
    try:
        with daemon.log.open("ab") as log:  # `start` would wait until it is ready, which it is not without a store
            daemon.process = subprocess.Popen(
                [*SLOAGENT, "run", "-c", str(agent.configuration)], stdout=log, stderr=log, cwd=agent.directory
            )
        wait_until(lambda: listens(daemon), what="the daemon listening")
        wait_until(lambda: newest_told(daemon) > 0, what="evaluation without a store")
        assert daemon.metric("sloagent_store_up") == 0.0
        postgres.start()
        wait_until(lambda: daemon.metric("sloagent_store_up") == 1.0, what="sloagent_store_up being 1")
        wait_until(lambda: len(slots_of(agent)) >= 3, what="the first slots")
        assert daemon.stop() == 0
        assert agent.command("store", "check").returncode == 0
    finally:
        if daemon.process is not None:
            daemon.process.kill()
            daemon.process.wait()


def test_two_daemons_on_one_database_that_are_killed_in_turn_record_each_slot_once(tmp_path, prometheus, postgres):
    store = f"{{url: '{postgres.socket_url(postgres.new_database())}'}}"
    one, two = (directory_on(tmp_path / name, prometheus, store) for name in ("one", "two"))
    daemons = [DaemonProcess(one).start(), DaemonProcess(two).start()]
    try:
        wait_until(lambda: len(slots_of(one)) >= 3, what="the first slots")
        for turn in range(4):
            daemons[turn % 2].process.kill()
            daemons[turn % 2].process.wait()
            count = len(slots_of(one))
            wait_until(lambda count=count: len(slots_of(one)) >= count + 2, what="the other going on")
            daemons[turn % 2].start()
        first, last = filled(one, int(time.time()))
        assert [daemon.stop() for daemon in daemons] == [0, 0]
    finally:
        for daemon in daemons:
            if daemon.process is not None:
                daemon.process.kill()
                daemon.process.wait()
    dump = of_slots(one.dump(), last)
    assert dump == of_slots(backfilled(tmp_path / "calm", prometheus, first, last), last)
    assert one.command("store", "check").returncode == 0


def test_the_commands_of_a_store_work_on_a_database_too(tmp_path, prometheus, postgres):
    url = postgres.url(postgres.new_database())
    store = f"{{url: '{url}', password_env: {VARIABLE}}}"
    agent = directory_on(tmp_path / "agent", prometheus, store)
    os.environ[VARIABLE] = PASSWORD
    try:
        refused = agent.command("store", "dump")
        assert refused.returncode == 3
        assert "has not been begun yet" in refused.stderr
        now = int(time.time()) - 10
        words = (
            "--from",
            datetime.fromtimestamp(now - 20, UTC).isoformat(),
            "--to",
            datetime.fromtimestamp(now, UTC).isoformat(),
        )
        assert agent.command("backfill", *words).returncode == 0
        assert agent.command("runs", "start", "soak").returncode == 0
        done = agent.command("store", "check", "--format", "json")
        assert json.loads(done.stdout)["findings"] == []
        assert json.loads(done.stdout)["size_bytes"] > 0
        assert agent.command("store", "backup", "copy.db").returncode == 0
        copy = directory_on(tmp_path / "copy", prometheus, f"{{path: '{agent.directory / 'copy.db'}'}}")
        assert copy.dump() == agent.dump()
        assert copy.command("store", "check").returncode == 0
        assert len(slots_of(agent)) == 21
    finally:
        del os.environ[VARIABLE]
    without = agent.command("store", "check")
    assert without.returncode == 3
    assert f"the environment variable {VARIABLE} is not set" in without.stderr


@pytest.mark.parametrize(
    ("store", "sentence"),
    [
        ("{{url: 'postgresql://sloagent:{secret}@127.0.0.1/soak'}}", "use password_file or password_env"),
        ("{{url: 'postgresql://sloagent@127.0.0.1/soak?password={secret}'}}", "use password_file or password_env"),
        ("{{url: 'postgresql://127.0.0.1/soak', path: sloagent.db}}", "path and url exclude each other"),
    ],
)
def test_a_place_that_cannot_be_meant_is_refused_without_its_password(tmp_path, store, sentence):
    agent = AgentDirectory(
        tmp_path / "agent", "http://127.0.0.1:9", slos={"own.yaml": UP_EVERY_SECOND},
        extra=f"store: {store.format(secret='canary-1234')}\n",
    )  # fmt: skip
    done = agent.command("store", "check")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "canary" not in done.stdout + done.stderr
