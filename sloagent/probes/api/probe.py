"""The api probe of `probe run`: one load, again and again, on all of its targets at once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

from sloagent.errors import SloagentError
from sloagent.probes.api.call import Call
from sloagent.probes.api.load import Load, allow_connections
from sloagent.probes.api.metrics import ApiMetrics
from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.attention import Attention
from sloagent.probes.endpoint import Endpoint
from sloagent.probes.settings import EndpointSettings
from sloagent.probes.telemetry import ProbeTelemetry

PAUSE_SECONDS = 10.0
"""From one round to the next at least, where a target failed."""


class ApiProbe:
    """Drives one load for ever. `clusters` are by the names that `targets` has."""

    def __init__(
        self, settings: ApiLoadSettings, clusters: Mapping[str, EndpointSettings], metrics: ApiMetrics,
        telemetry: ProbeTelemetry, attention: Attention, *, chance: random.Random,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._clusters = clusters
        self._metrics = {target: metrics.of(settings, target) for target in settings.targets}
        self._telemetry = telemetry
        self._attention = attention
        self._chance = chance

    async def run(self) -> None:
        """Rounds until cancelled; then what was made is taken away."""
        allow_connections()
        async with AsyncExitStack() as stack:
            endpoints = [Endpoint(target, self._clusters[target]) for target in self._settings.targets]
            for endpoint in endpoints:
                stack.push_async_callback(endpoint.close)
            while True:
                begun = time.monotonic()
                went = await asyncio.gather(*map(self._round, endpoints))
                pause = self._settings.every or 0.0
                if not all(went):
                    pause = max(pause, time.monotonic() - begun + PAUSE_SECONDS)
                await asyncio.sleep(max(0.0, begun + pause - time.monotonic()))

    async def _round(self, endpoint: Endpoint) -> bool:
        """One run on one target; whether it could be done."""
        why_not, succeeded = "nothing was called", False

        def tell(call: Call) -> None:
            nonlocal why_not, succeeded
            if call.ok and not succeeded:
                succeeded = True
                self._say(endpoint)
            elif not call.ok:
                why_not = call.why or call.code

        load = Load(
            self._settings, endpoint, tell, self._metrics[endpoint.name], telemetry=self._telemetry,
            attention=self._attention, chance=self._chance,
        )  # fmt: skip
        try:
            await load.run(asyncio.Event())
        except SloagentError as error:
            succeeded, why_not = False, error.message
        self._say(endpoint, "" if succeeded else why_not)
        return succeeded

    def _say(self, endpoint: Endpoint, why_not: str = "") -> None:
        self._telemetry.up(f"api/{self._settings.name}", endpoint.name, why_not)
