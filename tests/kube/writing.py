"""Create, replace, patch, delete: what an API server checks, fills in and refuses."""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid

from tests.kube.patching import applied
from tests.kube.refusal import RefusalError, already_there, conflict, not_found
from tests.kube.resource import CLUSTER_SCOPED, NAMESPACES, Place, Resource
from tests.kube.store import ADDED, DELETED, MODIFIED, Cluster, key_of

TERMINATION_SECONDS = 0.05
"""How long the controller of namespaces takes to begin."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9:.]*[a-z0-9])?")
_WITHOUT_GENERATION = {"configmaps", "secrets", "namespaces", "serviceaccounts", "events", "endpoints", "nodes"}
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


def stamp(seconds: float | None = None) -> str:
    """A time as objects carry it: whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def create(cluster: Cluster, place: Place, thing: dict) -> dict:
    """A new object. Raises RefusalError."""
    resource, metadata = place.resource, dict(thing.get("metadata") or {})
    _agree(resource, thing)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + "".join(random.choices(_SUFFIX, k=5))
    name = metadata.get("name", "")
    if len(name) > 253 or _NAME.fullmatch(name) is None:
        raise RefusalError(422, f'{resource.in_words} "{name}" is invalid: metadata.name: name or generateName is required'
                      if not name else f'{resource.in_words} "{name}" is invalid: metadata.name: Invalid value')  # fmt: skip
    if metadata.get("resourceVersion"):
        raise RefusalError(400, "resourceVersion should not be set on objects to be created")
    _settle_namespace(cluster, place, metadata)
    for given in ("uid", "creationTimestamp", "deletionTimestamp", "selfLink", "managedFields"):
        metadata.pop(given, None)
    metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": stamp()}
    if resource.plural not in _WITHOUT_GENERATION:
        metadata["generation"] = 1
    thing = {"apiVersion": resource.api_version, "kind": resource.kind, **thing, "metadata": metadata}
    if resource == NAMESPACES:
        thing |= {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    if key_of(thing) in cluster.of(resource).now:
        raise already_there(resource, name)
    return cluster.commit(resource, ADDED, thing)


def replace(cluster: Cluster, place: Place, thing: dict) -> dict:
    """An object in the place of another. Raises RefusalError: 409 where it was made from an older version."""
    there = _there(cluster, place)
    _agree(place.resource, thing)
    if (thing.get("metadata") or {}).get("name") != place.name:
        raise RefusalError(400, "the name of the object does not match the name on the URL")
    return _store(cluster, place, there, thing)


def patch(cluster: Cluster, place: Place, body: object, content_type: str) -> dict:
    """An object with some of it changed. Raises RefusalError."""
    there = _there(cluster, place)
    return _store(cluster, place, there, applied(there, body, content_type))


def delete(cluster: Cluster, place: Place, options: dict) -> tuple[dict, bool]:
    """The object, and whether it is gone: with finalizers it only begins to go. Raises RefusalError."""
    there = _there(cluster, place)
    wanted, metadata = options.get("preconditions") or {}, there["metadata"]
    for what in ("uid", "resourceVersion"):
        if wanted.get(what) and wanted[what] != metadata[what]:
            raise conflict(place.resource, place.name, f"the {what} in the precondition ({wanted[what]}) does not match"
                           f" the {what} in record ({metadata[what]}). The object might have been deleted and then"
                           " recreated")  # fmt: skip
    return remove(cluster, place.resource, there)


def remove(cluster: Cluster, resource: Resource, there: dict) -> tuple[dict, bool]:
    """As `delete`, of an object that is there."""
    metadata = there["metadata"]
    if not metadata.get("finalizers") and resource != NAMESPACES:
        return cluster.commit(resource, DELETED, there), True
    if "deletionTimestamp" in metadata:
        return there, False
    going = {**metadata, "deletionTimestamp": stamp(), "deletionGracePeriodSeconds": 0}
    if "generation" in metadata:
        going["generation"] = metadata["generation"] + 1
    going_thing = {**there, "metadata": going}
    if resource == NAMESPACES:
        going_thing["status"] = {"phase": "Terminating"}
        cluster.terminating.add(metadata["name"])
        _in_background(_terminate(cluster, metadata["name"]))
    return cluster.commit(resource, MODIFIED, going_thing), False


_background: set[asyncio.Task] = set()


def _in_background(work) -> None:
    task = asyncio.get_running_loop().create_task(work)
    _background.add(task)
    task.add_done_callback(_background.discard)


async def _terminate(cluster: Cluster, namespace: str) -> None:
    """Empty a namespace, then let it go."""
    while True:
        await asyncio.sleep(TERMINATION_SECONDS)
        left = False
        for resource, collection in list(cluster.collections.items()):
            for thing in [s.thing for s in collection.now.values()]:
                if thing["metadata"].get("namespace") == namespace:
                    left |= not remove(cluster, resource, thing)[1]
        there = cluster.get(NAMESPACES, "", namespace)
        if not left and there is not None and not there["metadata"].get("finalizers"):
            cluster.terminating.discard(namespace)
            cluster.commit(NAMESPACES, DELETED, {**there, "spec": {}})
            return


def _store(cluster: Cluster, place: Place, there: dict, thing: dict) -> dict:
    """An object that was changed, with what a client cannot change as it was; without a difference nothing happens."""
    resource, old = place.resource, there["metadata"]
    new = dict(thing.get("metadata") or {})
    if new.get("resourceVersion") not in (None, "", old["resourceVersion"]):
        raise conflict(resource, place.name, "the object has been modified; please apply your changes to the latest"
                       " version and try again")  # fmt: skip
    if new.get("uid", old["uid"]) != old["uid"]:
        raise conflict(resource, place.name, f"Precondition failed: UID in precondition: {new['uid']}, UID in object"
                       f" meta: {old['uid']}")  # fmt: skip
    if place.subresource == "status":
        thing, new = {**there, "status": thing.get("status")}, dict(old)
    for fixed in ("name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion",
                  "deletionGracePeriodSeconds"):  # fmt: skip
        if fixed in old:
            new[fixed] = old[fixed]
        else:
            new.pop(fixed, None)
    if "generation" in old and _meant(thing) != _meant(there):
        new["generation"] = old["generation"] + 1
    thing = {**thing, "apiVersion": resource.api_version, "kind": there["kind"], "metadata": new}
    if thing == there:
        return there
    if "deletionTimestamp" in new and not new.get("finalizers") and resource != NAMESPACES:
        return cluster.commit(resource, DELETED, thing)
    return cluster.commit(resource, MODIFIED, thing)


def _meant(thing: dict) -> dict:
    return {key: value for key, value in thing.items() if key not in ("metadata", "status", "apiVersion", "kind")}


def _there(cluster: Cluster, place: Place) -> dict:
    there = cluster.get(place.resource, place.namespace, place.name)
    if there is None:
        raise not_found(place.resource, place.name)
    return there


def _agree(resource: Resource, thing: dict) -> None:
    said = thing.get("apiVersion", resource.api_version)
    if said != resource.api_version:
        raise RefusalError(400, f"the API version in the data ({said}) does not match the expected API version"
                      f" ({resource.api_version})")  # fmt: skip


def _settle_namespace(cluster: Cluster, place: Place, metadata: dict) -> None:
    namespace = place.namespace
    if not namespace:
        if place.resource.plural not in CLUSTER_SCOPED and metadata.get("namespace"):
            raise RefusalError(405, "the server does not allow this method on the requested resource")
        metadata.pop("namespace", None)
        return
    if metadata.get("namespace", namespace) != namespace:
        raise RefusalError(400, "the namespace of the provided object does not match the namespace sent on the request")
    if cluster.get(NAMESPACES, "", namespace) is None:
        raise not_found(NAMESPACES, namespace)
    if namespace in cluster.terminating:
        raise RefusalError(403, f'{place.resource.in_words} "{metadata["name"]}" is forbidden: unable to create new content'
                      f" in namespace {namespace} because it is being terminated",
                      more={"details": {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace",
                            "message": f"namespace {namespace} is being terminated"}]}})  # fmt: skip
    metadata["namespace"] = namespace
