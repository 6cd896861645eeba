"""A chart as a report shows it: its picture, what stands beside it, and what a script draws it from."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from sloagent.report.charts import legend, picture, telling
from sloagent.report.charts.chart import AnyChart, Chart, Stages
from sloagent.report.charts.data import page_data
from sloagent.report.charts.drawing import around, drawing_of, points
from sloagent.report.charts.frame import WIDTH
from sloagent.report.charts.naming import shown
from sloagent.report.charts.specification import specification
from sloagent.report.charts.stage_drawing import stage_specification
from sloagent.report.words import Words


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart in words of one language."""

    id: str
    title: str
    alt: str
    """The picture in a sentence."""
    notes: tuple[str, ...]
    """What a reader must know of how it was drawn."""
    svg: Markup
    """For the page, whose style gives it dark colours."""
    legend: Markup
    """For the page, below the picture; empty where the picture needs none."""
    picture: str
    """A file of its own, with its legend, on paper of its own."""
    data: str
    """What the page's script draws it from, as JSON that may stand in a page; empty where nothing moves."""


def figure(chart: AnyChart, words: Words, width: int = WIDTH) -> Figure:
    """The figure of a chart, its picture `width` pixels wide. The same chart gives the same bytes.

    Raises DrawingError where vl-convert is not installed.
    """
    match chart:
        case Chart():
            return _over_time(chart, words, width)
        case Stages():
            return _stages(chart, words, width)


def _over_time(chart: Chart, words: Words, width: int) -> Figure:
    drawing = drawing_of(chart, width)
    rows = around(drawing, words)
    vega = picture.compiled(specification(chart, drawing.frame))
    tree = picture.drawn(picture.with_rows(vega, rows | {"points": points(drawing)}), chart.id)
    entries = legend.keys(drawing, words)
    more = words.say("chart_more", count=chart.more) if chart.more > 0 else ""
    return Figure(
        id=chart.id,
        title=words.text(chart.title),
        alt=telling.in_a_sentence(chart, words),
        notes=telling.notes(chart, words),
        svg=picture.for_page(tree),
        legend=legend.as_list(entries, more),
        picture=picture.as_file(tree, legend.strip(entries, more, drawing.frame)),
        data=page_data(drawing, vega, rows, words),
    )


def _stages(chart: Stages, words: Words, width: int) -> Figure:
    tree = picture.drawn(picture.compiled(stage_specification(chart, words, width)), chart.id)
    title = words.text(chart.title)
    return Figure(
        id=chart.id,
        title=title,
        alt=words.say("chart_alt_stages", title=shown(title)),
        notes=telling.notes_of_stages(chart, words),
        svg=picture.for_page(tree),
        legend=Markup(""),
        picture=picture.as_file(tree),
        data="",
    )
