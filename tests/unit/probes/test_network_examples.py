"""deploy/probes: the three http and five throughput scenarios, and an SLO set that asks only for what probes export."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from sloagent.app.probe_settings import ProbesSettings
from sloagent.app.probing import load_probes, made
from sloagent.config.load import load_slo_files
from sloagent.errors import ConfigError
from sloagent.model.slo import LatencySLI
from sloagent.probes.attention import Attention
from sloagent.probes.http import HttpMetrics
from sloagent.probes.telemetry import ProbeTelemetry
from sloagent.probes.throughput import ThroughputMetrics

EXAMPLES = Path(__file__).resolve().parents[3] / "deploy" / "probes"
PLACES = ("node", "pod", "outside")


@pytest.fixture(scope="module")
def targets() -> dict[str, ProbesSettings]:
    return {place: load_probes(EXAMPLES / f"network-{place}.yaml") for place in PLACES}


def test_every_scenario_is_there_once_where_it_is_measured_from(targets: dict[str, ProbesSettings]) -> None:
    web = {place: [target.name for target in probes.http] for place, probes in targets.items()}
    links = {place: [target.name for target in probes.throughput] for place, probes in targets.items()}
    assert web == {"node": ["node-cluster-ip"], "pod": ["pod-service"], "outside": ["outside-ingress"]}
    assert links == {
        "node": ["host-host", "node-pod-vxlan", "node-pod-host-gw"],
        "pod": ["pod-pod-vxlan", "pod-pod-host-gw"],
        "outside": [],
    }


@pytest.mark.parametrize("place", PLACES)
def test_every_target_gets_a_probe_and_targets_share_their_metrics(
    place: str, targets: dict[str, ProbesSettings]
) -> None:
    probes = targets[place]
    found = made(probes, ProbeTelemetry(CollectorRegistry()), Attention())
    assert len(found) == len(probes.http) + len(probes.throughput)


def test_two_targets_of_one_name_are_refused(tmp_path: Path) -> None:
    text = (EXAMPLES / "network-pod.yaml").read_text().replace("pod-pod-host-gw", "pod-pod-vxlan")
    (tmp_path / "network-slos.yaml").write_text((EXAMPLES / "network-slos.yaml").read_text())
    (tmp_path / "sloagent.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_probes(tmp_path / "sloagent.yaml")
    assert "throughput has more than one entry named pod-pod-vxlan" in caught.value.problems[0]


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
            asked = set(re.findall(r"(sloagent_\w+)_(?:total|count)", repr(slo.sli)))
            assert asked
            assert asked <= set(labels)
