"""Kubernetes's own reading of an SLO: the share of good minutes of each day, per series, of which the worst is told.

Source: "99th percentile per cluster-day", which the SLO's footnote explains as the fraction of good minutes per day
(kubernetes/community, sig-scalability/slos).
"""

from __future__ import annotations

from sloagent.evaluation import wording
from sloagent.model.timerange import at
from sloagent.model.verdict import RangeVerdict
from sloagent.report.cells import name_of
from sloagent.report.content import DayResult, Report, Result
from sloagent.report.grid import Cell, Grid, grid, soft
from sloagent.report.result_tables import title_cell
from sloagent.report.verdicts import good_windows
from sloagent.report.words import Words

MOST_DAYS = 8


def cluster_days(report: Report, words: Words) -> Grid | None:
    """One row per promised SLO, one column per day; of more than eight days the worst one. None where nothing was judged."""
    results = [result for result in report.results if result.counts and any(_worst(day) for day in result.days)]
    if not results:
        return None
    days = sorted({day.start for result in results for day in result.days})
    if len(days) > MOST_DAYS:
        columns = [words.say("slo"), words.say("worst_day")]
        return grid(columns, [[title_cell(result, words), _worst_day(result, words)] for result in results])
    columns = [words.say("slo"), *(f"{at(day):%Y-%m-%d}" for day in days)]
    return grid(columns, [[title_cell(result, words), *_cells(result, days, words)] for result in results])


def _cells(result: Result, days: list[int], words: Words) -> list[Cell]:
    by_day = {day.start: day for day in result.days}
    return [_cell(by_day.get(day), words) for day in days]


def _cell(day: DayResult | None, words: Words) -> Cell:
    worst = _worst(day) if day is not None else None
    if worst is None or worst.good_windows is None:
        return soft(wording.ABSENT)
    share = worst.good_windows
    below = " ".join(part for part in (good_windows(worst, words), name_of(worst.labels)) if part)
    return Cell(wording.shares(share), sub=below, exact=f"{share.lower!r} … {share.upper!r}")


def _worst_day(result: Result, words: Words) -> Cell:
    judged = [day for day in result.days if _worst(day)]
    worst = min(judged, key=lambda day: (_lower(day), day.start))
    cell = _cell(worst, words)
    return Cell(cell.text, sub=f"{at(worst.start):%Y-%m-%d} {cell.sub}", exact=cell.exact)


def _lower(day: DayResult) -> float:
    worst = _worst(day)
    return worst.good_windows.lower if worst and worst.good_windows else 1.0


def _worst(day: DayResult) -> RangeVerdict | None:
    """The gating series with the smallest share of good windows."""
    judged = [series for series in day.summary.series if series.gates and series.good_windows is not None]
    return min(
        judged,
        key=lambda series: (series.good_windows.lower if series.good_windows else 1.0, series.labels),
        default=None,
    )
