"""Results as tables: all SLOs at a glance, and each SLO with its series, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.model.slo import LatencySLI
from sloagent.model.verdict import Cause, Outcome, RangeVerdict
from sloagent.report import times
from sloagent.report.cells import (
    limit_text,
    measured_cells,
    name_of,
    objective_text,
    percentile_columns,
    quiet,
    value_cell,
    windows_cell,
    worst_cell,
)
from sloagent.report.content import Evidence, Result
from sloagent.report.grid import Cell, Grid, grid, soft, verdict_cell
from sloagent.report.verdicts import Verdict, verdict_of
from sloagent.report.words import Words

SHOWN_SERIES = 8
"""Rows of a result's table that stand open; the others are folded."""
MOST_SERIES = 100
"""Rows of a result's table in all; the others are in report.json."""
_NEEDS_ATTENTION = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NO_DATA, Outcome.WARN)
_PERCENTILES = (50.0, 90.0, 99.0)


@dataclass(frozen=True, slots=True)
class Proof:
    """How to see it oneself."""

    sentence: str
    query: str
    curl: str
    graph_url: str


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that needs attention."""

    anchor: str
    verdict: Verdict
    title: str
    sentences: tuple[str, ...]
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class ResultTable:
    """All of one SLO under its section."""

    anchor: str
    verdict: Verdict
    title: str
    name: str
    objective: str
    note: str
    reason: str
    table: Grid
    folded: Grid
    left_out: int
    proof: Proof | None


def verdicts(results: Sequence[Result], words: Words) -> Grid:
    """One row per SLO, worst first: its worst series by the three readings of a run."""
    columns = ("verdict", "slo", "objective", "worst_series", "good_windows", "whole", "worst_window")
    return grid([words.say(column) for column in columns], [_row(result, words) for result in results], "verdicts")


def _row(result: Result, words: Words) -> list[Cell]:
    slo, series = result.slo, result.summary.series[0] if result.summary.series else None
    return [
        verdict_cell(verdict_of(result.summary.outcome, words)),
        title_cell(result, words),
        Cell(objective_text(slo, words, series.limit if series else None)),
        Cell(name_of(series.labels) if series and series.labels else wording.ABSENT, wide=True),
        windows_cell(series, words),
        value_cell(slo, series.whole if series else None, words),
        worst_cell(slo, series, result.slots, words),
    ]


def title_cell(result: Result, words: Words) -> Cell:
    """An SLO's title with its name below, linked to its results."""
    return Cell(words.title(result.slo), sub=result.slo.name, anchor=result.anchor, wide=True)


def at_a_glance(results: Sequence[Result], words: Words) -> Grid | None:
    """The latencies of a section as the published reports show them: one row per SLO, or per series where they are few."""
    latencies = [result for result in results if isinstance(result.slo.sli, LatencySLI)]
    if not latencies:
        return None
    columns = [words.say("metric"), *(f"P{p:g}" for p in _PERCENTILES), words.say("slo"), words.say("verdict")]
    return grid(columns, [row for result in latencies for row in _glance(result, words)], "glance")


def _glance(result: Result, words: Words) -> list[list[Cell]]:
    slo, series = result.slo, result.summary.series
    shown = series if len(series) <= 2 else series[:1]
    if not shown:
        nothing = soft(words.say("not_run") if result.summary.cause is Cause.NOT_RUN else wording.ABSENT)
        verdict = verdict_cell(verdict_of(result.summary.outcome, words))
        return [[title_cell(result, words), nothing, nothing, nothing, Cell(objective_text(slo, words)), verdict]]
    rows = []
    for one in shown:
        by_percentile = dict(zip(slo.quantiles, measured_cells(slo, one, words), strict=True))
        title = Cell(words.title(slo), sub=_which(one, len(series), words), anchor=result.anchor, wide=True)
        rows.append(
            [
                title,
                *(by_percentile[p] for p in _PERCENTILES),
                Cell(objective_text(slo, words, one.limit)),
                verdict_cell(verdict_of(one.outcome, words)),
            ]
        )
    return rows


def _which(series: RangeVerdict, count: int, words: Words) -> str:
    name = name_of(series.labels)
    if count <= 2:
        return name
    return words.say("worst_of", series=name or words.say("only_series"), count=count)


