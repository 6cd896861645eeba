"""A Prometheus that goes away, cannot be found, is slow, comes back, or comes back without its past: cases 1-3, 12, 35."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import faults
from tests.agent import UP_EVERY_SECOND, AgentDirectory, DaemonProcess, wait_until
from tests.faults import Exchange, FaultServer
from tests.prometheus import Prometheus, await_first_scrape, scraping_itself

QUICK = "evaluation: {delay: 200ms, query_timeout: 5s}\n"
ROUNDS_SECONDS = 12.0
"""Longer than two rounds of catching up."""


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    with scraping_itself(tmp_path / "data") as server:
        await_first_scrape(server)
        yield server


def ask(server: Prometheus, query: str) -> list[dict]:
    body = urllib.parse.urlencode({"query": query}).encode()
    with urllib.request.urlopen(f"{server.url}/api/v1/query", body, timeout=5) as answer:
        return json.load(answer)["data"]["result"]


def shown(daemon: DaemonProcess, slo: str = "up") -> tuple[str, str]:
    """Outcome and reason of the newest verdict in the API; empty before the first."""
    rows = [row for row in json.loads(daemon.get("/api/v1/verdicts"))["verdicts"] if row["slo"] == slo]
    return (rows[0]["outcome"], rows[0]["reason"]) if rows else ("", "")


def newest(daemon: DaemonProcess, slo: str = "up") -> float:
    return daemon.metric("sloagent_slo_evaluated_slot_timestamp_seconds", slo=slo) or 0.0


def slots(agent: AgentDirectory, slo: str = "up") -> dict[int, dict]:
    """Slot to the row of the SLO at it, from the dump."""
    return {row["slot"]: row for row in agent.rows() if row["kind"] == "slot" and row["slo"] == slo}


def outcomes(agent: AgentDirectory, slo: str = "up") -> dict[int, str]:
    return {slot: row["outcome"] for slot, row in slots(agent, slo).items()}


def lines_of(log: str, words: str) -> list[str]:
    return [line for line in log.splitlines() if words in line]


def test_a_prometheus_that_is_killed_is_one_line_in_the_log_and_another_when_it_is_back(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    agent = AgentDirectory(tmp_path / "agent", prometheus.url, slos={"own.yaml": UP_EVERY_SECOND}, extra=QUICK)
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: shown(daemon)[0] == "pass", what="a pass")
        prometheus.stop(signal.SIGKILL)
        gone = time.time()
        wait_until(lambda: shown(daemon)[0] == "error", 10, "the error being shown")
        assert shown(daemon)[1].endswith(f": {prometheus.url}: no connection: connection refused")
        wait_until(lambda: time.time() > gone + ROUNDS_SECONDS, what="two rounds of catching up")
        assert (daemon.metric("sloagent_query_failures_total", kind="unreachable") or 0) >= 2
        assert (daemon.metric("sloagent_pending_slots") or 0) >= 3
        assert max(outcomes(agent)) <= gone + 1, "a slot was recorded that nobody answered for"
        assert agent.command("check").returncode == 3
        prometheus.start()
        back = time.time()
        wait_until(lambda: set(range(int(gone), int(back))) <= set(outcomes(agent)), 40, "the slots being filled")
        wait_until(lambda: lines_of(daemon.log.read_text(), "answers again"), what="the recovery being said")
        assert daemon.stop() == 0
    assert {outcomes(agent)[slot] for slot in range(int(gone), int(back))} == {"pass"}
    log = daemon.log.read_text()
    assert len(lines_of(log, "slots stay pending")) == 1
    assert len(lines_of(log, "answers again")) == 1
    assert "Traceback" not in log


def test_a_name_without_an_address_is_an_error_until_a_reload_names_another(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    agent = AgentDirectory(
        tmp_path / "agent", "http://no-such-host.invalid:9090", slos={"own.yaml": UP_EVERY_SECOND}, extra=QUICK
    )
    done = agent.command("check", "--at", "-2s")
    assert done.returncode == 3
    assert "the name of the host could not be resolved" in " ".join(done.stdout.split())
    with DaemonProcess(agent) as daemon:
        began = time.time()
        wait_until(lambda: shown(daemon)[0] == "error", what="the error being shown")
        assert "the name of the host could not be resolved" in shown(daemon)[1]
        wait_until(lambda: time.time() > began + ROUNDS_SECONDS, what="two rounds of catching up")
        assert (daemon.metric("sloagent_query_failures_total", kind="dns") or 0) >= 1
        assert outcomes(agent) == {}
        log = daemon.log.read_text()
        assert len(lines_of(log, "could not be resolved")) == 1, log
        agent.write(prometheus.url, ["own.yaml"], QUICK)
        assert daemon.post("/-/reload")[0] == 200
        wait_until(lambda: shown(daemon)[0] == "pass", what="a pass")
        assert daemon.stop() == 0


def test_a_prometheus_that_gives_up_on_a_query_is_a_time_out_in_its_own_words(tmp_path: Path) -> None:
    server = scraping_itself(tmp_path / "data", flags=("--query.timeout=1ms",))
    dear = UP_EVERY_SECOND.replace("'up'", "'sum_over_time(count(up or vector(1))[6h:100ms])'")
    with server:
        agent = AgentDirectory(tmp_path / "agent", server.url, slos={"dear.yaml": dear})
        done = agent.command("check", "--at", "-2s", "--format", "json")
        assert done.returncode == 3
        (entry,) = json.loads(done.stdout)["verdicts"]
        assert entry["outcome"] == "error"
        assert "503 Service Unavailable: query timed out" in entry["reason"]


def test_a_restart_between_two_ticks_is_no_failure(prometheus: Prometheus, tmp_path: Path) -> None:
    slow = UP_EVERY_SECOND.replace("interval: 1s, window: 5s", "interval: 5s, window: 5s")
    agent = AgentDirectory(tmp_path / "agent", prometheus.url, slos={"own.yaml": slow}, extra=QUICK)
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: shown(daemon)[0] == "pass", what="a pass")
        before = newest(daemon)
        wait_until(lambda: newest(daemon) > before, what="a tick, over the connection that is kept")
        prometheus.stop()
        prometheus.start()
        before = newest(daemon)
        wait_until(lambda: newest(daemon) > before, what="the next tick")
        assert shown(daemon)[0] == "pass"
        # Before its first scrape Prometheus had no past yet; that is no failure of the connection.
        failures = [
            line for line in daemon.get("/metrics").splitlines() if line.startswith("sloagent_query_failures_total{")
        ]
        assert [line for line in failures if not line.endswith(" 0.0") and "history_lost" not in line] == [], (
            "the broken connection was counted"
        )
        assert daemon.stop() == 0
    assert lines_of(daemon.log.read_text(), "pending") == []


def test_a_prometheus_that_came_back_without_its_past(prometheus: Prometheus, tmp_path: Path) -> None:
    nothing = "  - {name: nothing, sli: {value: {query: max(no_such_metric), unit: count}}, objective: {at_least: 1}}\n"
    agent = AgentDirectory(
        tmp_path / "agent", prometheus.url, slos={"own.yaml": UP_EVERY_SECOND + nothing}, extra=QUICK
    )
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: len([o for o in outcomes(agent).values() if o == "pass"]) >= 3, what="some passes")
        wait_until(lambda: shown(daemon, "nothing")[0] == "no_data", what="an honest no_data")
        prometheus.stop()
        gone = time.time()
        wait_until(lambda: (daemon.metric("sloagent_pending_slots") or 0) >= 6, what="pending slots")
        before = slots(agent)
        shutil.rmtree(prometheus.directory)
        prometheus.start()
        await_first_scrape(prometheus)
        (row,) = ask(prometheus, "up[1h]")
        oldest = float(row["values"][0][0])
        wait_until(lambda: newest(daemon) > oldest + 3, what="live slots going on")
        wait_until(
            lambda: set(range(int(gone), int(oldest) + 2)) <= set(outcomes(agent)), 40, "the slots being decided"
        )
        wait_until(
            lambda: set(range(int(gone), int(oldest) + 2)) <= set(outcomes(agent, "nothing")), 40, "the others too"
        )
        assert daemon.stop() == 0
    after = slots(agent)
    assert {slot: after[slot] for slot in before} == before, "what was recorded stays as it is"
    without_past = range(max(before) + 1, int(oldest) + 1)
    assert len(without_past) >= 5
    for name in ("up", "nothing"):
        found = {slot: row for slot, row in slots(agent, name).items() if slot in without_past}
        assert {row["outcome"] for row in found.values()} == {"error"}, "no_data would say that somebody had looked"
        assert all("history begins later or was lost" in json.dumps(row) for row in found.values())
    assert {outcome for slot, outcome in outcomes(agent).items() if slot > oldest + 1} == {"pass"}
    assert lines_of(daemon.log.read_text(), "Traceback") == []


POISONED = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - {name: always-slow, sli: {value: {query: 'max(up) + 0', unit: count}}, objective: {at_least: 1}}
  - {name: up, sli: {value: {query: 'up', unit: count}}, objective: {at_least: 1}}
"""


