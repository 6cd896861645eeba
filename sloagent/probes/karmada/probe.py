"""Watches a Karmada control plane and its members, and tells the ledger and the registrations what it sees."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sloagent.probes.attention import Attention
from sloagent.probes.endpoint import Endpoint
from sloagent.probes.karmada.canaries import Canaries
from sloagent.probes.karmada.ledger import Ledger
from sloagent.probes.karmada.metrics import KarmadaMetrics
from sloagent.probes.karmada.reaching import through_karmada
from sloagent.probes.karmada.registration import Registrations
from sloagent.probes.karmada.settings import DistributionSettings, KarmadaSettings
from sloagent.probes.objects import Bare, Binding, Cluster
from sloagent.probes.pulse import Pulse
from sloagent.probes.resource import BINDINGS, CLUSTER_BINDINGS, CLUSTERS, CONFIG_MAPS, WORKS, Resource
from sloagent.probes.seen import AnyObject, Change, Seen
from sloagent.probes.settings import EndpointSettings
from sloagent.probes.telemetry import OPENING, ProbeTelemetry
from sloagent.probes.watch import Watch

LOOK_SECONDS = 1.0
FIRST_SECONDS = 15.0
"""For so long templates wait for everything else to be watched, and canaries for templates."""


class Sight(Protocol):
    """Whether a watch shows everything, and why it does not."""

    why_not: str

    @property
    def current(self) -> bool:
        """Whether it shows everything."""
        ...


@dataclass(frozen=True, slots=True)
class _Stream:
    """One collection whose objects are distributed: of all namespaces, or the canaries'."""

    resource: Resource
    namespace: str = ""


@dataclass(slots=True)
class _Member:
    """A Cluster object and who follows it."""

    uid: str
    task: asyncio.Task[None]


