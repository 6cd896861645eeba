"""What a test tells the server to do, over HTTP on a port of its own: `POST /COMMAND` with the arguments as JSON.

Every public method of `Commands` is a command; what goes on for a while runs as a task of the command's name.
"""

from __future__ import annotations

import asyncio
import random
import resource as process
import time
import traceback
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from tests.kube.faults import Rule
from tests.kube.karmada import Karmada
from tests.kube.replay import Replay
from tests.kube.resource import NAMESPACES, Place, Resource
from tests.kube.store import MODIFIED, encode
from tests.kube.writing import create, remove, replace

if TYPE_CHECKING:
    from tests.kube.server import Kube


class Control:
    """The endpoint."""

    def __init__(self, kube: Kube) -> None:
        self._commands = Commands(kube)

    async def handle(self, request: web.Request) -> web.Response:
        """One command."""
        text = await request.read()
        try:
            method = getattr(self._commands, request.path.strip("/"))
            done = method(**(msgspec.json.decode(text) if text else {}))
            if asyncio.iscoroutine(done):
                done = await done
        except Exception as error:
            traceback.print_exc()
            return web.Response(text=f"{type(error).__name__}: {error}", status=400)
        return web.Response(body=encode(done), content_type="application/json")


class Commands:
    """The commands; `cluster` and `resource` (a plural) may be empty where all can be meant."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._tasks: dict[str, asyncio.Task] = {}
        self._karmada: Karmada | None = None
        self._replay: Replay | None = None

    # what is there

    def log(self, since: int = 0) -> list[list]:
        """The truth from the entry `since` on: time, cluster, resource, type, namespace, name, uid, version, when sent."""
        return self._kube.truth[since:]

    def state(self) -> dict[str, object]:
        """Figures of the process: what it holds, who watches, what it has used."""
        used = process.getrusage(process.RUSAGE_SELF)
        collections = [c for cluster in self._kube.clusters.values() for c in cluster.collections.values()]
        return {
            "at": time.monotonic(), "cpu_seconds": used.ru_utime + used.ru_stime, "rss_bytes": used.ru_maxrss * 1024,
            "requests": self._kube.requests, "objects": sum(len(c.now) for c in collections),
            "events": len(self._kube.truth), "running": sorted(n for n, t in self._tasks.items() if not t.done()),
            "streams": sorted((c.cluster.name, c.resource.plural) for c in collections for _ in c.streams),
        }  # fmt: skip

    def faults_done(self) -> list[tuple[float, str, str, str]]:
        """What went wrong on purpose: time, what, cluster, resource."""
        return self._kube.faults.done

    async def finish(self, task: str) -> None:
        """Wait for a task; its mistakes are the answer's."""
        await self._tasks[task]

    async def stop(self, task: str) -> None:
        """End a task."""
        self._tasks[task].cancel()
        await asyncio.wait([self._tasks[task]])

    # objects

    def apply(self, cluster: str, resource: str, thing: dict) -> dict:
        """Create an object, its namespace too, or replace it."""
        at, kind, metadata = self._kube.clusters[cluster], Resource.parse(resource), thing["metadata"]
        place = Place(kind, metadata.get("namespace", ""), metadata["name"])
        self._with_namespace(cluster, place.namespace)
        if at.get(kind, place.namespace, place.name) is not None:
            return replace(at, place, thing)
        return create(at, place, thing)

    def remove(self, cluster: str, resource: str, name: str, namespace: str = "") -> None:
        """Delete an object."""
        at, kind = self._kube.clusters[cluster], Resource.parse(resource)
        there = at.get(kind, namespace, name)
        if there is None:
            raise ValueError(f"{cluster} has no {resource} {namespace}/{name}")
        remove(at, kind, there)

    def fill(
        self, resource: str, count: int, clusters: list[str] | None = None, namespace: str = "default",
        prefix: str = "fill", thing: dict | None = None,
    ) -> None:  # fmt: skip
        """Put `count` objects into each of these clusters, PREFIX-000000 and on."""
        kind, thing = Resource.parse(resource), thing or {}
        for name in clusters or self._kube.clusters:
            self._with_namespace(name, namespace)
            for number in range(count):
                metadata = {**thing.get("metadata", {}), "name": f"{prefix}-{number:06}"}
                create(self._kube.clusters[name], Place(kind, namespace), {**thing, "metadata": metadata})

    def churn(
        self, resource: str, rate: float, seconds: float, clusters: list[str] | None = None, seed: int = 0
    ) -> None:
        """Change an annotation of an object chosen by chance, `rate` times a second."""
        self._start("churn", self._churn(Resource.parse(resource), rate, seconds, clusters, seed))

    async def _churn(self, kind: Resource, rate: float, seconds: float, clusters: list[str] | None, seed: int) -> None:
        chance, begun = random.Random(seed), time.monotonic()
        among = [self._kube.clusters[name].of(kind) for name in clusters or self._kube.clusters]
        among = [collection for collection in among if collection.keys]
        for number in range(int(rate * seconds)):
            await asyncio.sleep(begun + number / rate - time.monotonic())
            collection = chance.choice(among)
            thing = collection.now[chance.choice(collection.keys)].thing
            metadata = dict(thing["metadata"])
            metadata["annotations"] = {**metadata.get("annotations", {}), "churned": str(number)}
            collection.cluster.commit(kind, MODIFIED, {**thing, "metadata": metadata})

    def _with_namespace(self, cluster: str, namespace: str) -> None:
        at = self._kube.clusters[cluster]
        if namespace and at.get(NAMESPACES, "", namespace) is None:
            create(at, Place(NAMESPACES), {"metadata": {"name": namespace}})

    # who may do what

    def tokens(self, tokens: dict[str, str]) -> None:
        """Replace the tokens: user by token."""
        self._kube.access.tokens = tokens

    def forbid(self, **rule: str) -> None:
        """Forbid what agrees with all that is given of cluster, verb, group, resource (`clusters/proxy`), namespace."""
        self._kube.access.rules.append(rule)

    def allow(self) -> None:
        """Forbid nothing any more."""
        self._kube.access.rules.clear()

    def absent(self, cluster: str = "", group: str = "", plural: str = "") -> None:
        """Do not serve a group or a resource: 404."""
        self._kube.access.absent.append((cluster, group, plural))

    def settings(self, **given: float | str) -> None:
        """Set `bookmark_seconds`, or `gone_as` (`event` or `http`)."""
        for name, value in given.items():
            if not hasattr(self._kube.settings, name):
                raise ValueError(f"there is no setting {name}")
            setattr(self._kube.settings, name, value)

    # what goes wrong

    def fault(self, kind: str, for_seconds: float = float("inf"), **given) -> None:
        """Put a rule in force, fields as in `faults.Rule`: hold, lag, drip, refuse, stall, slow, answer."""
        unknown = given.keys() - set(Rule.__dataclass_fields__)
        if unknown:
            raise ValueError(f"a rule has no {', '.join(unknown)}")
        self._kube.faults.add(kind, for_seconds=for_seconds, **given)

    def clear(self, kind: str = "", cluster: str = "", resource: str = "") -> None:
        """Take rules out of force."""
        self._kube.faults.clear(kind, cluster, resource)

    def cut(self, how: str = "reset", cluster: str = "", resource: str = "", after_bytes: int = 0) -> int:
        """Cut streams by `reset`, `line` or `end`, after so many bytes more; how many."""
        return self._kube.faults.cut(how, cluster, resource, after_bytes)

    def duplicate(self, cluster: str = "", resource: str = "") -> int:
        """Send the last event of each stream again."""
        return self._kube.faults.duplicate(cluster, resource)

    def compact(self, cluster: str = "", resource: str = "", streams: bool = False) -> None:
        """Forget old versions; with `streams` open ones get an ERROR event."""
        self._kube.faults.compact(cluster, resource, streams=streams)

    def chaos(
        self, seed: int, mean_seconds: float, seconds: float = float("inf"), kinds: list[str] = (),
        longest_hold: float = 4.0,
    ) -> None:  # fmt: skip
        """Faults by chance: reset, line, end, hold (of at least 1.5 s), duplicate, compact (and cut), expire."""
        self._start("chaos", self._kube.faults.chaos(seed, mean_seconds, seconds, kinds, longest_hold))

    # a recording, and a Karmada

    def replay(self, path: str, start: float = 0.0, seconds: float = float("inf"), speed: float = 1.0) -> dict:
        """Load what was there at `start`; `go` sends what follows. What was loaded and how much will follow."""
        self._replay = Replay(path, self._kube.clusters, start=start, seconds=seconds, speed=speed)
        return self._replay.load()

    def go(self) -> float:
        """Begin to send; the monotonic time of the recording's `start`."""
        assert self._replay is not None, "nothing is loaded"
        begun = time.monotonic()
        self._start("replay", self._replay.run(begun))
        return begun

    def karmada(self, **settings) -> None:
        """Switch the small Karmada on, settings as in `karmada.Delays`; `control` is the cluster it works in."""
        self._karmada = Karmada(self._kube.clusters, **settings)

    def join(self, member: str, mode: str = "Push", ready: bool = False) -> None:
        """A Cluster object for a member; Ready after a while, or at once."""
        assert self._karmada is not None, "karmada is not switched on"
        self._karmada.join(member, mode, ready=ready)

    def leave(self, member: str) -> None:
        """Delete a Cluster object; it goes after a while, and its bindings move."""
        assert self._karmada is not None, "karmada is not switched on"
        self._karmada.leave(member)

    def populate(self, templates: int, members_each: int, namespace: str = "existing") -> None:
        """Deployments that are distributed already, with bindings, works and objects in members."""
        assert self._karmada is not None, "karmada is not switched on"
        self._karmada.populate(templates, members_each, namespace)

    def _start(self, name: str, work) -> None:
        if name in self._tasks and not self._tasks[name].done():
            work.close()
            raise ValueError(f"{name} is running")
        self._tasks[name] = asyncio.get_running_loop().create_task(work)
