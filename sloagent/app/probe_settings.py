"""The `probes:` block of the agent's file: the blocks that the probes declare, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.http_settings import HttpSettings
from sloagent.probes.karmada.settings import KarmadaSettings
from sloagent.probes.settings import EndpointSettings, Name
from sloagent.probes.throughput_settings import ThroughputSettings
from sloagent.settings import Settings
from sloagent.web.settings import WebSettings


class ProbeWebSettings(WebSettings):
    """Where the probe process is scraped."""

    listen: str = "127.0.0.1:9470"


class ProbesSettings(Settings):
    """What `sloagent probe run` tries; the daemon does not look at it."""

    web: ProbeWebSettings = ProbeWebSettings()
    clusters: Mapping[Name, EndpointSettings] = Field(default_factory=dict)
    karmada: KarmadaSettings | None = None
    api: tuple[ApiLoadSettings, ...] = ()
    http: tuple[HttpSettings, ...] = ()
    throughput: tuple[ThroughputSettings, ...] = ()

    @model_validator(mode="after")
    def _clusters_are_known(self) -> Self:
        if self.karmada is not None:
            self._known("karmada.cluster", self.karmada.cluster)
        for load in self.api:
            for target in load.targets:
                self._known(f"targets of the load {load.name}", target)
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        blocks = {
            "api": [load.name for load in self.api],
            "http": [target.name for target in self.http],
            "throughput": [target.name for target in self.throughput],
        }
        for block, names in blocks.items():
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"{block} has more than one entry named {', '.join(sorted(twice))}")
        return self

    def _known(self, where: str, cluster: str) -> None:
        if cluster not in self.clusters:
            there = ", ".join(sorted(self.clusters)) or "it is empty"
            raise ValueError(f"{where} names {cluster}, which is not in probes.clusters ({there})")
