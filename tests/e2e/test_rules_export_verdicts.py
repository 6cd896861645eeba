"""Exported rules judge as sloagent does: over the recorded run, backfilled by promtool, and on made-up samples."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from sloagent.app import openslo_export, rules_export
from sloagent.config.load import load_slo_files
from sloagent.model.slo import LatencySLI, Text
from sloagent.model.verdict import Cause, Outcome
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from sloagent.sources.rules.rule import VERDICT
from tests.agent import AgentDirectory
from tests.prometheus import Prometheus, blocks_from_openmetrics
from tests.rules import AT_BOUNDS, SAYS, Recorded, compared, recorded_run, slos_of, verdict_of

INSIDE_BUCKETS = {
    "distribution-latency", "distribution-policy-apply-latency", "distribution-scheduling-latency",
    "distribution-binding-sync-latency", "distribution-work-sync-latency", "distribution-queue-wait",
    "etcd-wal-fsync-latency", "etcd-backend-commit-latency",
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with recorded_run(tmp_path_factory.mktemp("recorded")) as run:
        yield run


def verdict_rules(files: Iterable[Path]) -> dict[str, str]:
    """By SLO, the expression that records its verdict, as the files hold it."""
    return {
        rule["labels"]["slo"]: rule["expr"]
        for file in files
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if rule.get("record") == VERDICT
    }


def test_every_slot_of_the_recording_that_passes_or_fails_does_so_by_the_rules(
    recorded: Recorded, tmp_path: Path
) -> None:
    """As people would compare them: the command's JSON beside the expressions in the files."""
    agent = AgentDirectory(tmp_path, recorded.url, slos={})
    agent.write(recorded.url, ["builtin:karmada", "builtin:karmada-search"])
    done = agent.command("rules", "export", "-o", str(tmp_path / "rules"))
    assert done.returncode == 0, done.stderr
    rules = verdict_rules((tmp_path / "rules").glob("*.rules.yaml"))
    from_, to = (f"{_instant(slot)}" for slot in (recorded.slots[0], recorded.slots[-1]))
    done = agent.command("check", "--from", from_, "--to", to, "--slots", "--format", "json")
    entries = [entry for entry in json.loads(done.stdout)["verdicts"] if "at" in entry and entry["objective"]]
    by_rule = {name: recorded.over_slots(expression) for name, expression in rules.items()}
    counts: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        point = (_seconds(entry["at"]), tuple(sorted(entry["labels"].items())))
        says = by_rule.get(entry["slo"], {}).pop(point, None)
        kind = "inside a bucket" if entry["slo"] in INSIDE_BUCKETS else "at a bound"
        if entry["slo"] not in rules:
            assert set(entry["objective"]) <= {"grows_at_most", "judge", "windows_at_least"}, entry
            continue
        match entry["outcome"]:
            case "pass" | "warn":
                assert says == (1.0 if kind == "at a bound" else None), entry
            case "fail":
                assert says == (0.0 if kind == "at a bound" else None), entry
            case _:
                assert says is None, entry
        counts[kind, entry["outcome"]] += 1
    assert not any(by_rule.values()), "a rule judged what sloagent did not"
    assert counts["at a bound", "pass"] > 500
    assert counts["at a bound", "fail"] > 200


def test_with_limits_at_bounds_nothing_is_left_undecided_by_the_rules_alone(recorded: Recorded) -> None:
    slos = slos_of("karmada", AT_BOUNDS)
    made = rules_export.checked(rules_export.export(slos.values()), recorded.source, lambda _: recorded.slots[5])
    assert {one.slo.name for one in made.refused} == {"distribution-queue-wait"}, "2.048 s is none of its bounds"
    rules = {one.slo.name: rule for one in made.compiled if (rule := verdict_of(one))}
    total: Counter[str] = Counter()
    for name, expression in rules.items():
        counts, different = compared(recorded.judged(slos[name]), recorded.over_slots(expression))
        assert not different, different[:3]
        assert counts["unknown to sloagent"] == 0
        total += counts
    assert total["pass"] > 900
    assert total["fail"] > 250
    # A stage stands in for the probe, which did not run: it can fail and never pass.
    whole = recorded.over_slots(rules["distribution-latency"])
    assert set(whole.values()) == {0.0}


