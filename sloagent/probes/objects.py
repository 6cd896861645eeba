"""What the probes read of objects; everything else in them is skipped while decoding."""

from __future__ import annotations

from typing import Protocol

import msgspec

READY = "Ready"


class Owner(msgspec.Struct, frozen=True):
    """An owner reference."""

    uid: str = ""
    kind: str = ""


class Metadata(msgspec.Struct, rename="camel", frozen=True):
    """What every object has."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[Owner] = []


class Object(Protocol):
    """Any object that a watch shows."""

    @property
    def metadata(self) -> Metadata:
        """What every object has."""
        ...


class Bare(msgspec.Struct, frozen=True):
    """An object of which the metadata is enough."""

    metadata: Metadata = Metadata()


class TargetCluster(msgspec.Struct, frozen=True):
    """One cluster of a placement."""

    name: str = ""


class TemplateReference(msgspec.Struct, frozen=True):
    """The template that a binding is of."""

    uid: str = ""
    kind: str = ""


class BindingSpec(msgspec.Struct, frozen=True):
    """What a binding wants: which template, in which clusters."""

    resource: TemplateReference = TemplateReference()
    clusters: list[TargetCluster] | None = None


class Binding(msgspec.Struct, frozen=True):
    """Karmada's ResourceBinding or ClusterResourceBinding."""

    metadata: Metadata = Metadata()
    spec: BindingSpec = BindingSpec()


class ClusterSpec(msgspec.Struct, rename="camel", frozen=True):
    """How Karmada and the member talk: `Push` or `Pull`."""

    sync_mode: str = ""


class Condition(msgspec.Struct, frozen=True):
    """A condition of a status."""

    type: str = ""
    status: str = ""


class ClusterStatus(msgspec.Struct, frozen=True):
    """What Karmada says of a member."""

    conditions: list[Condition] | None = None


class Cluster(msgspec.Struct, frozen=True):
    """Karmada's Cluster: a member."""

    metadata: Metadata = Metadata()
    spec: ClusterSpec = ClusterSpec()
    status: ClusterStatus = ClusterStatus()

    @property
    def ready(self) -> bool:
        """Whether Karmada says that it is Ready."""
        return any(one.type == READY and one.status == "True" for one in self.status.conditions or ())
