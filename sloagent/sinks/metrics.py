"""The newest verdicts as Prometheus metrics: rendered from a snapshot when scraped, so removed series vanish."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from operator import attrgetter
from typing import cast

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from sloagent.model.pending import Pending
from sloagent.model.slo import SLO, Labels
from sloagent.model.verdict import Outcome, Quantile, SlotVerdict, Verdict

RESERVED = frozenset({"set", "slo", "outcome", "percentile", "run", "le", "quantile", "job", "instance"})
"""Labels of ours, or of the scrape: the user's own of these names get `exported_` in front, as Prometheus does it."""


class MetricsSink(Collector):
    """Keeps the newest slot of each SLO. A snapshot is replaced, never changed, so a scrape takes no lock."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], SlotVerdict] = {}
        self._in_force: frozenset[SLO] | None = None
        self._pending: Callable[[], Sequence[Pending]] = lambda: ()
        self._lock = threading.Lock()

    def tell(self, slots: Sequence[SlotVerdict]) -> None:
        """Take over the slots that are at least as new as what is shown, of SLOs that are in force."""
        with self._lock:
            newest = dict(self._newest)
            for slot in slots:
                if self._in_force is not None and slot.slo not in self._in_force:
                    continue  # a question that was under way while a reload took its SLO away
                key = (slot.slo.set, slot.slo.name)
                if key not in newest or newest[key].slot <= slot.slot:
                    newest[key] = slot
            self._newest = newest

    def keep(self, slos: Iterable[SLO], pending: Callable[[], Sequence[Pending]]) -> None:
        """Show these SLOs and no others from now on: what a reload removed or changed vanishes.

        `pending` gives what is owed of them when the page is made.
        """
        in_force = frozenset(slos)
        with self._lock:
            self._in_force = in_force
            self._pending = pending
            self._newest = {key: shown for key, shown in self._newest.items() if shown.slo in in_force}

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
        yield from _owed(self._pending())


def _owed(pending: Sequence[Pending]) -> Iterator[GaugeMetricFamily]:
    count = GaugeMetricFamily(
        "sloagent_slo_pending_slots", "Slots that are due and have no verdict yet", labels=["set", "slo"]
    )
    oldest = GaugeMetricFamily(
        "sloagent_slo_pending_slot_oldest_timestamp_seconds",
        "The oldest slot that is due and has no verdict yet, seconds since the epoch",
        labels=["set", "slo"],
    )
    for one in pending:
        names = [one.slo.set, one.slo.name]
        count.add_metric(names, len(one.slots))
        if one.slots:
            oldest.add_metric(names, one.slots[0])
    yield count
    yield oldest


@dataclass(frozen=True, slots=True)
class _Row:
    """What is shown of one series."""

    slo: SLO
    labels: Labels
    outcome: Outcome
    verdict: Verdict | None


Reading = tuple[str | None, float | None]
"""The value of the family's own label, if it has one, and the number; one that is absent (None) is no sample, never 0."""


def _outcome(row: _Row) -> Iterator[Reading]:
    for one in Outcome:
        yield one.value, float(one is row.outcome)


def _value(row: _Row) -> Iterator[Reading]:
    if row.verdict is not None and not row.verdict.quantiles:
        yield None, row.verdict.value


def _objective(row: _Row) -> Iterator[Reading]:
    if row.verdict is not None and (limit := row.verdict.limit) is not None:
        yield None, limit.at_most if limit.at_most is not None else limit.at_least


def _quantiles(pick: Callable[[Quantile], float]) -> Callable[[_Row], Iterator[Reading]]:
    def read(row: _Row) -> Iterator[Reading]:
        if row.verdict is not None:
            for rank, quantile in zip(row.slo.quantiles, row.verdict.quantiles, strict=False):
                if quantile is not None:
                    yield f"{rank:g}", pick(quantile)

    return read


def _upper(row: _Row) -> Iterator[Reading]:
    """Of a lower bound nothing is known but that the percentile is not less."""
    bounded = row.verdict is not None and bool(row.verdict.lower_bound)
    for rank, upper in _quantiles(attrgetter("upper"))(row):
        yield rank, inf if bounded else upper


def _share_lower(row: _Row) -> Iterator[Reading]:
    if row.verdict is not None and row.verdict.good_share is not None:
        yield None, 0.0 if row.verdict.lower_bound else row.verdict.good_share.lower


def _share_upper(row: _Row) -> Iterator[Reading]:
    if row.verdict is not None and row.verdict.good_share is not None:
        yield None, row.verdict.good_share.upper


def _events(row: _Row) -> Iterator[Reading]:
    if row.verdict is not None:
        yield None, row.verdict.events


_FAMILIES: tuple[tuple[str, str, str, Callable[[_Row], Iterator[Reading]]], ...] = (
    ("outcome", "1 for the outcome of the newest slot, 0 for the others", "outcome", _outcome),
    ("value", "The value of a ratio or value SLI, in base units", "", _value),
    ("objective", "The limit, in base units", "", _objective),
    ("percentile_value", "A percentile as Prometheus interpolates it, seconds", "percentile",
     _quantiles(attrgetter("value"))),
    ("percentile_value_lower", "Lower bound of the bucket in which the percentile lies", "percentile",
     _quantiles(attrgetter("lower"))),
    ("percentile_value_upper", "Upper bound of the bucket in which the percentile lies", "percentile", _upper),
    ("good_share_lower", "The share of good events is at least this", "", _share_lower),
    ("good_share_upper", "The share of good events is at most this", "", _share_upper),
    ("events", "Events in the window (rate times window)", "", _events),
)  # fmt: skip
"""Name after `sloagent_slo_`, sentence, the family's own label if it has one, and what it reads of a series."""


def _per_series(shown: Sequence[SlotVerdict]) -> Iterator[GaugeMetricFamily]:
    for name, text, own_label, read in _FAMILIES:
        family = GaugeMetricFamily(f"sloagent_slo_{name}", text)
        family.samples = cast("list[Sample]", _Samples(family.name, shown, own_label, read))
        yield family


@dataclass(frozen=True, slots=True)
class _Samples:
    """The samples of one family, made while they are written: a thousand series have twenty thousand of them."""

    name: str
    shown: Sequence[SlotVerdict]
    own_label: str
    read: Callable[[_Row], Iterator[Reading]]

    def __iter__(self) -> Iterator[Sample]:
        for row in _rows(self.shown):
            named = {"set": row.slo.set, "slo": row.slo.name}
            named.update((f"exported_{name}" if name in RESERVED else name, text) for name, text in row.labels)
            for own, number in self.read(row):
                if number is not None:
                    yield Sample(self.name, named if own is None else {**named, self.own_label: own}, number)


def _rows(shown: Sequence[SlotVerdict]) -> Iterator[_Row]:
    """Each series, and where there is none (no data, an error) the SLO itself, so that nothing vanishes silently."""
    for slot in shown:
        if not slot.verdicts:
            yield _Row(slot.slo, (), slot.outcome, None)
        for verdict in slot.verdicts:
            yield _Row(slot.slo, verdict.labels, verdict.outcome, verdict)
