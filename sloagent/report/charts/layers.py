"""The layers of a chart over time, from the shades of phases at the bottom to names above the plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sloagent.report.charts import palette
from sloagent.report.charts.chart import Chart, Kind
from sloagent.report.charts.naming import CANDIDATES
from sloagent.report.charts.rows import EVERY

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | float | int | bool | None"
Row: TypeAlias = "dict[str, Json]"

_SHOWN: Json = {"filter": "indexof(hidden, datum.line) < 0"}
_TIME_LABEL = (
    "utcFormat(datum.value, utcseconds(datum.value) ? '%H:%M:%S' :"
    " right - left > 864e5 && utchours(datum.value) + utcminutes(datum.value) === 0 ? '%m-%d' : '%H:%M')"
)
_PIXELS = "(min(datum.until, right) - max(datum.at, left)) / (right - left) * width"
_IN_VIEW = {"filter": "datum.until > left && datum.at < right"}


def layers(chart: Chart) -> list[Json]:
    """The layers, in the order in which they are drawn. Their data sets are named and empty."""
    return [
        _shade("phase", 0.08),
        _shade("exclusion", 0.22),
        *([_areas(chart)] if chart.kind is Kind.STACKED else [_bands(chart), _lines(chart), _dots(chart)]),
        _restarts(),
        *_limit("limit", palette.LIMIT, []),
        *_limit("warning", palette.WARN, [5, 3]),
        _pointer(),
        _edges(),
        _names(),
        _unit(),
    ]


def _x(field: str) -> Json:
    """Times as milliseconds on a plain scale: Vega-Lite cannot hold a scale of times to parameters."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [{"expr": "left"}, {"expr": "right"}], "nice": False, "zero": False},
        "axis": {
            "grid": False, "values": {"expr": "sequence(ceil(left / tick) * tick, right + 1, tick)"},
            "labelExpr": _TIME_LABEL, "labelPadding": 5, "tickSize": 4,
        },
    }  # fmt: skip


def _y(field: str, **more: Json) -> Json:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [{"expr": "bottom"}, {"expr": "top"}], "nice": False, "zero": False},
        "axis": {
            "tickCount": 5, "labelExpr": "datum.value === 0 ? '0' : format(datum.value, ',.9~r') + unit",
            "labelPadding": 8, "domain": False, "ticks": False,
        },
        **more,
    }  # fmt: skip


def _colour(chart: Chart) -> Json:
    numbers: list[Json] = [*range(len(chart.lines)), EVERY]
    colours: list[Json] = [*(palette.LINES[line.colour] for line in chart.lines), palette.EDGE]
    return {
        "field": "line", "type": "nominal", "legend": None, "scale": {"domain": numbers, "range": colours}
    }  # fmt: skip


def _shade(kind: str, opacity: float) -> Json:
    return {
        "data": {"name": "shades"},
        "transform": [{"filter": {"field": "kind", "equal": kind}}],
        "mark": {"type": "rect", "clip": True, "fill": palette.EDGE, "fillOpacity": opacity},
        "encoding": {"x": _x("at"), "x2": {"field": "until"}},
    }


def _bands(chart: Chart) -> Json:
    return {
        "data": {"name": "bands"},
        "transform": [
            _SHOWN,
            {"calculate": "datum.low === null ? 2 * bottom - top : datum.low", "as": "from"},
            {"calculate": "datum.high === null ? 2 * top - bottom : datum.high", "as": "to"},
        ],
        "mark": {"type": "rect", "clip": True, "fillOpacity": 0.16},
        "encoding": {
            "x": _x("at"), "x2": {"field": "until"}, "y": _y("from"), "y2": {"field": "to"}, "fill": _colour(chart)
        },
    }  # fmt: skip


def _lines(chart: Chart) -> Json:
    dashed = [number for number, line in enumerate(chart.lines) if line.baseline]
    return {
        "data": {"name": "points"},
        "transform": [_SHOWN],
        "mark": {
            "type": "line", "clip": True, "strokeJoin": "round", "strokeCap": "butt", "invalid": "break-paths-show-domains",
        },
        "encoding": {
            "x": _x("at"),
            "y": _y("value"),
            "stroke": _colour(chart),
            "detail": {"field": "line", "type": "nominal"},
            "strokeWidth": {"condition": {"test": "datum.line === 0", "value": 2}, "value": 1.4},
            "strokeDash": {"condition": {"test": f"indexof({dashed}, datum.line) >= 0", "value": [4, 3]}, "value": []},
        },
    }  # fmt: skip


