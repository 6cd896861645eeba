"""What a probe has to be allowed, whether it is, and the rules that would allow it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from sloagent.probes.endpoint import METADATA, METADATA_LIST, Endpoint, EndpointError
from sloagent.probes.resource import NAMESPACES, Resource

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
READ = ("list", "watch")
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Need:
    """Verbs on a resource, of all namespaces or of one, and what for."""

    resource: Resource
    verbs: tuple[str, ...]
    purpose: str
    namespace: str = ""
    subresource: str = ""
    optional: bool = False
    """Whether the probe has a way without it."""
    must_exist: bool = False
    """Whether the namespace has to be there: the probe does not make it."""

    @property
    def name(self) -> str:
        """The resource as RBAC writes it."""
        return f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether one need is met. `lacking` are the verbs that are not allowed; `why` is a sentence where it is not met."""

    need: Need
    lacking: tuple[str, ...] = ()
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether nothing is missing."""
        return self.need.optional or not (self.lacking or self.why)


@dataclass(frozen=True, slots=True)
class Reached:
    """What was found at one API: its version, or why it cannot be asked; and each need."""

    name: str
    version: str
    why_not: str
    findings: tuple[Finding, ...] = ()
    address: str = ""
    """Where its requests go; empty where none was made."""

    @property
    def good(self) -> bool:
        """Whether the probes can do everything there."""
        return not self.why_not and all(finding.met for finding in self.findings)


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


class _ReviewStatus(msgspec.Struct):
    allowed: bool = False
    reason: str | None = None


class _Review(msgspec.Struct):
    status: _ReviewStatus = msgspec.field(default_factory=_ReviewStatus)


async def look(endpoint: Endpoint, needs: Sequence[Need]) -> Reached:
    """Ask an API who it is and what we may do there; nothing is changed."""
    try:
        text = await endpoint.ask("GET", "/version", timeout=10.0)
        version = msgspec.json.decode(text, type=_Version).git_version
    except (EndpointError, msgspec.MsgspecError) as error:
        return Reached(endpoint.name, "", str(error).removeprefix(f"{endpoint.name}: "))
    findings = tuple([await _finding(endpoint, need) for need in needs])
    return Reached(endpoint.name, version, "", findings, endpoint.address)


async def _finding(endpoint: Endpoint, need: Need) -> Finding:
    try:
        lacking = tuple([verb for verb in need.verbs if not await _allowed(endpoint, need, verb)])
        if not lacking and "list" in need.verbs:
            await endpoint.ask(
                "GET", need.resource.path(need.namespace), query={"limit": "1"}, accept=METADATA_LIST, timeout=10.0
            )
        if need.must_exist and await _is_absent(endpoint, need.namespace):
            return Finding(need, lacking, f"there is no namespace {need.namespace}")
    except EndpointError as error:
        if error.status == _NOT_FOUND:
            return Finding(need, why="this API does not serve it: is it the right one, and installed whole?")
        return Finding(need, why=error.message.removeprefix(f"{endpoint.name}: "))
    return Finding(need, lacking)


async def _is_absent(endpoint: Endpoint, namespace: str) -> bool:
    """Whether it is known that there is no such namespace; who may not look does not know."""
    try:
        await endpoint.ask("GET", NAMESPACES.path(name=namespace), accept=METADATA, timeout=10.0)
    except EndpointError as error:
        return error.status == _NOT_FOUND
    return False


async def _allowed(endpoint: Endpoint, need: Need, verb: str) -> bool:
    asked = {
        "group": need.resource.group, "resource": need.resource.plural, "subresource": need.subresource, "verb": verb,
        "namespace": need.namespace,
    }  # fmt: skip
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked},
    }  # fmt: skip
    text = await endpoint.ask("POST", REVIEW, body=msgspec.json.encode(review), timeout=10.0)
    return msgspec.json.decode(text, type=_Review).status.allowed


def roles(name: str, needs: Iterable[Need]) -> list[dict[str, object]]:
    """A ClusterRole, and a Role for each namespace, that allow these needs and nothing else; manifests as plain data."""
    by_namespace: dict[str, dict[tuple[str, str], list[str]]] = {}
    for need in needs:
        if need.optional:
            continue
        verbs = by_namespace.setdefault(need.namespace, {}).setdefault((need.resource.group, need.name), [])
        verbs += [verb for verb in need.verbs if verb not in verbs]
    made: list[dict[str, object]] = []
    for namespace, rules in by_namespace.items():
        metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
        made.append({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role" if namespace else "ClusterRole",
            "metadata": metadata,
            "rules": [
                {"apiGroups": [group], "resources": [resource], "verbs": verbs}
                for (group, resource), verbs in rules.items()
            ],
        })  # fmt: skip
    return made
