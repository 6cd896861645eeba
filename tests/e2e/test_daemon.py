"""The daemon through its life: an outage, reloads, signals, an agent file that is wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent import SLOAGENT, UP_EVERY_SECOND, AgentDirectory, DaemonProcess, wait_until
from tests.prometheus import Prometheus, await_first_scrape, scraping_itself

LATENCY = """\
  - name: requests
    sli: {latency: {histogram: prometheus_http_request_duration_seconds, by: [handler]}}
    objective: {percentile: 99, at_most: 400ms}
"""
QUICK = "evaluation: {delay: 200ms, query_timeout: 5s}\n"


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    with scraping_itself(tmp_path / "data") as server:
        await_first_scrape(server)
        yield server


@pytest.fixture
def agent(prometheus: Prometheus, tmp_path: Path) -> AgentDirectory:
    return AgentDirectory(tmp_path / "agent", prometheus.url, slos={"own.yaml": UP_EVERY_SECOND}, extra=QUICK)


def recorded_slots(agent: AgentDirectory) -> dict[int, str]:
    """Slot to outcome of the SLO `up`, from the dump."""
    rows = (json.loads(line) for line in agent.dump().splitlines())
    return {row["slot"]: row["outcome"] for row in rows if row["kind"] == "slot" and row["slo"] == "up"}


def newest(daemon: DaemonProcess) -> float:
    """The newest slot shown for the SLO `up`."""
    return daemon.metric("sloagent_slo_evaluated_slot_timestamp_seconds", slo="up") or 0.0


def test_after_an_outage_of_prometheus_every_slot_is_there_once_and_what_was_pending_was_shown(
    agent: AgentDirectory, prometheus: Prometheus
) -> None:
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: daemon.metric("sloagent_slo_outcome", slo="up", outcome="pass") == 1.0, what="a pass")
        first = max(recorded_slots(agent))
        prometheus.stop()
        wait_until(lambda: daemon.metric("sloagent_slo_outcome", slo="up", outcome="error") == 1.0, what="an error")
        row = next(row for row in json.loads(daemon.get("/api/v1/verdicts"))["verdicts"] if row["slo"] == "up")
        assert row["outcome"] == "error"
        assert "refused" in row["reason"].lower()
        wait_until(lambda: (daemon.metric("sloagent_pending_slots") or 0) >= 2, 15, "pending slots being counted")
        assert daemon.get("/-/ready") == "sloagent is ready.\n"
        stopped = max(recorded_slots(agent))
        prometheus.start()
        back = time.time()
        wait_until(lambda: newest(daemon) > back + 1, what="live slots going on")
        wait_until(lambda: daemon.metric("sloagent_pending_slots") == 0.0, what="the missing slots being filled")
        assert daemon.stop() == 0
    slots = recorded_slots(agent)
    # Of the seconds before the end one may still have been missing: a next start would fill it.
    assert set(range(min(slots), int(back) + 1)) <= set(slots), "a slot of the outage is missing"
    assert max(slots) > stopped + 2
    answered = [outcome for slot, outcome in slots.items() if slot > first]
    assert "error" not in answered, "a slot was recorded as an error although Prometheus answered for it later"


def test_a_reload_takes_the_new_slos_and_a_wrong_file_leaves_the_old_ones_in_force(agent: AgentDirectory) -> None:
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: newest(daemon) > 0, what="a verdict")
        (agent.directory / "own.yaml").write_text(UP_EVERY_SECOND + LATENCY)
        assert daemon.post("/-/reload") == (200, "configuration reloaded\n")
        wait_until(
            lambda: daemon.metric("sloagent_slo_evaluated_slot_timestamp_seconds", slo="requests"), what="the new SLO"
        )
        (agent.directory / "own.yaml").write_text(UP_EVERY_SECOND.replace("at_least: 1", "at_lest: 1"))
        status, body = daemon.post("/-/reload")
        assert status == 400
        assert 'did you mean "at_least"?' in body
        assert daemon.metric("sloagent_config_last_reload_successful") == 0.0
        before = newest(daemon)
        wait_until(lambda: newest(daemon) > before, what="the old SLOs going on")
        names = {row["slo"] for row in json.loads(daemon.get("/api/v1/slos"))["slos"]}
        assert names == {"up", "requests"}
        (agent.directory / "own.yaml").write_text(UP_EVERY_SECOND)
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.metric("sloagent_config_last_reload_successful") == 1.0, what="the reload by SIGHUP")
        wait_until(lambda: 'slo="requests"' not in daemon.get("/metrics"), what="the removed SLO vanishing")
        assert daemon.stop() == 0
    assert 'did you mean "at_least"?' not in daemon.log.read_text(), "what a POST was told is not repeated in the log"


def test_started_again_within_a_recorded_slot_it_shows_what_the_store_knows(
    agent: AgentDirectory, prometheus: Prometheus
) -> None:
    (agent.directory / "own.yaml").write_text(
        UP_EVERY_SECOND.replace("interval: 1s, window: 5s", "interval: 1h, window: 1h")
    )
    agent.write(prometheus.url, ["own.yaml"], "evaluation: {delay: 0s}\n")
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: newest(daemon) > 0, what="the slot of the hour")
        shown = daemon.get("/api/v1/verdicts")
        assert daemon.stop() == 0
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: newest(daemon) > 0, what="the recorded slot")
        assert daemon.get("/api/v1/verdicts") == shown
        assert daemon.metric("sloagent_query_duration_seconds_count") == 0.0, "it was asked again"
        assert daemon.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_ends_it_cleanly_and_soon(how: signal.Signals, agent: AgentDirectory) -> None:
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: newest(daemon) > 0, what="a verdict")
        begun = time.monotonic()
        assert daemon.stop(how) == 0
        assert time.monotonic() - begun < 10
    assert agent.command("store", "check").returncode == 0
    assert "Traceback" not in daemon.log.read_text()


def test_slots_that_fell_out_of_catch_up_are_recorded_as_never_answered(
    agent: AgentDirectory, prometheus: Prometheus
) -> None:
    agent.write(prometheus.url, ["own.yaml"], QUICK.replace("}", ", catch_up: 5s}"))
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: daemon.metric("sloagent_slo_outcome", slo="up", outcome="pass") == 1.0, what="a pass")
        assert daemon.stop() == 0
    ended = max(recorded_slots(agent))
    wait_until(lambda: time.time() > ended + 12, what="twelve seconds of absence")
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: "never answered" in daemon.log.read_text(), what="the loss being said")
        wait_until(lambda: daemon.metric("sloagent_pending_slots") == 0.0, what="the rest being filled")
        assert daemon.stop() == 0
    slots = recorded_slots(agent)
    assert set(range(min(slots), ended + 8)) <= set(slots), "a slot of the absence is missing"
    lost = [slot for slot, outcome in slots.items() if outcome == "error" and slot > ended]
    assert lost
    assert min(lost) == ended + 1


def test_a_wrong_agent_file_is_a_sentence_and_exit_2(agent: AgentDirectory) -> None:
    agent.configuration.write_text(agent.configuration.read_text().replace("prometheus:", "promtheus:"))
    done = subprocess.run(
        [*SLOAGENT, "run", "-c", str(agent.configuration)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert 'did you mean "prometheus"?' in done.stderr
    assert "Traceback" not in done.stderr
