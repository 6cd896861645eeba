"""Hourly tallies in the store: which slots they stand for, and what was counted in them."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from sloagent.model.slo import Labels
from sloagent.model.tally import SeriesTally, Tally
from sloagent.model.verdict import WorstWindow
from sloagent.store import compact
from sloagent.store.dictionary import Names, seen_until
from sloagent.store.rows import VERDICT_COLUMNS, VerdictRow, verdict_from, verdict_row
from sloagent.store.sql import Connection

_NO_WORST = (None,) * 11
_NO_NUMBERS = (None,) * 4
_COLUMNS = (
    "series_id, good, warned, bad, undecided, idle, too_few, measured, minima, value_count, value_total, value_least,"
    f" value_greatest, worst_slot, {VERDICT_COLUMNS}"
)
_INSERT_SERIES = f"INSERT INTO roll_up_series (slo_id, first_slot, {_COLUMNS}) VALUES ({', '.join('?' * 26)})"  # noqa: S608
_READ_SERIES = f"SELECT {_COLUMNS} FROM roll_up_series WHERE slo_id = ? AND first_slot = ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class RollUp:
    """Slots folded into one tally. All lie in one hour and between the same borders of runs, phases and exclusions."""

    slots: tuple[int, ...]
    """Ascending; at least one."""
    tally: Tally
    first_uses: Mapping[str, int]
    """At which slot each histogram first answered, so that later parts keep the order of first use."""


def covers(connection: Connection, slo_id: int, slot: int, interval: int) -> bool:
    """Whether the slot is recorded in a roll-up."""
    return slot in rolled_slots(connection, slo_id, interval, slot, slot)


def hour_of(slot: int) -> int:
    """The beginning of the hour h ≤ slot < h + 3600; no roll-up leaves its hour."""
    return slot // 3600 * 3600


def roll_up_slots(
    connection: Connection, slo_id: int, interval: int, first: int, last: int
) -> list[tuple[int, tuple[int, ...]]]:
    """(first slot, all slots) of each roll-up that has a slot from `first` to `last`, ascending."""
    found = connection.execute(
        "SELECT first_slot, recorded_slots FROM roll_ups WHERE slo_id = ? AND first_slot BETWEEN ? AND ? AND last_slot >= ?"
        " ORDER BY first_slot",
        (slo_id, hour_of(first), last, first),
    )
    return [(begin, tuple(compact.slots_from_blob(blob, begin, interval))) for begin, blob in found]


def rolled_slots(connection: Connection, slo_id: int, interval: int, first: int, last: int) -> Iterator[int]:
    """The slots from `first` to `last` that are recorded in roll-ups."""
    for _, slots in roll_up_slots(connection, slo_id, interval, first, last):
        yield from (slot for slot in slots if first <= slot <= last)


def write_roll_up(connection: Connection, names: Names, slo_id: int, interval: int, roll_up: RollUp) -> None:
    """Write one; none may begin at the same slot."""
    first, last = roll_up.slots[0], roll_up.slots[-1]
    until = seen_until(last)
    tally = roll_up.tally
    connection.execute(
        "INSERT INTO roll_ups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            slo_id,
            first,
            last,
            compact.slots_blob(roll_up.slots, interval),
            tally.refused,
            json.dumps(dict(sorted(tally.refusals.items()))),
            json.dumps({histogram: roll_up.first_uses[histogram] for histogram in tally.histograms}),
            json.dumps(sorted(tally.overrides_used), ensure_ascii=False),
            len(tally.series),
        ),
    )
    connection.executemany(
        _INSERT_SERIES,
        [
            (
                slo_id,
                first,
                names.series.id_of(connection, labels, until),
                *(row.good, row.warned, row.bad, row.undecided, row.idle, row.too_few, row.measured),
                compact.minima_blob(row.minima),
                *(_NO_NUMBERS if row.numbers is None else compact.numbers_row(row.numbers)),
                *(
                    _NO_WORST
                    if row.worst is None
                    else (row.worst.slot, *verdict_row(connection, names, row.worst.verdict, until))
                ),
            )
            for labels, row in tally.series.items()
        ],
    )


def remove_roll_up(connection: Connection, slo_id: int, first: int) -> None:
    """Take one out, to be merged into another."""
    connection.execute("DELETE FROM roll_up_series WHERE slo_id = ? AND first_slot = ?", (slo_id, first))
    connection.execute("DELETE FROM roll_ups WHERE slo_id = ? AND first_slot = ?", (slo_id, first))


def read_roll_ups(
    connection: Connection,
    names: Names,
    slo_id: int,
    interval: int,
    first: int,
    last: int,
    only: Container[int] | None = None,
) -> Iterator[RollUp]:
    """The roll-ups that have a slot from `first` to `last`, ascending by their first slot; series ascend by labels.

    With `only`, those that begin at such a slot.
    """
    headers = connection.execute(
        "SELECT first_slot, recorded_slots, refused, refusals, histograms, overrides_used, series_count FROM roll_ups"
        " WHERE slo_id = ? AND first_slot BETWEEN ? AND ? AND last_slot >= ? ORDER BY first_slot",
        (slo_id, hour_of(first), last, first),
    )
    for first_slot, blob, refused, refusals, histograms, overrides_used, count in headers:
        if only is not None and first_slot not in only:
            continue
        slots = tuple(compact.slots_from_blob(blob, first_slot, interval))
        series = dict(sorted(_read_series(connection, names, slo_id, first_slot), key=lambda entry: entry[0]))
        if len(series) != count or not slots:
            raise compact.damaged(f"{len(series)} of {count} series in the roll-up from slot {first_slot}")
        first_uses: dict[str, int] = json.loads(histograms)
        matches = frozenset(tuple((name, value) for name, value in match) for match in json.loads(overrides_used))
        tally = Tally(len(slots), refused, json.loads(refusals), tuple(first_uses), matches, series)
        yield RollUp(slots, tally, first_uses)


def _read_series(connection: Connection, names: Names, slo_id: int, first: int) -> Iterator[tuple[Labels, SeriesTally]]:
    for series_id, *columns in connection.execute(_READ_SERIES, (slo_id, first)):
        labels = names.series.content(connection, series_id)
        good, warned, bad, undecided, idle, too_few, measured, minima, *numbers, worst_slot = columns[:13]
        row: VerdictRow = tuple(columns[13:])
        yield labels, SeriesTally(
            good, warned, bad, undecided, idle, too_few, measured,
            None if worst_slot is None else WorstWindow(worst_slot, verdict_from(connection, names, labels, row)),
            compact.minima_from_blob(minima), None if None in numbers[:2] else compact.numbers_from(*numbers),
        )  # fmt: skip
