"""A tally that remembers everything, and objects as watches show them."""

from __future__ import annotations

from collections import Counter

from sloagent.probes.karmada.ledger import BINDING_ID, TEMPLATE_UID
from sloagent.probes.objects import (
    Bare,
    Binding,
    BindingSpec,
    Cluster,
    ClusterSpec,
    ClusterStatus,
    Condition,
    Metadata,
    TargetCluster,
    TemplateReference,
)
from sloagent.probes.seen import Change, Doubt, Seen


class Remembering:
    """A tally for the ledger and for registrations."""

    def __init__(self) -> None:
        self.latencies: list[tuple[str, str, float]] = []
        self.stages: list[tuple[str, float]] = []
        self.untimed_stages: Counter[str] = Counter()
        self.losses: Counter[tuple[str, str]] = Counter()
        self.others: Counter[tuple[str, str]] = Counter()
        self.expectations: Counter[str] = Counter()
        self.awaited: Counter[str] = Counter()
        self.templates: Counter[str] = Counter()
        self.registrations: list[tuple[str, str, float]] = []
        self.not_registered: Counter[tuple[str, str]] = Counter()
        self.states = (0, 0, 0)

    def timed(self, uid, member, mode, seconds):
        self.latencies.append((member, mode, round(seconds, 6)))

    def stage(self, stage, seconds):
        self.stages.append((str(stage), round(seconds, 6)))

    def stage_untimed(self, stage):
        self.untimed_stages[str(stage)] += 1

    def lost(self, uid, member, reason):
        self.losses[member, str(reason)] += 1

    def other(self, member, kind):
        self.others[member, str(kind)] += 1

    def expected(self, member):
        self.expectations[member] += 1

    def pending(self, member, change):
        self.awaited[member] += change
        assert self.awaited[member] >= 0

    def template(self, outcome):
        self.templates[outcome] += 1

    def registered(self, mode, seconds):
        self.registrations.append(("registration", mode, round(seconds, 6)))

    def unregistered(self, mode, seconds):
        self.registrations.append(("unregistration", mode, round(seconds, 6)))

    def untimed(self, what, reason):
        self.not_registered[what, str(reason)] += 1

    def members(self, registering, ready, leaving):
        self.states = (registering, ready, leaving)

    def balanced(self) -> bool:
        """Whether each expectation is timed, lost or awaited, in each member."""
        timed = Counter(member for member, _, _ in self.latencies)
        lost: Counter[str] = Counter()
        for (member, _), count in self.losses.items():
            lost[member] += count
        members = {*self.expectations, *timed, *lost, *self.awaited}
        return all(self.expectations[m] == timed[m] + lost[m] + self.awaited[m] for m in members)


def template(uid="t1", at=0.0, change=Change.ADDED, doubt=Doubt.NONE, generation=1) -> Seen[Bare]:
    return Seen(change, uid, Bare(Metadata(name=uid, uid=uid, generation=generation)), at, doubt)


def binding(uid="t1", at=0.1, clusters=(), change=Change.ADDED, doubt=Doubt.NONE) -> Seen[Binding]:
    metadata = Metadata(name=f"{uid}-b", uid=f"{uid}-b", labels={BINDING_ID: f"{uid}-id"})
    spec = BindingSpec(TemplateReference(uid), [TargetCluster(name) for name in clusters] or None)
    return Seen(change, f"{uid}-b", Binding(metadata, spec), at, doubt)


def work(member, uid="t1", at=0.2, doubt=Doubt.NONE) -> Seen[Bare]:
    metadata = Metadata(name="w", namespace=f"karmada-es-{member}", uid=f"{uid}-w", labels={BINDING_ID: f"{uid}-id"})
    return Seen(Change.ADDED, f"{uid}-w", Bare(metadata), at, doubt)


def arrival(uid="t1", at=0.5, change=Change.ADDED, doubt=Doubt.NONE, own="o") -> Seen[Bare]:
    metadata = Metadata(name=uid, uid=f"{uid}-{own}", annotations={TEMPLATE_UID: uid})
    return Seen(change, f"{uid}-{own}", Bare(metadata), at, doubt)


def cluster(
    name="member1", at=0.0, change=Change.ADDED, ready=False, mode="Push", doubt=Doubt.NONE, going=None, uid=""
) -> Seen[Cluster]:
    metadata = Metadata(name=name, uid=uid or name, deletion_timestamp=going)
    status = ClusterStatus([Condition("Ready", "True" if ready else "False")])
    return Seen(change, uid or name, Cluster(metadata, ClusterSpec(mode), status), at, doubt)
