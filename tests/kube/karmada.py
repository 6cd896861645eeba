"""A small Karmada: what its controllers make of templates, policies, namespaces and clusters, after delays by chance."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.kube import karmada_objects as objects
from tests.kube.placing import chosen_of, policy_for, ready_members
from tests.kube.resource import BINDINGS, CLUSTERS, CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, POLICIES, WORKS, Resource
from tests.kube.store import ADDED, DELETED, MODIFIED, Cluster, Event
from tests.kube.writing import remove

TEMPLATES = (DEPLOYMENTS, CONFIG_MAPS)
_OWN_NAMESPACES = ("default", "kube-", "karmada-")


@dataclass(frozen=True, slots=True)
class Delays:
    """Each from the step before, seconds, evenly spread between both ends."""

    seed: int = 0
    control: str = "karmada"
    """The cluster that is the control plane."""
    binding: tuple[float, float] = (0.01, 0.03)
    schedule: tuple[float, float] = (0.01, 0.05)
    work: tuple[float, float] = (0.01, 0.03)
    member: tuple[float, float] = (0.02, 0.15)
    """A work's object in the member; an update or a deletion too."""
    namespace: tuple[float, float] = (0.005, 0.02)
    ready: tuple[float, float] = (0.05, 0.3)
    gone: tuple[float, float] = (0.3, 1.0)
    """From a cluster's deletion to its end."""


