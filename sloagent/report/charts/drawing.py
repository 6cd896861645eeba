"""A chart in words of one language: its rows for the specification's data sets, and what is said beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from sloagent.evaluation import wording
from sloagent.report.charts.chart import Chart, ChartLimit, Kind, Stretch
from sloagent.report.charts.frame import ROW, Frame, frame_of
from sloagent.report.charts.layers import Row
from sloagent.report.charts.naming import cut, lengths, shown
from sloagent.report.charts.rows import Band, Mark, bands, edges, marks
from sloagent.report.words import Words

_LABEL_COLUMNS = 13
"""Of a limit's label, which stands right of the plot."""
_THIN = 0.05


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn of a chart. `marks` has one row per line."""

    chart: Chart
    frame: Frame
    marks: tuple[tuple[Mark, ...], ...]
    bands: tuple[Band, ...]


def drawing_of(chart: Chart, width: int) -> Drawing:
    """The drawing of a chart at a width in pixels."""
    found = bands(chart)
    return Drawing(chart, frame_of(chart, found, width), tuple(marks(line, chart.step) for line in chart.lines), found)


def around(drawing: Drawing, words: Words) -> dict[str, list[Row]]:
    """The rows of every data set but the points'. Times are in milliseconds, values in the frame's unit."""
    chart, frame = drawing.chart, drawing.frame
    return {
        "shades": [
            *(_shade(phase, "phase") for phase in chart.phases[::2]),
            *(_shade(exclusion, "exclusion") for exclusion in chart.exclusions),
        ],
        "bands": [
            {
                "at": band.start * 1000, "until": band.end * 1000, "line": band.line,
                "low": _scaled(band.low, frame), "high": _scaled(band.high, frame),
            }
            for band in drawing.bands
        ],
        "limits": _limits(chart, frame, words),
        "restarts": [{"at": restart.at * 1000} for restart in chart.restarts],
        "edges": [row for band in edges(drawing.bands) if (row := _edge(band, chart, frame)) is not None],
        "names": _names(drawing, words),
    }  # fmt: skip


def points(drawing: Drawing) -> list[Row]:
    """The rows of the data set `points`, the first line last, so that it lies above the others."""
    rows: list[Row] = []
    stacked = drawing.chart.kind is Kind.STACKED
    for number in reversed(range(len(drawing.marks))):
        part = 0
        for mark in drawing.marks[number]:
            at, value = mark.point.slot * 1000, mark.point.drawn
            if mark.begins:
                part += 1
                rows.append({"line": number, "at": at, "value": None})
            if value is not None:
                row: Row = {"line": number, "at": at, "value": value / drawing.frame.factor}
                rows.append(
                    row | ({"alone": 1} if mark.alone else {}) | ({"part": f"{number} {part}"} if stacked else {})
                )
    return rows


def _shade(stretch: Stretch, kind: str) -> Row:
    return {"at": stretch.start * 1000, "until": stretch.end * 1000, "kind": kind}


def _edge(band: Band, chart: Chart, frame: Frame) -> Row | None:
    """What is known in a first or last bucket: `≤ 5 ms`, `> 2.05 s`; None where the band is too thin to be seen."""
    last = not isfinite(band.high)
    value = band.low if last else band.high
    if not last and value / frame.factor - frame.bottom < _THIN * (frame.top - frame.bottom):
        return None
    text = f"{'>' if last else '≤'} {wording.quantity(value, chart.unit)}"
    return {"at": band.start * 1000, "until": band.end * 1000, "label": text, "value": value / frame.factor}


def _scaled(value: float, frame: Frame) -> float | None:
    return value / frame.factor if isfinite(value) else None


def _limits(chart: Chart, frame: Frame, words: Words) -> list[Row]:
    rows: list[Row] = []
    above = below = 0
    for limit in chart.limits:
        value = limit.value / frame.factor
        said = limit_text(limit, chart.unit, words)
        whom = _whom(limit, words)
        row: Row = {"value": value, "kind": "warning" if limit.warns else "limit"}
        row["label"] = _label(said, whom)
        row["above"] = _label(f"↑ {said}", whom or words.say("chart_above"))
        row["below"] = _label(f"↓ {said}", whom or words.say("chart_below"))
        row["place"] = above if value > frame.top else below
        above, below = above + (value > frame.top), below + (value < frame.bottom)
        rows.append(row)
    return rows


def _label(*parts: str) -> str:
    return "\n".join(cut(part, _LABEL_COLUMNS) for part in parts if part)


def limit_text(limit: ChartLimit, unit: str, words: Words) -> str:
    """A limit in words: `limit 1 s`."""
    return words.say("chart_warning" if limit.warns else "chart_limit", value=wording.exactly(limit.value, unit))


def _whom(limit: ChartLimit, words: Words) -> str:
    if not limit.lines:
        return ""
    return shown(limit.lines[0]) if len(limit.lines) == 1 else words.say("chart_lines", count=len(limit.lines))


def _names(drawing: Drawing, words: Words) -> list[Row]:
    chart, frame = drawing.chart, drawing.frame
    rows: list[Row] = [
        _named(s.start, s.end, -4 - ROW * frame.event_row, lengths(f"{number} {s.name}", str(number)))
        for number, s in enumerate(chart.phases, 1)
    ]
    events = sorted(
        [
            *((float(s.start), words.say("chart_excluded", reason=shown(s.name))) for s in chart.exclusions),
            *((r.at, words.say("chart_restarted", component=shown(r.component))) for r in chart.restarts),
        ]
    )
    for place, (at, name) in enumerate(events):
        following = events[place + 1][0] if place + 1 < len(events) else chart.end
        rows.append(_named(at, following, -4, lengths(name)))
    return rows


def _named(start: float, end: float, y: float, texts: Sequence[tuple[str, float]]) -> Row:
    row: Row = {"at": start * 1000, "until": end * 1000, "y": y}
    for number, (text, width) in enumerate(texts):
        row |= {f"name{number}": text, f"width{number}": width}
    return row
