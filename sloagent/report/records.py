"""The record of a load test as its tools print it: N, min, median, mean, standard deviation, max, errors."""

from __future__ import annotations

from sloagent.evaluation import wording
from sloagent.model.record import Stated
from sloagent.model.slo import SLO, LatencySLI
from sloagent.model.verdict import Cause
from sloagent.report.cells import name_of
from sloagent.report.content import Report, Result
from sloagent.report.grid import Cell, Grid, grid, soft
from sloagent.report.words import Words

_COLUMNS = ("test_case", "series", "samples", "minimum", "median", "mean", "deviation", "maximum", "errors")


def records(report: Report, words: Words) -> Grid | None:
    """One row per series that was stated so, in the order written, "not run" where one was not; None where there is none."""
    told = [result for result in report.results if any(_is_record(one) for one in result.record.stated.values())]
    if not told:
        return None
    written = [(one.slo.set, one.slo.name) for one in report.record.slos]
    found = [result for result in report.results if result in told or _was_not_run(result)]
    found.sort(key=lambda result: written.index((result.slo.set, result.slo.name)))
    everywhere = sorted({labels for result in found for labels in result.record.stated})
    rows = [
        _row(result, words, name_of(labels) or words.say("only_series"), result.record.stated.get(labels))
        for result in found
        for labels in everywhere
    ]
    return grid([words.say(name) for name in _COLUMNS], rows)


def _is_record(stated: Stated) -> bool:
    return any(number is not None for number in (stated.minimum, stated.maximum, stated.mean, stated.deviation))


def _was_not_run(result: Result) -> bool:
    """Whether a test case stands there, and nobody has a number of it."""
    causes = {series.cause for series in result.summary.series} or {result.summary.cause}
    return isinstance(result.slo.sli, LatencySLI) and causes == {Cause.NOT_RUN}


def _row(result: Result, words: Words, series: str, stated: Stated | None) -> list[Cell]:
    slo = result.slo
    head = [Cell(words.title(slo), anchor=result.anchor, wide=True), Cell(series, wide=True)]
    if stated is None or not (_is_record(stated) or stated.percentiles):
        return [*head, *(soft(words.say("not_run")) for _ in _COLUMNS[2:])]
    numbers = (stated.minimum, stated.percentiles.get(50.0), stated.mean, stated.deviation, stated.maximum)
    return [*head, _count(stated.count), *(_number(slo, number) for number in numbers), _errors(stated)]


def _count(number: float | None) -> Cell:
    return soft(wording.ABSENT) if number is None else Cell(f"{number:,.15g}")


def _number(slo: SLO, number: float | None) -> Cell:
    return (
        soft(wording.ABSENT)
        if number is None
        else Cell(wording.quantity(number, slo.unit), exact=f"{number!r} {slo.unit}")
    )


def _errors(stated: Stated) -> Cell:
    """n/N and the share. N are the calls: samples of failed calls may be missing from the latencies."""
    if stated.errors is None:
        return soft(wording.ABSENT)
    calls = stated.calls
    if calls is None or calls <= 0:
        return Cell(f"{stated.errors:,.15g}")
    return Cell(f"{stated.errors:,.15g}/{calls:,.15g}", sub=wording.percent(stated.errors / calls))
