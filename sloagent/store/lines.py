"""Series over time, for charts: which windows a chart can show is found first, and only those are read whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sloagent.evaluation.tallying import badness
from sloagent.model.record import Line
from sloagent.model.slo import Labels
from sloagent.model.verdict import Verdict
from sloagent.store.dictionary import Names
from sloagent.store.roll_ups import hour_of
from sloagent.store.rows import VERDICT_COLUMNS, verdict_from
from sloagent.store.sql import Connection

Place = tuple[int, int | None]
"""A window's slot; and the first slot of the hourly sum that it is kept in, None where it has a row of its own."""

_ROWS_AT_ONCE = 100
_FULL_ROWS = (
    # One look for each slot: the rows of other series, however many there are, are not gone through.
    "SELECT slots.slot, verdicts.value FROM slots CROSS JOIN verdicts WHERE slots.slo_id = ? AND slots.slot BETWEEN ? AND ?"
    " AND verdicts.slo_id = slots.slo_id AND verdicts.slot = slots.slot AND verdicts.series_id = ?"
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


@dataclass(slots=True)
class _Column:
    """What a column keeps: the windows with the least and the greatest value, or while there are none, the silent ones."""

    least: tuple[float, Place] | None = None
    greatest: tuple[float, Place] | None = None
    silent: list[Place] = field(default_factory=list)

    def see(self, value: float | None, place: Place) -> None:
        if value is None:
            if self.least is None:
                self.silent.append(place)
        elif self.least is None or self.greatest is None:
            self.least = self.greatest = (value, place)
            self.silent.clear()
        elif value < self.least[0]:
            self.least = (value, place)
        elif value > self.greatest[0]:
            self.greatest = (value, place)


def read_line(
    connection: Connection, names: Names, slo_id: int, stretch: tuple[int, int], labels: Labels, columns: int
) -> Line:
    """The series' windows over the stretch; see `Store.lines`. An hour that is one sum is shown by its worst window."""
    number = names.series.find(connection, labels)
    if number is None:
        return Line(labels, (), 0)
    windows, seen = _windows(connection, slo_id, stretch, number)

    def whole(places: Iterable[Place]) -> dict[int, Verdict]:
        return dict(_whole(connection, names, slo_id, number, labels, list(places)))

    if len(windows) <= 2 * columns:
        return Line(labels, tuple(sorted(whole(place for place, _ in windows).items())), seen)
    first, last = stretch
    by_column: dict[int, _Column] = {}
    for place, value in windows:
        by_column.setdefault((place[0] - first) * columns // (last - first + 1), _Column()).see(value, place)
    kept = whole({found[1] for column in by_column.values() for found in (column.least, column.greatest) if found})
    for column in by_column.values():
        if column.silent:
            candidates = whole(column.silent)
            worst = min(candidates, key=lambda slot: (badness(candidates[slot]), slot))
            kept[worst] = candidates[worst]
    return Line(labels, tuple(sorted(kept.items())), seen)


def _windows(
    connection: Connection, slo_id: int, stretch: tuple[int, int], number: int
) -> tuple[list[tuple[Place, float | None]], int]:
    """(place, value) of each window, ascending; and how many windows there were before hours became sums."""
    first, last = stretch
    found: list[tuple[Place, float | None]] = [
        ((slot, None), value) for slot, value in connection.execute(_FULL_ROWS, (slo_id, first, last, number))
    ]
    seen = len(found)
    for hour_first, hour_last, rows, slot, value in connection.execute(
        _HOURS, (slo_id, hour_of(first), last, first, number)
    ):
        shown = slot is not None and first <= slot <= last
        seen += rows if first <= hour_first and hour_last <= last else shown
        if shown:
            found.append(((slot, hour_first), value))
    found.sort(key=lambda window: window[0][0])
    return found, seen


def _whole(
    connection: Connection, names: Names, slo_id: int, number: int, labels: Labels, places: Sequence[Place]
) -> Iterator[tuple[int, Verdict]]:
    """(slot, verdict) of each place."""
    own = [slot for slot, hour in places if hour is None]
    hours = [hour for _, hour in places if hour is not None]
    for query, keys in ((_READ_ROWS, own), (_READ_WORST, hours)):
        for start in range(0, len(keys), _ROWS_AT_ONCE):
            some = keys[start : start + _ROWS_AT_ONCE]
            padded = (*some, *some[-1:] * (_ROWS_AT_ONCE - len(some)))
            for slot, *row in connection.execute(query, (slo_id, number, *padded)):
                yield slot, verdict_from(connection, names, labels, tuple(row))
