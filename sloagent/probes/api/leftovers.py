"""Taking away what a load has made: all that bears its labels, from this run or from one that was killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import msgspec

from sloagent.errors import SloagentError
from sloagent.probes.api.collection import Found, objects
from sloagent.probes.endpoint import METADATA_LIST, Endpoint, EndpointError
from sloagent.probes.resource import Resource

LONGEST_SECONDS = 60.0
"""After it what is left is told of."""
PAUSE_SECONDS = 0.5
AT_ONCE = 10
_MOST = 10_000
_NOT_AT_ONCE = (403, 404, 405, 501)
"""What is answered by those that do not let a whole collection be deleted."""


def selector(labels: Mapping[str, str]) -> str:
    """The label selector of exactly these labels."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


async def take_away(
    endpoint: Endpoint, resource: Resource, namespace: str, labels: Mapping[str, str], *,
    patient: bool, longest: float = LONGEST_SECONDS,
) -> int:  # fmt: skip
    """Delete all objects with these labels and wait until none is left; return how many there were at first.

    Who is `patient` asks an API that does not answer again, for `longest` seconds; else EndpointError is raised. Raises
    SloagentError where some may be left.
    """
    over = time.monotonic() + longest
    query = {"labelSelector": selector(labels)}
    first: int | None = None
    while True:
        try:
            left = await objects(
                endpoint, resource, namespace, most=_MOST, query=query, accept=METADATA_LIST, timeout=10.0
            )  # fmt: skip
            first = len(left) if first is None else first
            if not left:
                return first
            await _delete(endpoint, resource, namespace, query, left)
            why = f"{len(left)} are there still"
        except EndpointError as error:
            if not patient:
                raise
            why = error.message
            if error.status in (401, 403):
                over = 0.0
        except msgspec.MsgspecError as error:
            why = f"the answer is no list: {error}"
        if time.monotonic() >= over:
            raise SloagentError(
                f"{endpoint.name}: {resource} may be left behind: {why}",
                hint=f"delete them by their labels: {selector(labels)}; the next run of the load tries it too",
            )
        await asyncio.sleep(PAUSE_SECONDS)


async def _delete(
    endpoint: Endpoint, resource: Resource, namespace: str, query: Mapping[str, str], there: list[Found]
) -> None:
    try:
        await endpoint.ask("DELETE", resource.path(namespace), query=query, timeout=30.0)
    except EndpointError as error:
        if error.status not in _NOT_AT_ONCE:
            raise
        for at in range(0, len(there), AT_ONCE):
            await asyncio.gather(*(_delete_one(endpoint, resource, found) for found in there[at : at + AT_ONCE]))


async def _delete_one(endpoint: Endpoint, resource: Resource, found: Found) -> None:
    try:
        await endpoint.ask("DELETE", resource.path(found.namespace, found.name))
    except EndpointError as error:
        if error.status != 404:
            raise
