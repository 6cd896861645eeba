"""Where Prometheus is and how to talk to it, in the ecosystem's own `http_config` convention."""

from __future__ import annotations

from pydantic import Field, field_validator

from sloagent.peer.settings import HTTPConfig, http_url
from sloagent.settings import Settings


class _Place(Settings):
    """What comes before the fields of `http_config`, wherever the settings are shown."""

    url: str = Field(description="The address of Prometheus, without /api/v1")
    name: str = Field(default="prometheus", description="The name under which its verdicts are kept")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        return http_url(value, "url").rstrip("/")

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise ValueError("name must be a printable word, such as prometheus")
        return value


class PrometheusSettings(HTTPConfig, _Place):
    """Where Prometheus is and how to talk to it. Secrets are hidden wherever the settings are shown."""
