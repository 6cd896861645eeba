"""The pictures of a report: which charts its definition asks for, drawn once each, in the order in which they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sloagent.model.slo import Text
from sloagent.report.charts.building import chart_of
from sloagent.report.charts.chart import AnyChart, Kind
from sloagent.report.charts.figure import Figure, figure
from sloagent.report.charts.frame import WIDTH
from sloagent.report.charts.stages import stages_of
from sloagent.report.content import Report, Result
from sloagent.report.definition import ChartSpec
from sloagent.report.words import Words

FIRST_WIDTH = 640
"""Pixels: the picture of the first screen stands beside the worst offenders."""

__all__ = ["Figure", "Pictures"]


@dataclass(slots=True)
class Pictures:
    """The pictures of one report in one language."""

    report: Report
    words: Words
    drawn: list[Figure] = field(default_factory=list)

    def of(self, spec: ChartSpec) -> Figure | None:
        """The chart that a definition asks for; None where the run has nothing to draw. Raises DrawingError."""
        title = spec.title.text if spec.title is not None else None
        if spec.kind == "stages":
            return self._draw(self._stages(spec.slos, title or Text("")))
        results = self._named(spec.slo)
        return self._draw(self._over_time(results[0], spec, title)) if results else None

    def first(self, result: Result) -> Figure | None:
        """The chart of the first screen."""
        return self._draw(self._over_time(result, ChartSpec(slo=result.slo.name), None), FIRST_WIDTH)

    def _named(self, name: str) -> list[Result]:
        return [r for r in self.report.results if name in (r.slo.name, f"{r.slo.set}/{r.slo.name}")]

    def _over_time(self, result: Result, spec: ChartSpec, title: Text | None) -> AnyChart | None:
        return chart_of(
            result.record, self.report.record, chart_id=self._next(), title=title, kind=Kind(spec.kind),
            percentiles=spec.percentiles, baseline=self.report.baseline, series=len(result.summary.series),
        )  # fmt: skip

    def _stages(self, names: Sequence[str], title: Text) -> AnyChart | None:
        chosen = [result for name in names for result in self._named(name)]
        earlier = [
            r.comparison.earlier for r in chosen if r.comparison is not None and r.comparison.earlier is not None
        ]
        baseline = self.report.baseline.run.name if self.report.baseline is not None else None
        return stages_of(
            [result.summary for result in chosen], chart_id=self._next(), title=title, baseline=earlier,
            baseline_name=baseline,
        )  # fmt: skip

    def _next(self) -> str:
        return f"chart-{len(self.drawn) + 1}"

    def _draw(self, chart: AnyChart | None, width: int = WIDTH) -> Figure | None:
        if chart is None:
            return None
        made = figure(chart, self.words, width)
        self.drawn.append(made)
        return made
