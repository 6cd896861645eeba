"""Old rows become hourly tallies, very old ones are forgotten; a sum over both is the sum over the rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from sloagent.errors import StoreError
from sloagent.evaluation.tallying import merge, tally
from sloagent.model.slo import SLO, Labels
from sloagent.model.tally import Tally
from sloagent.model.timerange import at
from sloagent.model.verdict import Cause, SlotVerdict
from sloagent.store import compact
from sloagent.store.dictionary import Names
from sloagent.store.roll_ups import RollUp, hour_of, read_roll_ups, remove_roll_up, write_roll_up
from sloagent.store.runs import cuts, read_runs
from sloagent.store.slots import read_slots
from sloagent.store.sql import Connection
from sloagent.store.versions import Version, every

Stretch = tuple[int, int]


class BorderError(StoreError):
    """A stretch begins or ends among slots that are kept only as one sum."""


def hours_to_fold(connection: Connection, before: int) -> list[tuple[Version, int]]:
    """(version, hour) wherever full rows older than `before` lie, ascending by hour within a version."""
    return [
        (version, hour * 3600)
        for version in every(connection)
        for (hour,) in connection.execute(
            "SELECT DISTINCT slot / 3600 FROM slots WHERE slo_id = ? AND slot < ? ORDER BY 1", (version.id, before)
        )
    ]


def fold_hour(connection: Connection, names: Names, version: Version, hour: int, before: int) -> int:
    """Fold one hour's full rows older than `before` between each two borders; returns how many rows went."""
    borders = cuts(read_runs(connection), version.window)

    def cell(slot: int) -> int:
        return bisect_right(borders, slot * 1_000_000)

    slots = [
        slot
        for (slot,) in connection.execute(
            "SELECT slot FROM slots WHERE slo_id = ? AND slot >= ? AND slot < ? ORDER BY slot",
            (version.id, hour, min(before, hour + 3600)),
        )
    ]
    slo = version.as_slo()
    gone = 0
    for place, members in groupby(slots, cell):
        part = tuple(members)
        parts = [
            rolled
            for rolled in read_roll_ups(connection, names, version.id, version.interval, hour, hour + 3599)
            if cell(rolled.slots[0]) == cell(rolled.slots[-1]) == place
        ]
        for rolled in parts:
            remove_roll_up(connection, version.id, rolled.slots[0])
        parts.append(_folded(connection, names, version.id, slo, part))
        write_roll_up(connection, names, version.id, version.interval, _joined(parts))
        gone += _delete(connection, "verdicts", "slot BETWEEN ? AND ?", (version.id, part[0], part[-1]))
        gone += _delete(connection, "slots", "slot BETWEEN ? AND ?", (version.id, part[0], part[-1]))
    return gone


def _folded(connection: Connection, names: Names, slo_id: int, slo: SLO, slots: tuple[int, ...]) -> RollUp:
    counted = tally(slo, read_slots(connection, names, slo_id, slo, slots[0], slots[-1]))
    uses = _first_uses(connection, slo_id, (slots[0], slots[-1]))
    return RollUp(slots, counted, {histogram: uses.get(histogram, slots[0]) for histogram in counted.histograms})


def _joined(parts: Sequence[RollUp]) -> RollUp:
    parts = sorted(parts, key=lambda part: part.slots[0])
    uses: dict[str, int] = {}
    for part in parts:
        for histogram, slot in part.first_uses.items():
            uses[histogram] = min(slot, uses.get(histogram, slot))
    slots = tuple(sorted(slot for part in parts for slot in part.slots))
    return RollUp(slots, _in_order_of_use(merge(part.tally for part in parts), uses), uses)


def _in_order_of_use(counted: Tally, uses: dict[str, int]) -> Tally:
    return replace(counted, histograms=tuple(sorted(counted.histograms, key=lambda histogram: uses[histogram])))


