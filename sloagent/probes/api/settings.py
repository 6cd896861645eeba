"""The settings of the api probe: a load, what it does to which objects of which targets, and how it is driven."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from sloagent.probes.resource import Resource
from sloagent.probes.settings import Name, Rate, ResourceName
from sloagent.settings import ByteSize, Duration, Settings

CONFIG_MAPS = "v1/configmaps"
LARGEST_OBJECT_BYTES = 1_000_000
"""Of what fills an object; etcd takes requests of 1.5 MiB, a ConfigMap holds 1 MiB."""
LARGEST_ANNOTATION_BYTES = 200_000
"""Where an annotation has to fill the object: Kubernetes takes 256 KiB of annotations."""
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ONLY = {
    "limit": ("list",),
    "resource_version": ("list", "get"),
    "object": ("churn",),
    "watch": ("churn",),
}
"""Fields that mean something with some calls only."""


class OpenLoop(Settings):
    """Requests begin at random (Poisson) at this rate, whatever became of those before."""

    rate: Annotated[Rate, Field(gt=0, le=10_000)]
    max_in_flight: int = Field(default=2_000, ge=1, le=10_000)
    """Beyond it a request begins late, which counts in its latency."""


class ClosedLoop(Settings):
    """So many workers, each of which begins its next request when its last one has ended."""

    workers: int = Field(ge=1, le=1_000)


class ObjectSettings(Settings):
    """The objects that `churn` creates, updates and deletes."""

    size: ByteSize = Field(default=0, ge=0, le=LARGEST_OBJECT_BYTES)
    """Of what fills the object: its data if it is a ConfigMap, else an annotation."""
    updates: int = Field(default=1, ge=0, le=100)
    lifetime: Duration = Field(default=10.0, gt=0, le=86_400)
    """From the creation to the deletion, with the updates evenly in between (open loop only)."""
    population: int = Field(default=100, ge=1, le=10_000)
    """The most objects that live at once: the oldest is deleted early for one more (open loop only)."""
    template: dict[str, JsonValue] = Field(default_factory=dict)
    """The rest of the object, with its `kind` where it is no ConfigMap; its name and labels are ours."""

    @field_validator("template")
    @classmethod
    def _ours_is_ours(cls, template: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for field in ("apiVersion", "status"):
            if field in template:
                raise ValueError(
                    f"template must not say {field}; the first follows from `resource`, the second is told"
                )
        metadata = template.get("metadata", {})
        if not isinstance(metadata, dict) or not metadata.keys() <= {"annotations", "labels"}:
            raise ValueError("template.metadata may hold annotations and labels; the rest is ours to write")
        for field, texts in metadata.items():
            if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
                raise ValueError(f"template.metadata.{field} is written as `name: value`, the value a text")
        return template


class ApiLoadSettings(Settings):
    """One load, driven alike on each of its targets, side by side."""

    name: Name
    targets: tuple[Name, ...] = Field(min_length=1)
    """Clusters by the names they have in `clusters`."""
    resource: ResourceName
    namespace: str | None = None
    """Without it: of all namespaces. For `churn` it is written; "" for a resource that is in no namespace."""
    call: Literal["list", "get", "update", "churn"]
    open: OpenLoop | None = None
    closed: ClosedLoop | None = None
    limit: int = Field(default=0, ge=0, le=100_000)
    """Of objects that one list asks for; 0 asks for all. Only the first page is asked for."""
    resource_version: str | None = None
    """Of list and get: "0" takes what the API server has at hand; without it the newest is asked for."""
    object: ObjectSettings = ObjectSettings()
    watch: bool = False
    """Also the time to the event of a watch, and from there through a work queue."""
    duration: Duration = Field(default=60.0, gt=0, le=86_400)
    grace: Duration = Field(default=10.0, ge=0, le=600)
    """How long what is under way at the end is waited for."""
    timeout: Duration = Field(default=30.0, gt=0, le=600)
    """Of one request."""
    every: Duration | None = Field(default=None, gt=0)
    """From one beginning to the next, of `probe run`; without it there is no pause."""

    @field_validator("namespace")
    @classmethod
    def _namespace(cls, value: str | None) -> str | None:
        if value and not _LABEL.fullmatch(value):
            raise ValueError(f'"{value[:80]}" is no name of a namespace; it has small letters, digits and - alone')
        return value

    @field_validator("resource_version")
    @classmethod
    def _version(cls, value: str | None) -> str | None:
        if value is not None and not value.isdecimal():
            raise ValueError(f'"{value[:80]}" is no resource version; write "0", or leave it out for the newest')
        return value

    @field_validator("targets")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a target is named twice")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.open is None) == (self.closed is None):
            found = "none" if self.open is None else "both"
            raise ValueError(
                f"load {self.name} needs exactly one of `open: {{rate: 50/s}}` and `closed: {{workers: 10}}`; found {found}"
            )
        for field, calls in _ONLY.items():
            if field in self.model_fields_set and self.call not in calls:
                raise ValueError(f"load {self.name}: `{field}` goes with call: {' or '.join(calls)}, not {self.call}")
        if self.every is not None and self.every < self.duration:
            raise ValueError(
                f"load {self.name}: every is shorter than duration, so the next would begin before the end"
            )
        if self.call == "churn":
            self._churns()
        return self

    def _churns(self) -> None:
        if self.namespace is None:
            raise ValueError(
                f"load {self.name} creates objects and has no namespace to put them in; a namespace of its own is best"
                ' (write "" for a resource that is in no namespace)'
            )
        if self.closed is not None:
            for field in ("lifetime", "population"):
                if field in self.object.model_fields_set:
                    raise ValueError(
                        f"load {self.name}: object.{field} goes with `open`; in a closed loop a worker's object lives"
                        " until its last update has ended"
                    )
        if self.resource == CONFIG_MAPS:
            if self.object.template.get("kind", "ConfigMap") != "ConfigMap":
                raise ValueError(f"load {self.name}: the kind of {CONFIG_MAPS} is ConfigMap")
        elif not isinstance(self.object.template.get("kind"), str):
            raise ValueError(
                f"load {self.name}: object.template does not say the kind of {self.resource}; write it with the spec,"
                " such as `template: {kind: Pod, spec: {…}}`"
            )
        elif self.object.size > LARGEST_ANNOTATION_BYTES:
            raise ValueError(
                f"load {self.name}: object.size fills an annotation, since this is no ConfigMap, and may be 200kB at most"
            )

    @property
    def what(self) -> Resource:
        """The resource, read."""
        return Resource.parse(self.resource)
