"""A recording of watch streams, played again in its own time; its form is told in scripts/make_watch_recording.py.

The versions are this server's, in the order of sending: what a list counts has been sent, and nothing comes later with
an older version. Times in the objects are moved to now.
"""

from __future__ import annotations

import asyncio
import calendar
import json
import lzma
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.kube.patching import merged
from tests.kube.resource import NAMESPACES, Place, Resource
from tests.kube.store import ADDED, DELETED, MODIFIED, Cluster
from tests.kube.writing import create, stamp

_TYPES = (ADDED, ADDED, MODIFIED, DELETED)  # LISTED is there before the first event


class _Source(NamedTuple):
    cluster: str
    resource: Resource
    kind: str


class _Step(NamedTuple):
    """One event; `thing` is the whole object after it, without a version."""

    offset: float
    source: _Source
    type: str
    thing: dict


class Replay:
    """The stretch of a recording from `start` on for `seconds`, both of the recording; `speed` 2 is twice as fast."""

    def __init__(
        self, path: str, clusters: Mapping[str, Cluster], *, start: float, seconds: float, speed: float
    ) -> None:
        self._clusters = clusters
        self._start = start
        self._speed = speed
        head, *lines = lzma.decompress(Path(path).read_bytes()).decode().splitlines()
        read = json.loads(head)
        self._begin = read["begin"]
        steps = _steps(lines, [_Source(cluster, Resource.parse(resource), kind)
                               for _, cluster, resource, kind in read["sources"]])  # fmt: skip
        self._before = [step for step in steps if step[0] < start]
        self._steps = [step for step in steps if start <= step[0] < start + seconds]

    def load(self) -> dict[str, int]:
        """Put what was there at the start into the clusters."""
        there: dict[tuple[_Source, str], _Step] = {}
        for step in self._before:
            key = step.source, step.thing["metadata"]["uid"]
            if step.type == DELETED:
                there.pop(key, None)
            else:
                there[key] = step
        shift = time.time() - (self._begin + self._start)
        for step in [*self._before, *self._steps]:
            self._make_namespace(step)
        for step in there.values():
            self._commit(step._replace(type=ADDED), shift)
        return {"objects": len(there), "events": len(self._steps)}

    async def run(self, begun: float) -> None:
        """Send what follows, each event in its time after `begun`."""
        shift = time.time() - (self._begin + self._start)
        for step in self._steps:
            wait = begun + (step.offset - self._start) / self._speed - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self._commit(step, shift)

    def _commit(self, step: _Step, shift: float) -> None:
        metadata = dict(step.thing["metadata"])
        for stamped in ("creationTimestamp", "deletionTimestamp"):
            if metadata.get(stamped):
                recorded = calendar.timegm(time.strptime(metadata[stamped], "%Y-%m-%dT%H:%M:%SZ"))
                metadata[stamped] = stamp(recorded + shift)
        source = step.source
        thing = {"apiVersion": source.resource.api_version, "kind": source.kind, **step.thing, "metadata": metadata}
        self._clusters[source.cluster].commit(source.resource, step.type, thing)

    def _make_namespace(self, step: _Step) -> None:
        cluster, namespace = self._clusters[step.source.cluster], step.thing["metadata"].get("namespace")
        if namespace and cluster.get(NAMESPACES, "", namespace) is None:
            create(cluster, Place(NAMESPACES), {"metadata": {"name": namespace}})


def _steps(lines: list[str], sources: list[_Source]) -> list[_Step]:
    steps: list[_Step] = []
    states: list[dict] = []
    micros = 0
    for line in lines:
        since, source, type_, number, change = json.loads(line)
        micros += since
        if number == len(states):
            states.append(change)
        elif change:
            states[number] = merged(states[number], change)
        listed = type_ == 0
        steps.append(_Step(-1.0 if listed else micros / 1e6, sources[source], _TYPES[type_], states[number]))
    return steps
