"""From verdicts over a whole run to a chart of stages: each percentile as the bucket that it lies in."""

from __future__ import annotations

from collections.abc import Sequence

from sloagent.model.slo import Text
from sloagent.model.verdict import RangeSummary, RangeVerdict
from sloagent.report.charts.chart import Bar, Stage, Stages
from sloagent.report.naming import series_name

_MOST_ROWS = 16
_MOST_SERIES = 3
"""Of one SLO."""


def stages_of(
    summaries: Sequence[RangeSummary],
    *,
    chart_id: str,
    title: Text,
    baseline: Sequence[RangeSummary] = (),
    baseline_name: str | None = None,
) -> Stages | None:
    """The latencies of several SLOs over a run, worst series first; None where nothing was measured.

    `baseline` are the summaries of the earlier run, those without a counterpart among `summaries` not shown.
    """
    earlier = {
        (summary.slo.set, summary.slo.name, row.labels): _bars(summary, row)
        for summary in baseline
        for row in summary.series
    }
    stages = []
    for summary in summaries:
        slo = summary.slo
        measured = [row for row in summary.series if _bars(summary, row)]
        for row in measured[:_MOST_SERIES]:
            objective = slo.objective
            stages.append(
                Stage(
                    name=slo.title if slo.title.en else Text(slo.name),
                    series=series_name(row.labels) if len(measured) > 1 else "",
                    bars=_bars(summary, row),
                    limit=objective.limit_for(row.labels).at_most if objective else None,
                    limited=objective.percentile if objective else None,
                    baseline=earlier.get((slo.set, slo.name, row.labels), ()),
                    lower_bound=row.whole is not None and bool(row.whole.lower_bound),
                )
            )
    if not stages:
        return None
    compared = any(stage.baseline for stage in stages)
    return Stages(chart_id, title, tuple(stages[:_MOST_ROWS]), baseline_name if compared else None)


def _bars(summary: RangeSummary, row: RangeVerdict) -> tuple[Bar, ...]:
    if row.whole is None:
        return ()
    pairs = sorted(zip(summary.slo.quantiles, row.whole.quantiles, strict=False))
    return tuple(Bar(percentile, quantile) for percentile, quantile in pairs if quantile is not None)
