"""With the probe's metrics the probe decides, without them a lower bound, which fails and never passes: real Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.agent import AgentDirectory
from tests.prometheus import Prometheus, blocks_from_openmetrics

HOUR = 3_600
START = 497_223 * HOUR
STEP = 30
PROBED = range(START + HOUR, START + 2 * HOUR)
"""The probe was scraped in this hour alone: in the one before a stage is quick, in the one after it is slow."""
END = START + 3 * HOUR
STAGE, PROBE = "work_sync_workload_duration_seconds", "sloagent_probe_distribution_seconds"
SETS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1m, window: 5m}
slos:
  - name: whole-run
    sli:
      latency:
        histogram: sloagent_probe_distribution_seconds
        lower_bound: [{histogram: work_sync_workload_duration_seconds, where: result="success"}]
    objective: {percentile: 99, at_most: 2s, judge: whole_run}
"""


def openmetrics() -> str:
    """Ten works a step; within the probe's hour four arrivals in member1, and as many losses in member2, which gets none."""
    times = range(START - HOUR, END + 1, STEP)
    stage = 'result="success",job="karmada-controller-manager"'
    probe = 'member_cluster="member1",mode="Push",job="sloagent-probe"'
    lines = []
    for name, labels, bound, per_step, seen, quick in (
        (STAGE, stage, "1.024", 10, times, range(START - HOUR, START + 2 * HOUR)),
        (PROBE, probe, "2.0", 4, PROBED, PROBED),
    ):
        counts: dict[str, list[str]] = {bound: [], "2.048" if name == STAGE else "5.0": [], "+Inf": []}
        fast = every = 0
        for t in times:
            if t not in seen:
                continue
            every += per_step
            fast += per_step if t in quick else 0
            for le, lines_of in counts.items():
                lines_of.append(f'{name}_bucket{{{labels},le="{le}"}} {every if le == "+Inf" else fast} {t}')
        lines += [line for lines_of in counts.values() for line in lines_of]
    for member, lost in (("member1", 0), ("member2", 4)):
        labels = f'member_cluster="{member}",reason="timeout",job="sloagent-probe"'
        lines += [
            f"sloagent_probe_distribution_lost_total{{{labels}}} {lost * number} {t}"
            for number, t in enumerate(PROBED[::STEP])
        ]
    lines += [
        f'{PROBE}_count{{member_cluster="member1",mode="Push",job="sloagent-probe"}} {4 * number} {t}'
        for number, t in enumerate(PROBED[::STEP], 1)
    ]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentDirectory]:
    data = tmp_path_factory.mktemp("probed") / "tsdb"
    blocks_from_openmetrics(openmetrics(), data)
    with Prometheus(data) as server:
        agent = AgentDirectory(tmp_path_factory.mktemp("agent"), server.url, slos={"own.yaml": SETS})
        agent.write(server.url, ["builtin:karmada", "own.yaml"])
        yield agent


def stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