def _first_uses(connection: Connection, slo_id: int, stretch: Stretch) -> dict[str, int]:
    return dict(
        connection.execute(
            "SELECT texts.content, min(slot) FROM slots JOIN texts ON texts.id = slots.histogram_id"
            " WHERE slo_id = ? AND slot BETWEEN ? AND ? AND cause <> ? GROUP BY texts.id",
            (slo_id, *stretch, compact.CAUSE_CODES[Cause.REFUSED]),
        ).fetchall()
    )


def tally_over(connection: Connection, names: Names, slo_id: int, slo: SLO, stretches: Sequence[Stretch]) -> Tally:
    """The sum over full rows and roll-ups. Raises StoreError where a stretch begins or ends inside a roll-up."""
    wanted = disjoint(stretches, slo.interval)
    if not wanted:
        return tally(slo, ())
    starts = [first for first, _ in wanted]
    uses: dict[str, int] = {}

    def is_wanted(slot: int) -> bool:
        place = bisect_right(starts, slot) - 1
        return place >= 0 and slot <= wanted[place][1]

    def used(first_uses: Mapping[str, int]) -> None:
        for histogram, slot in first_uses.items():
            uses[histogram] = min(slot, uses.get(histogram, slot))

    def parts() -> Iterator[Tally]:
        # One at a time: three months of a thousand series do not fit into memory.
        for rolled in read_roll_ups(connection, names, slo_id, slo.interval, wanted[0][0], wanted[-1][1]):
            inside = [slot for slot in rolled.slots if is_wanted(slot)]
            if len(inside) == len(rolled.slots):
                used(rolled.first_uses)
                yield rolled.tally
            elif inside:
                raise _inside(slo, rolled)
        for stretch in wanted:
            used(_first_uses(connection, slo_id, stretch))
        yield tally(slo, _rows(connection, names, slo_id, slo, wanted))

    return _in_order_of_use(merge(parts()), uses)


def means_of(
    connection: Connection, names: Names, slo_id: int, slo: SLO, stretches: Sequence[Stretch]
) -> Mapping[Labels, tuple[float, ...]]:
    """Of a value: per series the mean over each stretch that has one; see `Store.means`."""
    found: dict[Labels, list[float]] = {}
    for stretch in stretches:
        try:
            counted = tally_over(connection, names, slo_id, slo, [stretch])
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


def _inside(slo: SLO, rolled: RollUp) -> BorderError:
    first, last = rolled.slots[0], rolled.slots[-1]
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


def prune(connection: Connection, before: int) -> int:
    """Forget slots and tiles older than `before`, and roll-ups and pieces that end before it; returns rows gone.

    What nothing refers to any more goes a day or two later.
    """
    gone = 0
    for version in every(connection):
        here, before_ms = version.id, before * 1000
        gone += _delete(connection, "verdicts", "slot < ?", (here, before))
        gone += _delete(connection, "slots", "slot < ?", (here, before))
        gone += _delete(connection, "tile_series", "slot < ?", (here, before))
        gone += _delete(connection, "tiles", "slot < ?", (here, before))
        # No roll-up leaves its hour, so those of earlier hours end before `before`.
        old = "first_slot IN (SELECT first_slot FROM roll_ups WHERE slo_id = ? AND first_slot < ? AND last_slot < ?)"
        gone += _delete(connection, "roll_up_series", old, (here, here, before, before))
        gone += _delete(connection, "roll_ups", "first_slot < ? AND last_slot < ?", (here, before, before))
        gone += _delete(connection, "piece_series", "start_ms < ? AND end_ms <= ?", (here, before_ms, before_ms))
        gone += _delete(connection, "pieces", "start_ms < ? AND end_ms <= ?", (here, before_ms, before_ms))
    unused = sum(
        # The tables' names are constants.
        connection.execute(f"DELETE FROM {table} WHERE seen_until <= ?", (hour_of(before),)).rowcount  # noqa: S608
        for table in ("series", "texts", "limits", "bounds")
    )
    if unused:
        connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")
    return gone


def _delete(connection: Connection, table: str, condition: str, values: tuple[int, ...]) -> int:
    # Table and condition are constants of this module.
    return connection.execute(f"DELETE FROM {table} WHERE slo_id = ? AND {condition}", values).rowcount  # noqa: S608