def _instant(slot: int) -> str:
    return f"{datetime.fromtimestamp(slot, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


def test_what_is_written_as_openslo_has_the_same_good_windows(recorded: Recorded) -> None:
    """As another tool would reckon them: the two queries of a ratio, or the one of a threshold, at each slot."""
    slos = slos_of("karmada", AT_BOUNDS)
    counts: Counter[str] = Counter()
    for document in openslo_export.documents(openslo_export.export(slos.values()), {"karmada": Text("Karmada")})[1:]:
        slo = slos[document["metadata"]["name"]]
        if isinstance(slo.sli, LatencySLI) and slo.sli.lower_bounds:
            continue
        (metric,), (objective,) = document["spec"]["indicator"]["spec"].values(), document["spec"]["objectives"]
        sides = {"value": metric} if "metricSource" in metric else {k: v for k, v in metric.items() if k != "counter"}
        found = {side: recorded.over_slots(source["metricSource"]["spec"]["query"]) for side, source in sides.items()}
        for slot in recorded.judged(slo):
            for verdict in slot.verdicts:
                point = (slot.slot, verdict.labels)
                at = {side: points[point] for side, points in found.items() if point in points}
                if verdict.outcome in SAYS and (good := _is_good(objective, at)) is not None:
                    assert good == (verdict.outcome is not Outcome.FAIL), (slo.name, point)
                    counts[verdict.outcome.value] += 1
    assert counts["pass"] > 500
    assert counts["fail"] > 200


def _is_good(objective: dict, at: dict[str, float]) -> bool | None:
    """Whether a window is good; None where there is nothing to reckon with, such as a limit that is no bound."""
    match at:
        case {"value": value}:
            return value <= objective["value"] if objective["op"] == "lte" else value >= objective["value"]
        case {"good": good, "total": total}:
            share = good / total
        case {"bad": bad, "total": total}:
            share = 1 - bad / total
        case _:
            return None
    return share >= objective["timeSliceTarget"] - 1e-9


def test_a_limit_inside_a_bucket_of_the_recording_is_refused_with_its_neighbours(recorded: Recorded) -> None:
    made = rules_export.export(slos_of("karmada").values())
    checked = rules_export.checked(made, recorded.source, lambda _: recorded.slots[5])
    assert {one.slo.name for one in checked.refused} == INSIDE_BUCKETS
    assert {one.reason for one in checked.refused} == {
        "2 s is no bucket bound; promise one that is, next to it 1.024 s and 2.048 s",
        "2 s is no bucket bound; promise one that is, next to it 1 s and 10 s",
        "10 ms is no bucket bound; promise one that is, next to it 8 ms and 16 ms",
        "25 ms is no bucket bound; promise one that is, next to it 16 ms and 32 ms",
    }
    assert not checked.unseen


# ---- made-up samples: overrides, names that change, sides that are missing -----------------------------------------

HOUR = 3_600
START = 497_223 * HOUR
MADE_UP = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1m, window: 5m, min_events: 12}
slos:
  - name: names
    sli: {latency: {histogram: [first_seconds, second_seconds], where: 'job="a", ', by: [verb]}}
    objective:
      percentile: 75
      at_most: 1s
      overrides: [{match: {verb: LIST}, at_most: 2s}, {match: {verb: ''}, at_most: 500ms}]
  - name: part
    sli: {latency: {histogram: absent_seconds, by: [verb], lower_bound: [{histogram: second_seconds, where: 'job="a"'}]}}
    objective: {percentile: 75, at_most: 1s}
  - name: bad
    sli:
      ratio:
        bad: sum by (verb) (rate(requests_total{code="500"}[$window])) # a comment
        total: sum by (verb) (rate(requests_total[$window]))
    objective: {at_least: 75%, overrides: [{match: {verb: LIST}, at_least: 50%}]}
  - name: bad-or-zero
    sli:
      ratio:
        bad: sum by (verb) (rate(requests_total{code="500"}[$window]))
        total: sum by (verb) (rate(requests_total[$window]))
        bad_absent: zero
    objective: {at_least: 75%}
    min_events: 0
  - name: good
    sli:
      ratio:
        good: sum by (verb) (rate(requests_total{code="200"}[$window]))
        total: sum by (verb) (rate(requests_total{verb!="PUT"}[$window]))
    objective: {at_least: 75%, warn_at: 90%}
  - name: value
    sli: {value: {query: sum by (verb) (depth), unit: items}}
    objective: {at_most: 5, overrides: [{match: {verb: LIST}, at_most: 8}]}
  - name: scalar
    sli: {value: {query: 'scalar(sum(depth{verb="GET"}))', unit: items}}
    objective: {at_least: 5}
