"""What a cluster holds: objects by resource, one counter of versions, the events since the last compaction, the truth.

Objects are never changed in place: each change stores another dict, so that events, snapshots and lists share them, and
their JSON is made once.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from tests.kube.refusal import expired
from tests.kube.resource import NAMESPACES, Resource

if TYPE_CHECKING:
    from tests.kube.watching import Stream

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
HISTORY = 5000
"""Events that a collection keeps, at least; of older versions it answers 410."""
encode = msgspec.json.encode


def key_of(thing: dict) -> str:
    """The order of lists: by namespace, then name."""
    metadata = thing["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"


class Stored:
    """One version of one object, with the JSON of it."""

    __slots__ = ("_item", "_partial", "_whole", "thing")

    def __init__(self, thing: dict) -> None:
        self.thing = thing
        self._whole = self._partial = self._item = None

    @property
    def whole(self) -> bytes:
        """The object."""
        if self._whole is None:
            self._whole = encode(self.thing)
        return self._whole

    @property
    def partial(self) -> bytes:
        """Its metadata alone."""
        if self._partial is None:
            self._partial = encode({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": self.thing["metadata"],
            })  # fmt: skip
        return self._partial

    def item(self, *, bare: bool) -> bytes:
        """The object as an item of a list."""
        if not bare:
            return self.whole
        if self._item is None:
            self._item = encode({k: v for k, v in self.thing.items() if k not in ("kind", "apiVersion")})
        return self._item


class Event:
    """One change. `record` is its line of the truth; its last entry is when the change was first sent to anybody."""

    __slots__ = ("_lines", "at", "before", "key", "record", "stored", "type", "version")

    def __init__(self, type_: str, stored: Stored, before: Stored | None, version: int, record: list) -> None:
        self.type = type_
        self.stored = stored
        self.before = before
        self.version = version
        self.record = record
        self.at: float = record[0]
        self.key = key_of(stored.thing)
        self._lines: dict[tuple[str, bool], bytes] = {}

    def line(self, partial: bool, type_: str = "") -> bytes:
        """As a watch shows it, under another type where a selector makes it one."""
        which = (type_ or self.type, partial)
        if (line := self._lines.get(which)) is None:
            thing = self.stored.partial if partial else self.stored.whole
            line = self._lines[which] = b'{"type":"' + which[0].encode() + b'","object":' + thing + b"}\n"
        return line


class Collection:
    """All objects of one resource."""

    def __init__(self, cluster: Cluster, resource: Resource) -> None:
        self.cluster = cluster
        self.resource = resource
        self.kind = resource.kind
        self.now: dict[str, Stored] = {}
        self.keys: list[str] = []
        self.events: list[Event] = []
        self.oldest = 0
        """What happened after this version is known."""
        self.streams: set[Stream] = set()
        self._snapshot: tuple[int, list[str], dict[str, Stored]] | None = None

    def since(self, version: int) -> list[Event]:
        """The events after a version. Raises RefusalError (410)."""
        if version < self.oldest:
            raise expired(version, self.oldest)
        return self.events[bisect_right(self.events, version, key=lambda event: event.version) :]

    def at(self, version: int) -> tuple[list[str], dict[str, Stored]]:
        """Sorted keys, and the objects, as they were at a version. Raises RefusalError (410)."""
        later = self.since(version)
        if not later:
            return self.keys, self.now
        if self._snapshot is None or self._snapshot[0] != version:
            then = dict(self.now)
            for event in reversed(later):
                if event.before is None:
                    then.pop(event.key, None)
                else:
                    then[event.key] = event.before
            self._snapshot = (version, sorted(then), then)
        return self._snapshot[1:]

    def take(self, event: Event) -> None:
        """Make it so, and wake who watches."""
        if event.type == DELETED:
            del self.now[event.key]
            del self.keys[bisect_left(self.keys, event.key)]
        else:
            if event.before is None:
                insort(self.keys, event.key)
            self.now[event.key] = event.stored
        self.events.append(event)
        if len(self.events) > 2 * HISTORY:
            self.forget(self.events[HISTORY].version)
        for stream in self.streams:
            stream.awake.set()

    def forget(self, version: int) -> None:
        """Compact: events up to a version are gone."""
        self.oldest = max(self.oldest, version)
        self.events = self.events[bisect_right(self.events, version, key=lambda event: event.version) :]
        if self._snapshot and self._snapshot[0] < version:
            self._snapshot = None


class Cluster:
    """One cluster. `listeners` hear of each event after it is made."""

    def __init__(self, name: str, truth: list[list]) -> None:
        self.name = name
        self.version = 100
        self.collections: dict[Resource, Collection] = {}
        self.listeners: list[Callable[[Cluster, Resource, Event], None]] = []
        self.terminating: set[str] = set()
        self._truth = truth
        for namespace in ("default", "kube-system"):
            self.commit(NAMESPACES, ADDED, {
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace, "uid": f"00000000-0000-4000-8000-{hash_of(name + namespace)}"},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
            })  # fmt: skip

    def of(self, resource: Resource) -> Collection:
        """The collection, made when it is first asked for."""
        if (found := self.collections.get(resource)) is None:
            found = self.collections[resource] = Collection(self, resource)
        return found

    def get(self, resource: Resource, namespace: str, name: str) -> dict | None:
        """An object."""
        found = self.of(resource).now.get(f"{namespace}/{name}")
        return found.thing if found else None

    def all(self, resource: Resource) -> Iterable[dict]:
        """The objects there are at this moment."""
        return [stored.thing for stored in self.of(resource).now.values()]

    def commit(self, resource: Resource, type_: str, thing: dict) -> dict:
        """Store a change under a new version; the object as it is stored. The caller has checked that it may be."""
        collection = self.of(resource)
        self.version += 1
        thing = {**thing, "metadata": {**thing["metadata"], "resourceVersion": str(self.version)}}
        collection.kind = thing.get("kind", collection.kind)
        metadata = thing["metadata"]
        before = collection.now.get(key_of(thing))
        record = [
            time.monotonic(), self.name, str(resource), type_, metadata.get("namespace", ""), metadata["name"],
            metadata.get("uid", ""), self.version, None,
        ]  # fmt: skip
        event = Event(type_, Stored(thing), before, self.version, record)
        self._truth.append(record)
        collection.take(event)
        for listener in self.listeners:
            listener(self, resource, event)
        return thing

    def compact(self, resource: Resource | None = None) -> None:
        """Forget what was before now, of one resource or of all."""
        for collection in [self.of(resource)] if resource else list(self.collections.values()):
            collection.forget(self.version)


def hash_of(text: str) -> str:
    """Twelve hexadecimal digits."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:12]
