"""Sums of hours added up, without a verdict for each of them: only the worst window of all is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from sloagent.evaluation.tallying import Adding, Badness
from sloagent.model.slo import Labels
from sloagent.model.tally import Minima, SeriesTally, Tally
from sloagent.model.verdict import Verdict, WorstWindow
from sloagent.store import compact
from sloagent.store.dictionary import Names
from sloagent.store.hour_sums import Content
from sloagent.store.roll_ups import hour_of
from sloagent.store.rows import VERDICT_COLUMNS, verdict_from
from sloagent.store.sql import Connection


@dataclass(slots=True)
class _Row:
    good: int = 0
    warned: int = 0
    bad: int = 0
    undecided: int = 0
    idle: int = 0
    too_few: int = 0
    measured: int = 0
    worst: tuple[Badness, int] | None = None
    minima: list[tuple[int, float]] = field(default_factory=list)
    numbers: Adding | None = field(default_factory=Adding)


class Adder:
    """Sums while they are being added; what comes out is what `evaluation.tallying.merge` makes of their tallies."""

    def __init__(self) -> None:
        self._recorded = self._refused = 0
        self._refusals: dict[str, int] = {}
        self._overrides: set[Labels] = set()
        self._rows: dict[int, _Row] = {}
        self.first_uses: dict[str, int] = {}
        """At which slot each histogram first answered."""

    def add(self, recorded: int, content: Content) -> None:
        """One more sum, of so many slots."""
        refused, refusals, first_uses, overrides, series = content
        self._recorded += recorded
        self._refused += refused
        for kind, count in refusals.items():
            self._refusals[kind] = self._refusals.get(kind, 0) + count
        for histogram, first in first_uses.items():
            self.first_uses[histogram] = min(first, self.first_uses.get(histogram, first))
        self._overrides.update(overrides)
        rows = self._rows
        for number, good, warned, bad, undecided, idle, too_few, measured, slot, key, minima, numbers in series:
            row = rows.get(number)
            if row is None:
                row = rows[number] = _Row()
            row.good += good
            row.warned += warned
            row.bad += bad
            row.undecided += undecided
            row.idle += idle
            row.too_few += too_few
            row.measured += measured
            if slot is not None and (row.worst is None or (key, slot) < row.worst):
                row.worst = (key, slot)
            if minima is not None:
                row.minima += compact.minima_from_blob(minima)
            if numbers is None:
                row.numbers = None
            elif row.numbers is not None:
                row.numbers.add(compact.numbers_from(*numbers))

    def tally(self, connection: Connection, names: Names, slo_id: int, *, worst: bool) -> Tally:
        """What was added so far; the worst windows, if they are asked for, are read. Raises StoreError."""

        def window(labels: Labels, number: int, row: _Row) -> WorstWindow | None:
            if row.worst is None or not worst:
                return None
            slot = row.worst[1]
            return WorstWindow(slot, _verdict(connection, names, slo_id, labels, number, slot))

        series = {names.series.content(connection, number): (number, row) for number, row in self._rows.items()}
        return Tally(
            self._recorded, self._refused, dict(sorted(self._refusals.items())), tuple(self.first_uses),
            frozenset(self._overrides),
            {labels: _tally_of(series[labels][1], window(labels, *series[labels])) for labels in sorted(series)},
        )  # fmt: skip


def _tally_of(row: _Row, worst: WorstWindow | None) -> SeriesTally:
    return SeriesTally(
        row.good, row.warned, row.bad, row.undecided, row.idle, row.too_few, row.measured, worst,
        Minima(sorted(dict(sorted(row.minima, reverse=True)).items())),  # of two parts of one stretch the lesser stays
        None if row.numbers is None else row.numbers.finished(),
    )  # fmt: skip


def _verdict(connection: Connection, names: Names, slo_id: int, labels: Labels, number: int, slot: int) -> Verdict:
    """The verdict of a window that is the worst of its sum: in a row of its own, or in the roll-up that it went into."""
    found = (
        connection.execute(
            f"SELECT {VERDICT_COLUMNS} FROM verdicts WHERE slo_id = ? AND slot = ? AND series_id = ?",  # noqa: S608
            (slo_id, slot, number),
        ).fetchone()
        or connection.execute(
            f"SELECT {VERDICT_COLUMNS} FROM roll_up_series"  # noqa: S608 - a constant
            " WHERE slo_id = ? AND first_slot BETWEEN ? AND ? AND series_id = ? AND worst_slot = ?",
            (slo_id, hour_of(slot), slot, number, slot),
        ).fetchone()
    )
    if found is None:
        raise compact.damaged(f"the worst window of a series, at slot {slot}, is not there")
    return verdict_from(connection, names, labels, found)
