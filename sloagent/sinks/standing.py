"""Error budgets and the state of alerts as Prometheus metrics, rendered from what is known when scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from sloagent.model.alert import Rule, Severity, Stage
from sloagent.model.standing import Standing
from sloagent.sinks.metrics import RESERVED
from sloagent.units import written_duration

_TAKEN = RESERVED | {"window"}
_AlertKind = tuple[Rule, Severity, Stage]


class StandingMetrics(Collector):
    """How each SLO stands. `standings` is asked at each scrape, from its thread."""

    def __init__(self, standings: Callable[[], Sequence[Standing]]) -> None:
        self._standings = standings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families, made on the spot."""
        standings = self._standings()
        yield _burn_rates(standings)
        yield _left(standings)
        yield _alerts(standings)


def _burn_rates(standings: Sequence[Standing]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "sloagent_slo_burn_rate", "How many times as fast as is bearable the error budget burns over the window"
    )
    family.samples = cast("list[Sample]", _Rates(family.name, standings))
    return family


@dataclass(frozen=True, slots=True)
class _Rates:
    """The samples of the burn rates, made while they are written: there are as many as series times windows."""

    name: str
    standings: Sequence[Standing]

    def __iter__(self) -> Iterator[Sample]:
        for one in self.standings:
            written = {seconds: written_duration(seconds) for pair in one.pairs for seconds in (pair.long, pair.short)}
            for labels, rates in one.rates.items():
                named = {"set": one.slo.set, "slo": one.slo.name}
                named.update((f"exported_{name}" if name in _TAKEN else name, text) for name, text in labels)
                for window, rate in rates.items():
                    yield Sample(self.name, {**named, "window": written[window]}, rate)


def _left(standings: Sequence[Standing]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "sloagent_slo_error_budget_remaining_ratio",
        "What is left of the error budget of a run, or of the last period where none goes on; the least of all series",
        labels=["set", "slo", "run"],
    )
    for one in standings:
        for run, ratio in one.left.items():
            family.add_metric([one.slo.set, one.slo.name, run], ratio)
    return family


def _alerts(standings: Sequence[Standing]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "sloagent_alerts", "Alerts that are pending or firing", labels=["set", "slo", "rule", "severity", "stage"]
    )
    for one in standings:
        for (rule, severity, stage), count in _counted(one).items():
            family.add_metric([one.slo.set, one.slo.name, rule.value, severity.value, stage.value], count)
    return family


def _counted(one: Standing) -> dict[_AlertKind, int]:
    """How many alerts of each kind there are, zeros of the rules in force among them; nothing while nothing is known."""
    if one.active is None:
        return {}
    counts = {(*kind, stage): 0 for kind, stage in product(_in_force(one), (Stage.PENDING, Stage.FIRING))}
    for key, active in one.active.items():
        kind = (key.rule, active.severity, active.stage)
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _in_force(one: Standing) -> list[tuple[Rule, Severity]]:
    alerts, objective = one.slo.alerts, one.slo.objective
    severities = [
        (Rule.VIOLATED, alerts.violated.severity if alerts.violated is not None and objective is not None else None),
        *((Rule.BURN_RATE, pair.severity) for pair in one.pairs),
        (Rule.REGRESSION, alerts.regression.severity if alerts.regression is not None else None),
        (Rule.LEAK, alerts.leak if objective is not None and objective.grows_at_most is not None else None),
        (Rule.NO_DATA, alerts.no_data.severity if alerts.no_data is not None else None),
        (Rule.CANNOT_EVALUATE, alerts.cannot_evaluate.severity if alerts.cannot_evaluate is not None else None),
    ]
    return [(rule, severity) for rule, severity in severities if severity is not None]
