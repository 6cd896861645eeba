"""Pieces: what each series counted from cut to cut. A piece without series is remembered too."""

from __future__ import annotations

from collections.abc import Iterator

from sloagent.model.piece import Piece
from sloagent.store import compact
from sloagent.store.dictionary import Names, seen_until
from sloagent.store.rows import counted_from, counted_row
from sloagent.store.sql import Connection


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
