"""Replay equals live: slot by slot, by range, by backfill and by catch-up after kill -9, the dump has the same bytes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sloagent.app import demo_data
from sloagent.app.assess import Stretch
from sloagent.app.wiring import load, open_store
from sloagent.model.timerange import TimeRange
from tests.agent import SLOAGENT, AgentDirectory, DaemonProcess, wait_until
from tests.clock import WallClock
from tests.faults import FaultServer, dated
from tests.prometheus import Prometheus

STORES = 3
KILLS_OF_A_BACKFILL = 10
KILLS_OF_THE_DAEMON = 20
STEPPED = Path(__file__).with_name("stepped.py")
EVERYTHING = "store: {path: sloagent.db, retention: 36500d, full_rows: 36500d}\n"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prometheus, str, str]]:
    """The recorded run in a real Prometheus, and the range that is judged."""
    data = tmp_path_factory.mktemp("replay") / "data"
    recording = demo_data.unpack(data)
    start = (recording.start + timedelta(minutes=6)).isoformat().replace("+00:00", "Z")
    end = recording.end.isoformat().replace("+00:00", "Z")
    with Prometheus(data) as server:
        yield server, start, end


@pytest.fixture(scope="module")
def undisturbed(recorded: tuple[Prometheus, str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The dump after one backfill that nothing disturbed."""
    server, start, end = recorded
    agent = fresh(server, tmp_path_factory.mktemp("undisturbed"))
    done = agent.command("backfill", "--from", start, "--to", end)
    assert done.returncode == 0, done.stderr
    return agent.dump()


def fresh(server: Prometheus | FaultServer, directory: Path) -> AgentDirectory:
    """An agent with an empty store over the shipped karmada set."""
    agent = AgentDirectory(directory, server.url, slos={}, extra=EVERYTHING)
    agent.write(server.url, ["builtin:karmada"], EVERYTHING)
    return agent


