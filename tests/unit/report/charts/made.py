"""Charts made by hand, a window a minute."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from sloagent.model.slo import Text
from sloagent.model.verdict import Outcome
from sloagent.report.charts.chart import Chart, ChartLine, Kind, Point

START = 1_795_325_940
"""2026-11-22 05:39 UTC."""
BOUNDS = (0.0, 0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, inf)


def at(minute: float) -> int:
    return START + round(60 * minute)


def latency(minute: float, value: float | None) -> Point:
    """A percentile at a minute in its bucket of BOUNDS; beyond the last bound it is that bound, as Prometheus has it."""
    if value is None:
        return Point(at(minute), None, Outcome.NO_DATA)
    place = next(place for place, upper in enumerate(BOUNDS) if value <= upper)
    shown = min(value, BOUNDS[-2])
    return Point(at(minute), shown, Outcome.PASS if value <= 1 else Outcome.FAIL, BOUNDS[place - 1], BOUNDS[place])


def latencies(name: str, values: Sequence[float | None], colour: int = 0) -> ChartLine:
    return ChartLine(name, tuple(latency(minute, value) for minute, value in enumerate(values, 1)), colour)


def numbers(name: str, values: Sequence[float | None], colour: int = 0) -> ChartLine:
    points = (
        Point(at(minute), value, Outcome.NO_DATA if value is None else Outcome.PASS)
        for minute, value in enumerate(values, 1)
    )
    return ChartLine(name, tuple(points), colour)


def chart(*lines: ChartLine, minutes: int = 28, **more: object) -> Chart:
    given: dict[str, object] = {
        "id": "one", "title": Text("Mutating API call latency", "变更类 API 调用时延"), "unit": "seconds",
        "kind": Kind.LINES, "start": START, "end": at(minutes), "lines": lines,
    }  # fmt: skip
    return Chart(**(given | more))  # type: ignore[arg-type]
