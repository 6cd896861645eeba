"""Which resource a path is about, and what its objects are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

_KINDS = {
    "configmaps": "ConfigMap", "clusterresourcebindings": "ClusterResourceBinding", "daemonsets": "DaemonSet",
    "namespaces": "Namespace", "propagationpolicies": "PropagationPolicy", "replicasets": "ReplicaSet",
    "resourcebindings": "ResourceBinding", "serviceaccounts": "ServiceAccount", "statefulsets": "StatefulSet",
    "clusterpropagationpolicies": "ClusterPropagationPolicy", "overridepolicies": "OverridePolicy",
    "persistentvolumeclaims": "PersistentVolumeClaim", "endpoints": "Endpoints",
}  # fmt: skip
"""Kinds of more than one word, or whose plural is irregular, until an object tells."""
CLUSTER_SCOPED = {"namespaces", "nodes", "clusters", "clusterresourcebindings", "clusterpropagationpolicies"}


class Resource(NamedTuple):
    """Group (empty for the core), version, plural."""

    group: str
    version: str
    plural: str

    @classmethod
    def parse(cls, text: str) -> Resource:
        """From `v1/pods` or `apps/v1/deployments`."""
        *group, version, plural = text.split("/")
        return cls(group[0] if group else "", version, plural)

    def __str__(self) -> str:
        return f"{self.api_version}/{self.plural}"

    @property
    def api_version(self) -> str:
        """As objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def in_words(self) -> str:
        """As messages name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def kind(self) -> str:
        """A guess, until an object tells."""
        stem = self.plural[:-3] + "y" if self.plural.endswith("ies") else self.plural.removesuffix("s")
        return _KINDS.get(self.plural, stem[:1].upper() + stem[1:])

    @property
    def items_bare(self) -> bool:
        """Whether the items of a list lack kind and apiVersion: those of compiled types do, custom resources have them."""
        return "." not in self.group or self.group.endswith(".k8s.io") or self.group == "cluster.karmada.io"


CONFIG_MAPS = Resource("", "v1", "configmaps")
NAMESPACES = Resource("", "v1", "namespaces")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
CLUSTERS = Resource("cluster.karmada.io", "v1alpha1", "clusters")
POLICIES = Resource("policy.karmada.io", "v1alpha1", "propagationpolicies")
BINDINGS = Resource("work.karmada.io", "v1alpha2", "resourcebindings")
WORKS = Resource("work.karmada.io", "v1alpha1", "works")


@dataclass(frozen=True, slots=True)
class Place:
    """What a path below a cluster points at; `name` empty is the collection."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""
    """What stands behind a subresource, such as the path behind `proxy`."""


def place_of(path: str) -> Place | None:
    """Read `/api/v1/…` or `/apis/GROUP/VERSION/…`; None for what is no resource's path."""
    parts = path.strip("/").split("/")
    match parts:
        case ["api", version, *below] if below:
            group = ""
        case ["apis", group, version, *below] if below:
            pass
        case _:
            return None
    namespace = ""
    if below[0] == "namespaces" and len(below) > 2 and below[2] not in ("status", "finalize"):
        namespace, below = below[1], below[2:]
    plural, name, subresource = (*below, "", "")[:3] if len(below) < 3 else below[:3]
    return Place(Resource(group, version, plural), namespace, name, subresource, "/".join(below[3:]))
