"""A chart of stages as Vega-Lite: one block per stage, in it a bar per percentile from bound to bound of its bucket.

Buckets grow by factors, and stages differ by as much: the scale is logarithmic. Nothing moves in it, so its rows are in it.
"""

from __future__ import annotations

from math import ceil, floor, isfinite, log10

from sloagent.evaluation import wording
from sloagent.model.verdict import Quantile
from sloagent.report.charts import palette
from sloagent.report.charts.chart import Bar, Stage, Stages
from sloagent.report.charts.frame import FONT_SIZE
from sloagent.report.charts.layers import Json
from sloagent.report.charts.naming import shown
from sloagent.report.charts.specification import AXES
from sloagent.report.words import Words

_TITLE, _BAR, _BETWEEN = 22, 17, 8
_LEFT, _RIGHT, _FOOT = 48, 260, 28
_THICK, _THIN, _BELOW = 10, 3, 7
_MOST_DECADES = 4
_UNIT = "seconds"
_LEAST_RATIO = 1.8
"""How far the scale reaches beyond the outermost bounds, as a factor: room for what has no bound."""
_TICK_LABEL = (
    "datum.value < 0.000999 ? format(datum.value * 1e6, '~r') + ' µs' :"
    " datum.value < 0.999 ? format(datum.value * 1e3, '~r') + ' ms' : format(datum.value, ',~r') + ' s'"
)


def stage_specification(chart: Stages, words: Words, width: int) -> dict[str, Json]:
    """The Vega-Lite specification of a chart of stages, rows and all."""
    extent = _extent(chart)
    titles: list[Json] = []
    bars: list[Json] = []
    y = 0
    for stage in chart.stages:
        titles.append({"y": y + _TITLE / 2, "text": _title(stage, words)})
        y += _TITLE
        for bar in stage.bars:
            bars.append(_row(bar, stage, y + _BAR / 2, extent, words))
            y += _BAR
        y += _BETWEEN
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": width - _LEFT - _RIGHT,
        "height": y,
        "autosize": {"type": "none"},
        "padding": {"left": _LEFT, "right": _RIGHT, "top": 4, "bottom": _FOOT},
        "background": None,
        "layer": _layers(bars, titles, extent),
        "config": {
            "aria": False, "view": {"stroke": None},
            "text": {"fontSize": FONT_SIZE, "fill": palette.SOFT, "baseline": "middle"},
            "axis": AXES,
        },
    }  # fmt: skip


def _extent(chart: Stages) -> tuple[float, float]:
    numbers = [stage.limit for stage in chart.stages if stage.limit is not None]
    for stage in chart.stages:
        for bar in (*stage.bars, *stage.baseline):
            numbers += [bar.quantile.lower, bar.quantile.upper]
    known = [number for number in numbers if isfinite(number) and number > 0] or [1.0]
    return min(known) / _LEAST_RATIO, max(known) * _LEAST_RATIO


def _title(stage: Stage, words: Words) -> str:
    parts = [shown(words.text(stage.name)), shown(stage.series)]
    if stage.limit is not None and stage.limited is not None:
        parts.append(f"P{stage.limited:g} ≤ {wording.exactly(stage.limit, _UNIT)}")
    return " · ".join(part for part in parts if part)


def _row(bar: Bar, stage: Stage, y: float, extent: tuple[float, float], words: Words) -> Json:
    quantile = bar.quantile
    start, end = _within(quantile, extent)
    text = wording.percentile(quantile, _UNIT, words.language, lower_bound=stage.lower_bound)
    row: dict[str, Json] = {
        "y": y, "name": f"P{bar.percentile:g}", "from": start, "to": end,
        "value": quantile.value if _is_inside(quantile) else None,
        "limit": stage.limit if bar.percentile == stage.limited else None,
    }  # fmt: skip
    earlier = next((one.quantile for one in stage.baseline if one.percentile == bar.percentile), None)
    if earlier is not None:
        row["earlier_from"], row["earlier_to"] = _within(earlier, extent)
        row["earlier_value"] = earlier.value if earlier.lower == earlier.upper else None
        worded = wording.percentile(earlier, _UNIT, words.language)
        text = words.say("chart_beside_baseline", value=text, baseline=worded)
    beside = [end, row["limit"], row.get("earlier_to")]
    return row | {"text": text, "beside": max(number for number in beside if isinstance(number, int | float))}


def _is_inside(quantile: Quantile) -> bool:
    """Whether there is a number to show: stated, or interpolated between two bounds."""
    return isfinite(quantile.upper) and (quantile.lower > 0 or quantile.lower == quantile.upper)


def _within(quantile: Quantile, extent: tuple[float, float]) -> tuple[float, float]:
    low, high = extent
    return max(quantile.lower, low), min(quantile.upper, high)


def _layers(rows: list[Json], titles: list[Json], extent: tuple[float, float]) -> list[Json]:
    def x(field: str) -> Json:
        axis: Json = {"values": _ticks(extent), "labelExpr": _TICK_LABEL, "labelPadding": 5, "tickSize": 4}
        scale: Json = {"type": "log", "domain": list(extent), "nice": False}
        return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}

    def layer(mark: Json, kept: str = "", **encoding: Json) -> Json:
        there: Json = [{"filter": f"isValid(datum.{kept})"}] if kept else []
        y: Json = {"field": "y", "type": "quantitative", "scale": None, "axis": None}
        return {"transform": there, "mark": mark, "encoding": {"y": y, **encoding}}

    colour, before = palette.LINES[0], palette.EDGE
    text: Json = {"field": "text", "type": "nominal"}
    bucket: Json = {"type": "rule", "stroke": colour, "strokeWidth": _THICK, "strokeOpacity": 0.32}
    earlier: Json = {"type": "rule", "stroke": before, "strokeWidth": _THIN, "yOffset": _BELOW}
    dot: Json = {"type": "point", "shape": "circle", "size": 30, "fill": colour, "stroke": None, "opacity": 1}
    small: Json = {
        "type": "point", "shape": "circle", "size": 18, "fill": before, "stroke": None, "opacity": 1, "yOffset": _BELOW,
    }  # fmt: skip
    limit: Json = {
        "type": "tick", "orient": "vertical", "color": palette.LIMIT, "opacity": 1, "size": _BAR, "thickness": 2,
    }  # fmt: skip
    return [
        {
            "data": {"values": rows},
            "layer": [
                layer(bucket, x=x("from"), x2={"field": "to"}),
                layer(earlier, "earlier_from", x=x("earlier_from"), x2={"field": "earlier_to"}),
                layer(small, "earlier_value", x=x("earlier_value")),
                layer(dot, "value", x=x("value")),
                layer(limit, "limit", x=x("limit")),
                layer({"type": "text", "align": "left", "x": -36}, text={"field": "name", "type": "nominal"}),
                layer({"type": "text", "align": "left", "dx": 9, "fill": palette.INK}, x=x("beside"), text=text),
            ],
        },
        {"data": {"values": titles}, **_title_layer(text)},
    ]


def _title_layer(text: Json) -> dict[str, Json]:
    y: Json = {"field": "y", "type": "quantitative", "scale": None, "axis": None}
    mark: Json = {"type": "text", "align": "left", "x": -36, "fill": palette.INK, "fontWeight": 600}
    return {"mark": mark, "encoding": {"y": y, "text": text}}


def _ticks(extent: tuple[float, float]) -> list[Json]:
    """Powers of ten; where the scale spans few of them, twice and five times each, too."""
    low, high = extent
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    steps = (1.0,) if len(powers) > _MOST_DECADES else (1.0, 2.0, 5.0)
    return [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
