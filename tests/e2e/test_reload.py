"""A thousand reloads under load: questions in flight, files that come, go and are wrong; nothing is lost or left over."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent import UP_EVERY_SECOND, AgentDirectory, DaemonProcess, wait_until
from tests.faults import FaultServer, delay, forward
from tests.prometheus import await_first_scrape, scraping_itself

RELOADS = 1_000
SETTLED = 200
"""By then every module is imported and every pool has its threads."""
SECOND = """
  - name: now-and-then
    sli: {value: {query: 'prometheus_tsdb_head_series', unit: count}}
    objective: {at_most: 1000000}
"""
WRONG = UP_EVERY_SECOND.replace("at_least: 1", "at_lest: 1")


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[FaultServer]:
    """A real Prometheus behind a proxy that takes a while: there is always a question in flight."""
    prometheus = scraping_itself(tmp_path / "data")
    with prometheus, FaultServer(prometheus.url) as server:
        await_first_scrape(prometheus)
        server.fail(delay(0.3, forward))
        yield server


def held(daemon: DaemonProcess) -> tuple[int, int, int]:
    """Threads, descriptors and KiB of memory of the daemon."""
    assert daemon.process is not None
    process = Path(f"/proc/{daemon.process.pid}")
    status = process.joinpath("status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return len(list((process / "task").iterdir())), len(list((process / "fd").iterdir())), int(resident.split()[1])


def test_a_thousand_reloads_under_load_lose_nothing_and_leave_nothing_behind(slow: FaultServer, tmp_path: Path) -> None:
    agent = AgentDirectory(
        tmp_path / "agent", slow.url, slos={"own.yaml": UP_EVERY_SECOND},
        extra="evaluation: {delay: 200ms, query_timeout: 5s}\n",
    )  # fmt: skip
    file = agent.directory / "own.yaml"
    with DaemonProcess(agent) as daemon:
        wait_until(lambda: daemon.metric("sloagent_slo_outcome", slo="up", outcome="pass") == 1.0, what="a pass")
        settled = (0, 0, 0)
        for number in range(RELOADS):
            wrong = number % 10 == 9
            file.write_text(WRONG if wrong else UP_EVERY_SECOND + SECOND * (number % 2))
            status, body = daemon.post("/-/reload")
            assert status == (400 if wrong else 200), body
            if wrong:
                assert daemon.metric("sloagent_config_last_reload_successful") == 0.0
            shown = {row["slo"] for row in json.loads(daemon.get("/api/v1/slos"))["slos"]}
            assert shown == ({"up"} if (number - wrong) % 2 == 0 else {"up", "now-and-then"}), "half of a configuration"
            if number == SETTLED:
                settled = held(daemon)
        file.write_text(UP_EVERY_SECOND)
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: '"now-and-then"' not in daemon.get("/api/v1/slos"), what="the last reload")
        assert 'slo="now-and-then"' not in daemon.get("/metrics")
        threads, descriptors, resident = held(daemon)
        # Connections and pool threads come and go with the questions in flight; a leak would be one for each reload.
        assert threads <= settled[0] + 8, f"{settled[0]} threads became {threads}"
        assert descriptors <= settled[1] + 16, f"{settled[1]} descriptors became {descriptors}"
        assert resident <= settled[2] + 8 * 1024, f"{settled[2]} KiB became {resident} KiB"
        slow.heal()
        wait_until(lambda: daemon.metric("sloagent_pending_slots") == 0.0, what="the missing slots being filled")
        assert daemon.stop() == 0
    log = daemon.log.read_text()
    assert "Traceback" not in log
    assert "failed:" not in log
    rows = [json.loads(line) for line in agent.dump().splitlines()]
    slots = sorted(row["slot"] for row in rows if row["kind"] == "slot" and row["slo"] == "up")
    assert slots == list(range(slots[0], slots[-1] + 1)), "a slot was lost or recorded twice"
    begun = min(row["slot"] for row in rows if row["kind"] == "slot" and row["outcome"] == "pass")  # the first scrape
    assert not [row for row in rows if row["kind"] == "slot" and row["outcome"] == "error" and row["slot"] > begun]
