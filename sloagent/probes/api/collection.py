"""The objects of a resource as they are found, and one object with an annotation changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from sloagent.probes.endpoint import JSON, Endpoint
from sloagent.probes.objects import Metadata
from sloagent.probes.resource import Resource

PAGE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """One object: where it is, and its text."""

    namespace: str
    name: str
    text: bytes

    @property
    def key(self) -> str:
        """Namespace and name, as client-go writes them."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class _Continued(msgspec.Struct):
    continue_: str | None = msgspec.field(default=None, name="continue")


class _Page(msgspec.Struct):
    kind: str = ""
    metadata: _Continued = msgspec.field(default_factory=_Continued)
    items: list[msgspec.Raw] | None = None


class _Item(msgspec.Struct):
    metadata: Metadata
    kind: str = ""


async def objects(
    endpoint: Endpoint, resource: Resource, namespace: str, *, most: int, query: Mapping[str, str] | None = None,
    accept: str = JSON, timeout: float = 30.0,
) -> list[Found]:  # fmt: skip
    """The first objects there are, at most `most`, page by page. Raises EndpointError; MsgspecError of no list."""
    found: list[Found] = []
    asked = {**(query or {}), "limit": str(min(PAGE, most))}
    while True:
        text = await endpoint.ask("GET", resource.path(namespace), query=asked, accept=accept, timeout=timeout)
        page = msgspec.json.decode(text, type=_Page)
        for raw in page.items or ():
            item = msgspec.json.decode(raw, type=_Item)
            text = bytes(raw) if item.kind else _typed(raw, resource.api_version, page.kind.removesuffix("List"))
            found.append(Found(item.metadata.namespace, item.metadata.name, text))
        if not page.metadata.continue_ or len(found) >= most:
            return found[:most]
        asked["continue"] = page.metadata.continue_
        await asyncio.sleep(0)


def annotated(text: bytes, name: str, value: str) -> bytes:
    """The object with this annotation; nothing else of it is changed. Raises MsgspecError where it is no object."""
    whole = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    metadata = msgspec.json.decode(whole["metadata"], type=dict[str, msgspec.Raw])
    annotations = msgspec.json.decode(metadata.get("annotations", b"{}"), type=dict[str, str] | None) or {}
    annotations[name] = value
    metadata["annotations"] = msgspec.Raw(msgspec.json.encode(annotations))
    whole["metadata"] = msgspec.Raw(msgspec.json.encode(metadata))
    return msgspec.json.encode(whole)


def _typed(raw: msgspec.Raw, api_version: str, kind: str) -> bytes:
    """The item of a list with the kind that the list has said for all of them."""
    head = {"apiVersion": api_version, "kind": kind}
    return msgspec.json.encode({**head, **msgspec.json.decode(raw, type=dict[str, msgspec.Raw])})
