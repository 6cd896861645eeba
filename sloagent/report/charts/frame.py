"""The frame of a chart over time: in which unit it counts, from where to where, and how much room stands around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.report.charts.chart import Chart, ChartLimit, Kind
from sloagent.report.charts.rows import Band, reaches

WIDTH = 960
"""Pixels of a still picture, all in all."""
PLOT_HEIGHT = 220
FONT_SIZE = 12
ROW = 18
"""Height of a row of names above the plot."""
FAR = 3.0
"""A limit this many times beyond the data is not drawn to scale: it would press the data flat."""
_FOOT = 28
_LEFT, _RIGHT, _RIGHT_WITH_LIMITS = 76, 24, 104
HEADROOM = 1.06
_LONGEST_TICK_UNIT = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the rows of a chart. `bottom`, `top` and `reach` are in `unit`, which is `factor` base units."""

    width: int
    factor: float
    unit: str
    bottom: float
    top: float
    reach: tuple[float, ...]
    """The greatest value of each line that must be seen; 0 of one that shows nothing."""
    phase_row: bool
    event_row: bool
    right: int

    left: int = _LEFT
    foot: int = _FOOT

    @property
    def head(self) -> int:
        """Pixels above the plot."""
        return 10 + ROW * (self.phase_row + self.event_row)

    @property
    def unit_above(self) -> bool:
        """Whether the unit is too long to stand at every number: then it stands above them."""
        return len(self.unit) > _LONGEST_TICK_UNIT

    @property
    def tick_unit(self) -> str:
        """What stands behind every number of the axis."""
        return "" if self.unit_above else f" {self.unit}".rstrip()

    @property
    def plot_width(self) -> int:
        """Pixels of the plot itself."""
        return self.width - self.left - self.right


def frame_of(chart: Chart, bands: Sequence[Band], width: int = WIDTH) -> Frame:
    """The frame in which a chart and its bands are seen best."""
    reach = reaches(chart, bands)
    seen = [one for one in reach if one is not None] or [(0.0, 0.0)]
    highest = _stacked(chart) if chart.kind is Kind.STACKED else max(high for _, high in seen)
    lowest = min(low for low, _ in seen)
    bottom, top = _good_extent(lowest, chart.limits) if chart.share_of_good else _extent(lowest, highest, chart.limits)
    factor, unit = wording.scale(max(abs(bottom), abs(top)) / HEADROOM, chart.unit)
    return Frame(
        width=width, factor=factor, unit=unit, bottom=bottom / factor, top=top / factor,
        reach=tuple(one[1] / factor if one is not None else 0.0 for one in reach),
        phase_row=bool(chart.phases), event_row=bool(chart.exclusions or chart.restarts),
        right=_RIGHT_WITH_LIMITS if chart.limits else _RIGHT,
    )  # fmt: skip


def _stacked(chart: Chart) -> float:
    totals: dict[int, float] = {}
    for line in chart.lines:
        for point in line.points:
            totals[point.slot] = totals.get(point.slot, 0.0) + (point.drawn or 0.0)
    return max(totals.values(), default=0.0)


def _extent(lowest: float, highest: float, limits: Iterable[ChartLimit]) -> tuple[float, float]:
    """From zero, or what lies below it, to a little above the greatest value and what limits are near it."""
    near = [limit.value for limit in limits if limit.value <= FAR * highest]
    top = max([highest, *near])
    return min(lowest, 0.0) * HEADROOM, top * HEADROOM if top > 0 else 1.0


def _good_extent(lowest: float, limits: Iterable[ChartLimit]) -> tuple[float, float]:
    """Of shares of good events what matters is how far they are from all of them."""
    bad = max(1.0 - lowest, 1e-4)
    near = [1.0 - limit.value for limit in limits if 1.0 - limit.value <= FAR * bad or lowest >= 1.0]
    depth = max([bad, *near])
    return 1.0 - depth * 1.15, 1.0 + depth * 0.05