def test_slot_by_slot_gives_the_same_bytes_as_ranges(
    recorded: tuple[Prometheus, str, str], undisturbed: str, tmp_path: Path
) -> None:
    server, start, end = recorded
    agent = fresh(server, tmp_path)
    program = "from tests.e2e.slot_by_slot import main; main()"
    done = subprocess.run(
        [SLOAGENT[0], "-c", program, str(agent.configuration), start, end], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert agent.dump() == undisturbed


def test_ranges_halved_because_no_answer_may_be_large_give_the_same_bytes(
    recorded: tuple[Prometheus, str, str], undisturbed: str, tmp_path: Path
) -> None:
    server, start, end = recorded
    agent = fresh(server, tmp_path)
    agent.write(server.url, ["builtin:karmada"], EVERYTHING + "evaluation: {max_response: 256KiB}\n")
    with_ranges = queries_asked(server)
    done = agent.command("backfill", "--from", start, "--to", end)
    assert done.returncode == 0, done.stderr
    assert agent.dump() == undisturbed
    assert queries_asked(server) - with_ranges > 100, "nothing was halved: the bound was not reached"


def queries_asked(server: Prometheus) -> float:
    """How many queries this Prometheus has answered, from its own metrics."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    asked = "prometheus_http_requests_total{"
    return sum(float(line.split()[-1]) for line in lines if line.startswith(asked) and "/api/v1/query" in line)


@pytest.mark.parametrize("seed", range(STORES))
def test_a_backfill_killed_at_random_moments_and_begun_again_loses_and_doubles_nothing(
    seed: int, recorded: tuple[Prometheus, str, str], undisturbed: str, tmp_path: Path
) -> None:
    server, start, end = recorded
    agent = fresh(server, tmp_path)
    command = [*SLOAGENT, "backfill", "-c", str(agent.configuration), "--from", start, "--to", end]
    chance = random.Random(seed)
    killed_at_work = 0
    for _ in range(KILLS_OF_A_BACKFILL):
        before = writes(tmp_path)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path)
        wait_until(lambda: writes(tmp_path) != before or process.poll() is not None, what="the first commit")  # noqa: B023
        time.sleep(chance.uniform(0.0, 0.1))
        process.kill()
        killed_at_work += process.wait() == -signal.SIGKILL
    assert killed_at_work > KILLS_OF_A_BACKFILL // 2, "most kills came too late: the test shows little"
    done = agent.command("backfill", "--from", start, "--to", end)
    assert done.returncode == 0, done.stderr
    assert agent.command("store", "check").returncode == 0
    assert agent.dump() == undisturbed


def test_a_daemon_killed_at_random_moments_catches_up_to_the_same_bytes(
    recorded: tuple[Prometheus, str, str], undisturbed: str, tmp_path: Path
) -> None:
    """Its wall clock is set into the recorded time, so that the slots come due one after the other."""
    prometheus, start, end = recorded
    with FaultServer(prometheus.url) as server:
        clock = WallClock(tmp_path / "offset")
        server.fail(dated(clock.now))
        kill_and_catch_up(fresh(server, tmp_path / "agent"), clock, start, end, undisturbed)


def kill_and_catch_up(agent: AgentDirectory, clock: WallClock, start: str, end: str, undisturbed: str) -> None:
    """Kill the daemon at random moments while its slots come due; in the end nothing may be missing or different."""
    first, last = datetime.fromisoformat(start).timestamp(), datetime.fromisoformat(end).timestamp()
    chance = random.Random(7)
    now = first - first % 60 + 60 + 31  # the newest slot is then the first of the range: its delay of 30 s is over
    for _ in range(KILLS_OF_THE_DAEMON):
        clock.set(now)
        with DaemonProcess(agent, program=(SLOAGENT[0], str(STEPPED), str(clock.path))) as daemon:
            time.sleep(chance.uniform(0.0, 0.6))
            now = min(now + chance.choice((30.0, 60.0, 90.0, 150.0)), last + 29.0)
            clock.set(now)
            time.sleep(chance.uniform(0.0, 0.3))
            daemon.stop(signal.SIGKILL)
    clock.set(last + 31.0)
    with DaemonProcess(agent, program=(SLOAGENT[0], str(STEPPED), str(clock.path))) as daemon:
        wait_until(lambda: left(agent, start, end) == 0, 60, "every slot being caught up")
        assert daemon.stop() == 0
    done = agent.command(
        "backfill", "--from", start, "--to", end
    )  # the pieces of this range, which nobody had asked for
    assert done.returncode == 0, done.stderr
    assert "0 slots recorded" in done.stdout
    assert agent.dump() == undisturbed


def writes(directory: Path) -> list[tuple[str, int, int]]:
    """What changes with every commit: the sizes and times of the store's files."""
    return sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in directory.glob("sloagent.db*"))


def left(agent: AgentDirectory, start: str, end: str) -> int:
    """How many slots of the range have no verdict, read from the store beside the running daemon."""
    store = open_store(agent.configuration, read_only=True)
    settings, sets = load(agent.configuration)
    stretch = Stretch(TimeRange(datetime.fromisoformat(start), datetime.fromisoformat(end)), inside=False)
    try:
        return sum(
            len(set(stretch.slots(slo)) - store.recorded(settings.prometheus.name, slo, (0, 4_000_000_000)))
            for slo_set in sets
            for slo in slo_set.slos
        )
    finally:
        store.close()


def test_instant_range_head_and_block_answers_of_prometheus_are_the_same_numbers(
    recorded: tuple[Prometheus, str, str],
) -> None:
    """The ground that replay stands on, watched: Prometheus's own instant answers equal its range answers."""
    server, *_ = recorded

    def ask(path: str, **form: str) -> list[dict[str, object]]:
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{server.url}/api/v1/{path}", data=data, timeout=60) as answer:
            result: list[dict[str, object]] = json.load(answer)["data"]["result"]
            return result

    query = "sum by (le, verb) (rate(apiserver_request_sli_duration_seconds_bucket[5m]))"
    first = 1795326600
    ranged = {
        (json.dumps(series["metric"], sort_keys=True), at): value
        for series in ask("query_range", query=query, start=str(first), end=str(first + 900), step="60")
        for at, value in series["values"]  # type: ignore[attr-defined]
    }
    compared = 0
    for slot in range(first, first + 901, 60):
        for series in ask("query", query=query, time=str(slot)):
            at, value = series["value"]  # type: ignore[misc]
            assert ranged.pop((json.dumps(series["metric"], sort_keys=True), at)) == value
            compared += 1
    assert ranged == {}
    assert compared > 1_000
