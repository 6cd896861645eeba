"""Exported rules in a real vmalert over a real VictoriaMetrics: MetricsQL reads them, and differs where its rate does.

MetricsQL's `rate` takes the last sample before the window in, extrapolates nothing, and takes a counter that falls by
less than an eighth for one that did not start anew. So it counts a little otherwise than Prometheus's, which is the most
likely reason why verdicts near a limit or `min_events` differ, and some after a restart; the names below were observed.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from sloagent.app import demo_data, rule_files, rules_export
from sloagent.config.load import load_slo_files
from sloagent.evaluation.judge import judge
from sloagent.model.slo import SLO
from sloagent.model.verdict import Cause, Outcome
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from sloagent.sources.rules.rule import VERDICT
from tests.agent import wait_until
from tests.prometheus import Prometheus, free_port
from tests.rules import AT_BOUNDS, SAYS

AT_AN_EDGE = {
    "api-readonly-resource-latency", "api-request-latency", "binding-sync-latency", "cluster-status-sync-latency",
    "etcd-backend-commit-latency",
}  # fmt: skip
"""SLOs of which some windows were seen to differ: near their limit, or with nothing from MetricsQL."""


@dataclass(frozen=True)
class Metrics:
    """A running VictoriaMetrics."""

    url: str

    def post(self, path: str, body: bytes) -> str:
        with urllib.request.urlopen(f"{self.url}{path}", body, timeout=60) as answer:
            return answer.read().decode()

    def take(self, prometheus: str, metric: str, start: int, end: int) -> None:
        """Copy a metric from a Prometheus, raw samples with their timestamps."""
        form = {"query": f"{metric}[{end - start}s]", "time": end}
        with urllib.request.urlopen(f"{prometheus}/api/v1/query", urllib.parse.urlencode(form).encode()) as answer:
            series = json.load(answer)["data"]["result"]
        lines = [
            json.dumps({
                "metric": one["metric"],
                "values": [float(value) for _, value in one["values"]],
                "timestamps": [round(at * 1000) for at, _ in one["values"]],
            })
            for one in series
        ]  # fmt: skip
        if lines:
            self.post("/api/v1/import", "\n".join(lines).encode())

    def written(self, metric: str) -> list[dict]:
        self.post("/internal/force_flush", b"")
        found = self.post("/api/v1/export", urllib.parse.urlencode({"match[]": metric}).encode())
        return [json.loads(line) for line in found.splitlines()]


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[Metrics]:
    port = free_port()
    listens = f"-httpListenAddr=127.0.0.1:{port}"
    kept = ["-retentionPeriod=100y", "-search.disableCache", "-loggerLevel=ERROR"]
    server = subprocess.Popen(["victoria-metrics", f"-storageDataPath={tmp_path / 'metrics'}", listens, *kept])
    try:
        found = Metrics(f"http://127.0.0.1:{port}")
        wait_until(lambda: _answers(f"{found.url}/health"), what="VictoriaMetrics")
        yield found
    finally:
        server.terminate()
        server.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except (urllib.error.URLError, OSError):
        return False


def verdict_groups(slos: list[SLO]) -> list[dict]:
    """The groups of the exported files, of each the rule of the verdict alone."""
    groups = yaml.safe_load(rule_files.prometheus(rules_export.export(slos)))["groups"]
    for group in groups:
        group["rules"] = [rule for rule in group["rules"] if rule.get("record") == VERDICT]
    return [group for group in groups if group["rules"]]


def test_vmalert_s_replay_gives_the_same_verdicts_but_for_its_rate(metrics: Metrics, tmp_path: Path) -> None:
    (slo_set,) = load_slo_files(["builtin:karmada"], parameters={"karmada": AT_BOUNDS})
    slos = {slo.name: slo for slo in slo_set.slos if slo.name != "distribution-queue-wait"}
    groups = verdict_groups(list(slos.values()))
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    data = tmp_path / "data"
    recording = demo_data.unpack(data)
    start, end = int(recording.start.timestamp()), int(recording.end.timestamp())
    slots = range(-(-(start + 300) // 60) * 60, end + 1, 60)
    same, differ, lost = Counter[Outcome](), Counter[str](), Counter[Cause]()
    with Prometheus(data) as server:
        for metric in sorted(
            {name for group in groups for name in re.findall(r"([a-z]\w+)\{", group["rules"][0]["expr"])}
        ):
            metrics.take(server.url, metric, start - 600, end + 600)
        metrics.post("/internal/force_flush", b"")
        from_, to = (f"{datetime.fromisoformat(_utc(at)):%Y-%m-%dT%H:%M:%SZ}" for at in (slots[0], slots[-1]))
        done = subprocess.run(
            [
                "vmalert", f"-rule={tmp_path / 'rules.yaml'}", f"-datasource.url={metrics.url}",
                f"-remoteWrite.url={metrics.url}", f"-replay.timeFrom={from_}", f"-replay.timeTo={to}",
                "-datasource.queryStep=1m", "-replay.rulesDelay=0s", "-replay.disableProgressBar",
            ],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        by_rule = {}
        for series in metrics.written(VERDICT):
            labels = {k: v for k, v in series["metric"].items() if k not in ("__name__", "set", "slo")}
            for at, value in zip(series["timestamps"], series["values"], strict=True):
                by_rule[series["metric"]["slo"], at // 1000, tuple(sorted(labels.items()))] = float(value)
        source = PrometheusSource(PrometheusSettings(url=server.url))
        for group in groups:
            slo = slos[group["rules"][0]["labels"]["slo"]]
            for slot, answer in zip(slots, source.over(slo, slots), strict=True):
                for verdict in judge(slo, slot, answer).verdicts:
                    says, ours = by_rule.pop((slo.name, slot, verdict.labels), None), SAYS.get(verdict.outcome)
                    if says == ours:
                        same[verdict.outcome] += 1
                    elif ours is None:
                        lost[verdict.cause] += 1
                    else:
                        differ[slo.name] += 1
        source.close()
    assert not by_rule, "vmalert judged what sloagent did not"
    assert set(differ) <= AT_AN_EDGE
    assert set(lost) <= {Cause.TOO_FEW_EVENTS, Cause.FALLING_COUNTS}
    assert same[Outcome.PASS] > 1400
    assert same[Outcome.FAIL] > 380
    assert sum(differ.values()) <= 0.015 * (same[Outcome.PASS] + same[Outcome.FAIL]), differ


def _utc(seconds: int) -> str:
    from datetime import UTC

    return datetime.fromtimestamp(seconds, UTC).isoformat()


def test_vmalert_reads_the_exported_files_without_what_came_after_it(tmp_path: Path) -> None:
    """Debian's is older than `keep_firing_for`; the handbook says how to leave it out."""
    target = tmp_path / "rules"
    for name in ("karmada", "kubernetes"):
        (slo_set,) = load_slo_files([f"builtin:{name}"])
        rule_files.write(rules_export.export(slo_set.slos), "prometheus", target)
    for file in target.glob("*.rules.yaml"):
        file.write_text(re.sub(r".*keep_firing_for.*\n", "", file.read_text()))
    done = subprocess.run(
        ["vmalert", "-dryRun", f"-rule={target}/*.rules.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
