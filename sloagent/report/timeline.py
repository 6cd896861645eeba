"""The geometry of the timeline: phases, one strip per SLO, hours. Plain numbers, which the template draws as SVG."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.model.record import Absence, State
from sloagent.model.timerange import at
from sloagent.model.verdict import Outcome
from sloagent.report import times
from sloagent.report.charts.naming import columns_of, cut
from sloagent.report.content import Report
from sloagent.report.strips import Segment
from sloagent.report.words import Words

WIDTH = 1040
LEFT = 284
_ROW = 26
_HEAD = 26
_FOOT = 24
_CHARACTER = 6.3
"""Width of a character at the size that labels are set in, for what fits; wide characters take twice that."""

_MOST_COLUMNS = 37
"""Of an SLO's title, which stands left of its strip."""

_HEIGHTS: dict[State, int] = {
    Outcome.FAIL: 18,
    Outcome.ERROR: 14,
    Outcome.INCONCLUSIVE: 14,
    Outcome.WARN: 11,
    Outcome.PASS: 8,
    Outcome.MEASURED: 8,
    Outcome.NO_DATA: 2,
    Absence.MISSING: 14,
    Absence.SUMMED: 5,
    Absence.EXCLUDED: 18,
}
_STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
_MOST_TICKS = 9


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a class and what is told about it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place; `anchor` is what it links to, `told` the whole of it where it was cut."""

    x: float
    y: float
    text: str
    anchor: str = ""
    outcome: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything to draw, in a viewport of WIDTH × height."""

    height: int
    bands: tuple[Box, ...]
    phases: tuple[Label, ...]
    strips: tuple[Box, ...]
    labels: tuple[Label, ...]
    ticks: tuple[Label, ...]
    left: int = LEFT
    width: int = WIDTH
    bottom: int = 0


def timeline(report: Report, words: Words) -> Timeline:
    """The timeline of a report, its SLOs worst first."""
    rows = report.results
    start, end = int(report.range.start.timestamp()), int(report.range.end.timestamp())
    firsts = [result.strip[0].start for result in rows if result.strip]
    scale = _Scale(min([start, *firsts]), max(end, start + 1))
    head = _HEAD if report.run.phases else 8
    bottom = head + _ROW * len(rows)
    bands, names = [], []
    for number, phase in enumerate(report.run.phases, 1):
        box = scale.box(int(phase.range.start.timestamp()), int(phase.range.end.timestamp()))
        kind = "band odd" if number % 2 else "band"
        bands.append(Box(box[0], 0, box[1], bottom, kind, f"{number} {phase.name}"))
        full = f"{number} {phase.name}"
        shown = full if columns_of(full) * _CHARACTER < box[1] - 6 else str(number)
        if columns_of(shown) * _CHARACTER < box[1]:
            names.append(Label(round(box[0] + 5, 1), 17, shown))
    strips, labels = [], []
    for index, result in enumerate(rows):
        middle = head + _ROW * index + _ROW / 2
        strips += [_box(scale, segment, middle, words) for segment in result.strip]
        outcome = result.summary.outcome.value.replace("_", "-")
        title = words.title(result.slo)
        labels.append(Label(0, round(middle + 4, 1), cut(title, _MOST_COLUMNS), result.anchor, outcome, title))
    ticks = tuple(Label(scale.x(tick), bottom + 17, text) for tick, text in scale.ticks())
    return Timeline(bottom + _FOOT, tuple(bands), tuple(names), tuple(strips), tuple(labels), ticks, bottom=bottom)


def _box(scale: _Scale, segment: Segment, middle: float, words: Words) -> Box:
    x, width = scale.box(segment.start, segment.end)
    height = _HEIGHTS[segment.state]
    told = f"{times.between(segment.start, segment.end)} · {words.say(segment.state.value)}"
    return Box(x, round(middle - height / 2, 1), max(width, 0.8), height, segment.state.value.replace("_", "-"), told)


@dataclass(frozen=True, slots=True)
class _Scale:
    start: int
    end: int

    def x(self, moment: int) -> float:
        share = (moment - self.start) / (self.end - self.start)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT), 1)

    def box(self, start: int, end: int) -> tuple[float, float]:
        x = self.x(start)
        return x, round(self.x(end) - x, 1)

    def ticks(self) -> list[tuple[int, str]]:
        span = self.end - self.start
        step = next((step for step in _STEPS if span / step <= _MOST_TICKS), _STEPS[-1] * (span // _STEPS[-1] // 8 + 1))
        first = -(-self.start // step) * step
        found = [tick for tick in range(first, self.end + 1, step) if self.x(tick) <= WIDTH - 16]
        days = at(self.start).date() != at(self.end).date()
        shape = "%m-%d" if step >= 86_400 else "%m-%d %H:%M" if days else "%H:%M"
        return [(tick, at(tick).strftime(shape)) for tick in found]
