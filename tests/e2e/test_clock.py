"""The wall clock that APScheduler itself reads is set while the daemon runs: it neither stalls nor floods."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent import UP_EVERY_SECOND, AgentDirectory, DaemonProcess, wait_until
from tests.clock import WallClock
from tests.prometheus import Prometheus, scraping_itself


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with scraping_itself(tmp_path_factory.mktemp("clock") / "data") as server:
        yield server


@pytest.mark.parametrize(
    "step",
    [-60.0, 3_600.0, 30 * 86_400.0, 100 * 365 * 86_400.0],
    ids=["60 s back", "1 h forward", "30 days forward", "100 years forward"],
)
def test_after_a_step_and_its_correction_the_newest_slots_are_judged_again(
    step: float, prometheus: Prometheus, tmp_path: Path
) -> None:
    clock = WallClock(tmp_path / "offset")
    agent = AgentDirectory(
        tmp_path / "agent",
        prometheus.url,
        slos={"own.yaml": UP_EVERY_SECOND},
        extra="evaluation: {delay: 200ms, query_timeout: 5s}\n",
    )
    stepped = (sys.executable, str(Path(__file__).with_name("stepped.py")), str(clock.path))
    with DaemonProcess(agent, program=stepped) as daemon:

        def newest() -> float:
            return daemon.metric("sloagent_slo_evaluated_slot_timestamp_seconds", slo="up") or 0.0

        wait_until(lambda: abs(newest() - time.time()) < 3, what="the first verdict")
        before = processor_seconds(daemon)
        clock.step_to(step)
        wait_until(lambda: (daemon.metric("sloagent_clock_jumps_total") or 0) >= 1, 5, "the step being noticed")
        if step > 0:  # 60 s are within what two clocks may differ
            wait_until(
                lambda: daemon.metric("sloagent_slo_outcome", slo="up", outcome="error") == 1.0,
                5,
                "an error of the SLO",
            )
            wait_until(
                lambda: "one of the two clocks is wrong" in daemon.get("/api/v1/pending"), 5, "the reason being told"
            )
        recorded_in_the_future = [line for line in agent.dump().splitlines() if in_the_future(line)]
        assert recorded_in_the_future == [], "a slot of Prometheus's future was recorded"
        clock.step_to(0.0)
        corrected = time.time()
        wait_until(lambda: (daemon.metric("sloagent_clock_jumps_total") or 0) >= 2, 5, "the correction being noticed")
        wait_until(lambda: corrected < newest() <= time.time(), 10, "a verdict of a slot after the correction")
        assert processor_seconds(daemon) - before < 8.0, "the step made the daemon compute what nobody asked for"
        assert daemon.stop() == 0


def in_the_future(line: str) -> bool:
    """Whether a line of the dump is of a slot more than 30 s ahead of the real clock."""
    import json

    slot = json.loads(line).get("slot")
    return isinstance(slot, int) and slot > time.time() + 30


def processor_seconds(daemon: DaemonProcess) -> float:
    """CPU time the daemon has used, from /proc."""
    assert daemon.process is not None
    fields = Path(f"/proc/{daemon.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100.0
