"""The newest verdicts as Prometheus metrics: rendered from a snapshot when scraped, so removed series vanish."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sloagent.model.slo import SLO, Labels
from sloagent.model.verdict import Outcome, SlotVerdict, Verdict

RESERVED = frozenset({"set", "slo", "outcome", "percentile", "run", "le", "quantile", "job", "instance"})
"""Labels of ours, or of the scrape: the user's own of these names get `exported_` in front, as Prometheus does it."""


class MetricsSink(Collector):
    """Keeps the newest slot of each SLO. A snapshot is replaced, never changed, so a scrape takes no lock."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], SlotVerdict] = {}
        self._lock = threading.Lock()

    def tell(self, slots: Sequence[SlotVerdict]) -> None:
        """Take over the slots that are at least as new as what is shown."""
        with self._lock:
            newest = dict(self._newest)
            for slot in slots:
                key = (slot.slo.set, slot.slo.name)
                if key not in newest or newest[key].slot <= slot.slot:
                    newest[key] = slot
            self._newest = newest

    def keep(self, slos: Iterable[SLO]) -> None:
        """Forget every SLO but these: after a reload, what was removed or changed vanishes."""
        known = {(slo.set, slo.name): slo for slo in slos}
        with self._lock:
            self._newest = {key: shown for key, shown in self._newest.items() if known.get(key) == shown.slo}

    def forget_after(self, now: float) -> None:
        """Forget slots later than `now`: the wall clock was set back, and they would hide all that come before them."""
        with self._lock:
            self._newest = {key: shown for key, shown in self._newest.items() if shown.slot <= now}

    @property
    def newest(self) -> tuple[SlotVerdict, ...]:
        """The newest slot of each SLO, by set and name."""
        snapshot = self._newest
        return tuple(snapshot[key] for key in sorted(snapshot))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families, made on the spot. Label names differ between SLOs: each SLO's `by` labels."""
        shown = self.newest
        yield from _per_series(shown)
        stamp = GaugeMetricFamily(
            "sloagent_slo_evaluated_slot_timestamp_seconds", "The newest slot shown, seconds since the epoch",
            labels=["set", "slo"],
        )  # fmt: skip
        for slot in shown:
            stamp.add_metric([slot.slo.set, slot.slo.name], slot.slot)
        yield stamp


def _per_series(shown: Sequence[SlotVerdict]) -> Iterator[GaugeMetricFamily]:
    outcome = _Family("sloagent_slo_outcome", "1 for the outcome of the newest slot, 0 for the others")
    value = _Family("sloagent_slo_value", "The value of a ratio or value SLI, in base units")
    objective = _Family("sloagent_slo_objective", "The limit, in base units")
    percentile = _Family("sloagent_slo_percentile_value", "A percentile as Prometheus interpolates it, seconds")
    lower = _Family("sloagent_slo_percentile_value_lower", "Lower bound of the bucket in which the percentile lies")
    upper = _Family("sloagent_slo_percentile_value_upper", "Upper bound of the bucket in which the percentile lies")
    good_lower = _Family("sloagent_slo_good_share_lower", "The share of good events is at least this")
    good_upper = _Family("sloagent_slo_good_share_upper", "The share of good events is at most this")
    events = _Family("sloagent_slo_events", "Events in the window (rate times window)")
    for slot in shown:
        slo = slot.slo
        for labels, shown_outcome, verdict in _rows(slot):
            for one in Outcome:
                outcome.add(slo, labels, float(one is shown_outcome), ("outcome", one.value))
            if verdict is None:
                continue
            if not verdict.quantiles:
                value.add(slo, labels, verdict.value)
            if verdict.limit is not None:
                limit = verdict.limit
                objective.add(slo, labels, limit.at_most if limit.at_most is not None else limit.at_least)
            for rank, quantile in zip(slo.quantiles, verdict.quantiles, strict=False):
                if quantile is not None:
                    named = ("percentile", f"{rank:g}")
                    percentile.add(slo, labels, quantile.value, named)
                    lower.add(slo, labels, quantile.lower, named)
                    upper.add(slo, labels, quantile.upper, named)
            if verdict.good_share is not None:
                good_lower.add(slo, labels, verdict.good_share.lower)
                good_upper.add(slo, labels, verdict.good_share.upper)
            events.add(slo, labels, verdict.events)
    for family in (outcome, value, objective, percentile, lower, upper, good_lower, good_upper, events):
        yield family.family


def _rows(slot: SlotVerdict) -> Iterator[tuple[Labels, Outcome, Verdict | None]]:
    """Each series, and where there is none (no data, an error) the SLO itself, so that nothing vanishes silently."""
    if not slot.verdicts:
        yield (), slot.outcome, None
    for verdict in slot.verdicts:
        yield verdict.labels, verdict.outcome, verdict


class _Family:
    """A metric family whose samples have label names of their own."""

    def __init__(self, name: str, text: str) -> None:
        self.family = GaugeMetricFamily(name, text)
        self._add: Callable[[str, dict[str, str], float], None] = self.family.add_sample

    def add(self, slo: SLO, labels: Labels, value: float | None, extra: tuple[str, str] | None = None) -> None:
        """Add a sample; an absent number (None) is an absent sample, never 0."""
        if value is None:
            return
        named = {"set": slo.set, "slo": slo.name}
        named.update((f"exported_{name}" if name in RESERVED else name, text) for name, text in labels)
        if extra is not None:
            named[extra[0]] = extra[1]
        self._add(self.family.name, named, value)
