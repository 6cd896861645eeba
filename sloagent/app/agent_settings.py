"""The agent's file, `sloagent.yaml`: the blocks that the rooms declare, put together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sloagent.app.alert_settings import AlertingSettings
from sloagent.app.probe_settings import ProbesSettings
from sloagent.settings import ByteSize, Duration, Settings
from sloagent.sinks.receiver_settings import AlertmanagerSettings, WebhookSettings, check_names
from sloagent.sources.http_config import PrometheusSettings
from sloagent.store.settings import StoreSettings
from sloagent.web.settings import WebSettings


class EvaluationSettings(Settings):
    """How slots are asked for. Each bound protects the daemon; exceeding one is an `error` verdict that names it."""

    delay: Duration = Field(default=30.0, ge=0)
    catch_up: Duration = Field(default=86_400.0, gt=0)
    max_queries: int = Field(default=4, ge=1, le=20)
    query_timeout: Duration = Field(default=20.0, gt=0)
    max_series: int = Field(default=1_000, ge=1)
    max_response: ByteSize = Field(default=16 * 1024 * 1024, ge=65_536)
    max_labels: ByteSize = Field(default=4_096, ge=256)
    max_buckets: int = Field(default=1_000, ge=2)


class ReportSettings(Settings):
    """Which report is written where. A relative directory counts from the file."""

    definition: str = "builtin:karmada-test-report"
    languages: tuple[Literal["en", "zh"], ...] = Field(default=("en",), min_length=1)
    directory: str = "reports-out"
    templates: str | None = None
    """A directory with templates of the user's own, each of which stands in for the shipped one of its name."""


Receivers = tuple[AlertmanagerSettings, ...] | tuple[WebhookSettings, ...]


class AgentSettings(Settings):
    """The whole file; everything but `prometheus` and `slos` has a default."""

    prometheus: PrometheusSettings
    slos: tuple[str, ...] = Field(min_length=1)
    parameters: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    evaluation: EvaluationSettings = EvaluationSettings()
    store: StoreSettings = StoreSettings()
    web: WebSettings = WebSettings()
    alertmanagers: tuple[AlertmanagerSettings, ...] = ()
    """Every member of a cluster, never a load balancer (docs/alert-receivers.md)."""
    webhooks: tuple[WebhookSettings, ...] = ()
    alerts: AlertingSettings = AlertingSettings()
    report: ReportSettings = ReportSettings()
    probes: ProbesSettings | None = None
    """What `sloagent probe` tries; the daemon does not look at it (docs/probes.md)."""
    facts: str | None = None
    """A file with what Prometheus cannot know about the test bed (docs/facts.md)."""

    @field_validator("alertmanagers", "webhooks")
    @classmethod
    def _receivers_are_told_apart(cls, value: Receivers, info: ValidationInfo) -> Receivers:
        before = info.data.get("alertmanagers", ()) if info.field_name == "webhooks" else ()
        check_names((*before, *value))
        return value

    @model_validator(mode="after")
    def _remembers_what_it_catches_up(self) -> Self:
        if self.store.retention <= self.evaluation.catch_up:
            raise ValueError(
                "store.retention is not longer than evaluation.catch_up, so slots would be forgotten and asked again;"
                " write a longer retention or a shorter catch_up"
            )
        return self


def resolved(path: str, configuration: Path) -> Path:
    """A path of the file: relative ones count from where the file is."""
    return configuration.parent / Path(path).expanduser()
