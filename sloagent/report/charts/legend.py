"""Which colour is what: a list in the page, and a strip below a picture that is a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from markupsafe import Markup

from sloagent.evaluation import wording
from sloagent.report.charts import palette
from sloagent.report.charts.chart import ChartLine, Kind
from sloagent.report.charts.drawing import Drawing
from sloagent.report.charts.frame import FONT_SIZE, Frame
from sloagent.report.charts.naming import cut, shown, width_of
from sloagent.report.charts.rows import EVERY
from sloagent.report.words import Words

_ROW = 20
_SWATCH, _GAP, _BETWEEN = 18, 6, 18
_BAND_OPACITY = 0.25
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Key:
    """One entry. `line` is its number in the chart; None of what is no line."""

    text: str
    colour: str
    line: int | None
    dashed: bool = False
    area: bool = False


def keys(drawing: Drawing, words: Words) -> tuple[Key, ...]:
    """The entries of a chart, in the order of its lines."""
    chart = drawing.chart
    found = []
    for number, line in enumerate(chart.lines):
        name = shown(line.name) or words.say("only_series")
        if line.baseline:
            name = words.say("chart_of_baseline", name=name)
        text = " ".join(part for part in (name, _instead(line, chart.unit)) if part)
        found.append(Key(text, palette.LINES[line.colour], number, line.baseline, chart.kind is Kind.STACKED))
    if any(band.line == 0 for band in drawing.bands):
        name = words.say("chart_bucket", name=shown(chart.lines[0].name) or words.say("only_series"))
        found.append(Key(name, palette.LINES[0], None, area=True))
    if any(band.line == EVERY for band in drawing.bands):
        found.append(Key(words.say("chart_edge"), palette.EDGE, None, area=True))
    return () if len(found) == 1 and not chart.lines[0].name else tuple(found)


def _instead(line: ChartLine, unit: str) -> str:
    """What is known of a line that is nowhere drawn."""
    if any(point.drawn is not None for point in line.points):
        return ""
    known = [
        f"> {wording.quantity(point.lower or 0.0, unit)}"
        if point.in_last
        else f"≤ {wording.quantity(point.upper, unit)}"
        for point in line.points
        if point.upper is not None
    ]
    return ", ".join(dict.fromkeys(known)) or wording.ABSENT


def as_list(entries: Sequence[Key], more: str) -> Markup:
    """The legend of the page, if there is anything to tell apart; a script makes switches of its lines."""
    if not entries and not more:
        return Markup("")
    items = [
        Markup("<li{}>{}<bdi>{}</bdi></li>").format(
            Markup("") if key.line is None else Markup(' data-line="{}"').format(key.line), _inline(key), key.text
        )
        for key in entries
    ]
    if more:
        items.append(Markup("<li>{}</li>").format(more))
    return Markup('<ul class="chart-legend">{}</ul>').format(Markup("").join(items))


def _inline(key: Key) -> Markup:
    svg = ET.Element("svg", {"viewBox": f"0 0 {_SWATCH} 10", "width": str(_SWATCH), "height": "10"})
    svg.append(_swatch(key, 0, 5))
    return Markup(ET.tostring(svg, encoding="unicode"))  # noqa: S704 - numbers and our own colours


def _swatch(key: Key, x: float, middle: float) -> ET.Element:
    if key.area:
        opacity = "0.8" if key.line is not None else str(_BAND_OPACITY)
        place = {"x": f"{x:g}", "y": f"{middle - 5:g}", "width": str(_SWATCH), "height": "10"}
        return ET.Element("rect", {**place, "fill": key.colour, "fill-opacity": opacity})
    ends = {"x1": f"{x:g}", "x2": f"{x + _SWATCH:g}", "y1": f"{middle:g}", "y2": f"{middle:g}"}
    dash = {"stroke-dasharray": "4,3"} if key.dashed else {}
    return ET.Element("line", {**ends, "stroke": key.colour, "stroke-width": "2" if key.line == 0 else "1.6", **dash})


def strip(entries: Sequence[Key], more: str, frame: Frame) -> tuple[ET.Element, int]:
    """The legend as a group of SVG to stand below a chart, and its height; a row that is full goes on in the next."""
    if not entries and not more:
        return ET.Element("g"), 0
    group = ET.Element("g", {"font-size": f"{FONT_SIZE}px", "fill": palette.SOFT})
    left, right = float(frame.left), float(frame.width - frame.right)
    x, y = left, _ROW // 2
    for key in [*entries, *([None] if more else [])]:
        text = more if key is None else cut(key.text, _LONGEST)
        room = width_of(text) + (0 if key is None else _SWATCH + _GAP)
        if x > left and x + room > right:
            x, y = left, y + _ROW
        if key is not None:
            group.append(_swatch(key, x, y))
        label = ET.SubElement(
            group, "text", {"x": f"{x + (0 if key is None else _SWATCH + _GAP):.1f}", "y": f"{y + 4:g}"}
        )
        label.text = text
        x += room + _BETWEEN
    return group, y + _ROW
