"""The tally of any stretches: from sums of hours where they serve, else from roll-ups and rows. All give the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from sloagent.errors import StoreError
from sloagent.evaluation.tallying import merge, tally
from sloagent.model.slo import SLO, Labels
from sloagent.model.tally import Tally
from sloagent.model.timerange import at, contiguous
from sloagent.model.verdict import Cause, SlotVerdict
from sloagent.store import compact
from sloagent.store.adding import Adder
from sloagent.store.dictionary import Names
from sloagent.store.hour_sums import contents, sums_within
from sloagent.store.roll_ups import read_roll_ups, roll_up_slots
from sloagent.store.slots import full_slots, read_slots
from sloagent.store.sql import Connection

Stretch = tuple[int, int]


class BorderError(StoreError):
    """A stretch begins or ends among slots that are kept only as one sum."""


def tally_over(
    connection: Connection, names: Names, slo_id: int, slo: SLO, stretches: Sequence[Stretch], *, worst: bool = True
) -> Tally:
    """The sum over all recorded slots of the stretches. Raises BorderError where one begins or ends inside a roll-up.

    Without `worst` it is quicker, and the worst windows may be missing.
    """
    wanted = disjoint(stretches, slo.interval)
    if not wanted:
        return tally(slo, ())
    first, last = wanted[0][0], wanted[-1][1]
    full = [slot for slot in full_slots(connection, slo_id, first, last) if _is_in(wanted, slot)]
    rolled = roll_up_slots(connection, slo_id, slo.interval, first, last)
    left = {slot for _, slots in rolled for slot in slots if _is_in(wanted, slot)}.union(full)
    sums = _serving(sums_within(connection, slo_id, slo.interval, first, last), left, rolled)
    adder = Adder()
    for begin, content in contents(connection, slo_id, first, last) if sums else ():
        if begin in sums:
            adder.add(len(sums[begin]), content)
            left -= sums[begin]
    uses = adder.first_uses

    def used(more: Mapping[str, int]) -> None:
        for histogram, slot in more.items():
            uses[histogram] = min(slot, uses.get(histogram, slot))

    def others() -> Iterator[Tally]:
        # One at a time: three months of a thousand series do not fit into memory.
        for rolled_up in read_roll_ups(connection, names, slo_id, slo.interval, first, last, whole):
            used(rolled_up.first_uses)
            yield rolled_up.tally
        for stretch in rows:
            used(first_uses(connection, slo_id, stretch))
        yield tally(slo, _rows(connection, names, slo_id, slo, rows))

    whole = _whole(slo, rolled, left)
    rows = contiguous([slot for slot in full if slot in left], slo.interval)
    counted = adder.tally(connection, names, slo_id, worst=worst)
    return in_order_of_use(merge(chain([counted], others())) if whole or rows else counted, uses)


def _whole(slo: SLO, rolled: Sequence[tuple[int, tuple[int, ...]]], wanted: set[int]) -> frozenset[int]:
    """The first slots of the roll-ups that are wanted whole. Raises BorderError where one is wanted in part."""
    for _, slots in rolled:
        if not wanted.issuperset(slots) and not wanted.isdisjoint(slots):
            raise _inside(slo, slots)
    return frozenset(begin for begin, slots in rolled if wanted.issuperset(slots))


def _serving(
    sums: Sequence[tuple[int, tuple[int, ...]]], wanted: set[int], rolled: Sequence[tuple[int, tuple[int, ...]]]
) -> dict[int, frozenset[int]]:
    """The sums that can be used: all of their slots are wanted and still recorded, and they share no roll-up with others."""
    serving = {begin: frozenset(slots) for begin, slots in sums if wanted.issuperset(slots)}
    of_slot = {slot: begin for begin, slots in serving.items() for slot in slots} if rolled else {}
    for _, slots in rolled:
        touched = {of_slot.get(slot) for slot in slots}
        if len(touched) > 1:
            for begin in touched:
                if begin is not None:
                    serving.pop(begin, None)
    return serving


def _is_in(stretches: Sequence[Stretch], slot: int) -> bool:
    place = bisect_right(stretches, slot, key=lambda stretch: stretch[0]) - 1
    return place >= 0 and slot <= stretches[place][1]


def in_order_of_use(counted: Tally, uses: Mapping[str, int]) -> Tally:
    """The tally with its histograms in the order in which they first answered."""
    return replace(counted, histograms=tuple(sorted(counted.histograms, key=lambda histogram: uses[histogram])))


def first_uses(connection: Connection, slo_id: int, stretch: Stretch) -> dict[str, int]:
    """At which of the full rows each histogram first answered."""
    return dict(
        connection.execute(
            "SELECT texts.content, min(slot) FROM slots JOIN texts ON texts.id = slots.histogram_id"
            " WHERE slo_id = ? AND slot BETWEEN ? AND ? AND cause <> ? GROUP BY texts.id",
            (slo_id, *stretch, compact.CAUSE_CODES[Cause.REFUSED]),
        ).fetchall()
    )


def means_of(
    connection: Connection, names: Names, slo_id: int, slo: SLO, stretches: Sequence[Stretch]
) -> Mapping[Labels, tuple[float, ...]]:
    """Of a value: per series the mean over each stretch that has one; see `Store.means`."""
    found: dict[Labels, list[float]] = {}
    for stretch in stretches:
        try:
            counted = tally_over(connection, names, slo_id, slo, [stretch], worst=False)
        except BorderError:
            continue
        for labels, row in counted.series.items():
            mean = None if row.numbers is None else row.numbers.mean
            if mean is not None:
                found.setdefault(labels, []).append(mean)
    return {labels: tuple(means) for labels, means in sorted(found.items())}


def _rows(
    connection: Connection, names: Names, slo_id: int, slo: SLO, stretches: Sequence[Stretch]
) -> Iterator[SlotVerdict]:
    for first, last in stretches:
        yield from read_slots(connection, names, slo_id, slo, first, last)


def _inside(slo: SLO, slots: Sequence[int]) -> BorderError:
    first, last = slots[0], slots[-1]
    return BorderError(
        f"{slo.set}/{slo.name}: the range begins or ends among the slots {at(first):%Y-%m-%dT%H:%M:%SZ} to"
        f" {at(last):%Y-%m-%dT%H:%M:%SZ}, which are kept only as one sum",
        hint=f"let it begin at {at(first):%Y-%m-%dT%H:%M:%SZ} or after {at(last):%Y-%m-%dT%H:%M:%SZ}, and end before"
        f" {at(first):%Y-%m-%dT%H:%M:%SZ} or at {at(last):%Y-%m-%dT%H:%M:%SZ}; `store: {{full_rows: …}}` says for how"
        " long each slot is kept",
    )


def disjoint(stretches: Sequence[Stretch], interval: int) -> list[Stretch]:
    """The same slots in as few ascending stretches as can be, so that none counts twice."""
    result: list[Stretch] = []
    for first, last in sorted(stretch for stretch in stretches if stretch[0] <= stretch[1]):
        if result and (first - 1) // interval * interval <= result[-1][1]:  # no slot lies between the two
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result
