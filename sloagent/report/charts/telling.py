"""What is said of a chart in words: its picture in a sentence, and how it was drawn."""

from __future__ import annotations

from math import isfinite

from sloagent.evaluation import wording
from sloagent.report import times
from sloagent.report.charts.chart import Chart, ChartLine, Kind, Point, Stages
from sloagent.report.charts.drawing import limit_text
from sloagent.report.charts.naming import shown
from sloagent.report.words import Words


def in_a_sentence(chart: Chart, words: Words) -> str:
    """The chart for who cannot see it: what it is of, its extreme and its limits."""
    parts = [words.say("chart_alt", title=shown(words.text(chart.title)), when=times.between(chart.start, chart.end))]
    if (found := _extreme(chart)) is not None:
        line, point = found
        said = wording.percentile(point.bucket, chart.unit, words.language, lower_bound=point.lower_bound)
        if point.bucket is None:
            said = wording.quantity(point.value or 0.0, chart.unit)
        what = f"{said}, {shown(line.name)}" if line.name else said
        key = "chart_alt_least" if chart.share_of_good else "chart_alt_greatest"
        parts.append(words.say(key, what=what, when=times.clock(point.slot)))
    parts += [limit_text(limit, chart.unit, words) for limit in chart.limits]
    return words.between.join(parts)


def _extreme(chart: Chart) -> tuple[ChartLine, Point] | None:
    seen = [
        (line, point) for line in chart.lines if not line.baseline for point in line.points if point.value is not None
    ]
    if not seen:
        return None
    sign = -1 if chart.share_of_good else 1
    return max(seen, key=lambda pair: sign * (pair[1].value or 0.0))


def notes(chart: Chart, words: Words) -> tuple[str, ...]:
    """What was left out, moved or joined, and which limits are not of all lines."""
    said = []
    if chart.windows:
        key = "chart_thinned_stack" if chart.kind is Kind.STACKED else "chart_thinned"
        said.append(words.say(key, windows=f"{chart.windows:,}", step=times.duration(chart.step)))
    for limit in chart.limits:
        if len(limit.lines) > 1:
            names = words.listed([shown(name) for name in limit.lines])
            said.append(words.say("chart_limit_of", limit=limit_text(limit, chart.unit, words), names=names))
    if chart.lower_bound:
        said.append(words.say("chart_lower_bound", name=shown(chart.lower_bound)))
    if chart.baseline is not None:
        said.append(words.say("chart_baseline", name=shown(chart.baseline) or words.say("a_range")))
    endless = sum(p.value is not None and not isfinite(p.value) for line in chart.lines for p in line.points)
    if endless:
        said.append(words.say("chart_endless", count=endless))
    return tuple(said)


def notes_of_stages(chart: Stages, words: Words) -> tuple[str, ...]:
    """How the bars are read, and what the thin ones below them are."""
    said = [words.say("chart_stages")]
    if chart.baseline is not None:
        said.append(words.say("chart_stages_baseline", name=shown(chart.baseline) or words.say("a_range")))
    return tuple(said)
