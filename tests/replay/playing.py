"""The recorded watch streams of a real control plane, played to the probe in real time, and both held against the truth."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.kube.truth import recorded_truth
from tests.kube.world import RECORDED as CLUSTERS
from tests.kube.world import Change, World
from tests.probe import ProbeProcess

NEAR_SECONDS = 0.02
TRUTH = recorded_truth()


@dataclass(slots=True)
class Played:
    """What the probe said of a stretch of the recording, and what is true of it."""

    start: float
    seconds: float
    arrivals: dict[tuple[str, str], float]
    losses: dict[tuple[str, str], str]
    registrations: list[tuple[str, str, float]]
    others: dict[tuple[str, str], float]
    stages: dict[str, float]
    restarts: float
    missed: float
    truth: dict[tuple[str, str], float] = field(default_factory=dict)
    phases: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def errors(self) -> dict[tuple[str, str], float]:
        """How far each timed arrival is from the truth, seconds."""
        return {key: abs(seconds - self.truth[key]) for key, seconds in self.arrivals.items() if key in self.truth}

    @property
    def true_registrations(self) -> list[tuple[str, float]]:
        """What was registered and unregistered within the stretch, and how long it took."""
        end = self.start + self.seconds
        joined = [
            ("registered", one.ready - one.object)
            for one in TRUTH.registration
            if self.start <= one.object and one.ready < end
        ]
        left = [
            ("unregistered", one.gone - one.deletion)
            for one in TRUTH.unregistration
            if self.start <= one.deletion and one.gone < end
        ]
        return sorted(joined + left)

    def table(self) -> str:
        """P50, P90 and P99 of each phase, the probe's beside the truth, seconds."""
        lines = [
            f"{'phase':<26}{'N':>5}{'timed':>7}   {'P50':>7}{'true':>8}   {'P90':>7}{'true':>8}   {'P99':>7}{'true':>8}"
        ]
        for phase in [*dict.fromkeys(self.phases.values()), "all"]:
            true = [self.truth[key] for key in self.truth if phase in (self.phases[key], "all")]
            said = [
                self.arrivals[key] for key in self.truth if phase in (self.phases[key], "all") and key in self.arrivals
            ]
            cells = "".join(f"   {_percentile(said, p):>7.3f}{_percentile(true, p):>8.3f}" for p in (50, 90, 99))
            lines.append(f"{phase:<26}{len(true):>5}{len(said):>7}{cells}")
        return "\n".join(lines)


def play(directory: Path, start: float = 0.0, seconds: float | None = None) -> Played:
    """Play a stretch of the recording, at its own pace."""
    with World(directory / "world", CLUSTERS) as world:
        world.replay(start=start, seconds=seconds)
        clusters = {name: {"kubeconfig": str(world.kubeconfig), "context": name} for name in CLUSTERS}
        with ProbeProcess(directory / "probe", {"clusters": clusters, "karmada": {"cluster": "karmada"}}) as probe:
            probe.until_up(*CLUSTERS)
            loaded = len(world.log())
            world.control("go")
            world.finish("replay")
            probe.until(lambda: probe.value("sloagent_probe_distribution_pending") == 0.0, "arrivals are awaited")
            played = Played(
                start, seconds or TRUTH.phases[-1].end, probe.arrivals, probe.losses, probe.registrations,
                {(labels["member_cluster"], labels["kind"]): value for name, labels, value in probe.samples()
                 if name == "sloagent_probe_distribution_other_arrivals_total"},
                {labels["stage"]: value for name, labels, value in probe.samples()
                 if name == "sloagent_probe_distribution_stage_seconds_count"},
                probe.value("sloagent_probe_watch_restarts_total"), probe.value("sloagent_probe_events_missed_total"),
            )  # fmt: skip
            assert probe.stop() == 0
        _add_truth(played, world.log(loaded))
    return played


def play_at_once(directory: Path, stretches: Sequence[tuple[float, float]]) -> list[Played]:
    """Several stretches, each in a world of its own."""
    with ThreadPoolExecutor(len(stretches)) as pool:
        return list(pool.map(lambda one: play(directory / f"{one[0]:.0f}", *one), stretches))


def _add_truth(played: Played, log: Sequence[Change]) -> None:
    """By the server's own clock: from the template's event to the member's first."""
    templates = {
        c.uid: c.at for c in log if c.cluster == "karmada" and c.resource.endswith("deployments") and c.type == "ADDED"
    }
    first: dict[tuple[str, str, str], float] = {}
    for change in log:
        if change.cluster.startswith("member") and change.resource.endswith("deployments") and change.type == "ADDED":
            first.setdefault((change.cluster, change.namespace, change.name), change.at)
    for one in TRUTH.distribution:
        came = first.get((one.member, one.namespace, one.name))
        if one.kind == "initial" and one.uid in templates and came is not None:
            key = (one.uid, one.member)
            played.truth[key] = came - templates[one.uid]
            played.phases[key] = one.phase


def _percentile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