def test_an_slo_that_never_gets_an_answer_does_not_keep_the_others_from_catching_up(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    with FaultServer(prometheus.url) as server:
        agent = AgentDirectory(tmp_path / "agent", server.url, slos={"own.yaml": POISONED}, extra=QUICK)
        with DaemonProcess(agent) as daemon:
            wait_until(lambda: shown(daemon)[0] == shown(daemon, "always-slow")[0] == "pass", what="a pass of both")
            gone = time.time()
            server.refuse()
            wait_until(lambda: (daemon.metric("sloagent_pending_slots") or 0) >= 6, what="pending slots of both")
            out_of_time = faults.error(503, "timeout", "query timed out in expression evaluation")
            server.fail(out_of_time, when=lambda request: request.form.get("query") == "max(up) + 0")
            back = time.time()
            server.listen()
            wait_until(
                lambda: set(range(int(gone), int(back))) <= set(outcomes(agent)), 25, "the other SLO's catching up"
            )
            assert daemon.stop() == 0


def test_one_slot_that_never_gets_an_answer_does_not_keep_the_later_ones_from_theirs(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    poisoned: list[int] = []

    def holds(request: faults.Request) -> bool:
        form = request.form
        if "time" in form:
            return int(float(form["time"])) in poisoned
        return (
            "start" in form
            and "step" in form
            and any(float(form["start"]) <= slot <= float(form["end"]) for slot in poisoned)
        )

    with FaultServer(prometheus.url) as server:
        agent = AgentDirectory(tmp_path / "agent", server.url, slos={"own.yaml": UP_EVERY_SECOND}, extra=QUICK)
        with DaemonProcess(agent) as daemon:
            wait_until(lambda: shown(daemon)[0] == "pass", what="a pass")
            server.refuse()
            gone = time.time()
            wait_until(lambda: (daemon.metric("sloagent_pending_slots") or 0) >= 6, what="pending slots")
            poisoned.append(int(gone) + 2)
            server.fail(faults.error(503, "timeout", "query timed out in expression evaluation"), when=holds)
            back = time.time()
            server.listen()
            expected = set(range(int(gone), int(back))) - set(poisoned)
            wait_until(lambda: expected <= set(outcomes(agent)), 30, "the slots around the one that never answers")
            assert poisoned[0] not in outcomes(agent)
            server.heal()
            wait_until(lambda: poisoned[0] in outcomes(agent), what="that one too, once it is answered")
            assert daemon.stop() == 0
    assert {outcomes(agent)[slot] for slot in expected | set(poisoned)} == {"pass"}


SLOW_AND_QUICK = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - {name: up, sli: {value: {query: 'up', unit: count}}, objective: {at_least: 1}}
  - {name: slow, interval: 2s, window: 6s, sli: {value: {query: 'max(up) + 0', unit: count}}, objective: {at_least: 1}}
"""


def test_a_question_that_takes_longer_than_its_interval_delays_no_other_and_loses_no_slot(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    open_since: list[float] = []
    lock = threading.Lock()

    def late(exchange: Exchange) -> bool:
        with lock:
            open_since.append(time.time())
        try:
            return False if exchange.wait(2.5) else faults.forward(exchange)
        finally:
            with lock:
                open_since.pop(0)

    with FaultServer(prometheus.url) as server:
        agent = AgentDirectory(tmp_path / "agent", server.url, slos={"own.yaml": SLOW_AND_QUICK}, extra=QUICK)
        with DaemonProcess(agent) as daemon:
            wait_until(lambda: shown(daemon)[0] == shown(daemon, "slow")[0] == "pass", what="a pass of both")
            began = time.time()
            server.fail(late, when=lambda r: r.form.get("query") == "max(up) + 0" and "time" in r.form)
            overtaken = 0
            while overtaken < 3:
                assert time.time() < began + 60, "the quick SLO waits for the slow one"
                wait_until(lambda: open_since, what="a slow question")
                asked, before = open_since[:1], newest(daemon)
                wait_until(lambda asked=asked: open_since[:1] != asked, what="its answer")
                overtaken += newest(daemon) > before
            assert (daemon.metric("sloagent_ticks_missed_total") or 0) >= 1, "ticks that were skipped are counted"
            ended = time.time()
            server.heal()
            for slo, interval in (("up", 1), ("slow", 2)):
                due = set(range((int(began) // interval + 1) * interval, int(ended) - 1, interval))
                wait_until(lambda due=due, slo=slo: due <= set(outcomes(agent, slo)), 40, f"every slot of {slo}")
                assert {outcomes(agent, slo)[slot] for slot in due} == {"pass"}
            assert daemon.stop() == 0
    counted = Counter(row["slot"] for row in agent.rows() if row["kind"] == "slot" and row["slo"] == "up")
    assert set(counted.values()) == {1}
