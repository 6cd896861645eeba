"""Slots with their verdicts and tiles: written wholly or not at all, read as they were judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sloagent.errors import StoreError
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Question
from sloagent.model.slo import SLO, Labels
from sloagent.model.verdict import SlotHeader, SlotVerdict
from sloagent.store import compact
from sloagent.store.dictionary import Names, seen_until
from sloagent.store.roll_ups import covers
from sloagent.store.rows import VERDICT_COLUMNS, counted_row, distribution_from, verdict_from, verdict_row
from sloagent.store.sql import Connection

_INSERT_VERDICT = f"INSERT INTO verdicts (slo_id, slot, series_id, {VERDICT_COLUMNS}) VALUES ({', '.join('?' * 13)})"  # noqa: S608
_READ_VERDICTS = f"SELECT series_id, {VERDICT_COLUMNS} FROM verdicts WHERE slo_id = ? AND slot = ?"  # noqa: S608


def insert_slot(connection: Connection, names: Names, slo_id: int, judged: SlotVerdict) -> bool:
    """Write one slot unless it is recorded already, in full or rolled up; whether it was written."""
    slo, slot = judged.slo, judged.slot
    if slot % slo.interval:
        raise StoreError(f"{slo.set}/{slo.name} has no slot {slot}: it is no multiple of {slo.interval} seconds")
    if covers(connection, slo_id, slot, slo.interval):
        return False
    until = seen_until(slot)
    text = names.texts.id_of
    warnings = json.dumps(judged.warnings, ensure_ascii=False) if judged.warnings else ""
    written = connection.execute(
        "INSERT INTO slots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            slo_id,
            slot,
            compact.OUTCOME_CODES[judged.outcome],
            compact.CAUSE_CODES[judged.cause],
            judged.kind,
            text(connection, judged.question.query, until),
            text(connection, judged.question.histogram, until) if judged.question.histogram else None,
            text(connection, judged.detail, until) if judged.detail else None,
            text(connection, warnings, until) if warnings else None,
            len(judged.verdicts),
        ),
    )
    if not written.rowcount:
        return False
    series = names.series.id_of
    connection.executemany(
        _INSERT_VERDICT,
        [
            (slo_id, slot, series(connection, verdict.labels, until), *verdict_row(connection, names, verdict, until))
            for verdict in judged.verdicts
        ],
    )
    if judged.distributions is not None and slot % slo.window == 0:
        _insert_tile(connection, names, slo_id, slot, judged.distributions)
    return True


def _insert_tile(
    connection: Connection, names: Names, slo_id: int, slot: int, tile: Mapping[Labels, Distribution]
) -> None:
    until = seen_until(slot)
    written = connection.execute("INSERT INTO tiles VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (slo_id, slot, len(tile)))
    if not written.rowcount:  # It was salvaged of a damaged file, and its slot was not.
        return
    connection.executemany(
        "INSERT INTO tile_series VALUES (?, ?, ?, ?, ?)",
        [
            (slo_id, slot, names.series.id_of(connection, labels, until), *counted_row(connection, names, one, until))
            for labels, one in tile.items()
        ],
    )


def full_slots(connection: Connection, slo_id: int, first: int, last: int) -> list[int]:
    """The slots from `first` to `last` that have full rows, ascending."""
    rows = connection.execute(
        "SELECT slot FROM slots WHERE slo_id = ? AND slot BETWEEN ? AND ? ORDER BY slot", (slo_id, first, last)
    )
    return [slot for (slot,) in rows]


def read_headers(connection: Connection, names: Names, slo_id: int, first: int, last: int) -> Iterator[SlotHeader]:
    """The slots with full rows from `first` to `last`, ascending, without their verdicts."""
    return (header for header, _ in _headers(connection, names, slo_id, first, last))


def _headers(
    connection: Connection, names: Names, slo_id: int, first: int, last: int
) -> Iterator[tuple[SlotHeader, int]]:
    """Each header, and how many verdicts belong to it."""
    rows = connection.execute(
        "SELECT slot, outcome, cause, kind, query_id, histogram_id, detail_id, warnings_id, series_count FROM slots"
        " WHERE slo_id = ? AND slot BETWEEN ? AND ? ORDER BY slot",
        (slo_id, first, last),
    )
    text = names.texts.content
    for slot, outcome, cause, kind, query_id, histogram_id, detail_id, warnings_id, count in rows:
        header = SlotHeader(
            slot,
            compact.outcome_of(outcome),
            compact.cause_of(cause),
            text(connection, query_id),
            "" if histogram_id is None else text(connection, histogram_id),
            "" if detail_id is None else text(connection, detail_id),
            () if warnings_id is None else tuple(json.loads(text(connection, warnings_id))),
            kind,
        )
        yield header, count


def read_slots(
    connection: Connection, names: Names, slo_id: int, slo: SLO, first: int, last: int
) -> Iterator[SlotVerdict]:
    """The slots with full rows from `first` to `last`, ascending; a slot's verdicts ascend by labels."""
    known = names.series.known
    for header, count in _headers(connection, names, slo_id, first, last):
        slot = header.slot
        verdicts = [
            verdict_from(connection, names, known.get(row[0]) or names.series.content(connection, row[0]), row[1:])
            for row in connection.execute(_READ_VERDICTS, (slo_id, slot))
        ]
        if len(verdicts) != count:
            raise compact.damaged(f"{slo.set}/{slo.name} has {len(verdicts)} of {count} verdicts at slot {slot}")
        verdicts.sort(key=lambda verdict: verdict.labels)
        yield SlotVerdict(
            slo=slo,
            slot=slot,
            outcome=header.outcome,
            cause=header.cause,
            question=Question(header.query, header.histogram),
            verdicts=tuple(verdicts),
            detail=header.detail,
            warnings=header.warnings,
            kind=header.kind,
        )


def read_tiles(
    connection: Connection, names: Names, slo_id: int, first: int, last: int
) -> Iterator[tuple[int, Mapping[Labels, Distribution]]]:
    """(slot, distributions by labels) of the slots that tile the time, ascending; the labels ascend too."""
    headers = connection.execute(
        "SELECT slot, series_count FROM tiles WHERE slo_id = ? AND slot BETWEEN ? AND ? ORDER BY slot",
        (slo_id, first, last),
    )
    for slot, count in headers:
        tile = [
            (names.series.content(connection, series_id), distribution_from(connection, names, bounds_id, counts))
            for series_id, bounds_id, counts in connection.execute(
                "SELECT series_id, bounds_id, counts FROM tile_series WHERE slo_id = ? AND slot = ?", (slo_id, slot)
            )
        ]
        if len(tile) != count:
            raise compact.damaged(f"{len(tile)} of {count} distributions at slot {slot}")
        yield slot, dict(sorted(tile, key=lambda entry: entry[0]))
