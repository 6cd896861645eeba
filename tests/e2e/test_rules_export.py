"""Exported rules in a real promtool and a real Prometheus: they load, their tests pass, they judge as sloagent does."""

from __future__ import annotations

import json
import random
import re
import subprocess
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sloagent.app import demo_data, rule_files, rules_export
from sloagent.config.load import load_slo_files
from sloagent.evaluation.judge import judge
from sloagent.model.samples import Answer
from sloagent.model.slo import SLO, Labels
from sloagent.model.verdict import Cause, Outcome, SlotVerdict
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from sloagent.sources.rules.rule import VERDICT
from tests.agent import SLOAGENT, AgentDirectory, wait_until
from tests.prometheus import Prometheus, blocks_from_openmetrics, scraping_itself

SETS = {"kubernetes": 22, "karmada": 45, "karmada-search": 11}
"""The shipped sets and how many SLOs each has."""
AT_BOUNDS = {"distribution_limit": "2.048s", "wal_fsync_limit": "16ms", "backend_commit_limit": "32ms"}
"""Limits of builtin:karmada that are bucket bounds, in place of those that lie inside buckets."""
INSIDE_BUCKETS = {
    "distribution-latency", "distribution-policy-apply-latency", "distribution-scheduling-latency",
    "distribution-binding-sync-latency", "distribution-work-sync-latency", "distribution-queue-wait",
    "etcd-wal-fsync-latency", "etcd-backend-commit-latency",
}  # fmt: skip
SAYS = {Outcome.PASS: 1.0, Outcome.WARN: 1.0, Outcome.FAIL: 0.0}
"""What a rule records of an outcome; of any other nothing."""
Point = tuple[int, Labels]


def promtool(*words: str | Path) -> str:
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Recorded:
    """A Prometheus, and the slots that are judged in it."""

    url: str
    source: PrometheusSource
    slots: Sequence[int]

    def judged(self, slo: SLO, slots: Sequence[int] | None = None) -> list[SlotVerdict]:
        asked = self.slots if slots is None else slots
        answers = self.source.over(slo, asked)
        assert isinstance(answers, list), answers
        return [judge(slo, slot, answer) for slot, answer in zip(asked, answers, strict=True)]

    def over_slots(self, expression: str) -> dict[Point, float]:
        """What an expression gives at each slot and for each series."""
        form = {"query": expression, "start": self.slots[0], "end": self.slots[-1], "step": 60}
        found = asked(self.url, "query_range", form)
        return {
            (int(at), tuple(sorted(series["metric"].items()))): float(value)
            for series in found
            for at, value in series["values"]
        }


