"""Pieces: what each series counted from cut to cut. A piece without series is remembered too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sloagent.model.piece import Counted, Piece, added
from sloagent.model.slo import Labels
from sloagent.store import compact
from sloagent.store.dictionary import Names, seen_until
from sloagent.store.rows import counted_from, counted_row
from sloagent.store.sql import Connection

_ROWS_AT_ONCE = 100_000
"""Of pieces that are added, as they lie in the table: some 20 MB."""


def insert_piece(connection: Connection, names: Names, slo_id: int, piece: Piece) -> None:
    """Write a piece unless one from the same start to the same end is there."""
    until = seen_until(piece.end_ms // 1000)
    key = (slo_id, piece.start_ms, piece.end_ms)
    written = connection.execute(
        "INSERT INTO pieces VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (*key, names.texts.id_of(connection, piece.query, until), len(piece.series)),
    )
    if written.rowcount:
        connection.executemany(
            "INSERT INTO piece_series VALUES (?, ?, ?, ?, ?, ?)",
            [
                (*key, names.series.id_of(connection, labels, until), *counted_row(connection, names, counted, until))
                for labels, counted in piece.series.items()
            ],
        )


def read_pieces(connection: Connection, names: Names, slo_id: int, start_ms: int, end_ms: int) -> Iterator[Piece]:
    """The pieces wholly inside the stretch, ascending by start, then end; their labels ascend."""
    headers = connection.execute(
        "SELECT start_ms, end_ms, query_id, series_count FROM pieces"
        " WHERE slo_id = ? AND start_ms >= ? AND start_ms <= ? AND end_ms <= ? ORDER BY start_ms, end_ms",
        (slo_id, start_ms, end_ms, end_ms),
    )
    for start, end, query_id, count in headers:
        series = [
            (names.series.content(connection, series_id), counted_from(connection, names, bounds_id, counts))
            for series_id, bounds_id, counts in connection.execute(
                "SELECT series_id, bounds_id, counts FROM piece_series"
                " WHERE slo_id = ? AND start_ms = ? AND end_ms = ?",
                (slo_id, start, end),
            )
        ]
        if len(series) != count:
            raise compact.damaged(f"{len(series)} of {count} series in the piece from {start} ms to {end} ms")
        ordered = dict(sorted(series, key=lambda entry: entry[0]))
        yield Piece(start, end, names.texts.content(connection, query_id), ordered)


def read_cuts(
    connection: Connection, names: Names, slo_id: int, start_ms: int, end_ms: int
) -> dict[tuple[int, int], str]:
    """(start, end) of the pieces wholly inside the stretch and what was asked for each, without what they hold."""
    rows = connection.execute(
        "SELECT start_ms, end_ms, query_id FROM pieces"
        " WHERE slo_id = ? AND start_ms >= ? AND start_ms <= ? AND end_ms <= ?",
        (slo_id, start_ms, end_ms, end_ms),
    ).fetchall()
    return {(start, end): names.texts.content(connection, query_id) for start, end, query_id in rows}


def added_pieces(
    connection: Connection, names: Names, slo_id: int, wanted: Sequence[tuple[int, int]]
) -> Mapping[Labels, Counted] | None:
    """Per series the sum of exactly the wanted pieces, by labels; None where one of them is missing."""
    if not wanted:
        return {}
    bounds = (slo_id, min(start for start, _ in wanted), max(start for start, _ in wanted))
    there = {
        (start, end): count
        for start, end, count in connection.execute(
            "SELECT start_ms, end_ms, series_count FROM pieces WHERE slo_id = ? AND start_ms BETWEEN ? AND ?", bounds
        )
    }
    if not there.keys() >= set(wanted):
        return None
    left = {cut: there[cut] for cut in sorted(set(wanted))}
    numbers = connection.execute(
        "SELECT DISTINCT series_id FROM piece_series WHERE slo_id = ? AND start_ms BETWEEN ? AND ?", bounds
    ).fetchall()
    sums: dict[Labels, Counted] = {}
    series = sorted(number for (number,) in numbers)
    at_once = max(1, _ROWS_AT_ONCE // len(left))
    for first in range(0, len(series), at_once):
        some = series[first : first + at_once]
        rows: dict[int, list[tuple[int | None, bytes]]] = {}
        for start, end in left:
            for number, bounds_id, counts in connection.execute(
                "SELECT series_id, bounds_id, counts FROM piece_series"
                " WHERE slo_id = ? AND start_ms = ? AND end_ms = ? AND series_id BETWEEN ? AND ?",
                (slo_id, start, end, some[0], some[-1]),
            ):
                rows.setdefault(number, []).append((bounds_id, counts))
                left[start, end] -= 1
        for number, parts in rows.items():
            sums[names.series.content(connection, number)] = added(
                [counted_from(connection, names, bounds_id, counts) for bounds_id, counts in parts]
            )
    if any(left.values()):
        raise compact.damaged(f"series of pieces are missing, or too many: {sum(map(abs, left.values()))}")
    return dict(sorted(sums.items()))
