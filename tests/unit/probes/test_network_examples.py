"""deploy/probes: the three http and five throughput scenarios, and an SLO set that asks only for what probes export."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from sloagent.config.load import load_slo_files
from sloagent.model.slo import LatencySLI
from sloagent.probes.http import HttpMetrics
from sloagent.probes.http_settings import HttpSettings
from sloagent.probes.throughput import ThroughputMetrics
from sloagent.probes.throughput_settings import ThroughputSettings

EXAMPLES = Path(__file__).resolve().parents[3] / "deploy" / "probes"
PLACES = ("node", "pod", "outside")


def probes(place: str) -> dict:
    return yaml.safe_load((EXAMPLES / f"network-{place}.yaml").read_text())["probes"]


def test_every_scenario_is_there_once_where_it_is_measured_from() -> None:
    web = {place: [target["name"] for target in probes(place)["http"]] for place in PLACES}
    links = {place: [target["name"] for target in probes(place).get("throughput", [])] for place in PLACES}
    assert web == {"node": ["node-cluster-ip"], "pod": ["pod-service"], "outside": ["outside-ingress"]}
    assert links == {
        "node": ["host-host", "node-pod-vxlan", "node-pod-host-gw"],
        "pod": ["pod-pod-vxlan", "pod-pod-host-gw"],
        "outside": [],
    }


@pytest.mark.parametrize("place", PLACES)
def test_every_target_is_well_written(place: str) -> None:
    for target in probes(place)["http"]:
        HttpSettings.model_validate(target)
    for target in probes(place).get("throughput", []):
        ThroughputSettings.model_validate(target)


def test_the_slo_set_asks_only_for_metrics_and_labels_that_the_probes_export() -> None:
    registry = CollectorRegistry()
    labels = {
        metric._name: set(metric._labelnames)
        for metrics in (HttpMetrics(registry), ThroughputMetrics(registry))
        for metric in vars(metrics).values()
    }
    (network,) = load_slo_files([str(EXAMPLES / "network-slos.yaml")])
    for slo in network.slos:
        if isinstance(slo.sli, LatencySLI):
            assert set(slo.sli.by) <= labels[slo.sli.histograms[0]]
        else:
            asked = re.findall(r"(sloagent_\w+)_total", repr(slo.sli))
            assert len(asked) == 2
            assert set(asked) <= set(labels)
