"""An SLO on a native histogram, as typed: written into a real Prometheus by remote write, judged by the real command."""

from __future__ import annotations

import json
import math
import random
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import remote_write
from tests.agent import AgentDirectory
from tests.prometheus import Prometheus
from tests.remote_write import Native

START, STEP, SAMPLES = 1_790_000_040, 15, 41
AT = START + 600
WHEN = "2026-09-21T14:24:00Z"
NATIVE = "rpc_seconds"
BOUND, INSIDE = 2.0, 3.0
SLOS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: native}
defaults: {interval: 1m, window: 5m}
slos:
  - name: at-a-bound
    sli: {latency: {histogram: rpc_seconds, type: native, by: [verb]}}
    objective: {percentile: 99, at_most: 2s}
  - name: inside-a-bucket
    sli: {latency: {histogram: rpc_seconds, type: native, by: [verb]}}
    objective: {percentile: 99, at_most: 3s}
  - name: nothing-is-guessed
    sli: {latency: {histogram: rpc_seconds, by: [verb]}}
    objective: {percentile: 99, at_most: 2s}
  - name: plain-numbers
    sli: {latency: {histogram: plain_seconds, type: native}}
    objective: {percentile: 99, at_most: 2s}
"""


def _growing(seed: str, schema: int, indexes: range, zero: int = 0) -> list[tuple[int, Native]]:
    chance = random.Random(seed)
    counts = dict.fromkeys(indexes, 0)
    made: list[tuple[int, Native]] = []
    for step in range(SAMPLES):
        for index in counts:
            counts[index] += chance.randrange(0, 9)
        made.append(((START + step * STEP) * 1000, Native(schema, dict(counts), zero * step, 2**-10)))
    return made


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("native") / "tsdb"
    directory.mkdir()
    flags = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    with Prometheus(directory, flags=flags) as running:
        remote_write.write(
            running.url,
            [
                ({"__name__": NATIVE, "verb": "fine"}, _growing("fine", 3, range(-24, 9))),
                ({"__name__": NATIVE, "verb": "coarse"}, _growing("coarse", 0, range(-9, 4))),
                ({"__name__": NATIVE, "verb": "zero"}, _growing("zero", 1, range(-3, 5), zero=5)),
                ({"__name__": "plain_seconds"}, [((START + i * STEP) * 1000, float(i)) for i in range(SAMPLES)]),
            ],
        )
        yield running


def ask(server: Prometheus, query: str) -> dict[str, float]:
    body = urllib.parse.urlencode({"query": query, "time": AT}).encode()
    with urllib.request.urlopen(f"{server.url}/api/v1/query", body, timeout=10) as reply:
        return {row["metric"]["verb"]: float(row["value"][1]) for row in json.load(reply)["data"]["result"]}


@pytest.fixture(scope="module")
def agent(prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> AgentDirectory:
    return AgentDirectory(tmp_path_factory.mktemp("agent"), prometheus.url, slos={"native.yaml": SLOS})


def judged(agent: AgentDirectory, slo: str) -> tuple[int, dict[str, dict]]:
    done = agent.command("check", "--at", WHEN, "--slo", slo, "--format", "json")
    assert done.stdout, done.stderr
    return done.returncode, {entry["labels"].get("verb", ""): entry for entry in json.loads(done.stdout)["verdicts"]}


def test_quantiles_counts_and_shares_are_prometheus_s_own(agent: AgentDirectory, prometheus: Prometheus) -> None:
    code, verdicts = judged(agent, "at-a-bound")
    assert set(verdicts) == {"fine", "coarse", "zero"}
    rate = f"rate({NATIVE}[5m])"
    for percentile in ("50", "90", "99"):
        theirs = ask(prometheus, f"histogram_quantile({int(percentile) / 100!r}, {rate})")
        for verb, entry in verdicts.items():
            ours = entry["quantiles"][percentile]
            assert ours["value"] == pytest.approx(theirs[verb], rel=1e-9), (verb, percentile)
            assert ours["lower"] <= ours["value"] <= ours["upper"]
    counts = ask(prometheus, f"histogram_count({rate})")
    shares = ask(prometheus, f"histogram_fraction(-Inf, {BOUND}, {rate})")
    for verb, entry in verdicts.items():
        assert entry["events"] == pytest.approx(counts[verb] * 300, rel=1e-9)
        assert entry["good_share"]["lower"] == entry["good_share"]["upper"] == pytest.approx(shares[verb], rel=1e-9)
        assert entry["outcome"] == ("pass" if shares[verb] >= 0.99 else "fail")
    assert code == (1 if min(shares.values()) < 0.99 else 0)


def test_a_limit_inside_a_bucket_gives_the_shares_at_its_edges_and_nothing_between(
    agent: AgentDirectory, prometheus: Prometheus
) -> None:
    _, verdicts = judged(agent, "inside-a-bucket")
    entry = verdicts["coarse"]
    low = ask(prometheus, f"histogram_fraction(-Inf, 2, rate({NATIVE}[5m]))")["coarse"]
    high = ask(prometheus, f"histogram_fraction(-Inf, 4, rate({NATIVE}[5m]))")["coarse"]
    assert entry["good_share"] == {"lower": pytest.approx(low, rel=1e-9), "upper": pytest.approx(high, rel=1e-9)}
    assert low < high
    finer = 2 ** (math.floor(math.log2(INSIDE) * 8) / 8)
    exact = ask(prometheus, f"histogram_fraction(-Inf, {finer!r}, rate({NATIVE}[5m]))")["fine"]
    assert verdicts["fine"]["good_share"]["lower"] == pytest.approx(exact, rel=1e-9)


def test_a_type_that_is_not_written_is_not_guessed(agent: AgentDirectory) -> None:
    code, verdicts = judged(agent, "nothing-is-guessed")
    assert (code, {entry["outcome"] for entry in verdicts.values()}) == (3, {"no_data"})
    code, verdicts = judged(agent, "plain-numbers")
    (entry,) = verdicts.values()
    assert (code, entry["outcome"]) == (3, "error")
    assert "is a number, not a native histogram" in entry["reason"]


def test_a_range_adds_native_histograms_and_explain_draws_them(agent: AgentDirectory, prometheus: Prometheus) -> None:
    words = ("--from", "2026-09-21T14:20:00Z", "--to", WHEN, "--slo", "at-a-bound", "--format", "json")
    done = agent.command("check", *words)
    verdicts = {entry["labels"]["verb"]: entry for entry in json.loads(done.stdout)["verdicts"]}
    theirs = ask(prometheus, f"histogram_quantile(0.99, increase({NATIVE}[9m]))")
    for verb, entry in verdicts.items():
        assert entry["windows"]["evaluated"] == entry["windows"]["expected"] == 5
        assert entry["value"] == pytest.approx(theirs[verb], rel=1e-9), "all that any of the windows saw"
    explained = agent.command("explain", "at-a-bound", "--at", WHEN)
    assert explained.returncode == done.returncode
    assert "◀ limit" in explained.stdout


def test_exported_rules_judge_a_native_histogram_at_an_edge_and_are_refused_elsewhere(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    promises = "".join(
        f"  - {{name: p{percentile}, sli: {{latency: {{histogram: rpc_seconds, type: native, by: [verb]}}}}, "
        f"objective: {{percentile: {percentile}, at_most: 2s}}}}\n"
        for percentile in (25, 50, 75, 90)
    )
    agent = AgentDirectory(tmp_path, prometheus.url, slos={"native.yaml": SLOS + promises})
    done = agent.command("rules", "export")
    assert "refused native/inside-a-bucket: 3 s lies inside a bucket of a native histogram" in done.stderr
    outcomes = set()
    for group in yaml.safe_load(done.stdout)["groups"]:
        for rule in group["rules"]:
            name = rule["labels"]["slo"]
            if rule.get("record") == "sloagent:slo_pass" and name not in ("plain-numbers", "nothing-is-guessed"):
                verdicts = {verb: entry["outcome"] for verb, entry in judged(agent, name)[1].items()}
                by_rule = {verb: "pass" if says else "fail" for verb, says in ask(prometheus, rule["expr"]).items()}
                assert by_rule == verdicts, name
                outcomes |= set(by_rule.values())
    assert outcomes == {"pass", "fail"}
