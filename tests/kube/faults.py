"""What goes wrong on purpose: rules that last, of one cluster and resource or of all, and chance that makes them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.kube.store import Cluster

FOREVER = float("inf")
KINDS = ("hold", "lag", "drip", "refuse", "stall", "slow", "answer")
CHANCES = ("reset", "line", "end", "hold", "duplicate", "compact", "expire")


@dataclass(slots=True)
class Rule:
    """One thing that goes wrong. Empty `cluster`, `resource` (a plural) or `method` are all of them."""

    kind: str
    cluster: str = ""
    resource: str = ""
    method: str = ""
    until: float = FOREVER
    began: float = 0.0
    seconds: float = 0.0
    every: float = 0.0
    bytes_per_second: float = 0.0
    lists: bool = False
    """Whether a hold is of lists and all other requests too, not only of watches."""
    status: int = 0
    retry_after: int = 0
    times: float = FOREVER


class Faults:
    """The rules in force, and what was done, with its time."""

    def __init__(self, clusters: Mapping[str, Cluster]) -> None:
        self._clusters = clusters
        self._rules: list[Rule] = []
        self.done: list[tuple[float, str, str, str]] = []

    def add(self, kind: str, *, for_seconds: float = FOREVER, **given) -> None:
        """Put a rule in force, for a while or until `clear`."""
        if kind not in KINDS:
            raise ValueError(f"there is no fault {kind}; there are {', '.join(KINDS)}")
        now = time.monotonic()
        rule = Rule(kind, until=now + for_seconds, began=now, **given)
        self._rules.append(rule)
        self.done.append((now, kind, rule.cluster, rule.resource))
        if kind == "refuse":
            self.cut("reset", rule.cluster, "")
        for stream in self._streams(rule.cluster, rule.resource):
            stream.awake.set()

    def clear(self, kind: str = "", cluster: str = "", resource: str = "") -> None:
        """Take rules out of force."""
        self._rules = [
            rule for rule in self._rules
            if not (kind in ("", rule.kind) and cluster in ("", rule.cluster) and resource in ("", rule.resource))
        ]  # fmt: skip
        for stream in self._streams("", ""):
            stream.awake.set()

    def find(self, kind: str, cluster: str, resource: str, method: str = "") -> Rule | None:
        """The rule of a kind that is in force there."""
        if not self._rules:
            return None
        now = time.monotonic()
        for rule in self._rules:
            if (
                rule.kind == kind and rule.cluster in ("", cluster) and rule.resource in ("", resource)
                and rule.method in ("", method) and rule.until > now and rule.times > 0
            ):  # fmt: skip
                return rule
        return None

    async def before(self, cluster: str, resource: str, method: str) -> Rule | None:
        """Wait as long as a request has to wait; the answer it is to get instead of its own, if any."""
        if not self._rules:
            return None
        if (stall := self.find("stall", cluster, resource, method)) is not None:
            into = (time.monotonic() - stall.began) % (stall.every or FOREVER)
            if into < stall.seconds:
                await asyncio.sleep(stall.seconds - into)
        if (slow := self.find("slow", cluster, resource, method)) is not None:
            await asyncio.sleep(slow.seconds)
        while (hold := self.find("hold", cluster, resource, method)) is not None and hold.lists:
            await asyncio.sleep(hold.until - time.monotonic())
        answer = self.find("answer", cluster, resource, method)
        if answer is not None:
            answer.times -= 1
        return answer

    def cut(self, how: str, cluster: str = "", resource: str = "", after_bytes: int = 0) -> int:
        """End the streams there are: `reset`, `line` (reset in the middle of a line) or `end`; how many."""
        if how not in ("reset", "line", "end"):
            raise ValueError(f"a stream cannot be cut by {how}; by reset, line or end")
        streams = self._streams(cluster, resource)
        for stream in streams:
            stream.cut = how
            stream.budget = after_bytes
            stream.awake.set()
        self.done.append((time.monotonic(), how, cluster, resource))
        return len(streams)

    def duplicate(self, cluster: str = "", resource: str = "") -> int:
        """Send the last event of each stream once more; of how many streams."""
        streams = self._streams(cluster, resource)
        for stream in streams:
            stream.again = True
            stream.awake.set()
        self.done.append((time.monotonic(), "duplicate", cluster, resource))
        return len(streams)

    def compact(self, cluster: str = "", resource: str = "", *, streams: bool = False) -> None:
        """Forget old versions; with `streams`, those that are open end with an ERROR event (410)."""
        for each in self._of(cluster):
            for kind in list(each.collections):
                if resource in ("", kind.plural):
                    each.compact(kind)
        if streams:
            for stream in self._streams(cluster, resource):
                stream.expired = True
                stream.awake.set()
        self.done.append((time.monotonic(), "expire" if streams else "compact", cluster, resource))

    async def chaos(
        self, seed: int, mean_seconds: float, seconds: float, kinds: Iterable[str], longest_hold: float = 4.0
    ) -> None:
        """Something to one stream chosen by chance, again and again, for `seconds`."""
        chance, end, kinds = random.Random(seed), time.monotonic() + seconds, tuple(kinds) or CHANCES
        while (pause := chance.expovariate(1 / mean_seconds)) < end - time.monotonic():
            await asyncio.sleep(pause)
            there = sorted((s.collection.cluster.name, s.collection.resource.plural) for s in self._streams("", ""))
            if not there:
                continue
            cluster, resource = chance.choice(there)
            match chance.choice(kinds):
                case "hold":
                    self.add("hold", cluster=cluster, resource=resource, for_seconds=chance.uniform(1.5, longest_hold))
                case "duplicate":
                    self.duplicate(cluster, resource)
                case "compact":  # and cut: an open watch does not notice
                    self.compact(cluster, resource)
                    self.cut("reset", cluster, resource)
                case "expire":
                    self.compact(cluster, resource, streams=True)
                case how:
                    self.cut(how, cluster, resource, after_bytes=chance.choice((0, 0, 300, 3000)))

    def _of(self, cluster: str) -> list[Cluster]:
        return [self._clusters[cluster]] if cluster else list(self._clusters.values())

    def _streams(self, cluster: str, resource: str) -> list:
        return [
            stream
            for each in self._of(cluster)
            for kind, collection in each.collections.items()
            if resource in ("", kind.plural)
            for stream in collection.streams
        ]