def _dots(chart: Chart) -> Json:
    """Points without neighbours, of which a line would show nothing."""
    return {
        "data": {"name": "points"},
        "transform": [_SHOWN, {"filter": "datum.alone === 1"}],
        "mark": {"type": "point", "shape": "circle", "size": 12, "stroke": None, "opacity": 1, "clip": True},
        "encoding": {"x": _x("at"), "y": _y("value"), "fill": _colour(chart)},
    }


def _areas(chart: Chart) -> Json:
    """Areas on top of each other, the first at the bottom; each ends where its line breaks."""
    return {
        "data": {"name": "points"},
        "transform": [_SHOWN, {"filter": "datum.value !== null"}],
        "mark": {"type": "area", "clip": True, "fillOpacity": 0.8},
        "encoding": {
            "x": _x("at"),
            "y": _y("value", stack="zero"),
            "fill": _colour(chart),
            "detail": {"field": "part", "type": "nominal"},
            "order": {"field": "line", "type": "quantitative"},
        },
    }


def _restarts() -> Json:
    return {
        "data": {"name": "restarts"},
        "mark": {"type": "rule", "clip": True, "stroke": palette.SOFT, "strokeDash": [2, 3], "strokeWidth": 1},
        "encoding": {"x": _x("at")},
    }


def _limit(kind: str, colour: str, dash: list[Json]) -> list[Json]:
    """The rule, where it is in sight, and its label: beside it, else at the edge beyond which it lies."""
    of_kind: Json = {"filter": {"field": "kind", "equal": kind}}
    text: dict[str, Json] = {
        "type": "text", "x": {"expr": "width + 8"}, "align": "left", "baseline": "middle", "lineBreak": "\n",
        "fill": colour, "lineHeight": 14,
    }  # fmt: skip
    label: Json = {"field": "label", "type": "nominal"}
    return [
        {
            "data": {"name": "limits"},
            "transform": [of_kind, {"filter": "bottom <= datum.value && datum.value <= top"}],
            "mark": {"type": "rule", "stroke": colour, "strokeDash": dash, "strokeWidth": 1.2},
            "encoding": {"y": _y("value")},
        },
        {
            "data": {"name": "limits"},
            "transform": [of_kind, {"filter": "bottom <= datum.value && datum.value <= top"}],
            "mark": text,
            "encoding": {"y": _y("value"), "text": label},
        },
        {
            "data": {"name": "limits"},
            "transform": [of_kind, {"filter": "datum.value > top"}],
            "mark": {**text, "baseline": "top", "y": {"expr": "datum.place * 30"}},
            "encoding": {"text": {"field": "above", "type": "nominal"}},
        },
        {
            "data": {"name": "limits"},
            "transform": [of_kind, {"filter": "datum.value < bottom"}],
            "mark": {**text, "baseline": "bottom", "y": {"expr": "height - datum.place * 30"}},
            "encoding": {"text": {"field": "below", "type": "nominal"}},
        },
    ]


def _pointer() -> Json:
    """The line under the reader's pointer; not there while nobody points."""
    return {
        "data": {"values": [{"at": 0}]},
        "transform": [{"calculate": "pointer", "as": "at"}, {"filter": "datum.at > 0"}],
        "mark": {"type": "rule", "stroke": palette.AXIS, "strokeWidth": 1},
        "encoding": {"x": _x("at")},
    }


def _edges() -> Json:
    """What is known in a first or last bucket, where the longest stretch of it begins."""
    return {
        "data": {"name": "edges"},
        "transform": [_IN_VIEW, {"calculate": "max(datum.at, left)", "as": "at"}],
        "mark": {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "dy": -3, "fill": palette.INK},
        "encoding": {"x": _x("at"), "y": _y("value"), "text": {"field": "label", "type": "nominal"}},
    }


def _names() -> Json:
    """Names of phases, exclusions and restarts above the plot, each as long as its room allows."""
    fitting = " : ".join(f"{_PIXELS} > datum.width{n} ? datum.name{n}" for n in range(CANDIDATES))
    return {
        "data": {"name": "names"},
        "transform": [
            _IN_VIEW,
            {"calculate": f"{fitting} : ''", "as": "name"},
            {"calculate": "max(datum.at, left)", "as": "at"},
        ],
        "mark": {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "y": {"expr": "datum.y"}},
        "encoding": {"x": _x("at"), "text": {"field": "name", "type": "nominal"}},
    }


def _unit() -> Json:
    """The unit above the numbers of the axis, where it is too long to stand beside each."""
    return {
        "data": {"values": [{}]},
        "mark": {
            "type": "text",
            "text": {"expr": "unit_above"},
            "x": -8,
            "y": -4,
            "align": "right",
            "baseline": "bottom",
        },
    }
