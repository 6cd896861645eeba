"""A load test marks its own phases at a real daemon, as curl sends them, while others do the same."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.agent import UP_EVERY_SECOND, AgentDirectory, DaemonProcess


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A daemon whose Prometheus is away: runs do not need one."""
    with DaemonProcess(AgentDirectory(tmp_path, "http://127.0.0.1:1", slos={"own.yaml": UP_EVERY_SECOND})) as running:
        yield running


def curl(daemon: DaemonProcess, path: str, body: dict | None = None) -> tuple[int, dict]:
    """Status and JSON of a request of the real curl; a POST where there is a body."""
    words = ["curl", "-s", "-w", "\n%{http_code}", f"{daemon.url}/api/v1/runs{path}"]
    if body is not None:
        words += ["--json", json.dumps(body)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    answer, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(answer)


def shown(daemon: DaemonProcess, name: str) -> dict:
    done = daemon.agent.command("runs", "show", name, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_marked_over_http_is_what_the_command_shows_even_after_a_kill(daemon: DaemonProcess) -> None:
    assert curl(daemon, "", {"name": "soak-7", "labels": {"mode": "push"}, "at": "-10m"})[0] == 201
    assert curl(daemon, "/soak-7/phases", {"name": "create", "to": "-5m"})[0] == 201
    assert curl(daemon, "/soak-7/exclusions", {"from": "-4m", "to": "-3m", "reason": "chaos"})[0] == 201
    status, answered = curl(daemon, "/soak-7/phases", {"name": "mixed"})
    assert status == 201
    assert shown(daemon, "soak-7") == answered
    daemon.stop(signal.SIGKILL)
    daemon.start()
    assert curl(daemon, "/soak-7") == (200, answered)
    status, ended = curl(daemon, "/soak-7/stop", {})
    assert (status, ended["runs"][0]["labels"]) == (200, {"mode": "push"})
    assert curl(daemon, "/soak-7/stop", {}) == (
        409,
        {"error": f"`soak-7` ended at {ended['runs'][0]['to']} already", "hint": ""},
    )


def test_many_who_mark_phases_at_once_over_http_and_by_command_lose_none(daemon: DaemonProcess) -> None:
    assert curl(daemon, "", {"name": "soak", "at": "-10m"})[0] == 201
    failed: list[object] = []

    def over_http(worker: int) -> None:
        for number in range(5):
            status, answer = curl(daemon, "/soak/phases", {"name": f"{worker}-{number}", "from": "-2m"})
            if status != 201:
                failed.append(answer)

    def by_command() -> None:
        for number in range(5):
            done = daemon.agent.command("runs", "phase", "soak", f"c-{number}", "--from", "-2m")
            if done.returncode:
                failed.append(done.stderr)

    threads = [threading.Thread(target=over_http, args=(worker,)) for worker in range(4)]
    threads.append(threading.Thread(target=by_command))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    marked = {phase["name"] for phase in curl(daemon, "/soak")[1]["runs"][0]["phases"]}
    assert marked == {f"{worker}-{number}" for worker in (*range(4), "c") for number in range(5)}


def test_a_store_that_somebody_holds_is_503_and_holds_up_nothing_else(daemon: DaemonProcess) -> None:
    answers: list[tuple[int, dict]] = []
    with closing(sqlite3.connect(daemon.agent.directory / "sloagent.db", isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=lambda: answers.append(curl(daemon, "", {"name": "soak"})))
        waiting.start()
        began, asked = time.monotonic(), 0
        while waiting.is_alive():
            before = time.monotonic()
            assert daemon.get("/-/healthy") == "sloagent is healthy.\n"
            assert json.loads(daemon.get("/api/v1/verdicts"))["schema"] == "sloagent/verdicts/v1"
            assert time.monotonic() - before < 2.0
            asked += 1
            waiting.join(0.1)
        assert asked > 3, f"the store was not waited for: {time.monotonic() - began:.1f} s"
    (status, answer), *_ = answers
    assert status == 503
    assert "locked" in answer["error"]
    assert curl(daemon, "") == (200, {"schema": "sloagent/runs/v1", "runs": []})
