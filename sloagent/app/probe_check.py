"""Whether the probes of a file reach what they measure and may do what they have to, without measuring anything."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from sloagent.app.probe_settings import ProbesSettings
from sloagent.app.probing import load_probes
from sloagent.probes.api.needs import of_load
from sloagent.probes.endpoint import METADATA_LIST, Endpoint, EndpointError
from sloagent.probes.karmada import needs as karmada_needs
from sloagent.probes.karmada.reaching import through_karmada
from sloagent.probes.objects import Bare
from sloagent.probes.permissions import Need, Reached, look
from sloagent.probes.resource import CLUSTERS
from sloagent.probes.settings import EndpointSettings

AT_ONCE = 16


def looked(configuration: Path) -> list[Reached]:
    """What was found at each API, the control plane first. Raises ConfigError."""
    return asyncio.run(_looked(load_probes(configuration)))


async def _looked(settings: ProbesSettings) -> list[Reached]:
    needs: dict[str, list[Need]] = {}
    nowhere: dict[str, str] = {}
    reached: dict[str, EndpointSettings] = dict(settings.clusters)
    karmada = settings.karmada
    if karmada is not None:
        needs[karmada.cluster] = karmada_needs.of_karmada(karmada)
        if (distribution := karmada.distribution) is not None:
            way = settings.clusters[karmada.cluster]
            members = await _members(karmada.cluster, way)
            for name in distribution.canaries.clusters if distribution.canaries else ():
                if name not in members:
                    nowhere[name] = "canaries.clusters names it, and Karmada has no such cluster"
            for name in members:
                if name not in reached and distribution.through_karmada:
                    reached[name] = through_karmada(way, name)
                needs.setdefault(name, []).extend(karmada_needs.of_member(distribution))
    for load in settings.api:
        for name in load.targets:
            needs.setdefault(name, []).extend(of_load(load))
    bound = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> Reached:
        if name in nowhere:
            return Reached(name, "", nowhere[name])
        if name not in reached:
            return Reached(name, "", "probes.clusters does not name it, and through_karmada is false")
        async with bound:
            endpoint = Endpoint(name, reached[name])
            try:
                return await look(endpoint, needs.get(name, []))
            finally:
                await endpoint.close()

    names = dict.fromkeys([*needs, *settings.clusters, *nowhere])
    return _told_apart(await asyncio.gather(*map(one, names)))


def _told_apart(found: Sequence[Reached]) -> list[Reached]:
    """Two names for one API are one context written twice: then the numbers of one would be those of the other."""
    first: dict[str, str] = {}
    for reached in found:
        first.setdefault(reached.address, reached.name)
    return [
        reached
        if not reached.address or (other := first[reached.address]) == reached.name
        else replace(reached, why_not=f"it leads to the same address as {other}: {reached.address}")
        for reached in found
    ]


async def _members(name: str, way: EndpointSettings) -> list[str]:
    """The members that Karmada knows; none where it cannot be asked, which `look` will tell."""
    endpoint = Endpoint(name, way)
    try:
        text = await endpoint.ask("GET", CLUSTERS.path(), accept=METADATA_LIST, timeout=10.0)
        return sorted(item.metadata.name for item in msgspec.json.decode(text, type=_Items).items)
    except (EndpointError, msgspec.MsgspecError):
        return []
    finally:
        await endpoint.close()


class _Items(msgspec.Struct):
    items: list[Bare]
