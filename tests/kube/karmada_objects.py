"""Objects as Karmada makes them, with the labels and annotations of a recorded control plane."""

from __future__ import annotations

import uuid

from tests.kube.resource import BINDINGS, CLUSTERS, POLICIES, WORKS, Resource
from tests.kube.store import hash_of
from tests.kube.writing import stamp

TEMPLATE_UID = "resourcetemplate.karmada.io/uid"
BINDING_ID = "resourcebinding.karmada.io/permanent-id"
WORK_ID = "work.karmada.io/permanent-id"
POLICY_ID = "propagationpolicy.karmada.io/permanent-id"
WORK_NAMESPACE = "karmada-es-"


def made(resource: Resource, kind: str, metadata: dict, **parts: object) -> dict:
    """A new object, with all that a server fills in."""
    filled = {**metadata, "uid": str(uuid.uuid4()), "creationTimestamp": stamp()}
    if resource.group:
        filled["generation"] = 1
    return {"apiVersion": resource.api_version, "kind": kind, "metadata": filled, **parts}


def cluster(name: str, mode: str) -> dict:
    """A member that is not Ready yet."""
    spec = {"syncMode": mode, "apiEndpoint": f"https://127.0.0.1/c/{name}", "id": str(uuid.uuid4())}
    return made(
        CLUSTERS, "Cluster", {"name": name, "finalizers": ["karmada.io/cluster-controller"]}, spec=spec, status={}
    )


def readiness(*, ready: bool) -> dict:
    """The status of a member."""
    condition = {
        "type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": stamp(),
        "reason": "ClusterReady" if ready else "ClusterNotReachable",
    }  # fmt: skip
    return {"kubernetesVersion": "v1.36.2", "conditions": [condition]}


def binding(template: dict, policy: dict) -> dict:
    """The ResourceBinding of a template, without a placement."""
    of = template["metadata"]
    metadata = {
        "name": f"{of['name']}-{template['kind'].lower()}", "namespace": of["namespace"],
        "labels": {POLICY_ID: policy["metadata"]["uid"], BINDING_ID: str(uuid.uuid4())},
        "annotations": claims(policy), "finalizers": ["karmada.io/binding-controller"],
        "ownerReferences": [{
            "apiVersion": template["apiVersion"], "kind": template["kind"], "name": of["name"], "uid": of["uid"],
            "controller": True, "blockOwnerDeletion": True,
        }],
    }  # fmt: skip
    spec = {
        "conflictResolution": "Abort", "schedulerName": "default-scheduler",
        "placement": policy["spec"].get("placement") or {},
        "resource": {
            "apiVersion": template["apiVersion"], "kind": template["kind"], "name": of["name"],
            "namespace": of["namespace"], "uid": of["uid"], "resourceVersion": of["resourceVersion"],
        },
    }  # fmt: skip
    return made(BINDINGS, "ResourceBinding", metadata, spec=spec)


def claims(policy: dict) -> dict[str, str]:
    """The annotations that say which policy took an object."""
    return {
        "propagationpolicy.karmada.io/name": policy["metadata"]["name"],
        "propagationpolicy.karmada.io/namespace": policy["metadata"]["namespace"],
    }  # fmt: skip


def work(bound: dict, member: str) -> dict:
    """The Work of a binding for one member."""
    of = bound["metadata"]
    metadata = {
        "name": f"{bound['spec']['resource']['name']}-{hash_of(of['uid'])[:10]}", "namespace": WORK_NAMESPACE + member,
        "labels": {BINDING_ID: of["labels"][BINDING_ID], WORK_ID: str(uuid.uuid4())},
        "annotations": {**bound_by(bound), "work.karmada.io/conflict-resolution": "abort"},
        "finalizers": ["karmada.io/execution-controller"],
    }  # fmt: skip
    return made(WORKS, "Work", metadata, spec={"workload": {"manifests": [{}]}})


def namespace_work(namespace: dict, member: str) -> dict:
    """The Work that brings a namespace to a member."""
    of = namespace["metadata"]
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": of["name"], "uid": of["uid"]}
    metadata = {
        "name": f"{of['name']}-{hash_of(of['name'])[:10]}", "namespace": WORK_NAMESPACE + member,
        "labels": {WORK_ID: str(uuid.uuid4())}, "finalizers": ["karmada.io/execution-controller"],
        "ownerReferences": [owner],
    }  # fmt: skip
    return made(WORKS, "Work", metadata, spec={"workload": {"manifests": [{}]}})


def bound_by(bound: dict) -> dict[str, str]:
    """The annotations that name a binding."""
    return {
        "resourcebinding.karmada.io/name": bound["metadata"]["name"],
        "resourcebinding.karmada.io/namespace": bound["metadata"]["namespace"],
    }  # fmt: skip


def distributed(template: dict, bound: dict, of_work: dict, resource: Resource) -> dict:
    """A template's object in a member."""
    of = template["metadata"]
    metadata = {
        "name": of["name"], "namespace": of["namespace"],
        "labels": {**of.get("labels", {}), **bound["metadata"]["labels"], "karmada.io/managed": "true",
                   WORK_ID: of_work["metadata"]["labels"][WORK_ID]},
        "annotations": {
            **of.get("annotations", {}), **bound_by(bound), TEMPLATE_UID: of["uid"],
            "resourcetemplate.karmada.io/generation": str(of.get("generation", 0)),
            "work.karmada.io/name": of_work["metadata"]["name"],
            "work.karmada.io/namespace": of_work["metadata"]["namespace"],
            "work.karmada.io/conflict-resolution": "abort",
        },
    }  # fmt: skip
    return made(resource, template["kind"], metadata, **payload(template))


def payload(thing: dict) -> dict:
    """What an object says, but for its metadata and status."""
    return {key: value for key, value in thing.items() if key not in ("apiVersion", "kind", "metadata", "status")}


def policy(namespace: str, name: str, kind: tuple[str, str], most: int) -> dict:
    """A PropagationPolicy that brings all objects of a kind (apiVersion, kind) to at most so many members."""
    spec = {
        "resourceSelectors": [{"apiVersion": kind[0], "kind": kind[1]}],
        "placement": {"spreadConstraints": [{"spreadByField": "cluster", "maxGroups": most}]} if most else {},
    }  # fmt: skip
    return made(POLICIES, "PropagationPolicy", {"name": name, "namespace": namespace}, spec=spec)