"""


def made_up() -> str:
    """Three hours of counters that go up by chance, in stretches of one mood: quick or slow, well or broken, busy or not."""
    chance = random.Random(7)
    times = range(START, START + 3 * HOUR, 30)
    lines: dict[str, list[str]] = {}
    state: Counter[str] = Counter()

    def count(series: str, by: int, at: int) -> None:
        state[series] += by
        lines.setdefault(series, []).append(f"{series} {state[series]} {at}")

    moods: dict[str, tuple[float, float]] = {}
    for number, at in enumerate(times):
        for verb in ("GET", "LIST", "PUT", ""):
            if number % 10 == 0:
                moods[verb] = (chance.random(), chance.choice((0.0, 1.0, 4.0, 20.0)))
            share, busy = moods[verb]
            label = f',verb="{verb}"' if verb else ""
            for name in ("first_seconds", "second_seconds"):
                if name == "first_seconds" and not START + HOUR <= at < START + 2 * HOUR:
                    continue
                events = [chance.random() ** (2 * share) * 3 for _ in range(int(busy))]
                for le in ("0.5", "1.0", "2", "+Inf"):
                    within = sum(event <= float(le) for event in events)
                    count(f'{name}_bucket{{job="a"{label},le="{le}"}}', within, at)
            broken = sum(chance.random() > share for _ in range(int(busy)))
            if verb != "PUT":
                count(f'requests_total{{code="500"{label}}}', broken, at)
            if verb != "LIST" or at > START + HOUR:
                count(f'requests_total{{code="200"{label}}}', int(busy) - broken, at)
            depth = "NaN" if chance.random() < 0.1 else f"{share * 12:.2f}"
            lines.setdefault(f"depth{label}", []).append(f'depth{{job="a"{label}}} {depth} {at}')
    return "\n".join(line for series in lines.values() for line in series) + "\n# EOF\n"


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    data = tmp_path_factory.mktemp("invented") / "data"
    blocks_from_openmetrics(made_up(), data)
    with Prometheus(data) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        yield Recorded(server.url, source, range(START + 600, START + 3 * HOUR, 60))
        source.close()


@pytest.mark.parametrize("name", ["names", "part", "bad", "bad-or-zero", "good", "value", "scalar"])
def test_overrides_changing_names_and_missing_sides_are_judged_alike(
    invented: Recorded, tmp_path: Path, name: str
) -> None:
    (tmp_path / "own.yaml").write_text(MADE_UP)
    (slo_set,) = load_slo_files([str(tmp_path / "own.yaml")])
    (slo,) = (slo for slo in slo_set.slos if slo.name == name)
    (one,) = rules_export.export([slo]).compiled
    expression = verdict_of(one)
    slots, by_rule = invented.judged(slo), invented.over_slots(expression)
    counts, different = compared(slots, by_rule)
    # Where the counts below the limit fall, a rule cannot see it, and decides.
    causes = {(slot.slot, v.labels): v.cause for slot in slots for v in slot.verdicts}
    assert all("falling" in line for line in different), different[:3]
    assert len(different) < 0.02 * len(causes)
    assert counts["unknown to sloagent"] == 0
    assert counts["fail"] > 20
    assert (counts["pass"] + counts["warn"] > 20) == (name != "part")
    if name == "names":
        asked_names = {slot.question.histogram for slot in slots}
        assert asked_names == {"first_seconds", "second_seconds"}
    if name == "part":
        assert {cause for point, cause in causes.items() if point not in by_rule} >= {Cause.LOWER_BOUND}
