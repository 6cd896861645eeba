"""A load driven once on all of its targets at the same time, and what it measured on each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from sloagent.errors import SloagentError
from sloagent.probes.api.call import Call
from sloagent.probes.api.load import Load, allow_connections
from sloagent.probes.api.metrics import ApiMetrics
from sloagent.probes.api.rows import Rows
from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.api.tally import Tally
from sloagent.probes.attention import Attention
from sloagent.probes.endpoint import Endpoint
from sloagent.probes.settings import EndpointSettings
from sloagent.probes.telemetry import ProbeTelemetry


async def once(
    settings: ApiLoadSettings, clusters: Mapping[str, EndpointSettings], rows: Rows | None, *, stop: asyncio.Event,
    chance: random.Random,
) -> list[Tally]:  # fmt: skip
    """One tally for each target, in their order. `stop` ends it early. A target that fails says why in its tally."""
    allow_connections()
    registry = CollectorRegistry()
    metrics, telemetry, attention = ApiMetrics(registry), ProbeTelemetry(registry), Attention()
    attending = asyncio.create_task(attention.run())

    async def drive(target: str) -> Tally:
        tally = Tally(target)
        write = rows.of(target) if rows is not None else None

        def tell(call: Call) -> None:
            tally.tell(call)
            if write is not None:
                write(call)

        endpoint = Endpoint(target, clusters[target])
        load = Load(
            settings, endpoint, tell, metrics.of(settings, target), telemetry=telemetry, attention=attention,
            chance=chance,
        )  # fmt: skip
        try:
            tally.seconds = await load.run(stop)
        except SloagentError as error:
            tally.why_not = error.message + (f"; {error.hint}" if error.hint else "")
        finally:
            await endpoint.close()
        return tally

    try:
        return list(await asyncio.gather(*map(drive, settings.targets)))
    finally:
        attending.cancel()
