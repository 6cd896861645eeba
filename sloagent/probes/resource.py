"""A resource of a Kubernetes-style API, as people write it: `v1/pods`, `apps/v1/deployments`; and where it is served."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Resource:
    """Group (empty for the core), version and plural name."""

    group: str
    version: str
    plural: str

    @classmethod
    def parse(cls, text: str) -> Resource:
        """The resource written as `version/plural` or `group/version/plural`. Raises ValueError with a sentence."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(_PART.fullmatch(part) for part in parts):
            raise ValueError(
                f'"{text[:80]}" is no resource; write version/plural or group/version/plural,'
                " such as v1/configmaps or apps/v1/deployments"
            )
        return cls(*([""] if len(parts) == 2 else []), *parts)

    def path(self, namespace: str = "", name: str = "") -> str:
        """Where the collection is served, of all namespaces or of one; with `name`, where the object is."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")

    @property
    def api_version(self) -> str:
        """`apiVersion` as objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.api_version}/{self.plural}"


CLUSTERS = Resource("cluster.karmada.io", "v1alpha1", "clusters")
BINDINGS = Resource("work.karmada.io", "v1alpha2", "resourcebindings")
CLUSTER_BINDINGS = Resource("work.karmada.io", "v1alpha2", "clusterresourcebindings")
WORKS = Resource("work.karmada.io", "v1alpha1", "works")
NAMESPACES = Resource("", "v1", "namespaces")
CONFIG_MAPS = Resource("", "v1", "configmaps")
POLICIES = Resource("policy.karmada.io", "v1alpha1", "propagationpolicies")
