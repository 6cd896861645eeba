"""What the probe of Karmada has to be allowed, in the control plane and in each member."""

from __future__ import annotations

from sloagent.probes.karmada.settings import DistributionSettings, KarmadaSettings
from sloagent.probes.permissions import READ, Need
from sloagent.probes.resource import (
    BINDINGS,
    CLUSTER_BINDINGS,
    CLUSTERS,
    CONFIG_MAPS,
    NAMESPACES,
    POLICIES,
    WORKS,
    Resource,
)


def of_karmada(settings: KarmadaSettings) -> list[Need]:
    """In the control plane."""
    needs = [Need(CLUSTERS, READ, "registration, and which members there are")]
    distribution = settings.distribution
    if distribution is None:
        return needs
    needs += [Need(Resource.parse(name), READ, "templates") for name in distribution.resources]
    needs += [Need(resource, READ, "placements") for resource in (BINDINGS, CLUSTER_BINDINGS)]
    needs.append(Need(WORKS, READ, "works"))
    if distribution.through_karmada:
        needs.append(Need(CLUSTERS, ("get",), "members that probes.clusters does not name", subresource="proxy"))
    if (canaries := distribution.canaries) is not None:
        given = "canaries, unless their namespace is given"
        needs += [
            Need(NAMESPACES, ("get",), "canaries"),
            Need(NAMESPACES, ("create", "delete"), given, optional=True),
            Need(CONFIG_MAPS, (*READ, "create", "delete", "deletecollection"), "canaries", canaries.namespace),
            Need(POLICIES, ("get", "create", "patch", "delete"), "canaries", canaries.namespace),
        ]
    return needs


def of_member(distribution: DistributionSettings) -> list[Need]:
    """In each member."""
    needs = [Need(Resource.parse(name), READ, "arrivals") for name in distribution.resources]
    if distribution.canaries is not None:
        needs.append(Need(CONFIG_MAPS, READ, "arrivals of canaries", distribution.canaries.namespace))
    return needs
