"""Told to end at every moment: the daemon and the commands, by SIGTERM and Ctrl-C, once and twice. Case 39."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import faults
from tests.agent import SLOAGENT, UP_EVERY_SECOND, AgentDirectory, DaemonProcess, wait_until
from tests.faults import FaultServer
from tests.prometheus import Prometheus, await_first_scrape, blocks_from_openmetrics, scraping_itself

START = 1_790_000_000
RANGE = ("--from", "2026-09-21T14:15:00Z", "--to", "2026-09-21T14:40:00Z")
MOMENTS = 5
SLO = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: made}
defaults: {interval: 1m, window: 5m}
slos:
"""
ENDED_BY = {signal.SIGINT: (130, -signal.SIGINT), signal.SIGTERM: (143, -signal.SIGTERM)}
"""By signal: the statuses of a process that it has ended, before and after Python has taken hold of the signal."""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    data = tmp_path_factory.mktemp("signals") / "tsdb"
    lines = [f'memory_bytes{{pod="{pod}"}} 1e6 {START + i * 15}' for pod in "ab" for i in range(241)]
    blocks_from_openmetrics("\n".join([*lines, "# EOF", ""]), data)
    with Prometheus(data) as server:
        yield server


@pytest.fixture(scope="module")
def slow(prometheus: Prometheus) -> Iterator[FaultServer]:
    """The same Prometheus, each of its answers a little late, so that the work takes as long as the start."""
    with FaultServer(prometheus.url) as server:
        server.fail(faults.delay(0.05, faults.forward))
        yield server


def made_agent(directory: Path, url: str, slos: int = 12) -> AgentDirectory:
    text = SLO + "".join(
        f"  - {{name: memory-{n}, sli: {{value: {{query: 'max by (pod) (memory_bytes) + {n}', unit: bytes}}}},"
        " objective: {at_most: 1GiB}}\n"
        for n in range(slos)
    )
    return AgentDirectory(directory, url, slos={"made.yaml": text}, extra="evaluation: {max_queries: 2}\n")


def at_work(process: subprocess.Popen[str]) -> bool:
    """Whether it has come past Python's own start, of which Python alone has to answer for; or has ended already."""
    if process.poll() is not None:
        return True
    try:
        return "_pydantic_core" in Path(f"/proc/{process.pid}/maps").read_text()
    except OSError:
        return False


