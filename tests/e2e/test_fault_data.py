"""Samples that stop, stay away and begin again from zero, in a real Prometheus: case 16. Ranges too long for it: case 5."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.agent import AgentDirectory
from tests.faults import FaultServer
from tests.prometheus import Prometheus, blocks_from_openmetrics

START = 1_790_000_040
"""A multiple of a minute."""
STEP = 15
GAP = (START + 1_200, START + 2_400)
"""No scrape reached the target from here to there."""
RESET = START + 3_000
"""The target was started again here: its counters begin from zero."""
END = START + 4_200
PER_STEP, LATE_PER_STEP = 100, 5
WINDOW = 300
LOOK_BACK = 300
"""Prometheus finds a gauge for this long after its last scrape."""
SLOS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: made}
defaults: {interval: 1m, window: 5m}
slos:
  - name: latency
    sli: {latency: {histogram: made_seconds}}
    objective: {percentile: 95, at_most: 1s}
  - name: ratio
    sli:
      ratio:
        bad: sum(rate(made_seconds_count[$window])) - sum(rate(made_seconds_bucket{le="1"}[$window]))
        total: sum(rate(made_seconds_count[$window]))
    objective: {at_least: 90%}
  - name: gauge
    sli: {value: {query: 'max by (pod) (made_bytes)', unit: bytes}}
    objective: {at_most: 1MiB}
  - name: fresh
    sli: {value: {query: 'time() - max(timestamp(made_bytes))', unit: seconds}}
    objective: {at_most: 30s}
"""


def openmetrics() -> str:
    """A histogram, of whose events a twentieth is late, and a gauge; scraped every 15 s but for the gap."""
    times = [t for t in range(START, END + 1, STEP) if not GAP[0] <= t < GAP[1]]
    lines: dict[str, list[str]] = {"bucket": [], "count": [], "gauge": [], "fast": []}
    for t in times:
        steps = (t - (RESET if t >= RESET else START)) // STEP
        lines["fast"].append(f'made_seconds_bucket{{le="1"}} {steps * (PER_STEP - LATE_PER_STEP)} {t}')
        lines["bucket"].append(f'made_seconds_bucket{{le="+Inf"}} {steps * PER_STEP} {t}')
        lines["count"].append(f"made_seconds_count {steps * PER_STEP} {t}")
        lines["gauge"].append(f'made_bytes{{pod="a"}} 1000 {t}')
    return "\n".join([*lines["fast"], *lines["bucket"], *lines["count"], *lines["gauge"], "# EOF", ""])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    data = tmp_path_factory.mktemp("gap") / "tsdb"
    blocks_from_openmetrics(openmetrics(), data)
    with Prometheus(data) as server:
        yield server