def asked(url: str, what: str, form: Mapping[str, object]) -> list[dict]:
    with urllib.request.urlopen(f"{url}/api/v1/{what}", urllib.parse.urlencode(form).encode(), timeout=30) as answer:
        return json.load(answer)["data"]["result"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    data = tmp_path_factory.mktemp("recorded") / "data"
    recording = demo_data.unpack(data)
    first, last = int(recording.start.timestamp()) + 300, int(recording.end.timestamp())
    with Prometheus(data) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        yield Recorded(server.url, source, range(-(-first // 60) * 60, last + 1, 60))
        source.close()


@pytest.fixture(scope="module", params=list(SETS))
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A shipped set and the directory into which the command wrote it."""
    target = tmp_path_factory.mktemp(request.param)
    words = [*SLOAGENT, "rules", "export", f"builtin:{request.param}", "-o", str(target)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{SETS[request.param]} SLOs compiled, 0 refused" in done.stderr
    return request.param, target


def verdict_rules(files: Iterable[Path]) -> dict[str, str]:
    """By SLO, the expression that records its verdict, as the files hold it."""
    return {
        rule["labels"]["slo"]: rule["expr"]
        for file in files
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if rule.get("record") == VERDICT
    }


def slos_of(name: str, parameters: Mapping[str, str] | None = None) -> dict[str, SLO]:
    (slo_set,) = load_slo_files([f"builtin:{name}"], parameters={name: parameters or {}})
    return {slo.name: slo for slo in slo_set.slos}


# ---- files ---------------------------------------------------------------------------------------------------------


def test_promtool_accepts_the_rules_of_every_shipped_set(exported: tuple[str, Path]) -> None:
    name, target = exported
    files = sorted(target.glob("*.rules.yaml"))
    assert len(files) == SETS[name]
    assert "duplicate" not in promtool("check", "rules", "--lint-fatal", *files)


def test_the_tests_that_come_with_the_rules_pass_and_every_slo_with_alerts_has_some(exported: tuple[str, Path]) -> None:
    _, target = exported
    alerting = {file.name.removesuffix(".yaml") for file in target.glob("*.rules.yaml") if "alert:" in file.read_text()}
    tests = sorted(target.glob("*.test.yaml"))
    assert {file.name.removesuffix(".test.yaml") for file in tests} == alerting
    if tests:
        assert promtool("test", "rules", *tests).count("SUCCESS") == len(tests)


@pytest.mark.parametrize(
    ("right", "wrong", "finds"),
    [
        (">= bool 0.989999999", ">= bool 0.1", VERDICT),
        ('le=~"1|1\\\\.0"', 'le=~"1"', VERDICT),
        ("unless sloagent:slo_good_share", "unless sloagent:slo_events", "SLOCannotBeJudged"),
        ("== 0", "== 2", "SLOViolated"),
        ("> 14.4 *", "> 1440 *", "SLOBurnsBudget"),
        ("absent(", "count(", "SLONoData"),
    ],
)
def test_the_generated_tests_find_a_rule_that_is_wrong(tmp_path: Path, right: str, wrong: str, finds: str) -> None:
    rule_files.write(rules_export.export([slos_of("karmada")["etcd-request-latency"]]), "prometheus", tmp_path)
    (rules,), (tests,) = tmp_path.glob("*.rules.yaml"), tmp_path.glob("*.test.yaml")
    assert right in rules.read_text()
    rules.write_text(rules.read_text().replace(right, wrong))
    done = subprocess.run(["promtool", "test", "rules", str(tests)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert re.search(rf'expr: ".*{finds}', done.stdout + done.stderr)


def test_the_objects_for_the_operator_hold_the_groups_of_the_rule_files(exported: tuple[str, Path]) -> None:
    name, target = exported
    words = [*SLOAGENT, "rules", "export", f"builtin:{name}", "--format", "prometheusrule"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    objects = list(yaml.safe_load_all(done.stdout))
    assert {(o["apiVersion"], o["kind"]) for o in objects} == {("monitoring.coreos.com/v1", "PrometheusRule")}
    groups = {group["name"]: group for o in objects for group in o["spec"]["groups"]}
    assert {o["metadata"]["name"] for o in objects} == set(groups)
    for file in target.glob("*.rules.yaml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            assert groups.pop(group["name"]) == group
    assert not groups
    assert max(len(json.dumps(o)) for o in objects) < 256 * 1024, "a ConfigMap takes it, and etcd does"


# ---- the same verdicts ---------------------------------------------------------------------------------------------


def compared(slots: Iterable[SlotVerdict], recorded: Mapping[Point, float]) -> tuple[Counter[str], list[str]]:
    """How the rule's verdicts stand to sloagent's, and the differences in which both or one of them decide."""
    counts: Counter[str] = Counter()
    different, seen = [], set()
    for slot in slots:
        for verdict in slot.verdicts:
            point = (slot.slot, verdict.labels)
            seen.add(point)
            ours, theirs = SAYS.get(verdict.outcome), recorded.get(point)
            if ours == theirs:
                counts[verdict.outcome.value] += 1
            else:
                counts["different"] += 1
                different.append(f"{slot.slo.name} {point}: {verdict.outcome} ({verdict.cause}), rule {theirs}")
    counts["unknown to sloagent"] = len(recorded.keys() - seen)
    return counts, different


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
    rules = {one.slo.name: rule for one in made.compiled for rule in _verdicts_of(one)}
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


def test_what_is_backfilled_from_the_rules_is_what_sloagent_judges_at_those_times(
    recorded: Recorded, tmp_path: Path
) -> None:
    """promtool evaluates a group at its own offset within the minute, so the times are read from what it wrote."""
    slos = slos_of("karmada", AT_BOUNDS)
    files = []
    for slo in slos.values():
        (group,) = yaml.safe_load(rule_files.prometheus(rules_export.export([slo])))["groups"]
        group["rules"] = [rule for rule in group["rules"] if rule.get("record") == VERDICT]
        if group["rules"]:
            files.append(tmp_path / f"{slo.name}.yaml")
            files[-1].write_text(yaml.safe_dump({"groups": [group]}))
    data = tmp_path / "backfilled"
    start, end = recorded.slots[0], recorded.slots[-1]
    words = ["--url", recorded.url, "--start", str(start), "--end", str(end), "--output-dir", data]
    promtool("tsdb", "create-blocks-from", "rules", *words, *files)
    found: dict[str, dict[Point, float]] = {}
    with Prometheus(data) as server:
        for series in asked(server.url, "query", {"query": f"{VERDICT}[{end - start + 60}s]", "time": end}):
            labels = {k: v for k, v in series["metric"].items() if k not in ("__name__", "set", "slo")}
            of = found.setdefault(series["metric"]["slo"], {})
            of |= {(int(at), tuple(sorted(labels.items()))): float(value) for at, value in series["values"]}
    total: Counter[str] = Counter()
    for name, points in found.items():
        times = sorted({at for at, _ in points})
        slots = [judge(slos[name], at, recorded.source.at(slos[name], at)) for at in times]
        counts, different = compared(slots, points)
        assert not different, different[:3]
        total += counts
    assert total["pass"] > 800
    assert total["fail"] > 200


def _verdicts_of(one: object) -> list[str]:
    return [rule.expression for rule in one.rules if getattr(rule, "metric", "") == VERDICT]


def _instant(slot: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(slot, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seconds(instant: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(instant).timestamp())


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
      ratio: &sides
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
""".replace("ratio: &sides", "ratio:")


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
    (expression,) = _verdicts_of(one)
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


# ---- a running Prometheus -------------------------------------------------------------------------------------------

LIVE = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - name: at-a-bound
    sli: {latency: {histogram: prometheus_http_request_duration_seconds, by: [handler]}}
    objective: {percentile: 99, at_most: 1s}
  - name: inside
    sli: {latency: {histogram: prometheus_http_request_duration_seconds}}
    objective: {percentile: 99, at_most: 2s}
  - name: beyond
    sli: {latency: {histogram: prometheus_http_request_duration_seconds}}
    objective: {percentile: 99, at_most: 10m}
  - name: unseen
    sli: {latency: {histogram: nowhere_seconds}}
    objective: {percentile: 99, at_most: 2s}
  - name: too-few
    title: Prometheus {{ of }} two
    sli: {value: {query: 'sum by (job) (up)', unit: processes}}
    objective: {at_least: 2}
"""


def test_bounds_are_asked_of_prometheus_and_its_alerts_fire_with_their_values(tmp_path: Path) -> None:
    server = scraping_itself(tmp_path / "data")
    agent = AgentDirectory(tmp_path / "agent", server.url, slos={"own.yaml": LIVE}, extra="evaluation: {delay: 0s}\n")
    target = tmp_path / "rules"
    assert agent.command("rules", "export", "-o", str(target)).returncode == 0
    with server._config.open("a") as config:
        config.write(f"rule_files: ['{target}/*.rules.yaml']\nglobal: {{evaluation_interval: 1s}}\n")
    with server:

        def firing() -> dict[tuple[str, str], dict]:
            with urllib.request.urlopen(f"{server.url}/api/v1/alerts", timeout=5) as answer:
                alerts = json.load(answer)["data"]["alerts"]
            return {(a["labels"]["alertname"], a["labels"]["slo"]): a for a in alerts if a["state"] == "firing"}

        wanted = {
            ("SLOViolated", "too-few"), ("SLONoData", "unseen"), ("SLOCannotBeJudged", "inside"),
            ("SLOCannotBeJudged", "beyond"),
        }  # fmt: skip
        wait_until(lambda: set(firing()) >= wanted, 60, f"not all of {wanted}")
        alerts = firing()
        assert ("SLOViolated", "at-a-bound") not in alerts
        told = alerts["SLOViolated", "too-few"]
        assert told["labels"] == {
            "alertname": "SLOViolated", "severity": "ticket", "set": "own", "slo": "too-few", "job": "prometheus"
        }  # fmt: skip
        assert told["annotations"] == {
            "summary": "own/too-few is violated",
            "description": "Prometheus {{ of }} two. Promised: at least 2 processes. Measured: 1 processes, "
            "and no better in 3 evaluations in a row.",
            "runbook_url": "",
        }
        assert "2 s, is no bucket bound" in alerts["SLOCannotBeJudged", "inside"]["annotations"]["description"]
        done = agent.command("rules", "export", "--online", "-o", str(target))
        assert done.returncode == 0
        assert done.stderr.splitlines() == [
            "refused own/inside: 2 s is no bucket bound; promise one that is, next to it 1 s and 3 s",
            "refused own/beyond: 10 min lies beyond the last bucket bound, 2 min",
            "not checked own/unseen: Prometheus has no series of it now",
            "3 SLOs compiled, 2 refused",
        ]
        refused = (target / "own.inside.rules.yaml").read_text()
        assert "# Refused, own/inside: 2 s is no bucket bound" in refused
        assert yaml.safe_load(refused) == {"groups": []}
        promtool("check", "rules", *target.glob("*.rules.yaml"))
        assert agent.command("rules", "export", "--online", "--strict").returncode == 3
    done = agent.command("rules", "export", "--online")
    assert done.returncode == 3
    assert "which bounds own/at-a-bound has could not be asked" in done.stderr


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
    assert {slo.name for slo in checked.unseen} == set()
    answer = recorded.source.at(slos_of("karmada")["api-mutating-latency"], recorded.slots[5])
    assert isinstance(answer, Answer)
