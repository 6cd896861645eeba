"""Who receives alerts: what the configuration names, opened."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from sloagent.app.agent_settings import AgentSettings
from sloagent.app.wiring import Agent
from sloagent.model.alert import Notice, Severity
from sloagent.sinks import Receiver, Taken
from sloagent.sinks.alert_telemetry import AlertTelemetry

_TEST_SECONDS = 60.0


def open_receivers(agent: Agent, taken: Taken) -> Sequence[Receiver]:
    """The receivers of an agent; `taken` is called with what each of them took."""
    return _opened(agent.settings, taken, agent.telemetry.alerts)


def receivers_for_a_test(settings: AgentSettings) -> Sequence[Receiver]:
    """The receivers that a configuration names, of which nobody is told what they took."""
    return _opened(settings, lambda *_: None, AlertTelemetry(CollectorRegistry()))


def receiver_names(settings: AgentSettings) -> list[str]:
    """The names of all receivers, in the order written."""
    return [*(one.receiver for one in settings.alertmanagers), *(one.receiver for one in settings.webhooks)]


def test_notice(settings: AgentSettings, severity: Severity) -> Notice:
    """An alert that says that it is none; over by itself after a minute."""
    now = time.time()
    labels = {
        **settings.alerts.labels,
        "alertname": "SLOTest",
        "severity": severity.value,
        "set": "test",
        "slo": "test",
    }
    words = {
        "summary": "A test of sloagent's alerts",
        "description": f"Somebody typed `sloagent alerts test` on {socket.gethostname()}. Nothing is wrong.",
    }
    return Notice(tuple(sorted(labels.items())), tuple(sorted(words.items())), now, now + _TEST_SECONDS, resolved=False)


def _opened(settings: AgentSettings, taken: Taken, telemetry: AlertTelemetry) -> Sequence[Receiver]:
    if not settings.alertmanagers and not settings.webhooks:
        return ()  # whoever tells nobody need not load what it takes
    from sloagent.sinks.alertmanager import Alertmanager
    from sloagent.sinks.webhook import Webhook

    page = settings.alerts.external_url or ""
    return (
        *(Alertmanager(one, taken, telemetry) for one in settings.alertmanagers),
        *(Webhook(one, taken, telemetry, external_url=page) for one in settings.webhooks),
    )
