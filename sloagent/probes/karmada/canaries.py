"""Small ConfigMaps that the probe distributes itself, where nobody else distributes anything, and takes away again.

Everything it makes lies in one namespace that bears its label and that nobody else may use. What a killed probe left is
found by that label when the next one begins; at its end the namespace goes too, unless somebody gave it (label `given`),
so that the probe needs no right to make namespaces. The policy bears the name of the probe that holds the namespace: where a
second one takes it over, the first gives up and says so, instead of both deleting each other's canaries.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from itertools import count

import msgspec

from sloagent.errors import SloagentError
from sloagent.probes.endpoint import MERGE_PATCH, Endpoint, EndpointError
from sloagent.probes.karmada.metrics import KarmadaMetrics
from sloagent.probes.karmada.settings import CanarySettings
from sloagent.probes.objects import Bare
from sloagent.probes.resource import CONFIG_MAPS, NAMESPACES, POLICIES
from sloagent.probes.telemetry import ProbeTelemetry

log = logging.getLogger("sloagent.probes")

LABEL = "sloagent.io/canary"
MADE, GIVEN = "made", "given"
"""The label's value on the namespace: whether it goes with the canaries."""
POLICY = "sloagent-canary"
HOLDER = "sloagent.io/held-by"
"""The policy's annotation with the probe that makes canaries there."""
CLEAN_SECONDS = 20.0
RETRY_SECONDS = 10.0
_NOT_FOUND, _CONFLICT = 404, 409


class TakenOverError(SloagentError):
    """The namespace has another holder."""


class Canaries:
    """Makes a canary every `1 / rate` seconds and deletes it after its lifetime."""

    def __init__(
        self, settings: CanarySettings, karmada: Endpoint, metrics: KarmadaMetrics, telemetry: ProbeTelemetry
    ) -> None:
        self._settings = settings
        self._karmada = karmada
        self._metrics = metrics
        self._telemetry = telemetry
        self._own = uuid.uuid4().hex
        self._prepared = False

    async def run(self) -> None:
        """Make canaries until cancelled; then take away everything."""
        try:
            while True:
                try:
                    await self._prepare()
                    await self._release()
                except EndpointError as error:
                    self._telemetry.up("canaries", self._karmada.name, error.message)
                    await asyncio.sleep(RETRY_SECONDS)
                except TakenOverError as error:
                    self._telemetry.up("canaries", self._karmada.name, error.message)
                    await asyncio.Event().wait()  # whoever has it now takes away what is there
        finally:
            try:
                await asyncio.wait_for(self._clean(), CLEAN_SECONDS)
            except (EndpointError, TimeoutError) as error:
                log.error(
                    "canaries are left in namespace %s of %s: %s; the next probe takes them away",
                    self._settings.namespace, self._karmada.name, error,
                )  # fmt: skip

    async def _release(self) -> None:
        """Canary after canary, at an even pace. Raises EndpointError when one cannot be made or deleted."""
        born: list[tuple[float, str]] = []
        begun, pace = time.monotonic(), 1.0 / self._settings.rate
        for number in count():
            await asyncio.sleep(max(0.0, begun + number * pace - time.monotonic()))
            await self._still_ours()
            name = f"canary-{time.time_ns():x}"
            await self._make(CONFIG_MAPS.path(self._settings.namespace), {
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {LABEL: "true"}},
            })  # fmt: skip
            self._metrics.canaries.inc()
            self._telemetry.up("canaries", self._karmada.name)
            born.append((time.monotonic(), name))
            while born and time.monotonic() - born[0][0] >= self._settings.lifetime:
                await self._delete(CONFIG_MAPS.path(self._settings.namespace, born.pop(0)[1]))

    async def _still_ours(self) -> None:
        """Raise TakenOverError where another probe has taken the namespace over."""
        policy = msgspec.json.decode(
            await self._karmada.ask("GET", POLICIES.path(self._settings.namespace, POLICY)), type=Bare
        )
        if policy.metadata.annotations.get(HOLDER) != self._own:
            raise TakenOverError(
                f"another probe has taken over namespace {self._settings.namespace}; give each probe one of its own in"
                " probes.karmada.distribution.canaries.namespace"
            )

    async def _prepare(self) -> None:
        """A namespace of our own with a policy in it, and no canary that an earlier probe left."""
        namespace = self._settings.namespace
        try:
            found = msgspec.json.decode(await self._karmada.ask("GET", NAMESPACES.path(name=namespace)), type=Bare)
        except EndpointError as error:
            if error.status != _NOT_FOUND:
                raise
            await self._make(NAMESPACES.path(), {
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {LABEL: MADE}},
            })  # fmt: skip
        else:
            if found.metadata.labels.get(LABEL) not in (MADE, GIVEN):
                raise EndpointError(
                    f"namespace {namespace} is somebody else's: label it {LABEL}={GIVEN} to give it to the probe, or write"
                    " another one in probes.karmada.distribution.canaries.namespace",
                    status=0, reason="foreign_namespace",
                )  # fmt: skip
            if found.metadata.deletion_timestamp:
                raise EndpointError(f"namespace {namespace} is being deleted", status=0, reason="terminating")
        await self._delete_canaries()
        await self._make(POLICIES.path(namespace), self._policy(), instead=POLICIES.path(namespace, POLICY))
        self._prepared = True

    def _policy(self) -> dict[str, object]:
        affinity = (
            {"clusterAffinity": {"clusterNames": list(self._settings.clusters)}} if self._settings.clusters else {}
        )
        selector = {"apiVersion": "v1", "kind": "ConfigMap", "labelSelector": {"matchLabels": {LABEL: "true"}}}
        return {
            "apiVersion": POLICIES.api_version, "kind": "PropagationPolicy",
            "metadata": {"name": POLICY, "labels": {LABEL: "true"}, "annotations": {HOLDER: self._own}},
            "spec": {"resourceSelectors": [selector], "placement": affinity},
        }  # fmt: skip

    async def _make(self, path: str, thing: dict[str, object], *, instead: str = "") -> None:
        """Create; what is there already stays, or is made like this at the path `instead`."""
        try:
            await self._karmada.ask("POST", path, body=msgspec.json.encode(thing))
        except EndpointError as error:
            if error.status != _CONFLICT:
                raise
            if instead:
                await self._karmada.ask("PATCH", instead, body=msgspec.json.encode(thing), content=MERGE_PATCH)

    async def _delete(self, path: str) -> None:
        try:
            await self._karmada.ask("DELETE", path)
        except EndpointError as error:
            if error.status != _NOT_FOUND:
                raise

    async def _delete_canaries(self) -> None:
        await self._karmada.ask(
            "DELETE", CONFIG_MAPS.path(self._settings.namespace), query={"labelSelector": f"{LABEL}=true"}
        )

    async def _clean(self) -> None:
        """Everything that bears our label: canaries, the policy, the namespace; nothing where another probe has it."""
        try:
            if self._prepared:
                await self._still_ours()
        except TakenOverError:
            return
        except EndpointError as error:
            if error.status != _NOT_FOUND:
                raise
        try:
            found = msgspec.json.decode(
                await self._karmada.ask("GET", NAMESPACES.path(name=self._settings.namespace)), type=Bare
            )
        except EndpointError as error:
            if error.status == _NOT_FOUND:
                return
            raise
        ours = found.metadata.labels.get(LABEL)
        if ours in (MADE, GIVEN):
            await self._delete_canaries()
            await self._delete(POLICIES.path(self._settings.namespace, POLICY))
        if ours == MADE:
            await self._delete(NAMESPACES.path(name=self._settings.namespace))