@pytest.fixture(scope="module")
def agent(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> AgentDirectory:
    """An agent that has evaluated every slot."""
    agent = AgentDirectory(tmp_path_factory.mktemp("agent"), prometheus.url, slos={"made.yaml": SLOS})
    done = agent.command("backfill", "--from", stamp(START + WINDOW), "--to", stamp(END))
    assert done.returncode == 0, done.stderr
    return agent


@pytest.fixture(scope="module")
def judged(agent: AgentDirectory) -> dict[str, dict[int, dict]]:
    """By SLO, slot to its verdict."""
    done = agent.command("check", "--from", stamp(START + WINDOW), "--to", stamp(END), "--slots", "--format", "json")
    found: dict[str, dict[int, dict]] = {}
    for row in json.loads(done.stdout)["verdicts"]:
        if "at" in row:
            found.setdefault(row["slo"], {})[int(datetime.fromisoformat(row["at"]).timestamp())] = row
    return found


def stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_every_slot_has_a_verdict_and_none_of_the_gap_passes(judged: dict[str, dict[int, dict]]) -> None:
    every = set(range(START + WINDOW, END + 1, 60))
    assert {name: set(slots) for name, slots in judged.items()} == dict.fromkeys(judged, every)
    assert set(judged) == {"latency", "ratio", "gauge", "fresh"}
    # A rate needs two samples in its window: a minute of scrapes at the window's ends may still give one.
    inside = {slot for slot in every if GAP[0] + WINDOW <= slot < GAP[1]}
    assert len(inside) >= 15
    for name in ("latency", "ratio"):
        assert {judged[name][slot]["outcome"] for slot in inside} == {"no_data"}, name
        assert all(judged[name][slot]["events"] is None for slot in inside), "no number is made of nothing"
        assert {judged[name][slot]["outcome"] for slot in every - set(range(GAP[0], GAP[1] + WINDOW))} == {"pass"}


def test_a_gauge_ends_with_prometheus_s_look_back_and_its_age_can_be_promised(
    judged: dict[str, dict[int, dict]],
) -> None:
    gone = {slot for slot in judged["gauge"] if GAP[0] + LOOK_BACK < slot < GAP[1]}
    assert {judged["gauge"][slot]["outcome"] for slot in gone} == {"no_data"}
    stale = {slot for slot in judged["fresh"] if GAP[0] + 30 < slot < GAP[0] + LOOK_BACK - STEP}
    assert stale
    assert {judged["gauge"][slot]["outcome"] for slot in stale} == {"pass"}, "an old value, as Prometheus gives it"
    assert {judged["fresh"][slot]["outcome"] for slot in stale} == {"fail"}, "its age is told by an SLO of its own"


def test_a_restart_of_the_target_neither_fails_nor_invents_events(judged: dict[str, dict[int, dict]]) -> None:
    around = [slot for slot in judged["latency"] if RESET <= slot <= RESET + WINDOW]
    assert len(around) >= 5
    for slot in around:
        row = judged["latency"][slot]
        assert row["outcome"] == "pass"
        assert row["good_share"]["lower"] == pytest.approx(0.95, abs=1e-6)
        # Of the step in which the counter fell to zero nobody knows the events: one in twenty may be missing.
        assert 0.9 * PER_STEP * WINDOW / STEP <= row["events"] <= 1.001 * PER_STEP * WINDOW / STEP


def test_over_the_whole_stretch_what_was_not_seen_is_neither_good_nor_bad_and_an_slo_of_the_age_fails(
    agent: AgentDirectory, judged: dict[str, dict[int, dict]]
) -> None:
    done = agent.command("check", "--from", stamp(START + WINDOW), "--to", stamp(END), "--format", "json")
    assert done.returncode == 1
    whole = {row["slo"]: row for row in json.loads(done.stdout)["verdicts"]}
    for name, row in whole.items():
        outcomes = [slot["outcome"] for slot in judged[name].values()]
        assert row["windows"]["expected"] == len(outcomes)
        assert row["windows"]["good"] == outcomes.count("pass")
    assert (
        f"{whole['latency']['windows']['good']} of {whole['latency']['windows']['good']} windows"
        in whole["latency"]["reason"]
    )
    assert whole["latency"]["windows"]["good"] <= whole["latency"]["windows"]["expected"] - 15
    assert whole["fresh"]["outcome"] == "fail"


def test_more_slots_than_prometheus_gives_in_one_answer_are_asked_for_in_several(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    """11,000 points are Prometheus's limit; at one slot a second, a bit more than an hour is asked in pieces."""
    every_second = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: made}
defaults: {interval: 1s, window: 5s}
slos:
  - {name: gauge, sli: {value: {query: max(made_bytes), unit: bytes}}, objective: {at_most: 1MiB}}
"""
    first, last = START - 9_000, END
    with FaultServer(prometheus.url) as server:
        agent = AgentDirectory(tmp_path / "agent", server.url, slos={"made.yaml": every_second})
        done = agent.command("check", "--from", stamp(first), "--to", stamp(last), "--format", "json")
        assert done.returncode == 3, "before its first sample the history is lost"
        ranges = [r.form for r in server.requests if r.path.endswith("query_range")]
        points = [
            (int(f["end"]) - int(f["start"])) // int(f["step"]) + 1 for f in ranges if f["query"] == "max(made_bytes)"
        ]
    assert max(points) <= 11_000
    assert sum(points) >= last - first
    rows = agent.rows()
    outcomes = {row["slot"]: row["outcome"] for row in rows if row["kind"] == "slot"}
    assert set(outcomes) == set(range(first, last + 1))
    assert {outcomes[slot] for slot in range(first, START)} == {"error"}
    assert {outcomes[slot] for slot in range(START, GAP[0])} == {"pass"}
