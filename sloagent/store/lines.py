"""Series over time, for charts: which windows a chart can show is found first, and only those are read whole."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sloagent.evaluation.tallying import badness
from sloagent.model.record import Line
from sloagent.model.slo import Labels
from sloagent.model.timerange import contiguous
from sloagent.model.verdict import Verdict
from sloagent.store.dictionary import Names
from sloagent.store.hour_sums import sums_within, values_of, windows
from sloagent.store.roll_ups import hour_of
from sloagent.store.rows import VERDICT_COLUMNS, verdict_from
from sloagent.store.slots import full_slots
from sloagent.store.sql import Connection

Windows = tuple[Sequence[int], Sequence[float]]
"""Ascending slots, and the value at each; NaN where the window has none."""

_ROWS_AT_ONCE = 100
_FULL_ROWS = (
    # One look for each slot: the rows of other series, however many there are, are not gone through.
    "SELECT slots.slot, verdicts.value FROM slots CROSS JOIN verdicts WHERE slots.slo_id = ? AND slots.slot BETWEEN ? AND ?"
    " AND verdicts.slo_id = slots.slo_id AND verdicts.slot = slots.slot AND verdicts.series_id = ? ORDER BY slots.slot"
)
_HOURS = (
    "SELECT s.first_slot, r.last_slot, good + bad + undecided + idle + too_few + measured, worst_slot, value"
    " FROM roll_ups AS r CROSS JOIN roll_up_series AS s WHERE r.slo_id = ? AND r.first_slot BETWEEN ? AND ?"
    " AND r.last_slot >= ? AND s.slo_id = r.slo_id AND s.first_slot = r.first_slot AND s.series_id = ?"
)
_PLACES = ", ".join("?" * _ROWS_AT_ONCE)
_READ_ROWS = f"SELECT slot, {VERDICT_COLUMNS} FROM verdicts WHERE slo_id = ? AND series_id = ? AND slot IN ({_PLACES})"  # noqa: S608
_READ_WORST = (
    f"SELECT worst_slot, {VERDICT_COLUMNS} FROM roll_up_series"  # noqa: S608
    f" WHERE slo_id = ? AND series_id = ? AND first_slot IN ({_PLACES})"
)


def read_lines(
    connection: Connection,
    names: Names,
    slo_id: int,
    interval: int,
    stretch: tuple[int, int],
    series: Sequence[Labels],
    columns: int,
) -> list[Line]:
    """Each series' windows over the stretch; see `Store.lines`. An hour that is one sum is shown by its worst window."""
    numbers = {labels: names.series.find(connection, labels) for labels in series}
    found = _values(
        connection, slo_id, interval, stretch, [number for number in numbers.values() if number is not None]
    )

    def line(labels: Labels) -> Line:
        number = numbers[labels]
        if number is None:
            return Line(labels, (), 0)
        worst, rows = _worst_of_hours(connection, slo_id, stretch, number)
        every = [*found[number], (list(worst), [value for _, value in worst.values()])]

        def whole(slots: Iterable[int]) -> dict[int, Verdict]:
            hours = {slot: worst[slot][0] for slot in worst}
            return dict(_whole(connection, names, slo_id, number, labels, list(slots), hours))

        kept, silent = _chosen(every, stretch, columns)
        shown = whole(kept)
        for slots in silent:
            candidates = whole(slots)
            least = min(candidates, key=lambda slot: (badness(candidates[slot]), slot))
            shown[least] = candidates[least]
        return Line(labels, tuple(sorted(shown.items())), sum(len(slots) for slots, _ in found[number]) + rows)

    return [line(labels) for labels in series]