@dataclass(slots=True)
class _Bound:
    """A template that has a binding."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    policy: dict
    binding: str
    works: dict[str, str] = field(default_factory=dict)
    """Name of the work by member."""


class Karmada:
    """Works until the process ends."""

    def __init__(self, clusters: Mapping[str, Cluster], **settings) -> None:
        self._delays = Delays(**settings)
        self._clusters = clusters
        self._plane = clusters[self._delays.control]
        self._chance = random.Random(self._delays.seed)
        self._bound: dict[str, _Bound] = {}
        self._at_once = False
        self._plane.listeners.append(self._hears)
        for member in [name for name in clusters if name != self._delays.control]:
            self._namespace(self._plane, objects.WORK_NAMESPACE + member)

    def join(self, member: str, mode: str, *, ready: bool) -> None:
        """A Cluster object, Ready at once or after a while."""
        self._namespace(self._plane, objects.WORK_NAMESPACE + member)
        self._at_once = ready
        self._plane.commit(CLUSTERS, ADDED, objects.cluster(member, mode))
        self._at_once = False

    def leave(self, member: str) -> None:
        """Begin to delete a Cluster object."""
        there = self._plane.get(CLUSTERS, "", member)
        if there is None:
            raise ValueError(f"{member} has not joined")
        remove(self._plane, CLUSTERS, there)

    def populate(self, templates: int, members_each: int, namespace: str) -> None:
        """Deployments that are distributed at once."""
        self._at_once = True
        self._namespace(self._plane, namespace)
        self._plane.commit(POLICIES, ADDED, objects.policy(namespace, "all", ("apps/v1", "Deployment"), members_each))
        for number in range(templates):
            metadata = {"name": f"existing-{number:05}", "namespace": namespace}
            self._plane.commit(
                DEPLOYMENTS, ADDED, objects.made(DEPLOYMENTS, "Deployment", metadata, spec={"replicas": 1})
            )
        self._at_once = False

    def _later(self, delay: tuple[float, float], step: Callable[..., None], *arguments: object) -> None:
        if self._at_once:
            step(*arguments)
        else:
            asyncio.get_running_loop().call_later(self._chance.uniform(*delay), step, *arguments)

    def _hears(self, _: Cluster, resource: Resource, event: Event) -> None:
        thing, delays = event.stored.thing, self._delays
        leaving = "deletionTimestamp" in thing["metadata"]
        if resource in TEMPLATES:
            if event.type == ADDED:
                self._later(delays.binding, self._bind, resource, thing["metadata"]["uid"], event.key)
            elif event.type == DELETED:
                self._later(delays.binding, self._unbind, thing["metadata"]["uid"])
            elif event.before and objects.payload(event.before.thing) != objects.payload(thing):
                self._later(delays.work, self._update, thing["metadata"]["uid"])
        elif resource == POLICIES and event.type == ADDED:
            for kind in TEMPLATES:
                for template in self._plane.all(kind):
                    key = f"{template['metadata']['namespace']}/{template['metadata']['name']}"
                    self._later(delays.binding, self._bind, kind, template["metadata"]["uid"], key)
        elif resource == NAMESPACES and not thing["metadata"]["name"].startswith(_OWN_NAMESPACES):
            if event.type == ADDED:
                for member in self._ready():
                    self._later(delays.namespace, self._bring_namespace, thing["metadata"]["name"], member)
            elif leaving and event.type == MODIFIED:
                for member in self._clusters.keys() - {delays.control}:
                    self._later(delays.namespace, self._take_namespace, thing["metadata"]["name"], member)
        elif resource == CLUSTERS:
            if event.type == ADDED:
                self._later(delays.ready, self._is_ready, event.key)
            elif event.type == MODIFIED and leaving and event.before and "deletionTimestamp" not in (
                event.before.thing["metadata"]
            ):  # fmt: skip
                self._later(delays.schedule, self._move_all)
                self._later(delays.gone, self._is_gone, event.key)

    # templates

    def _bind(self, resource: Resource, uid: str, key: str) -> None:
        template = self._live(resource, key, uid)
        policy = policy_for(self._plane, template) if template else None
        if template is None or policy is None or uid in self._bound:
            return
        metadata = template["metadata"]
        labels = {**metadata.get("labels", {}), objects.POLICY_ID: policy["metadata"]["uid"]}
        claimed = {
            **metadata,
            "labels": labels,
            "annotations": {**metadata.get("annotations", {}), **objects.claims(policy)},
        }
        template = self._plane.commit(resource, MODIFIED, {**template, "metadata": claimed})
        binding = objects.binding(template, policy)
        if self._plane.get(BINDINGS, metadata["namespace"], binding["metadata"]["name"]):  # of its predecessor, going
            self._later(self._delays.binding, self._bind, resource, uid, key)
            return
        bound = _Bound(resource, metadata["namespace"], metadata["name"], uid, policy, binding["metadata"]["name"])
        self._bound[uid] = bound
        self._plane.commit(BINDINGS, ADDED, binding)
        self._later(self._delays.schedule, self._schedule, bound)

    def _schedule(self, bound: _Bound) -> None:
        """Choose members: those that were chosen stay while they can; works follow."""
        binding = self._plane.get(BINDINGS, bound.namespace, bound.binding)
        if binding is None or bound.uid not in self._bound:
            return
        before = [one["name"] for one in binding["spec"].get("clusters") or ()]
        chosen = chosen_of(bound.policy, before, self._ready(), self._chance)
        if chosen == before:
            return
        spec = {**binding["spec"], "clusters": [{"name": name, "replicas": 1} for name in chosen]}
        self._change(BINDINGS, binding, spec=spec)
        for member in chosen:
            if member not in before:
                self._later(self._delays.work, self._make_work, bound, member)
        for member in before:
            if member not in chosen:
                self._later(self._delays.member, self._withdraw, bound, member)

    def _make_work(self, bound: _Bound, member: str) -> None:
        binding = self._plane.get(BINDINGS, bound.namespace, bound.binding)
        if binding is None or bound.uid not in self._bound or member in bound.works:
            return
        work = objects.work(binding, member)
        bound.works[member] = work["metadata"]["name"]
        if self._plane.get(WORKS, objects.WORK_NAMESPACE + member, work["metadata"]["name"]) is None:
            self._plane.commit(WORKS, ADDED, work)
        self._later(self._delays.member, self._arrive, bound, member)

    def _arrive(self, bound: _Bound, member: str) -> None:
        template = self._live(bound.resource, f"{bound.namespace}/{bound.name}", bound.uid)
        binding = self._plane.get(BINDINGS, bound.namespace, bound.binding)
        work = self._plane.get(WORKS, objects.WORK_NAMESPACE + member, bound.works.get(member, ""))
        if template is None or binding is None or work is None or "deletionTimestamp" in work["metadata"]:
            return
        at = self._clusters[member]
        self._namespace(at, bound.namespace)
        thing = objects.distributed(template, binding, work, bound.resource)
        if (there := at.get(bound.resource, bound.namespace, bound.name)) is not None:  # an update, or its predecessor
            kept = {key: there["metadata"][key] for key in ("uid", "creationTimestamp")}
            generation = {"generation": there["metadata"].get("generation", 0) + 1} if bound.resource.group else {}
            thing["metadata"] |= kept | generation
            at.commit(bound.resource, MODIFIED, thing)
        else:
            at.commit(bound.resource, ADDED, thing)
        self._change(WORKS, work, status={"conditions": [{"type": "Applied", "status": "True"}]})

    def _update(self, uid: str) -> None:
        bound = self._bound.get(uid)
        if bound is None:
            return
        for member, name in bound.works.items():
            work = self._plane.get(WORKS, objects.WORK_NAMESPACE + member, name)
            if work is not None:
                self._change(WORKS, work, spec={"workload": {"manifests": [{"changed": self._plane.version}]}})
                self._later(self._delays.member, self._arrive, bound, member)

    def _unbind(self, uid: str) -> None:
        """The template is gone: everything that was made of it goes."""
        bound = self._bound.pop(uid, None)
        if bound is None:
            return
        binding = self._plane.get(BINDINGS, bound.namespace, bound.binding)
        if binding is not None:
            remove(self._plane, BINDINGS, binding)
        for member in list(bound.works):
            self._later(self._delays.member, self._withdraw, bound, member)
        self._later(self._delays.member, self._release, bound)

    def _release(self, bound: _Bound) -> None:
        if bound.works:
            self._later(self._delays.binding, self._release, bound)
        elif (binding := self._plane.get(BINDINGS, bound.namespace, bound.binding)) is not None:
            self._plane.commit(BINDINGS, DELETED, binding)

    def _withdraw(self, bound: _Bound, member: str) -> None:
        there = self._clusters[member].get(bound.resource, bound.namespace, bound.name)
        if there is not None and there["metadata"]["annotations"].get(objects.TEMPLATE_UID) == bound.uid:
            remove(self._clusters[member], bound.resource, there)
        work = self._plane.get(WORKS, objects.WORK_NAMESPACE + member, bound.works.pop(member, ""))
        if work is not None:
            self._plane.commit(WORKS, DELETED, remove(self._plane, WORKS, work)[0])

    # members and namespaces

    def _is_ready(self, key: str) -> None:
        there = self._plane.get(CLUSTERS, "", key[1:])
        if there is None or "deletionTimestamp" in there["metadata"]:
            return
        self._change(CLUSTERS, there, status=objects.readiness(ready=True))
        for namespace in self._plane.all(NAMESPACES):
            if not namespace["metadata"]["name"].startswith(_OWN_NAMESPACES):
                self._later(self._delays.namespace, self._bring_namespace, namespace["metadata"]["name"], key[1:])
        self._later(self._delays.schedule, self._move_all)

    def _is_gone(self, key: str) -> None:
        there = self._plane.get(CLUSTERS, "", key[1:])
        if there is not None and "deletionTimestamp" in there["metadata"]:
            self._plane.commit(CLUSTERS, DELETED, there)

    def _move_all(self) -> None:
        for bound in list(self._bound.values()):
            self._schedule(bound)

    def _bring_namespace(self, name: str, member: str) -> None:
        namespace = self._plane.get(NAMESPACES, "", name)
        if namespace is None or "deletionTimestamp" in namespace["metadata"]:
            return
        work = objects.namespace_work(namespace, member)
        if self._plane.get(WORKS, work["metadata"]["namespace"], work["metadata"]["name"]) is None:
            self._plane.commit(WORKS, ADDED, work)
        self._namespace(self._clusters[member], name)

    def _take_namespace(self, name: str, member: str) -> None:
        for work in list(self._plane.all(WORKS)):
            owner = next(iter(work["metadata"].get("ownerReferences", ())), {})
            if work["metadata"]["namespace"] == objects.WORK_NAMESPACE + member and owner.get("name") == name:
                self._plane.commit(WORKS, DELETED, work)
        if (there := self._clusters[member].get(NAMESPACES, "", name)) is not None:
            remove(self._clusters[member], NAMESPACES, there)

    # what is there

    def _ready(self) -> list[str]:
        return [name for name in ready_members(self._plane) if name in self._clusters]

    def _live(self, resource: Resource, key: str, uid: str) -> dict | None:
        stored = self._plane.of(resource).now.get(key)
        return stored.thing if stored and stored.thing["metadata"]["uid"] == uid else None

    def _change(self, resource: Resource, there: dict, **parts: object) -> None:
        metadata = there["metadata"]
        if "spec" in parts:
            metadata = {**metadata, "generation": metadata.get("generation", 0) + 1}
        self._plane.commit(resource, MODIFIED, {**there, **parts, "metadata": metadata})

    @staticmethod
    def _namespace(cluster: Cluster, name: str) -> None:
        if cluster.get(NAMESPACES, "", name) is None:
            spec = {"finalizers": ["kubernetes"]}
            thing = objects.made(NAMESPACES, "Namespace", {"name": name}, spec=spec, status={"phase": "Active"})
            cluster.commit(NAMESPACES, ADDED, thing)
