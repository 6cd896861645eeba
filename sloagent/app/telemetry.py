"""What sloagent says of itself: counters and gauges in a registry of its own, never the global one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from platform import python_version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from sloagent.model.samples import Refusal
from sloagent.model.verdict import Outcome, SlotVerdict
from sloagent.sinks.alert_telemetry import AlertTelemetry
from sloagent.web.telemetry import WebTelemetry


class Telemetry:
    """The agent's own metrics. All methods may be called from any thread."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._evaluations = Counter(
            "sloagent_evaluations", "Slots of SLOs judged, by outcome", ["outcome"], registry=self.registry
        )
        for outcome in Outcome:
            self._evaluations.labels(outcome.value)
        self._durations = Histogram(
            "sloagent_query_duration_seconds", "Time from asking Prometheus to its decoded answer",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60), registry=self.registry,
        )  # fmt: skip
        self._failures = Counter(
            "sloagent_query_failures", "Questions without a usable answer", ["kind"], registry=self.registry
        )
        self.pending = Gauge(
            "sloagent_pending_slots", "Slots of SLOs that are due and have no verdict yet", registry=self.registry
        )
        self.lag = Gauge(
            "sloagent_slot_lag_seconds",
            "For how long the most overdue newest slot has been due without a recorded verdict",
            registry=self.registry,
        )
        self.store_size = Gauge("sloagent_store_size_bytes", "Size of the store on disk", registry=self.registry)
        self.store_up = Gauge(
            "sloagent_store_up", "1 if the last commit to the store succeeded", registry=self.registry
        )
        self.set_aside = Gauge(
            "sloagent_store_set_aside_files",
            "Damaged or foreign files that this process has set aside to begin a new store",
            registry=self.registry,
        )
        self.unremembered = Counter(
            "sloagent_slots_not_remembered",
            "Slots judged and told that the store did not take; they are asked for again when it does",
            registry=self.registry,
        )
        self._sinks = Counter(
            "sloagent_sink_failures", "Times a sink could not be told", ["sink"], registry=self.registry
        )
        self.clock_jumps = Counter(
            "sloagent_clock_jumps", "Times the wall clock was set by more than 2 s", registry=self.registry
        )
        self.missed = Counter(
            "sloagent_ticks_missed", "Ticks skipped because the one before was still at work", registry=self.registry
        )
        self.reload_successful = Gauge(
            "sloagent_config_last_reload_successful",
            "1 if the last attempt to load the configuration succeeded",
            registry=self.registry,
        )
        self.reload_time = Gauge(
            "sloagent_config_last_reload_success_timestamp_seconds",
            "When the configuration was last loaded",
            registry=self.registry,
        )
        self.web = WebTelemetry(self.registry)
        self.alerts = AlertTelemetry(self.registry)
        build = Gauge("sloagent_build_info", "Always 1; says what runs", ["version", "python"], registry=self.registry)
        build.labels(version("sloagent"), python_version()).set(1)

    @contextmanager
    def query(self) -> Iterator[Callable[[object], None]]:
        """Time one question; call the yielded function with what came back, so that a refusal is counted."""

        def told(answer: object) -> None:
            if isinstance(answer, Refusal):
                self._failures.labels(answer.kind.value).inc()

        started = time.monotonic()
        try:
            yield told
        finally:
            self._durations.observe(time.monotonic() - started)

    def evaluated(self, verdicts: Sequence[SlotVerdict]) -> None:
        """Count slots that were judged and committed; pending ones are not judged yet."""
        for verdict in verdicts:
            if not verdict.pending:
                self._evaluations.labels(verdict.outcome.value).inc()

    def sink_failed(self, sink: str) -> None:
        """Count a sink that could not be told."""
        self._sinks.labels(sink).inc()
