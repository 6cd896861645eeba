"""The `alerts:` block of sloagent.yaml: what holds for the alerts of every SLO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from sloagent.config.to_alerts import LABEL, OURS
from sloagent.model.alert_defaults import PERIOD_SECONDS
from sloagent.model.link import is_link
from sloagent.settings import Duration, Settings


class AlertingSettings(Settings):
    """How alerts are reckoned and what they carry; who receives them stands in `alertmanagers` and `webhooks`."""

    period: Duration = Field(default=float(PERIOD_SECONDS), ge=60)
    """Over how long an error budget is reckoned: the length of a soak test, or 30 days. Burn rates are scaled to it."""
    baseline: str | None = Field(default=None, min_length=1)
    """The run that a run under way is compared with."""
    resend: Duration = Field(default=60.0, ge=1)
    """How often an alert that fires is sent again. Alertmanager takes it for over when it has heard nothing of it for
    four times this, or four times the SLO's interval if that is longer."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """Added to every alert, such as a cluster's name."""
    external_url: str | None = None
    """Where people reach this agent; the link in an alert."""
    prometheus_url: str | None = None
    """Where people reach Prometheus; its own `url` without it."""

    @model_validator(mode="after")
    def _links_and_labels(self) -> Self:
        for name in ("external_url", "prometheus_url"):
            link = getattr(self, name)
            if link is not None and not is_link(link):
                raise ValueError(f"{name} is no link; write it like https://sloagent.example.com, without a user")
        for label in self.labels:
            if not LABEL.fullmatch(label):
                raise ValueError(f'"{label}" is no name of a label; write letters, digits and underscores')
            if label in OURS:
                raise ValueError(f"every alert has the label {label} from sloagent; choose another name")
        return self
