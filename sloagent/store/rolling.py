"""Hours become sums: kept ahead beside their rows, then in place of old ones; very old ones are forgotten."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby

from sloagent.evaluation.tallying import merge, tally
from sloagent.model.slo import SLO
from sloagent.store import alerts
from sloagent.store.dictionary import Names
from sloagent.store.hour_sums import remove_sums, remove_windows, sums_within, write_sum
from sloagent.store.roll_ups import RollUp, hour_of, read_roll_ups, remove_roll_up, roll_up_slots, write_roll_up
from sloagent.store.runs import cuts, read_runs
from sloagent.store.slots import full_slots, read_slots
from sloagent.store.sql import Connection
from sloagent.store.summing import first_uses, in_order_of_use
from sloagent.store.versions import Version, every

_HOUR = 3600
_FOR_EVER = 2**62


def hours_to_fold(connection: Connection, before: int) -> list[tuple[Version, int]]:
    """(version, hour) wherever full rows older than `before` lie, ascending by hour within a version."""
    return [
        (version, hour * 3600)
        for version in every(connection)
        for (hour,) in connection.execute(
            "SELECT DISTINCT slot / 3600 FROM slots WHERE slo_id = ? AND slot < ? ORDER BY 1", (version.id, before)
        )
    ]


def hours_to_sum(connection: Connection, before: int) -> list[tuple[Version, int]]:
    """(version, hour) of the hours that end by `before` and lack sums of their rows as the borders are now, newest first.

    An hour of which something is in roll-ups already is left alone.
    """
    runs = read_runs(connection)
    found: list[tuple[Version, int]] = []
    for version in every(connection):
        borders = cuts(runs, version.window)
        slots = full_slots(connection, version.id, -_FOR_EVER, hour_of(before) - 1)
        if not slots:
            continue
        stretch = (version.id, version.interval, hour_of(slots[0]), slots[-1])
        passed_over = {hour_of(first) for first, _ in roll_up_slots(connection, *stretch)}
        there: dict[int, list[tuple[int, ...]]] = {}
        for first, members in sums_within(connection, *stretch):
            there.setdefault(hour_of(first), []).append(members)
        for hour, recorded in groupby(slots, hour_of):
            if hour not in passed_over and there.get(hour) != _cells(list(recorded), borders):
                found.append((version, hour))
    return sorted(found, key=lambda entry: entry[1], reverse=True)


def sum_hour(connection: Connection, names: Names, version: Version, hour: int) -> None:
    """Sum one hour's full rows up between each two borders, and keep the rows."""
    slo = version.as_slo()
    remove_sums(connection, version.id, hour)
    borders = cuts(read_runs(connection), version.window)
    for cell in _cells(full_slots(connection, version.id, hour, hour + _HOUR - 1), borders):
        write_sum(connection, names, version.id, version.interval, _folded(connection, names, version.id, slo, cell))


def _cells(slots: Sequence[int], borders: Sequence[int]) -> list[tuple[int, ...]]:
    """Ascending slots, apart where a border lies between them."""
    return [tuple(members) for _, members in groupby(slots, lambda slot: _cell(slot, borders))]


def _cell(slot: int, borders: Sequence[int]) -> int:
    return bisect_right(borders, slot * 1_000_000)


def fold_hour(connection: Connection, names: Names, version: Version, hour: int, before: int) -> int:
    """Fold one hour's full rows older than `before` between each two borders; returns how many rows went."""
    borders = cuts(read_runs(connection), version.window)
    slo = version.as_slo()
    gone = 0
    for part in _cells(full_slots(connection, version.id, hour, min(before, hour + _HOUR) - 1), borders):
        place = _cell(part[0], borders)
        parts = [
            rolled
            for rolled in read_roll_ups(connection, names, version.id, version.interval, hour, hour + _HOUR - 1)
            if _cell(rolled.slots[0], borders) == _cell(rolled.slots[-1], borders) == place
        ]
        for rolled in parts:
            remove_roll_up(connection, version.id, rolled.slots[0])
        parts.append(_folded(connection, names, version.id, slo, part))
        write_roll_up(connection, names, version.id, version.interval, _joined(parts))
        gone += _delete(connection, "verdicts", "slot BETWEEN ? AND ?", (version.id, part[0], part[-1]))
        gone += _delete(connection, "slots", "slot BETWEEN ? AND ?", (version.id, part[0], part[-1]))
    remove_windows(connection, version.id, hour)
    return gone


def _folded(connection: Connection, names: Names, slo_id: int, slo: SLO, slots: tuple[int, ...]) -> RollUp:
    counted = tally(slo, read_slots(connection, names, slo_id, slo, slots[0], slots[-1]))
    uses = first_uses(connection, slo_id, (slots[0], slots[-1]))
    return RollUp(slots, counted, {histogram: uses.get(histogram, slots[0]) for histogram in counted.histograms})


def _joined(parts: Sequence[RollUp]) -> RollUp:
    parts = sorted(parts, key=lambda part: part.slots[0])
    uses: dict[str, int] = {}
    for part in parts:
        for histogram, slot in part.first_uses.items():
            uses[histogram] = min(slot, uses.get(histogram, slot))
    slots = tuple(sorted(slot for part in parts for slot in part.slots))
    return RollUp(slots, in_order_of_use(merge(part.tally for part in parts), uses), uses)


def prune(connection: Connection, before: int) -> int:
    """Forget slots, tiles and alerts older than `before`, and roll-ups and pieces that end before it; returns rows gone.

    What nothing refers to any more goes a day or two later.
    """
    gone = 0
    for version in every(connection):
        here, before_ms = version.id, before * 1000
        gone += _delete(connection, "verdicts", "slot < ?", (here, before))
        gone += _delete(connection, "slots", "slot < ?", (here, before))
        gone += _delete(connection, "tile_series", "slot < ?", (here, before))
        gone += _delete(connection, "tiles", "slot < ?", (here, before))
        _delete(connection, "hour_sums", "first_slot < ?", (here, before))
        gone += alerts.prune(connection, here, before)
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
