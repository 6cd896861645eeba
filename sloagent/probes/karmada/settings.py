"""The `karmada:` block of `probes:`."""

from __future__ import annotations

from pydantic import Field

from sloagent.probes.settings import Name, Rate, ResourceName
from sloagent.settings import Duration, Settings


class CanarySettings(Settings):
    """Small ConfigMaps that the probe itself distributes, in a namespace of its own that nobody else may use."""

    rate: Rate = Field(default=0.1, gt=0, le=10)
    namespace: str = Field(default="sloagent-canary", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    clusters: tuple[Name, ...] = ()
    """Where to; every member where none is written."""
    lifetime: Duration = Field(default=30.0, ge=1, le=3600)


class DistributionSettings(Settings):
    """Which resources are watched on their way to the members."""

    resources: tuple[ResourceName, ...] = Field(default=("apps/v1/deployments",), min_length=1)
    timeout: Duration = Field(default=600.0, ge=10)
    """What has not arrived by then is lost."""
    through_karmada: bool = True
    """Reach members that `clusters:` does not name through Karmada's own cluster proxy."""
    canaries: CanarySettings | None = None


class KarmadaSettings(Settings):
    """What is measured of one Karmada control plane."""

    cluster: Name = "karmada"
    """Its name in `clusters:`."""
    registration: bool = True
    distribution: DistributionSettings | None = DistributionSettings()
    pulse: Duration = Field(default=0.5, ge=0.1, le=60)
    """How often each API is asked what it knows, against which its watches are held."""
