"""From a chart to what is drawn of it, row by row: lines that break at gaps, buckets as bands, labels with their room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite

from sloagent.report.charts.chart import Chart, ChartLine, Point

MOST_GAP = 1.5
"""Points further apart than so many steps are not joined."""
EVERY = -1
"""In place of a line's number: a band that says of several lines that they lie in it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a line as it is drawn."""

    point: Point
    begins: bool
    """Whether the line is broken before it."""
    alone: bool
    """Whether it is broken before and after: a dot."""


@dataclass(frozen=True, slots=True)
class Band:
    """A bucket over a stretch of time, in base units; `low` is -inf and `high` +inf where there is no bound."""

    line: int
    start: float
    end: float
    low: float
    high: float
    edge: bool
    """Whether it is the first or the last bucket."""


def marks(line: ChartLine, step: int) -> tuple[Mark, ...]:
    """Every point of a line, drawn or not, and where the line breaks."""
    joined = [False, *(_joined(a, b, step) for a, b in pairwise(line.points)), False]
    return tuple(
        Mark(point, begins=place > 0 and not joined[place], alone=not joined[place] and not joined[place + 1])
        for place, point in enumerate(line.points)
    )


def _joined(one: Point, other: Point, step: int) -> bool:
    return one.drawn is not None and other.drawn is not None and other.slot - one.slot <= MOST_GAP * step


def bands(chart: Chart) -> tuple[Band, ...]:
    """All buckets of the first line; of the others the first and the last bucket, in which they show no line."""
    own: list[Band] = []
    others: list[Band] = []
    for number, line in enumerate(chart.lines):
        if not line.baseline:
            pieces = _pieces(line, number, chart.step)
            if number:
                others.extend(_joined_up(piece for _, piece in pieces if piece.edge))
            else:
                own.extend(_joined_up(_by_column(pieces, chart) if chart.windows else (piece for _, piece in pieces)))
    return (*own, *_united(others))


def _pieces(line: ChartLine, number: int, step: int) -> Iterator[tuple[int, Band]]:
    """(slot, bucket) of each window, from half the way to its neighbours, half a step where they are far."""
    points = line.points
    between = [(a.slot + b.slot) / 2 if b.slot - a.slot <= MOST_GAP * step else None for a, b in pairwise(points)]
    for point, before, after in zip(points, [None, *between], [*between, None], strict=True):
        bucket = point.bucket
        if bucket is not None and bucket.lower != bucket.upper:
            start = point.slot - step / 2 if before is None else before
            end = point.slot + step / 2 if after is None else after
            yield point.slot, Band(number, start, end, bucket.lower, bucket.upper, point.in_first or point.in_last)


def _by_column(pieces: Iterable[tuple[int, Band]], chart: Chart) -> Iterator[Band]:
    """Of thinned windows, in which the least and the greatest of a column are left, what holds both."""
    columns: dict[int, list[Band]] = {}
    for slot, piece in pieces:
        columns.setdefault((slot - chart.start) // chart.step, []).append(piece)
    for column, held in columns.items():
        start = chart.start + column * chart.step
        low, high = min(piece.low for piece in held), max(piece.high for piece in held)
        yield Band(held[0].line, start, start + chart.step, low, high, all(piece.edge for piece in held))


def _joined_up(pieces: Iterable[Band]) -> Iterator[Band]:
    """Neighbouring pieces in one bucket as one."""
    run: Band | None = None
    for piece in pieces:
        if run is not None and (run.end, run.low, run.high) == (piece.start, piece.low, piece.high):
            run = replace(run, end=piece.end)
            continue
        if run is not None:
            yield run
        run = piece
    if run is not None:
        yield run


def _united(found: Sequence[Band]) -> Iterator[Band]:
    """The bands of several lines, those of one bucket united where they overlap in time."""
    for low, high in dict.fromkeys((band.low, band.high) for band in found):
        same = sorted((b.start, b.end) for b in found if (b.low, b.high) == (low, high))
        start, end = same[0]
        for later_start, later_end in same[1:]:
            if later_start > end:
                yield Band(EVERY, start, end, low, high, edge=True)
                start = later_start
            end = max(end, later_end)
        yield Band(EVERY, start, end, low, high, edge=True)


def edges(found: Sequence[Band]) -> tuple[Band, ...]:
    """For each first and last bucket its longest stretch, where it is said what is known."""
    longest: dict[tuple[float, float], Band] = {}
    for band in found:
        held = longest.get((band.low, band.high))
        if band.edge and (held is None or band.end - band.start > held.end - held.start):
            longest[band.low, band.high] = band
    return tuple(longest.values())


def reaches(chart: Chart, found: Iterable[Band]) -> list[tuple[float, float] | None]:
    """The least and the greatest value that must be seen of each line; None of one that shows nothing.

    A bucket's own bounds count as far as they do not make the line flat.
    """
    reached = [_reach(line) for line in chart.lines]
    uppers = [band.high for band in found if band.line == 0 and not band.edge]
    if reached and (first := reached[0]) is not None and uppers:
        reached[0] = (first[0], max(first[1], min(max(uppers), 1.6 * first[1])))
    return reached


def _reach(line: ChartLine) -> tuple[float, float] | None:
    seen = [point.drawn for point in line.points if point.drawn is not None]
    for point in line.points if not line.baseline else ():
        if point.in_first and point.upper is not None:
            seen.append(point.upper * 1.6)
        elif point.in_last and point.lower is not None and isfinite(point.lower):
            seen.append(point.lower * 1.15)
    return (min(seen), max(seen)) if seen else None
