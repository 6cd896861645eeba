"""The settings of probes that more than one of them has: how an API is reached, and how often something is done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator

from sloagent import units
from sloagent.probes.resource import Resource
from sloagent.settings import Settings


def _rate(value: object) -> object:
    return units.rate(str(value), "requests") if isinstance(value, str | int) else value


def _resource(value: str) -> str:
    Resource.parse(value)
    return value


Rate = Annotated[
    float,
    BeforeValidator(_rate),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[0-9].*/(s|m|h|d)$", "examples": ["50/s", "6/m"]}, mode="validation"
    ),
]
"""How often a second; written with its time: `50/s`, `6/m`. Defaults in code are plain numbers."""

ResourceName = Annotated[str, AfterValidator(_resource)]
"""A resource as `Resource.parse` reads it: `v1/pods`, `apps/v1/deployments`."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
"""How a target is called in the file and in labels."""


class EndpointSettings(Settings):
    """How one API is reached: as kubectl would, by a kubeconfig, else by the service account of the pod."""

    kubeconfig: Path | None = None
    """Without it $KUBECONFIG, then ~/.kube/config, then the service account."""
    context: str | None = None
    path: str = ""
    """What stands before every request's path, such as that of a proxy."""

    @field_validator("path")
    @classmethod
    def _path(cls, value: str) -> str:
        if value and (not value.startswith("/") or value.endswith("/") or any(c in value for c in "?# ")):
            raise ValueError(f'"{value[:80]}" is no path; it begins with / and does not end with one')
        return value
