"""What is told of Karmada, as metrics."""

from __future__ import annotations

import logging

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sloagent.probes.karmada.words import Lost, Other, Stage
from sloagent.probes.seen import Doubt
from sloagent.probes.telemetry import BOUNDS

log = logging.getLogger("sloagent.probes")

MODES = ("Push", "Pull")
_DISTRIBUTION = "sloagent_probe_distribution"


class KarmadaMetrics:
    """Counts for the ledger and the registrations (`Tally`, `RegistrationTally`)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            f"{_DISTRIBUTION}_seconds", "From a template's appearance in Karmada to its appearance in a member",
            ["member_cluster", "mode"], buckets=BOUNDS, registry=registry,
        )  # fmt: skip
        self._stages = Histogram(
            f"{_DISTRIBUTION}_stage_seconds", "From the end of the stage before to the end of this one", ["stage"],
            buckets=BOUNDS, registry=registry,
        )  # fmt: skip
        self._stages_untimed = Counter(
            f"{_DISTRIBUTION}_stage_untimed",
            "Stages of which not both ends were seen in time",
            ["stage"],
            registry=registry,
        )
        for stage in Stage:
            self._stages.labels(stage)
            self._stages_untimed.labels(stage)
        self._expected = Counter(
            f"{_DISTRIBUTION}_expected", "Arrivals that the first placement of a template promised", ["member_cluster"],
            registry=registry,
        )  # fmt: skip
        self._lost = Counter(
            f"{_DISTRIBUTION}_lost", "Expected arrivals that were not timed, by why", ["member_cluster", "reason"],
            registry=registry,
        )  # fmt: skip
        self._others = Counter(
            f"{_DISTRIBUTION}_other_arrivals", "Arrivals that no first placement promised, by kind",
            ["member_cluster", "kind"], registry=registry,
        )  # fmt: skip
        self._pending = Gauge(
            f"{_DISTRIBUTION}_pending",
            "Expected arrivals that are still awaited",
            ["member_cluster"],
            registry=registry,
        )
        self.unplaced = Gauge(
            f"{_DISTRIBUTION}_unplaced", "Templates that came and have no placement yet", registry=registry
        )
        self._templates = Counter(
            f"{_DISTRIBUTION}_templates", "What became of templates", ["outcome"], registry=registry
        )
        self.canaries = Counter("sloagent_probe_canaries", "Canaries made", registry=registry)
        self._registration = Histogram(
            "sloagent_probe_registration_seconds", "From a Cluster object's appearance to Ready", ["mode"], buckets=BOUNDS,
            registry=registry,
        )  # fmt: skip
        self._unregistration = Histogram(
            "sloagent_probe_unregistration_seconds", "From a Cluster object's deletion to its end", ["mode"],
            buckets=BOUNDS, registry=registry,
        )  # fmt: skip
        self._untimed = Counter(
            "sloagent_probe_registration_lost", "Registrations and unregistrations that were not timed, by why",
            ["what", "reason"], registry=registry,
        )  # fmt: skip
        for mode in MODES:  # so that the first of each is in a rate
            self._registration.labels(mode)
            self._unregistration.labels(mode)
        for what in ("registration", "unregistration"):
            for reason in ("left", "deletion_unseen", *(doubt for doubt in Doubt if doubt)):
                self._untimed.labels(what, reason)
        self._members = Gauge("sloagent_probe_clusters", "Cluster objects by state", ["state"], registry=registry)

    def joined(self, member: str, mode: str) -> None:
        """A cluster is a member: what can be counted of it begins at 0."""
        self._seconds.labels(member, mode)
        self._lost.labels(member, Lost.TIMEOUT)

    def timed(self, uid: str, member: str, mode: str, seconds: float) -> None:
        """An expected arrival; a log at level debug has each."""
        log.debug("template %s arrived in %s after %.6f s", uid, member, seconds)
        self._seconds.labels(member, mode).observe(seconds)

    def stage(self, stage: Stage, seconds: float) -> None:
        """A stage, timed."""
        self._stages.labels(stage).observe(seconds)

    def stage_untimed(self, stage: Stage) -> None:
        """A stage, not timed."""
        self._stages_untimed.labels(stage).inc()

    def lost(self, uid: str, member: str, reason: str) -> None:
        """An expected arrival that is not timed."""
        log.debug("template %s is lost on its way to %s: %s", uid, member, reason)
        self._lost.labels(member, reason).inc()

    def other(self, member: str, kind: Other) -> None:
        """An arrival that nobody expected."""
        self._others.labels(member, kind).inc()

    def expected(self, member: str) -> None:
        """A member of a first placement."""
        self._expected.labels(member).inc()

    def pending(self, member: str, change: int) -> None:
        """More or fewer are awaited."""
        self._pending.labels(member).inc(change)

    def template(self, outcome: str) -> None:
        """What became of a template."""
        self._templates.labels(outcome).inc()

    def registered(self, mode: str, seconds: float) -> None:
        """A cluster is Ready."""
        log.debug("a %s cluster was registered after %.6f s", mode, seconds)
        self._registration.labels(mode).observe(seconds)

    def unregistered(self, mode: str, seconds: float) -> None:
        """A cluster is gone."""
        log.debug("a %s cluster was unregistered after %.6f s", mode, seconds)
        self._unregistration.labels(mode).observe(seconds)

    def untimed(self, what: str, reason: str) -> None:
        """A registration or unregistration that is not timed."""
        self._untimed.labels(what, reason).inc()

    def members(self, registering: int, ready: int, leaving: int) -> None:
        """How many clusters are in which state."""
        for state, count in (("registering", registering), ("ready", ready), ("leaving", leaving)):
            self._members.labels(state).set(count)
