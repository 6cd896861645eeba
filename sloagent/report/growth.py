"""What grows: the robust slope of memory, goroutines and the like, its uncertainty, and when it would reach a limit."""

from __future__ import annotations

from sloagent.evaluation import wording
from sloagent.evaluation.drift import seconds_until
from sloagent.model.slo import SLO
from sloagent.model.verdict import RangeVerdict
from sloagent.report import times
from sloagent.report.cells import name_of
from sloagent.report.content import Report, Result
from sloagent.report.grid import Cell, Grid, grid, soft, verdict_cell
from sloagent.report.verdicts import Verdict
from sloagent.report.words import Words

MOST_ROWS = 40


def growth_table(report: Report, words: Words) -> Grid | None:
    """One row per series whose growth is limited, the fastest first; None where nothing promises anything of growth."""
    limited = _limited(report)
    told = [(result, series, most) for result, most in limited if _is_told(result) for series in result.summary.series]
    told.sort(key=lambda row: _rank(*row[1:]))
    rows = [_row(*row, words) for row in told[:MOST_ROWS]]
    rows += [_untold(result, most, words) for result, most in limited if not _is_told(result)]
    columns = ("verdict", "slo", "series", "growth", "growth_interval", "growth_limit", "reaches")
    return grid([words.say(name) for name in columns], rows) if rows else None


def left_out(report: Report) -> int:
    """How many rows the table leaves out."""
    rows = sum(len(result.summary.series) for result, _ in _limited(report) if _is_told(result))
    return max(0, rows - MOST_ROWS)


def _limited(report: Report) -> list[tuple[Result, float]]:
    """The results with series whose growth is limited, and by how much."""
    return [
        (result, most)
        for result in report.results
        if result.summary.series and result.slo.objective and (most := result.slo.objective.grows_at_most) is not None
    ]


def _is_told(result: Result) -> bool:
    """Whether the growth of any of its series is known."""
    return any(series.growth is not None for series in result.summary.series)


def _rank(series: RangeVerdict, most: float) -> tuple[bool, bool, float]:
    slope = series.growth.slope / most if series.growth is not None and most else 0.0
    return not _leaks(series, most), series.growth is None, -slope


def _leaks(series: RangeVerdict, most: float) -> bool:
    """Whether a series leaks; its verdict says so only where the value itself kept its limit."""
    growth = series.growth
    return growth is not None and growth.sustained and growth.lower > most


def _untold(result: Result, most: float, words: Words) -> list[Cell]:
    """One row for all series of an SLO none of which could be told."""
    count = len(result.summary.series)
    name = words.say("all_series", count=count) if count > 1 else name_of(result.summary.series[0].labels)
    cells = _row(result, result.summary.series[0], most, words)
    return [*cells[:2], Cell(name or words.say("only_series"), wide=True), *cells[3:]]


def _row(result: Result, series: RangeVerdict, most: float, words: Words) -> list[Cell]:
    slo, growth = result.slo, series.growth
    title = Cell(words.title(slo), anchor=result.anchor, wide=True)
    name = Cell(name_of(series.labels) or words.say("only_series"), wide=True)
    limit = Cell(f"≤ +{wording.per_hour(most, slo.unit)}")
    if growth is None:
        unknown = Cell(words.say("growth_unknown"), soft=True, wide=True)
        return [soft(words.say("not_judged")), title, name, unknown, soft(wording.ABSENT), limit, soft(wording.ABSENT)]
    leaks = _leaks(series, most)
    verdict = Verdict("fail", words.say("leak")) if leaks else Verdict("pass", words.say("no_leak"))
    lower, upper = (wording.per_hour(edge, slo.unit) for edge in (growth.lower, growth.upper))
    return [
        verdict_cell(verdict),
        title,
        name,
        Cell(wording.per_hour(growth.slope, slo.unit, against=most), exact=f"{growth.slope!r} {slo.unit}/s"),
        Cell(
            words.say("from_to_values", low=lower, high=upper),
            exact=f"{growth.lower!r} … {growth.upper!r} {slo.unit}/s",
        ),
        limit,
        _reaches(slo, series, words) if leaks else soft(wording.ABSENT),
    ]


def _reaches(slo: SLO, series: RangeVerdict, words: Words) -> Cell:
    """When a leak would reach the limit of the value itself, if it has one."""
    limit = series.limit.at_most if series.limit else None
    if limit is None or series.growth is None:
        return soft(words.say("no_limit"))
    seconds = seconds_until(series.growth, limit)
    if seconds is None:
        return soft(wording.ABSENT)
    return Cell(words.say("reaches_in", limit=wording.exactly(limit, slo.unit), time=times.duration(seconds)))
