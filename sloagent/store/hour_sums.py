"""Sums of hours, made ahead of time and kept beside what they are made of, so that long runs are summed up quickly.

They hold nothing that the rows or roll-ups do not hold: whoever finds none, or one that is not what was written, reads
those. One stands for slots of one hour between the same borders of runs, phases and exclusions.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import msgspec

from sloagent.evaluation.tallying import badness
from sloagent.model.tally import SeriesTally
from sloagent.store import compact
from sloagent.store.dictionary import Names, seen_until
from sloagent.store.roll_ups import RollUp, hour_of
from sloagent.store.sql import Connection

FORMAT = 1
"""Of `content` and `windows`, and the rule by which the worst window is the worst; others are not read but made anew."""

_Series = tuple[
    int, int, int, int, int, int, int, int, int | None, tuple[float, ...], bytes | None, compact.NumbersRow | None
]  # fmt: skip
"""Its number; good, warned, bad, undecided, idle, too_few, measured; the worst window and how bad; minima; numbers."""
Content = tuple[int, dict[str, int], dict[str, int], list[tuple[tuple[str, str], ...]], list[_Series]]
"""Refused slots, refusals, first uses of histograms, overrides used, series."""
Windows = dict[int, tuple[bytes, bytes]]
"""Of each series: in which of the slots it has a row, a bit for each (empty: in all), and the rows' values, NaN for none."""

_decode_content = msgspec.msgpack.Decoder(Content).decode
_decode_windows = msgspec.msgpack.Decoder(Windows).decode
_WITHIN = "slo_id = ? AND first_slot BETWEEN ? AND ? AND format = ?"


def sums_within(
    connection: Connection, slo_id: int, interval: int, first: int, last: int
) -> list[tuple[int, tuple[int, ...]]]:
    """(first slot, all slots) of each sum that has a slot from `first` to `last`, ascending."""
    found = connection.execute(
        f"SELECT first_slot, recorded_slots FROM hour_sums WHERE {_WITHIN} ORDER BY first_slot",  # noqa: S608 - a constant
        (slo_id, hour_of(first), last, FORMAT),
    )
    return [(begin, tuple(compact.slots_from_blob(blob, begin, interval))) for begin, blob in found]


def contents(connection: Connection, slo_id: int, first: int, last: int) -> Iterator[tuple[int, Content]]:
    """(first slot, content) of each sum that begins in the hour of `first` or later up to `last`, if it is as written."""
    for begin, packed in _intact(connection, "content", slo_id, first, last):
        yield begin, _decode_content(packed)


def windows(connection: Connection, slo_id: int, first: int, last: int) -> Iterator[tuple[int, Windows]]:
    """(first slot, the values of its windows) of each sum, as `contents`, of which each slot had a row of its own."""
    for begin, packed in _intact(connection, "windows", slo_id, first, last):
        yield begin, _decode_windows(packed)


def _intact(connection: Connection, column: str, slo_id: int, first: int, last: int) -> Iterator[tuple[int, bytes]]:
    """(first slot, what is in the column) of each sum that has it as it was written."""
    for begin, blob in connection.execute(
        f"SELECT first_slot, {column} FROM hour_sums WHERE {_WITHIN} AND {column} IS NOT NULL",  # noqa: S608 - constants
        (slo_id, hour_of(first), last, FORMAT),
    ):
        packed = compact.guarded_from(blob)
        if packed is not None:
            yield begin, packed


def spoilt(connection: Connection, slo_id: int) -> int:
    """How many sums are not as they were written."""
    return sum(
        any(blob is not None and compact.guarded_from(blob) is None for blob in blobs)
        for blobs in connection.execute("SELECT content, windows FROM hour_sums WHERE slo_id = ?", (slo_id,))
    )


def values_of(slots: Sequence[int], packed: tuple[bytes, bytes]) -> tuple[Sequence[int], tuple[float, ...]]:
    """(slots, values) of one series of `windows`; NaN where the window has none."""
    present, doubles = packed
    if present:
        bits = int.from_bytes(present, "little")
        slots = [slot for position, slot in enumerate(slots) if bits >> position & 1]
    return slots, compact.doubles_from(doubles)


def write_sum(connection: Connection, names: Names, slo_id: int, interval: int, summed: RollUp) -> None:
    """Write the sum of slots that all have full rows; none may begin at the same slot."""
    first, last = summed.slots[0], summed.slots[-1]
    until = seen_until(last)
    tally = summed.tally
    content: Content = (
        tally.refused,
        dict(tally.refusals),
        dict(summed.first_uses),
        sorted(tally.overrides_used),
        [_series(names.series.id_of(connection, labels, until), row) for labels, row in tally.series.items()],
    )
    connection.execute(
        "INSERT INTO hour_sums VALUES (?, ?, ?, ?, ?, ?)",
        (
            slo_id,
            first,
            FORMAT,
            compact.slots_blob(summed.slots, interval),
            compact.guarded(msgspec.msgpack.encode(content)),
            compact.guarded(msgspec.msgpack.encode(_windows(connection, slo_id, summed.slots))),
        ),
    )


def remove_sums(connection: Connection, slo_id: int, hour: int) -> None:
    """Take out those of an hour."""
    connection.execute(
        "DELETE FROM hour_sums WHERE slo_id = ? AND first_slot BETWEEN ? AND ?", (slo_id, hour, hour + 3599)
    )


def remove_windows(connection: Connection, slo_id: int, hour: int) -> None:
    """Forget the single values of an hour, whose rows go too."""
    connection.execute(
        "UPDATE hour_sums SET windows = NULL WHERE slo_id = ? AND first_slot BETWEEN ? AND ?",
        (slo_id, hour, hour + 3599),
    )


def _series(number: int, row: SeriesTally) -> _Series:
    return (
        number, row.good, row.warned, row.bad, row.undecided, row.idle, row.too_few, row.measured,
        None if row.worst is None else row.worst.slot,
        () if row.worst is None else badness(row.worst.verdict),
        compact.minima_blob(row.minima),
        None if row.numbers is None else compact.numbers_row(row.numbers),
    )  # fmt: skip


def _windows(connection: Connection, slo_id: int, slots: Sequence[int]) -> Windows:
    positions = {slot: position for position, slot in enumerate(slots)}
    found: dict[int, tuple[list[int], array[float]]] = {}
    for number, slot, value in connection.execute(
        "SELECT series_id, slot, value FROM verdicts WHERE slo_id = ? AND slot BETWEEN ? AND ? ORDER BY slot",
        (slo_id, slots[0], slots[-1]),
    ):
        rows, values = found.setdefault(number, ([], array("d")))
        rows.append(positions[slot])
        values.append(float("nan") if value is None else value)
    return {
        number: (
            b"" if len(rows) == len(slots) else sum(1 << row for row in rows).to_bytes(len(slots) // 8 + 1, "little"),
            compact.doubles(values),
        )
        for number, (rows, values) in found.items()
    }
