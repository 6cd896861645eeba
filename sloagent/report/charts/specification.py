"""From a chart to the one Vega-Lite specification that both the still picture and the page's chart are drawn from.

Nothing in it measures a text, since fonts differ from machine to machine: labels come with estimated widths, and where
there is no room for one a shorter one is taken. What changes as people zoom and choose (`left`, `right`, `bottom`, `top`,
`hidden`, `pointer`) are parameters; the rows lie in named data sets, which `drawing.py` fills.
"""

from __future__ import annotations

from sloagent.report.charts import palette
from sloagent.report.charts.chart import Chart
from sloagent.report.charts.frame import FONT_SIZE, PLOT_HEIGHT, Frame
from sloagent.report.charts.layers import Json, layers

_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
)  # fmt: skip
_TICK = (
    " : ".join(f"(right - left) / {step * 1000} < width / 90 ? {step * 1000}" for step in _STEPS)
    + " : 604800000 * ceil((right - left) / 604800000 / (width / 90))"
)
"""Milliseconds between two times of the axis, so that their labels do not meet."""

AXES: Json = {
    "labelFontSize": FONT_SIZE, "labelColor": palette.SOFT, "title": None, "gridColor": palette.GRID,
    "domainColor": palette.AXIS, "tickColor": palette.AXIS, "labelOverlap": False, "labelBound": False,
    "labelFlush": False, "labelLimit": 0,
}  # fmt: skip
"""How every axis looks."""


def specification(chart: Chart, frame: Frame) -> dict[str, Json]:
    """The Vega-Lite specification of a chart over time, without its rows."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": frame.plot_width,
        "height": PLOT_HEIGHT,
        "autosize": {"type": "none"},
        "padding": {"left": frame.left, "right": frame.right, "top": frame.head, "bottom": frame.foot},
        "background": None,
        "params": [
            {"name": "left", "value": chart.start * 1000},
            {"name": "right", "value": chart.end * 1000},
            {"name": "bottom", "value": frame.bottom},
            {"name": "top", "value": frame.top},
            {"name": "hidden", "value": []},
            {"name": "pointer", "value": 0},
            {"name": "tick", "expr": _TICK},
            {"name": "unit", "value": frame.tick_unit},
            {"name": "unit_above", "value": frame.unit if frame.unit_above else ""},
        ],
        "layer": layers(chart),
        "config": {
            "aria": False,
            "view": {"stroke": None},
            "text": {"fontSize": FONT_SIZE, "fill": palette.SOFT},
            "axis": AXES,
        },
    }  # fmt: skip