def promises(results: Sequence[Result], words: Words) -> Grid:
    """The SLI/SLO table: status, what is measured, what is promised, how it came out."""
    columns = [words.say(column) for column in ("status", "sli", "slo", "verdict")]
    return grid(columns, [_promise(result, words) for result in results], "promises")


def _promise(result: Result, words: Words) -> list[Cell]:
    slo = result.slo
    window = words.say("window", duration=times.duration(slo.window), interval=times.duration(slo.interval))
    if result.summary.cause in (Cause.STATED, Cause.NOT_RUN):
        window = ""  # whoever stated the numbers had windows of their own
    return [
        Cell(words.say(slo.status.value)),
        Cell(words.title(slo), sub=window, anchor=result.anchor, wide=True),
        Cell(objective_text(slo, words)),
        verdict_cell(verdict_of(result.summary.outcome, words)),
    ]


def concerns(results: Sequence[Result], words: Words) -> tuple[Concern, ...]:
    """What needs attention, worst first."""
    return tuple(_concern(r, words) for r in results if r.gates and r.summary.outcome in _NEEDS_ATTENTION)


def why(result: Result, words: Words) -> str:
    """Why an SLO came out as it did: for its worst series's reason, with its name, or for its own."""
    summary = result.summary
    worst = summary.series[0] if summary.series else None
    if worst is None or worst.outcome is not summary.outcome:
        return words.reason(result.slo, summary)
    name, reason = name_of(worst.labels), words.reason(result.slo, worst)
    return f"{name}{words.say('colon')}{reason}" if name else reason


def _concern(result: Result, words: Words) -> Concern:
    summary = result.summary
    sentences = [why(result, words)]
    if len(summary.series) > 1 and summary.series[0].outcome is summary.outcome:
        sentences.append(words.reason(result.slo, summary))
    if result.evidence and result.evidence.said:
        sentences.append(words.say("said", words=result.evidence.said))
    return Concern(
        result.anchor, verdict_of(summary.outcome, words), words.title(result.slo), tuple(sentences),
        proof(result.evidence, words),
    )  # fmt: skip


def proof(evidence: Evidence | None, words: Words) -> Proof | None:
    """The evidence in words."""
    if evidence is None:
        return None
    name, time = name_of(evidence.series), f"{times.moment(evidence.slot)} UTC"
    key = "evidence_at" if name else "evidence_slot"
    return Proof(words.say(key, time=time, series=name), evidence.query, evidence.curl, evidence.graph_url)


def result_table(result: Result, words: Words) -> ResultTable:
    """One SLO with its series, worst first."""
    slo, summary = result.slo, result.summary
    rows = [_numbers(result, series, words) for series in summary.series[:MOST_SERIES]]
    silent = frozenset(n for n, series in enumerate(summary.series[:MOST_SERIES]) if quiet(series))
    columns = [
        words.say("verdict"), words.say("series"), *percentile_columns(slo, words), words.say("limit"),
        words.say("good_windows"), words.say("worst_window"),
    ]  # fmt: skip
    whole = Grid(tuple(columns), tuple(tuple(row) for row in rows), silent)
    return ResultTable(
        result.anchor, verdict_of(summary.outcome, words), words.title(slo), slo.name,
        objective_text(slo, words), words.text(slo.note), words.reason(slo, summary),
        whole.part(slice(SHOWN_SERIES)), whole.part(slice(SHOWN_SERIES, None)), len(summary.series) - len(rows),
        proof(result.evidence, words),
    )  # fmt: skip


def _numbers(result: Result, series: RangeVerdict, words: Words) -> list[Cell]:
    slo = result.slo
    return [
        verdict_cell(verdict_of(series.outcome, words)),
        Cell(name_of(series.labels) or words.say("only_series"), sub=_beside(result, series), wide=True),
        *measured_cells(slo, series, words),
        Cell(limit_text(slo, series.limit, words), sub=words.say("override") if series.overridden else ""),
        windows_cell(series, words),
        worst_cell(slo, series, result.slots, words),
    ]


def _beside(result: Result, series: RangeVerdict) -> str:
    """Percentiles that were stated and have no column of their own."""
    stated = result.record.stated.get(series.labels)
    more = {p: v for p, v in stated.percentiles.items() if p not in result.slo.quantiles} if stated is not None else {}
    return ", ".join(f"P{p:g} {wording.exactly(value, result.slo.unit)}" for p, value in sorted(more.items()))
