"""A receiver of alerts of ours with all that it says: what was taken, and its numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry

from sloagent.model.alert import Notice
from sloagent.sinks import Receiver, Taken
from sloagent.sinks.alert_telemetry import AlertTelemetry

SOON_SECONDS = 20.0


class Told:
    """What the receiver that `make` opens was heard to say."""

    def __init__(self, make: Callable[[Taken, AlertTelemetry], Receiver]) -> None:
        self.registry = CollectorRegistry()
        self.taken: list[Notice] = []
        self.receiver = make(self._take, AlertTelemetry(self.registry))

    def _take(self, receiver: str, notices: Sequence[Notice], at: float) -> None:
        assert receiver == self.receiver.name
        assert abs(at - time.time()) < SOON_SECONDS
        self.taken += notices

    def number(self, name: str) -> float:
        return self.registry.get_sample_value(f"sloagent_alerts_{name}", {"receiver": self.receiver.name})

    def numbers(self) -> dict[str, float]:
        """Without those that are 0."""
        names = ("sent_total", "failed_total", "refused_total", "dropped_total", "queue_length")
        return {name: number for name in names if (number := self.number(name))}
