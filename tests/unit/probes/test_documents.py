"""docs/probes.md and docs/probe-metrics.md have every metric, every reason and kind."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from sloagent.probes.api.metrics import ApiMetrics
from sloagent.probes.http import HttpMetrics
from sloagent.probes.karmada.metrics import KarmadaMetrics
from sloagent.probes.karmada.words import Lost, Other, Stage
from sloagent.probes.seen import Doubt
from sloagent.probes.telemetry import ProbeTelemetry
from sloagent.probes.throughput import ThroughputMetrics

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "probes.md").read_text()
METRICS = (DOCS / "probe-metrics.md").read_text()


def exposed() -> dict[str, str]:
    """Name, as scraped, and type of every metric that a probe can export."""
    registry = CollectorRegistry()
    for metrics in (ProbeTelemetry, KarmadaMetrics, ApiMetrics, HttpMetrics, ThroughputMetrics):
        metrics(registry)
    return {family.name + ("_total" if family.type == "counter" else ""): family.type for family in registry.collect()}


def test_every_metric_is_documented_with_its_type_and_none_that_there_is_not():
    rows = dict(re.findall(r"^\| `(sloagent_probe_\w+)` \| (\w+) \|", METRICS, re.MULTILINE))
    assert rows == exposed()


def test_every_reason_and_kind_is_documented():
    words = [*Lost, *Other, *Stage, *(doubt for doubt in Doubt if doubt not in (Doubt.NONE, Doubt.EXISTED))]
    assert [word for word in words if f"`{word}`" not in PAGE + METRICS] == []
