"""The run beside its baseline: what moved, SLO by SLO and series by series, every number with its difference."""

from __future__ import annotations

from sloagent.evaluation import wording
from sloagent.evaluation.comparing_words import sentence, signed
from sloagent.model.comparison import WORST_FIRST, Change, Moved, Why
from sloagent.model.slo import SLO, LatencySLI, RatioSLI
from sloagent.model.verdict import Cause, Quantile
from sloagent.report import times
from sloagent.report.block_views import BlockView, Prose, tables
from sloagent.report.cells import name_of, quantile_cell
from sloagent.report.comparing import SeriesComparison, SLOComparison
from sloagent.report.content import Report, Result
from sloagent.report.escaping import visible
from sloagent.report.grid import Cell, Grid, grid, soft, verdict_cell
from sloagent.report.result_tables import title_cell
from sloagent.report.verdicts import Verdict, verdict_of
from sloagent.report.words import Words

MOST_ROWS = 60
_KINDS = {Change.WORSE: "fail", Change.BETTER: "better", Change.SAME: "pass", Change.CANNOT_TELL: "inconclusive"}


def blocks_of(report: Report, words: Words) -> list[BlockView]:
    """The comparison of a report with a baseline; nothing without one."""
    if report.baseline is None:
        return []
    earlier = report.baseline
    name = visible(earlier.run.name) or words.say("a_range")
    told = Prose(
        (
            words.say("baseline_is", name=name, when=times.stretch(earlier.span)),
            terms_said(report, words),
        ),
        soft=True,
    )  # fmt: skip
    rows = sorted((result for result in report.results if result.comparison is not None), key=_rank)
    overview = grid(
        [words.say(name) for name in ("change", "slo", "verdict", "in_baseline", "moved_most")],
        [_overview(result, words) for result in rows],
    )
    names = {(result.slo.set, result.slo.name) for result in rows}
    gone = [words.title(one.slo) for one in earlier.slos if (one.slo.set, one.slo.name) not in names]
    after = [words.say("only_in_baseline", names=words.between.join(gone))] if gone else []
    details = [table for result in rows if (table := _details(result, words)) is not None]
    return [told, *tables("", overview, after=after), *details]


def terms_said(report: Report, words: Words) -> str:
    """What the comparison is held to, in a sentence."""
    terms = report.terms
    return words.say(
        "compared_terms", tolerance=wording.percent(terms.tolerance), level=wording.percent(terms.level),
        noise=wording.percent(terms.noise),
    )  # fmt: skip


def _rank(result: Result) -> tuple[int, str, str]:
    assert result.comparison is not None
    return WORST_FIRST.index(result.comparison.change), result.slo.set, result.slo.name


def _overview(result: Result, words: Words) -> list[Cell]:
    comparison = result.comparison
    assert comparison is not None
    earlier = comparison.earlier
    changed = words.say("slo_changed") if comparison.changed else ""
    ran = earlier is not None and earlier.cause is not Cause.NOT_RUN
    return [
        change_cell(comparison.change, words),
        title_cell(result, words),
        verdict_cell(verdict_of(result.summary.outcome, words)),
        verdict_cell(verdict_of(earlier.outcome, words)) if earlier and ran else soft(words.say("not_run")),
        Cell(comparison.sentence(words), sub=changed, wide=True),
    ]


def _details(result: Result, words: Words) -> BlockView | None:
    comparison = result.comparison
    if comparison is None or not comparison.series:
        return None
    table = series_table(comparison, words, words.say("baseline"), words.say("this_run"))
    more = len(comparison.series) - MOST_ROWS
    after = [words.say("more_left_out", count=more)] if more > 0 else []
    return next(iter(tables(words.title(result.slo), table, after=after, folded=True)), None)


def series_table(comparison: SLOComparison, words: Words, before: str, now: str) -> Grid:
    """Every number of every series beside the other's: of a latency its percentiles, one row each."""
    columns = [words.say("change"), words.say("series"), words.say("number"), before, now, words.say("difference")]
    rows = [row for series in comparison.series[:MOST_ROWS] for row in _rows(comparison, series, words)]
    return grid(columns, rows, "comparison")


def _rows(comparison: SLOComparison, series: SeriesComparison, words: Words) -> list[list[Cell]]:
    slo = comparison.slo
    names = [f"P{p:g}" for p in slo.quantiles] if isinstance(slo.sli, LatencySLI) else [words.say(_number_name(slo))]
    name = Cell(name_of(series.labels) or words.say("only_series"), wide=True)
    head = [change_cell(series.overall.change, words), name]
    rows = []
    buckets = series.buckets or ((None, None),) * len(names)
    # Of a side that was run a single number may not be known.
    sides = ([moved.baseline for moved in series.numbers], [moved.current for moved in series.numbers])
    absent = [words.say("not_run") if side == [None] * len(names) else wording.ABSENT for side in sides]
    for place, (number, moved, pair) in enumerate(zip(names, series.numbers, buckets, strict=True)):
        first = head if place == 0 else [soft(""), soft("")]
        both = zip((moved.baseline, moved.current), pair, absent, series.lower_bounds, strict=True)
        cells = [_number(slo, *one, words) for one in both]
        rows.append([*first, Cell(number), *cells, _difference(comparison, moved, words)])
    return rows


def _number_name(slo: SLO) -> str:
    return "bad_share" if isinstance(slo.sli, RatioSLI) else "mean"


def change_cell(change: Change, words: Words) -> Cell:
    """The verdict of a comparison in its colour."""
    return verdict_cell(Verdict(_KINDS[change], words.say(change.value)))


def _number(
    slo: SLO, value: float | None, quantile: Quantile | None, absent: str, lower_bound: str, words: Words
) -> Cell:
    """A number with its bucket, where there is one; one that was not measured says so and is never a zero."""
    if value is None:
        return soft(absent)
    if quantile is not None and quantile.value == value:
        return quantile_cell(quantile, slo, words, lower_bound=bool(lower_bound))
    return Cell(wording.quantity(value, slo.unit), exact=f"{value!r} {slo.unit}")


def _difference(comparison: SLOComparison, moved: Moved, words: Words) -> Cell:
    said = sentence(comparison.slo, moved, comparison.terms, words.language)
    if moved.change is Change.CANNOT_TELL or moved.estimate is None:
        return Cell(wording.ABSENT if moved.why is Why.NOT_RUN else said, soft=True, wide=True)
    return Cell(signed(moved.estimate), sub=said, exact=repr(moved.estimate), verdict=_KINDS[moved.change], wide=True)
