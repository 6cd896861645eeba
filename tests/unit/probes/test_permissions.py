"""The roles that ship grant what the probe needs, and nothing else."""

from __future__ import annotations

from pathlib import Path

import yaml

from sloagent.app.agent_settings import AgentSettings
from sloagent.config.load import load_settings
from sloagent.probes.karmada import needs
from sloagent.probes.permissions import roles

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


def manifests(name: str) -> list[dict]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def settings(tmp_path):
    (config,) = (one for one in manifests("karmada.yaml") if one["kind"] == "ConfigMap")
    file = tmp_path / "sloagent.yaml"
    file.write_text(config["data"]["sloagent.yaml"])
    return load_settings(file, AgentSettings).probes.karmada


def granted(name: str) -> list[tuple[str, str, dict]]:
    return [
        (one["kind"], one["metadata"].get("namespace", ""), rule)
        for one in manifests(name)
        if one["kind"] in ("Role", "ClusterRole")
        for rule in one["rules"]
    ]


def needed(found, cluster_wide: bool = False) -> list[tuple[str, str, dict]]:
    made = roles("sloagent-probe", found)
    return [
        (
            "ClusterRole" if cluster_wide else one["kind"],
            "" if cluster_wide else one["metadata"].get("namespace", ""),
            rule,
        )
        for one in made
        for rule in one["rules"]
    ]


def test_the_roles_in_karmada_are_the_least_that_the_shipped_configuration_needs(tmp_path):
    assert granted("karmada-rbac.yaml") == needed(needs.of_karmada(settings(tmp_path)))


def test_the_role_in_a_member_is_the_least_that_the_shipped_configuration_needs(tmp_path):
    """Cluster-wide, for the namespace of the canaries is not there before the first of them."""
    assert granted("member-rbac.yaml") == needed(needs.of_member(settings(tmp_path).distribution), cluster_wide=True)


def test_a_probe_without_canaries_only_reads():
    from sloagent.probes.karmada.settings import KarmadaSettings

    verbs = {verb for need in needs.of_karmada(KarmadaSettings()) for verb in need.verbs}
    assert verbs == {"list", "watch", "get"}
