"""What the daemon does beside its ticks: hourly pieces, roll-ups, retention; its clock is set into the recorded time."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from sloagent.app import demo_data
from tests.agent import SLOAGENT, AgentDirectory, DaemonProcess, wait_until
from tests.clock import WallClock
from tests.faults import FaultServer, dated
from tests.prometheus import Prometheus

STEPPED = Path(__file__).with_name("stepped.py")
SLO = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
slos:
  - name: commit
    interval: 1m
    window: 5m
    sli: {latency: {histogram: etcd_disk_backend_commit_duration_seconds, by: [job]}}
    objective: {percentile: 99, at_most: 32ms}
"""
KEEP = "store: {{path: sloagent.db, full_rows: 30m, retention: {retention}}}\n"


def kinds(agent: AgentDirectory) -> Counter[str]:
    """How many lines of each kind the dump has."""
    return Counter(json.loads(line)["kind"] for line in agent.dump().splitlines())


def newest_ten_minutes(agent: AgentDirectory) -> list[int]:
    """The ten newest slots in the store."""
    rows = map(json.loads, agent.dump().splitlines())
    return sorted(row["slot"] for row in rows if row["kind"] == "slot")[-10:]


def test_hours_get_their_piece_old_rows_become_sums_and_older_ones_are_forgotten(tmp_path: Path) -> None:
    recording = demo_data.unpack(tmp_path / "data")
    clock = WallClock(tmp_path / "offset")
    program = (SLOAGENT[0], str(STEPPED), str(clock.path))

    with Prometheus(tmp_path / "data") as prometheus, FaultServer(prometheus.url) as server:
        server.fail(dated(clock.now))
        agent = AgentDirectory(
            tmp_path / "agent", server.url, slos={"own.yaml": SLO}, extra=KEEP.format(retention="90d")
        )
        clock.set(recording.start.replace(hour=5, minute=47, second=0).timestamp())
        with DaemonProcess(agent, program=program) as daemon:
            wait_until(lambda: kinds(agent)["slot"] == 1, what="the first slot")
            assert daemon.stop() == 0

        for words in (
            ("start", "soak", "--at", "2026-11-22T05:50:00Z"),
            ("stop", "soak", "--at", "2026-11-22T05:58:00Z"),
        ):
            assert agent.command("runs", *words).returncode == 0
        clock.set(datetime(2026, 11, 22, 7, 5, 10, tzinfo=UTC).timestamp())
        with DaemonProcess(agent, program=program) as daemon:
            wait_until(lambda: kinds(agent)["roll_up"] > 0, what="a roll-up")
            wait_until(lambda: kinds(agent)["piece"] > 1, what="the pieces of the hour and of the run")
            wait_until(lambda: daemon.metric("sloagent_pending_slots") == 0.0, what="catching up")
            assert (daemon.metric("sloagent_store_size_bytes") or 0) > 0
            assert daemon.stop() == 0
        pieces = [row for row in map(json.loads, agent.dump().splitlines()) if row["kind"] == "piece"]
        hour = int(datetime(2026, 11, 22, 6, tzinfo=UTC).timestamp() * 1000)
        of_the_run = (hour - 600_000, hour - 120_000)
        assert [(row["start_ms"], row["end_ms"]) for row in pieces] == [of_the_run, (hour, hour + 3_600_000)]
        assert agent.command("store", "check").returncode == 0

        agent.write(server.url, ["own.yaml"], KEEP.format(retention="45m") + "evaluation: {catch_up: 40m}\n")
        with DaemonProcess(agent, program=program) as daemon:
            oldest = datetime(2026, 11, 22, 6, 20, tzinfo=UTC).timestamp()

            def all_newer() -> bool:
                rows = map(json.loads, agent.dump().splitlines())
                return all(row["slot"] >= oldest for row in rows if row["kind"] == "slot") and kinds(agent)["slot"] > 0

            wait_until(all_newer, what="old slots being forgotten")
            assert daemon.stop() == 0

        clock.set(datetime(2026, 11, 22, 7, 15, 10, tzinfo=UTC).timestamp())
        with DaemonProcess(agent, program=program) as daemon:
            newest = datetime(2026, 11, 22, 7, 14, tzinfo=UTC).timestamp()
            wait_until(
                lambda: newest_ten_minutes(agent) == [newest - 60 * n for n in range(9, -1, -1)], what="catching up"
            )
            filled = time.monotonic()
            wait_until(lambda: time.monotonic() > filled + 6, what="another round of catching up")
            assert daemon.stop() == 0
        assert "never answered" not in daemon.log.read_text(), "what was forgotten was taken for lost"


def test_a_wrong_clock_folds_forgets_and_gives_up_nothing(tmp_path: Path) -> None:
    recording = demo_data.unpack(tmp_path / "data")
    clock = WallClock(tmp_path / "offset")
    program = (SLOAGENT[0], str(STEPPED), str(clock.path))
    truth = recording.start.replace(hour=5, minute=47, second=0).timestamp() - time.time()

    with Prometheus(tmp_path / "data") as prometheus, FaultServer(prometheus.url) as server:
        server.fail(dated(lambda: time.time() + truth))
        agent = AgentDirectory(
            tmp_path / "agent", server.url, slos={"own.yaml": SLO}, extra=KEEP.format(retention="90d")
        )
        clock.step_to(truth)
        with DaemonProcess(agent, program=program) as daemon:
            wait_until(lambda: kinds(agent)["slot"] == 1, what="the first slot")
            before = agent.dump()
            for days in (30, 36_500, -30):
                clock.step_to(truth + days * 86_400)
                jumps = daemon.metric("sloagent_clock_jumps_total") or 0.0
                wait_until(
                    lambda seen=jumps: (daemon.metric("sloagent_clock_jumps_total") or 0) > seen, what="the jump"
                )
                asked = len(server.requests)
                # A tick, several rounds of catching up and one of house-keeping, which a step brings on at once; the
                # only thing that is asked is the time.
                wait_until(lambda seen=asked: len(server.requests) >= seen + 4, what="rounds under the wrong clock")
            clock.step_to(truth)
            wait_until(lambda: daemon.metric("sloagent_pending_slots") == 0.0, what="the right clock's rounds")
            assert daemon.stop() == 0
        slots = {row["slot"] for row in map(json.loads, before.splitlines()) if row["kind"] == "slot"}
        after = [row for row in map(json.loads, agent.dump().splitlines()) if row["kind"] != "slo"]
        assert slots <= {row["slot"] for row in after if row["kind"] == "slot"}, "a slot was folded or forgotten"
        assert not [row for row in after if row["kind"] == "roll_up"]
        assert not [row for row in after if row["kind"] == "slot" and row["outcome"] == "error"]
        with DaemonProcess(agent, program=program) as daemon:
            wait_until(lambda: daemon.metric("sloagent_pending_slots") == 0.0, what="a start after the wrong clock")
            assert "never answered" not in daemon.log.read_text()
            assert daemon.stop() == 0