def _values(
    connection: Connection, slo_id: int, interval: int, stretch: tuple[int, int], series: Sequence[int]
) -> dict[int, list[Windows]]:
    """Of each series the windows that have rows of their own: from the sums kept ahead where they know them."""
    found: dict[int, list[Windows]] = {number: [] for number in series}
    full = full_slots(connection, slo_id, *stretch)
    left = set(full)
    sums = {
        first: slots for first, slots in sums_within(connection, slo_id, interval, *stretch) if left.issuperset(slots)
    }
    for first, packed in windows(connection, slo_id, *stretch) if sums else ():
        if first in sums:
            left.difference_update(sums[first])
            for number in series:
                if number in packed:
                    found[number].append(values_of(sums[first], packed[number]))
    for part in contiguous([slot for slot in full if slot in left], interval):
        for number in series:
            rows = connection.execute(_FULL_ROWS, (slo_id, *part, number)).fetchall()
            values = [math.nan if value is None else value for _, value in rows]
            found[number].append(([slot for slot, _ in rows], values))
    return found


def _worst_of_hours(
    connection: Connection, slo_id: int, stretch: tuple[int, int], number: int
) -> tuple[dict[int, tuple[int, float]], int]:
    """(first slot of the roll-up, value) by slot of each roll-up's worst window; and how many windows it stands for."""
    first, last = stretch
    worst: dict[int, tuple[int, float]] = {}
    rows = 0
    for hour_first, hour_last, count, slot, value in connection.execute(
        _HOURS, (slo_id, hour_of(first), last, first, number)
    ):
        shown = slot is not None and first <= slot <= last
        rows += count if first <= hour_first and hour_last <= last else shown
        if shown:
            worst[slot] = (hour_first, math.nan if value is None else value)
    return dict(sorted(worst.items())), rows


def _chosen(every: Sequence[Windows], stretch: tuple[int, int], columns: int) -> tuple[set[int], list[list[int]]]:
    """(slots that are kept, of each column without any value the slots of which one is to be kept)."""
    if sum(len(slots) for slots, _ in every) <= 2 * columns:
        return {slot for slots, _ in every for slot in slots}, []
    first, width = stretch[0], stretch[1] - stretch[0] + 1
    least: dict[int, tuple[float, int]] = {}
    greatest: dict[int, tuple[float, int]] = {}
    silent: dict[int, list[int]] = {}
    for slots, values in every:
        start = 0
        while start < len(slots):
            column = (slots[start] - first) * columns // width
            end = bisect_left(slots, first - (-(column + 1) * width // columns), start)
            own, numbers = slots[start:end], values[start:end]
            start = end
            if any(map(math.isnan, numbers)):
                silent.setdefault(column, []).extend(
                    slot for slot, n in zip(own, numbers, strict=True) if math.isnan(n)
                )
                own, numbers = _without_nan(own, numbers)
                if not numbers:
                    continue
            low, high = min(numbers), max(numbers)
            # The first of equals; the other way round, the greatest is the least too.
            least[column] = min((low, own[numbers.index(low)]), least.get(column, (math.inf, own[-1] + 1)))
            greatest[column] = min((-high, own[numbers.index(high)]), greatest.get(column, (math.inf, own[-1] + 1)))
    kept = {slot for extremes in (least, greatest) for _, slot in extremes.values()}
    return kept, [slots for column, slots in silent.items() if column not in least]


def _without_nan(slots: Sequence[int], values: Sequence[float]) -> Windows:
    present = [(slot, value) for slot, value in zip(slots, values, strict=True) if not math.isnan(value)]
    return [slot for slot, _ in present], [value for _, value in present]


def _whole(
    connection: Connection,
    names: Names,
    slo_id: int,
    number: int,
    labels: Labels,
    slots: Sequence[int],
    hours: Mapping[int, int],
) -> Iterator[tuple[int, Verdict]]:
    """(slot, verdict) of each slot; `hours` are the first slots of the roll-ups that some are kept in."""
    own = [slot for slot in slots if slot not in hours]
    folded = [hours[slot] for slot in slots if slot in hours]
    for query, keys in ((_READ_ROWS, own), (_READ_WORST, folded)):
        for start in range(0, len(keys), _ROWS_AT_ONCE):
            some = keys[start : start + _ROWS_AT_ONCE]
            padded = (*some, *some[-1:] * (_ROWS_AT_ONCE - len(some)))
            for slot, *row in connection.execute(query, (slo_id, number, *padded)):
                yield slot, verdict_from(connection, names, labels, tuple(row))
