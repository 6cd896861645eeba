"""The metrics that all probes share, in the registry that the probe process exposes."""

from __future__ import annotations

import logging

from prometheus_client import CollectorRegistry, Counter, Gauge

log = logging.getLogger("sloagent.probes")

BOUNDS = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0,
    6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
)  # fmt: skip
"""Upper bounds of the buckets of every probe's histogram, seconds: every limit of the shipped SLOs is one of them."""


OPENING = "its watches are being opened"
"""Why a target is not seen in its first moments."""


class ProbeTelemetry:
    """Whether each probe sees what it is to see, and what it missed. All methods are called in the loop's thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._up = Gauge(
            "sloagent_probe_up", "1 while the probe sees what it measures; 0 while it does not", ["probe", "target"],
            registry=registry,
        )  # fmt: skip
        self._why: dict[tuple[str, str], str] = {}
        self.restarts = Counter(
            "sloagent_probe_watch_restarts", "Watches that ended before their time, by why",
            ["target", "resource", "reason"],
            registry=registry,
        )  # fmt: skip
        self.missed = Counter(
            "sloagent_probe_events_missed",
            "Objects that came, changed or went while no watch saw it, found by listing anew",
            ["target", "resource"], registry=registry,
        )  # fmt: skip
        self.duplicates = Counter(
            "sloagent_probe_events_duplicate", "Events that a watch showed once more", ["target", "resource"],
            registry=registry,
        )  # fmt: skip
        self.round_trip = Gauge(
            "sloagent_probe_round_trip_seconds", "How long the last smallest question to this API took", ["target"],
            registry=registry,
        )  # fmt: skip

    def up(self, probe: str, target: str, why_not: str = "") -> None:
        """The probe sees its target; or, with a sentence, why it does not."""
        self._up.labels(probe, target).set(0 if why_not else 1)
        why_not = why_not.replace(f"{target}: ", "")
        before = self._why.get((probe, target))
        self._why[probe, target] = why_not
        if why_not and why_not not in (before, OPENING):
            log.warning("probe %s does not see %s: %s", probe, target, why_not)
        elif not why_not and before != "":
            log.info("probe %s sees %s", probe, target)

    def forget(self, probe: str, target: str) -> None:
        """The target is none any more."""
        if self._why.pop((probe, target), None) is not None:
            self._up.remove(probe, target)

    @property
    def blind(self) -> dict[tuple[str, str], str]:
        """Why each (probe, target) that sees nothing sees nothing."""
        return {key: why for key, why in self._why.items() if why}
