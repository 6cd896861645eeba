"""5,000 SLOs that are due at the same moment, through the real daemon and a real Prometheus: case 37.

How long a tick takes is printed, not asserted: `make bench` measures it on a quiet machine. A tick that lasts longer than
the interval gives way to the next (the newest slot goes first, the older ones wait for a pause), so the interval is long
enough for a busy machine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent import AgentDirectory, DaemonProcess, wait_until
from tests.prometheus import Prometheus, scraping_itself

MANY = 5_000
INTERVAL = 60
HEAD = f"""
apiVersion: sloagent/v1
kind: SLOSet
metadata: {{name: many}}
defaults: {{interval: {INTERVAL}s, window: {INTERVAL}s}}
slos:
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with scraping_itself(tmp_path_factory.mktemp("many") / "data") as server:
        yield server


def shown(daemon: DaemonProcess, slot: int) -> list[str]:
    """The lines of the metrics that show a verdict of this slot or a later one."""
    return [
        line for line in daemon.get("/metrics", timeout=60).splitlines()
        if line.startswith("sloagent_slo_evaluated_slot_timestamp_seconds{") and float(line.rpartition(" ")[2]) >= slot
    ]  # fmt: skip


def test_none_of_their_slots_is_missed(prometheus: Prometheus, tmp_path: Path) -> None:
    text = HEAD + "".join(
        f"  - {{name: slo-{n}, sli: {{value: {{query: 'max(up) + {n}', unit: count}}}}, objective: {{at_least: 1}}}}\n"
        for n in range(MANY)
    )
    agent = AgentDirectory(
        tmp_path / "agent", prometheus.url, slos={"many.yaml": text}, extra="evaluation: {delay: 2s}\n"
    )
    with DaemonProcess(agent) as daemon:
        slot = int(time.time()) // INTERVAL * INTERVAL + INTERVAL  # the first that is due while it runs
        wait_until(lambda: time.time() > slot, INTERVAL + 1, "the slot being due")

        def recorded() -> int:
            return sum(row["kind"] == "slot" and row["slot"] == slot for row in agent.rows())

        # Asked of the store: a page of metrics of so many SLOs costs the daemon seconds, and that would be the test's doing.
        wait_until(lambda: recorded() == MANY, 4 * INTERVAL, "every SLO's verdict of the slot")
        print(f"the last of {MANY} verdicts was recorded {time.time() - slot - 2:.1f} s after its slot was due")
        wait_until(lambda: len(shown(daemon, slot)) == MANY, INTERVAL, "every SLO's verdict of the slot being shown")
        page = daemon.get("/metrics", timeout=60)
        for name in ("slot_lag_seconds", "ticks_missed_total", "pending_slots"):
            assert re.search(rf"^sloagent_{name} \d", page, re.MULTILINE), name
        assert daemon.stop(timeout=60) == 0
    rows = [row for row in agent.rows() if row["kind"] == "slot" and row["slot"] == slot]
    assert len(rows) == MANY == len({row["slo"] for row in rows}), "recorded twice, or not at all"
    assert {row["outcome"] for row in rows} == {"pass"}
    assert "Traceback" not in daemon.log.read_text()
