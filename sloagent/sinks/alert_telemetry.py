"""What the delivery of alerts says of itself in /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class AlertTelemetry:
    """Counters and gauges by receiver, in the registry given. For any thread; one for all generations of receivers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str) -> Counter:
            return Counter(f"sloagent_alerts_{name}", what, ["receiver"], registry=registry)

        self.sent = counter("sent", "Alerts that a receiver took")
        self.failed = counter(
            "failed", "Alerts of attempts to tell a receiver that failed; those of one may be told later"
        )
        self.refused = counter("refused", "Alerts that a receiver refused for what they are")
        self.dropped = counter(
            "dropped", "Alerts that were never told to a receiver: its queue was full, or sloagent ended"
        )
        self.queue = Gauge(
            "sloagent_alerts_queue_length", "Alerts that wait for a receiver", ["receiver"], registry=registry
        )

    def know(self, receiver: str) -> None:
        """Show the numbers of a receiver from now on, zeros at first."""
        for metric in (self.sent, self.failed, self.refused, self.dropped, self.queue):
            metric.labels(receiver)