BEFORE, WITHIN, AFTER = (stamp(START + number * HOUR + HOUR // 2) for number in range(3))


def checked(agent: AgentDirectory, name: str, *when: str) -> tuple[int, list[dict]]:
    done = agent.command("check", "--slo", name, *when, "--format", "json")
    return done.returncode, json.loads(done.stdout)["verdicts"]


@pytest.mark.parametrize(
    ("at", "code", "outcome", "labels"),
    [
        (BEFORE, 3, "inconclusive", {}),
        (WITHIN, 0, "pass", {"member_cluster": "member1", "mode": "Push"}),
        (AFTER, 1, "fail", {}),
    ],
    ids=["a quick stage proves nothing", "the probe decides", "a slow stage is a failure"],
)
def test_who_answers_decides(agent: AgentDirectory, at: str, code: int, outcome: str, labels: dict[str, str]) -> None:
    returned, (verdict,) = checked(agent, "distribution-latency", "--at", at)
    assert (returned, verdict["outcome"], verdict["labels"]) == (code, outcome, labels)
    assert verdict.get("lower_bound") == (None if labels else STAGE)
    assert (verdict["quantiles"]["99"]["upper"] is None) == (not labels)
    assert (STAGE in verdict["reason"]) == (not labels)


def test_a_member_that_nothing_arrives_in_fails_though_it_has_no_latency(agent: AgentDirectory) -> None:
    returned, verdicts = checked(agent, "distribution-arrived", "--at", WITHIN)
    outcomes = {verdict["labels"]["member_cluster"]: (verdict["outcome"], verdict["value"]) for verdict in verdicts}
    assert (returned, outcomes) == (1, {"member1": ("pass", 1.0), "member2": ("fail", 0.0)})


def test_where_no_probe_counts_nothing_has_arrived_for_sure(agent: AgentDirectory) -> None:
    returned, (verdict,) = checked(agent, "distribution-arrived", "--at", BEFORE)
    assert (returned, verdict["outcome"]) == (3, "no_data")


def test_explain_says_which_name_answered_and_what_that_is_worth(agent: AgentDirectory) -> None:
    lower = agent.command("explain", "distribution-latency", "--at", BEFORE).stdout
    assert f"answered    {STAGE}, of 3 names" in lower
    assert f"a lower bound: {PROBE} has no series" in " ".join(lower.split())
    assert "P99         ≥ 0–1.02 s (first bucket)" in lower
    probe = agent.command("explain", "distribution-latency", "--at", WITHIN).stdout
    assert f"answered    {PROBE}, of 3 names" in probe
    assert "lower bound" not in probe.replace("lower_bound", "")


def test_a_change_between_slots_is_shown_and_the_range_does_not_pass(agent: AgentDirectory) -> None:
    stretch = ("--from", BEFORE, "--to", WITHIN)
    returned, verdicts = checked(agent, "distribution-latency", *stretch)
    by_labels = {len(verdict["labels"]): verdict for verdict in verdicts}
    assert returned == 3
    assert by_labels[0]["outcome"] == "inconclusive"
    assert by_labels[0]["lower_bound"] == by_labels[0]["worst"]["lower_bound"] == STAGE
    assert (by_labels[2]["outcome"], by_labels[2].get("lower_bound")) == ("pass", None)
    table = agent.command("check", "--slo", "distribution-latency", *stretch).stdout
    said = " ".join(table.split())
    assert f"the metric's name changed: {STAGE}, then {PROBE}" in said
    assert f"judged by {STAGE}, a lower bound, where {PROBE} had no series" in said


def test_the_events_of_a_run_are_a_lower_bound_where_a_piece_of_them_is(agent: AgentDirectory) -> None:
    def over(first: int, last: int) -> tuple[int, dict]:
        code, (verdict,) = checked(agent, "whole-run", "--from", stamp(first), "--to", stamp(last))
        return code, verdict

    code, verdict = over(PROBED.start + 600, PROBED.stop - 300)
    assert (code, verdict["outcome"], verdict.get("lower_bound")) == (0, "pass", None)
    code, verdict = over(START, PROBED.stop - 300)
    assert (code, verdict["outcome"], verdict["lower_bound"]) == (3, "inconclusive", STAGE)
    code, verdict = over(PROBED.stop + 600, END)
    assert (code, verdict["outcome"], verdict["lower_bound"]) == (1, "fail", STAGE)


def test_a_report_and_a_run_file_tell_a_lower_bound_and_do_not_compare_it_with_the_probe(agent: AgentDirectory) -> None:
    for name, first, last in (("staged", START, PROBED.start), ("probed", PROBED.start + 60, PROBED.stop - 60)):
        started = agent.command("runs", "start", name, "--at", stamp(first))
        assert started.returncode == 0, started.stderr
        agent.command("runs", "stop", name, "--at", stamp(last))
    file = agent.directory / "staged.json.gz"
    exported = agent.command("runs", "export", "staged", "-o", str(file))
    assert exported.returncode == 0, exported.stderr
    told = reported(agent, "of-store", "--run", "probed", "--baseline", "staged")
    assert told == reported(agent, "of-file", "--run", "probed", "--baseline", str(file))
    assert told["outcome"] == "pass"
    assert told["comparison"]["baseline_outcome"] == "inconclusive"
    assert [one["overall"]["why"] for one in told["comparison"]["series"]] == ["lower_bound"]
    assert told["comparison"]["change"] == "cannot_tell"
    lower = reported(agent, "staged", "--run", "staged")
    assert lower["series"][0]["whole"]["lower_bound"] == STAGE
    assert lower["histograms"] == [STAGE]
    text = (agent.directory / "staged" / "report.md").read_text().replace("\\", "")
    assert f"judged by {STAGE}, a lower bound: where {PROBE} had no series" in text
    assert "≥ 0–1.02 s" in text


def reported(agent: AgentDirectory, directory: str, *words: str) -> dict:
    """The SLO `whole-run` in the report's JSON."""
    target = agent.directory / directory
    done = agent.command("report", *words, "--format", "json,md", "-o", str(target))
    assert (target / "report.json").exists(), done.stderr
    results = json.loads((target / "report.json").read_text())["results"]
    return next(result for result in results if result["slo"] == "whole-run")
