"""What the door says of itself in /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

CLOSED = ("header", "body", "answer", "handshake", "certificate", "full")
"""Why the daemon closed a connection: too slow a header, body, reader; no TLS; no certificate of ours; room was needed."""
REFUSED = (400, 401, 403, 405, 413, 431, 503)
"""The answers that let nobody in."""


class WebTelemetry:
    """Counters and gauges of the HTTP server, in the registry given. For any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connections = Gauge("sloagent_web_connections", "Connections that are open", registry=registry)
        self._closed = Counter(
            "sloagent_web_connections_closed", "Connections that the daemon ended before they were served, by reason",
            ["reason"], registry=registry,
        )  # fmt: skip
        for reason in CLOSED:
            self._closed.labels(reason)
        self._refused = Counter(
            "sloagent_web_requests_refused", "Requests refused, by the code of the answer", ["code"], registry=registry
        )
        for code in REFUSED:
            self._refused.labels(str(code))
        self.file_successful = Gauge(
            "sloagent_web_config_last_reload_successful",
            "1 if the web configuration and its certificates on disk are those in force, or there is none",
            registry=registry,
        )
        self.file_successful.set(1)
        self.file_failures = Counter(
            "sloagent_web_config_reload_failures",
            "Times the web configuration or a certificate on disk was found wrong",
            registry=registry,
        )

    def closed(self, reason: str) -> None:
        """Count a connection that was ended, for one of the reasons in CLOSED."""
        self._closed.labels(reason).inc()

    def refused(self, code: int) -> None:
        """Count an answer that let nobody in; other answers do not count."""
        if code in REFUSED:
            self._refused.labels(str(code)).inc()
