"""The probe process: every probe that the file asks for, on one event loop, and a page that Prometheus scrapes."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import random
import signal
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from prometheus_client import CollectorRegistry, disable_created_metrics
from starlette.applications import Starlette

from sloagent.app.agent_settings import AgentSettings
from sloagent.app.door import open_door
from sloagent.app.footprint import give_back_what_is_freed
from sloagent.app.probe_settings import ProbesSettings
from sloagent.config.load import load_settings
from sloagent.errors import ConfigError
from sloagent.probes import Probe
from sloagent.probes.attention import Attention, leave_the_libraries_alone
from sloagent.probes.telemetry import ProbeTelemetry
from sloagent.web import exposition
from sloagent.web.telemetry import WebTelemetry

log = logging.getLogger("sloagent.probes")


def load_probes(configuration: Path) -> ProbesSettings:
    """The `probes:` block of the agent's file. Raises ConfigError, also where there is none, or its extra is missing."""
    probes = load_settings(configuration, AgentSettings).probes
    if probes is None:
        raise ConfigError(f"{configuration}: there is no block `probes:`", hint="docs/probes.md shows one")
    if probes.clusters and importlib.util.find_spec("kubernetes_asyncio") is None:
        raise ConfigError(
            f"{configuration}: probes.clusters needs kubernetes_asyncio, which is not there",
            hint="pip install 'sloagent[kubernetes]'",
        )
    return probes


def made(settings: ProbesSettings, telemetry: ProbeTelemetry, attention: Attention) -> list[Probe]:
    """The probes of these settings, with metrics in the telemetry's registry."""
    found: list[Probe] = []
    chance = random.Random()  # noqa: S311 - it spreads requests and reconnects, and hides nothing
    if settings.karmada is not None:
        from sloagent.probes.karmada.metrics import KarmadaMetrics
        from sloagent.probes.karmada.probe import KarmadaProbe

        metrics = KarmadaMetrics(telemetry.registry)
        found.append(KarmadaProbe(settings.karmada, settings.clusters, metrics, telemetry, attention, chance=chance))
    if settings.api:
        from sloagent.probes.api.metrics import ApiMetrics
        from sloagent.probes.api.probe import ApiProbe

        of_loads = ApiMetrics(telemetry.registry)
        found += [
            ApiProbe(load, settings.clusters, of_loads, telemetry, attention, chance=chance) for load in settings.api
        ]
    if settings.http:
        from sloagent.probes.http import HttpMetrics, HttpProbe

        of_urls = HttpMetrics(telemetry.registry)
        found += [HttpProbe(target, telemetry, of_urls) for target in settings.http]
    if settings.throughput:
        from sloagent.probes.throughput import ThroughputMetrics, ThroughputProbe

        of_links = ThroughputMetrics(telemetry.registry)
        found += [ThroughputProbe(target, telemetry, of_links) for target in settings.throughput]
    return found


class ProbeProcess:
    """Runs until SIGTERM or SIGINT. `web` stands in place of fields of its block."""

    def __init__(self, configuration: Path, *, web: Mapping[str, object] = MappingProxyType({})) -> None:
        give_back_what_is_freed()
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._configuration = configuration
        self._settings = load_probes(configuration)
        self._web = self._settings.web.model_copy(update=dict(web))
        self._telemetry = ProbeTelemetry(CollectorRegistry())

    def run(self) -> None:
        """Serve and probe until told to end; returns after the probes have taken away what they made."""
        application = Starlette(routes=exposition.routes(self._telemetry.registry, lambda: ""))
        server = open_door(application, self._web, WebTelemetry(self._telemetry.registry))
        server.start()
        try:
            asyncio.run(self._probe(server.url))
        finally:
            server.stop()
        log.info("ended")

    async def _probe(self, url: str) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end.set)
        attention = Attention()
        probes = made(self._settings, self._telemetry, attention)
        if self._settings.clusters:
            importlib.import_module("kubernetes_asyncio.client")  # now, not when the first request is timed
        leave_the_libraries_alone()
        log.info(
            "sloagent %s: %d probe%s of %s; listening on %s",
            version("sloagent"),
            len(probes),
            "s" * (len(probes) != 1),
            self._configuration,
            url,
        )
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in (attention.run(), *(probe.run() for probe in probes))]
            await end.wait()
            log.info("ending: taking away what the probes have made")
            for task in running:
                task.cancel()