class KarmadaProbe:
    """Distribution and registration of one control plane."""

    def __init__(
        self,
        settings: KarmadaSettings,
        clusters: Mapping[str, EndpointSettings],
        metrics: KarmadaMetrics,
        telemetry: ProbeTelemetry,
        attention: Attention,
        *,
        chance: random.Random,
    ) -> None:
        self._settings = settings
        self._clusters = clusters
        self._metrics = metrics
        self._telemetry = telemetry
        self._attention = attention
        self._chance = chance
        self._karmada = Endpoint(settings.cluster, clusters[settings.cluster])
        self._pulse = Pulse(self._karmada, CLUSTERS.path(), settings.pulse, telemetry=telemetry, chance=chance)
        self._registrations = Registrations(metrics) if settings.registration else None
        self._watches: dict[str, list[Sight]] = {settings.cluster: []}
        self._members: dict[str, _Member] = {}
        self._tasks = asyncio.TaskGroup()
        self._waits = OPENING
        """What the watch of templates waits for."""
        distribution = settings.distribution
        self._ledger = None
        if distribution is not None:
            self._ledger = Ledger(
                metrics, timeout=distribution.timeout, watched=self._is_watched,
                placements_watched=partial(self._is_watched, self._karmada.name),
            )  # fmt: skip
        self._streams = _streams(distribution) if distribution else ()

    async def run(self) -> None:
        """Watch until cancelled."""
        karmada = self._watches[self._karmada.name]
        try:
            async with self._tasks:
                self._tasks.create_task(self._pulse.run())
                self._start(karmada, self._karmada, self._pulse, CLUSTERS, Cluster, self._cluster)
                if self._ledger is not None:
                    self._tasks.create_task(self._distribution(karmada, self._ledger))
                while True:
                    await asyncio.sleep(LOOK_SECONDS)
                    self._look()
        finally:
            await self._karmada.close()

    async def _distribution(self, karmada: list[Sight], ledger: Ledger) -> None:
        """Templates are watched last: of one that comes, everything that follows is seen."""
        assert self._settings.distribution is not None
        for resource in (BINDINGS, CLUSTER_BINDINGS):
            self._start(karmada, self._karmada, self._pulse, resource, Binding, ledger.binding)
        self._start(karmada, self._karmada, self._pulse, WORKS, Bare, ledger.work)
        await self._wait_for(lambda: [name for name in self._watches if not self._is_watched(name)])
        for stream in self._streams:
            self._start(karmada, self._karmada, self._pulse, stream.resource, Bare, ledger.template, stream.namespace)
        self._waits = ""
        if (canaries := self._settings.distribution.canaries) is not None:
            await self._wait_for(lambda: [] if self._is_watched(self._karmada.name) else [self._karmada.name])
            self._waits = ""
            self._tasks.create_task(Canaries(canaries, self._karmada, self._metrics, self._telemetry).run())

    async def _wait_for(self, unseen: Callable[[], list[str]]) -> None:
        """Wait until nothing is unseen; after a while go on without."""
        begun = time.monotonic()
        while (names := unseen()) and time.monotonic() - begun < FIRST_SECONDS:
            self._waits = (
                f"templates are not watched yet: waiting for {', '.join(names[:10])}, at most {FIRST_SECONDS:g} s"
            )
            await asyncio.sleep(0.05)

    def _start(
        self, among: list[Sight], endpoint: Endpoint, pulse: Pulse, resource: Resource, kind: type[AnyObject],
        tell: Callable[[Seen[AnyObject]], None], namespace: str = "",
    ) -> asyncio.Task[None]:  # fmt: skip
        watch = Watch(
            endpoint, resource, kind, tell, telemetry=self._telemetry, attention=self._attention,
            pulse=pulse, namespace=namespace, chance=self._chance,
        )  # fmt: skip
        among.append(watch)
        return self._tasks.create_task(watch.run())

    def _cluster(self, seen: Seen[Cluster]) -> None:
        if self._registrations is not None:
            self._registrations.cluster(seen)
        if self._ledger is None:
            return
        if seen.object is not None and seen.change is not Change.DELETED:
            self._is_member(self._ledger, seen.uid, seen.object)
            return
        for name, member in list(self._members.items()):
            if member.uid == seen.uid:  # and not another one that has come under its name
                self._ledger.left(name)
                del self._members[name]
                member.task.cancel()
                self._telemetry.forget("distribution", name)

    def _is_member(self, ledger: Ledger, uid: str, cluster: Cluster) -> None:
        name = cluster.metadata.name
        if cluster.metadata.deletion_timestamp:
            ledger.left(name)
            return
        ledger.joined(name, cluster.spec.sync_mode)
        self._metrics.joined(name, cluster.spec.sync_mode)
        if name in self._members:
            self._members[name].uid = uid
        else:
            self._members[name] = _Member(uid, self._tasks.create_task(self._follow(name, ledger)))

    async def _follow(self, name: str, ledger: Ledger) -> None:
        """Watch a member until it leaves."""
        settings = self._reached(name)
        if settings is None:
            self._telemetry.up("distribution", name, "probes.clusters does not name it, and through_karmada is false")
            return
        endpoint = Endpoint(name, settings)
        watches: list[Sight] = []
        self._watches[name] = watches
        tell = partial(ledger.member, name)
        first = self._streams[0]
        pulse = Pulse(
            endpoint, first.resource.path(first.namespace), self._settings.pulse, telemetry=self._telemetry,
            chance=self._chance,
        )  # fmt: skip
        following = [self._tasks.create_task(pulse.run())] + [
            self._start(watches, endpoint, pulse, stream.resource, Bare, tell, stream.namespace)
            for stream in self._streams
        ]
        try:
            await asyncio.gather(*following)
        finally:
            for task in following:
                task.cancel()
            if self._watches.get(name) is watches:
                del self._watches[name]
                self._telemetry.forget("distribution", name)
            await endpoint.close()

    def _reached(self, name: str) -> EndpointSettings | None:
        assert self._settings.distribution is not None
        if name in self._clusters:
            return self._clusters[name]
        if not self._settings.distribution.through_karmada:
            return None
        return through_karmada(self._clusters[self._settings.cluster], name)

    def _is_watched(self, name: str) -> bool:
        watches = self._watches.get(name)
        return bool(watches) and all(watch.current for watch in watches or ())

    def _look(self) -> None:
        for name, watches in list(self._watches.items()):
            why_not = next((watch.why_not for watch in watches if not watch.current), "")
            if name == self._karmada.name:
                why_not = why_not or self._waits
            if self._ledger is not None:
                self._telemetry.up("distribution", name, why_not)
            if self._registrations is not None and name == self._settings.cluster:
                self._telemetry.up("registration", name, "" if watches[0].current else watches[0].why_not)
        if self._ledger is not None:
            self._ledger.look_at_clock(time.monotonic())
            self._metrics.unplaced.set(self._ledger.unplaced)


def _streams(settings: DistributionSettings) -> tuple[_Stream, ...]:
    streams = tuple(_Stream(Resource.parse(name)) for name in settings.resources)
    if settings.canaries is None or any(stream.resource == CONFIG_MAPS for stream in streams):
        return streams
    return (*streams, _Stream(CONFIG_MAPS, settings.canaries.namespace))