COMMANDS = {
    "check": ("check", *RANGE, "--format", "json"),
    "backfill": ("backfill", *RANGE),
    "report": ("report", *RANGE, "-o", "out"),
}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_ended_at_any_moment_leaves_nothing_half_done(
    name: str, how: signal.Signals, prometheus: Prometheus, slow: FaultServer, tmp_path: Path
) -> None:
    undisturbed = made_agent(tmp_path / "undisturbed", prometheus.url)
    began = time.monotonic()
    assert made_agent(tmp_path / "timed", slow.url).command(*COMMANDS[name]).returncode == 0
    takes = time.monotonic() - began
    whole = undisturbed.command(*COMMANDS[name])
    assert whole.returncode == 0, whole.stderr
    files = {path.relative_to(undisturbed.directory) for path in (undisturbed.directory / "out").rglob("*")}
    chance = random.Random(f"{name}{how}")
    agent = made_agent(tmp_path / "agent", slow.url)
    ended = 0
    for moment in range(MOMENTS):
        process = subprocess.Popen(
            [*SLOAGENT, *COMMANDS[name], "-c", str(agent.configuration)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=agent.directory,
        )  # fmt: skip
        wait_until(lambda process=process: at_work(process), what="its own code being at work")
        time.sleep(takes * (moment + chance.random()) / MOMENTS)  # spread over the whole of it, its imports included
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
        assert process.returncode in (0, *ENDED_BY[how]), (process.returncode, err)
        assert "Traceback" not in err, err
        ended += process.returncode != 0
        if name == "check":
            assert out == "" or json.loads(out)["schema"] == "sloagent/check/v1", "half a document was printed"
        for path in (agent.directory / "out").rglob("*"):
            # What is there under its own name is whole; a report of other slots would differ in its times only.
            if path.relative_to(agent.directory) in files and path.is_file():
                assert path.suffix == ".md" or path.read_text().rstrip().endswith(("</html>", "}", "</svg>")), path
    assert ended >= MOMENTS // 2, "the signals came too late to show anything"
    assert agent.command(*COMMANDS[name]).returncode == 0
    assert agent.command("store", "check").returncode == 0
    left = {path.relative_to(agent.directory) for path in (agent.directory / "out").rglob("*")}
    assert left == files, "the ended ones left something behind"
    assert agent.dump() == undisturbed.dump(), "what the ended ones recorded is what an undisturbed one records"


@pytest.fixture(scope="module")
def own_prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes itself each second, with a past of a moment."""
    with scraping_itself(tmp_path_factory.mktemp("live") / "data") as server:
        await_first_scrape(server)
        yield server


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_the_daemon_ended_at_any_moment_ends_with_0_and_a_sound_store(
    how: signal.Signals, times: int, own_prometheus: Prometheus, tmp_path: Path
) -> None:
    chance = random.Random(f"{how}{times}")
    with FaultServer(own_prometheus.url) as server:
        server.fail(faults.delay(0.1, faults.forward))
        agent = AgentDirectory(
            tmp_path / "agent", server.url, slos={"own.yaml": UP_EVERY_SECOND},
            extra="evaluation: {delay: 200ms, query_timeout: 5s}\n",
        )  # fmt: skip
        for _ in range(MOMENTS):
            with DaemonProcess(agent) as daemon:
                process = daemon.process
                assert process is not None
                time.sleep(chance.uniform(0.0, 1.5))
                process.send_signal(how)
                if times == 2:
                    time.sleep(chance.uniform(0.0, 0.2))
                    process.send_signal(how)
                assert process.wait(15) == 0, daemon.log.read_text()[-2000:]
        log = daemon.log.read_text()
        assert "Traceback" not in log
        assert log.count("msg=ended") == MOMENTS, "each ended by itself"
        assert agent.command("store", "check").returncode == 0
        slots = [row["slot"] for row in agent.rows() if row["kind"] == "slot"]
    assert len(slots) == len(set(slots)) > MOMENTS


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_the_daemon_ended_while_it_starts_leaves_a_sound_store(
    how: signal.Signals, own_prometheus: Prometheus, tmp_path: Path
) -> None:
    chance = random.Random(str(how))
    agent = AgentDirectory(tmp_path / "agent", own_prometheus.url, slos={"own.yaml": UP_EVERY_SECOND})
    for moment in range(MOMENTS):
        process = subprocess.Popen(
            [*SLOAGENT, "run", "-c", str(agent.configuration)], stderr=subprocess.PIPE, text=True, cwd=agent.directory
        )
        wait_until(lambda process=process: at_work(process), what="its own code being at work")
        time.sleep(0.8 * (moment + chance.random()) / MOMENTS)
        process.send_signal(how)
        _, err = process.communicate(timeout=30)
        assert process.returncode in (0, *ENDED_BY[how]), err
        assert "Traceback" not in err, err
        if (agent.directory / "sloagent.db").exists():
            assert agent.command("store", "check").returncode == 0


def test_a_question_without_an_answer_does_not_keep_the_daemon_from_ending(
    own_prometheus: Prometheus, tmp_path: Path
) -> None:
    with FaultServer(own_prometheus.url) as server:
        agent = AgentDirectory(
            tmp_path / "agent", server.url, slos={"own.yaml": UP_EVERY_SECOND},
            extra="evaluation: {delay: 200ms, query_timeout: 4s}\n",
        )  # fmt: skip
        with DaemonProcess(agent) as daemon:
            server.fail(faults.silence())
            asked = len(server.requests)
            wait_until(lambda: len(server.requests) > asked, what="a question under way")
            assert daemon.stop(timeout=4 + 10) == 0, "within the time-out of the question"
        assert "Traceback" not in daemon.log.read_text()
