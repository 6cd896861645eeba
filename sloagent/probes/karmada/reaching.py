"""How members are reached through Karmada itself."""

from __future__ import annotations

from sloagent.probes.resource import CLUSTERS
from sloagent.probes.settings import EndpointSettings


def through_karmada(karmada: EndpointSettings, member: str) -> EndpointSettings:
    """The way to a member by the cluster proxy of Karmada's aggregated API, with the credentials for Karmada."""
    return karmada.model_copy(update={"path": f"{karmada.path}{CLUSTERS.path(name=member)}/proxy"})
