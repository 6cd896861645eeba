"""The run phase by phase: by the windows that lie wholly inside, or, where none does, by all events together."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.evaluation.tallying import badness
from sloagent.model.verdict import Cause, RangeSummary
from sloagent.report import times
from sloagent.report.content import Report
from sloagent.report.verdicts import Verdict, good_windows, span, stacked, verdict_of
from sloagent.report.words import Words

MOST_COLUMNS = 7


@dataclass(frozen=True, slots=True)
class Head:
    """A phase: its number, name, time and note."""

    number: int
    name: str
    from_to: str
    note: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One SLO in one phase: its verdict, what it rests on, and the same in short."""

    verdict: Verdict
    text: str
    short: str


@dataclass(frozen=True, slots=True)
class Row:
    """One SLO in the phases of a block."""

    anchor: str
    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """As many phases as stand side by side, and the SLOs that have something to say about any of them."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Phases:
    """All phases. `short`: some are too short for a window and are judged as a whole."""

    heads: tuple[Head, ...]
    blocks: tuple[Block, ...]
    short: bool


def phases(report: Report, words: Words) -> Phases:
    """The phases of a report, its SLOs in the order of the results."""
    heads = tuple(
        Head(number, phase.name, times.stretch(phase.range), phase.note)
        for number, phase in enumerate(report.run.phases, 1)
    )
    rows = [
        Row(result.anchor, words.title(result.slo), tuple(_cell(summary, words) for summary in result.phases))
        for result in report.results
    ]
    blocks = []
    for first in range(0, len(heads), MOST_COLUMNS):
        part = slice(first, first + MOST_COLUMNS)
        narrowed = (Row(row.anchor, row.title, row.cells[part]) for row in rows)
        said = tuple(row for row in narrowed if any(cell.verdict.kind != "none" for cell in row.cells))
        blocks.append(Block(heads[part], said))
    short = any(not summary.windows.expected for result in report.results for summary in result.phases)
    return Phases(heads, tuple(blocks), short)


def _cell(summary: RangeSummary, words: Words) -> Cell:
    if not summary.windows.expected:
        return _whole(summary, words)
    series = summary.series[0] if summary.series else None
    judged = series.windows.judged if series else 0
    short = f"{span(series)}/{judged:,}" if series and judged else wording.ABSENT
    return Cell(verdict_of(summary.outcome, words), good_windows(series, words), short)


def _whole(summary: RangeSummary, words: Words) -> Cell:
    slo = summary.slo
    readings = [one.whole for one in summary.series if one.whole is not None and one.whole.value is not None]
    # Too few events tell nothing, here as anywhere.
    readings = [one for one in readings if one.cause is not Cause.TOO_FEW_EVENTS]
    if not readings:
        return Cell(Verdict("none", words.say("no_window")), wording.ABSENT, wording.ABSENT)
    worst = min(readings, key=badness)
    value = wording.value(slo, worst, words.language)
    quantile = wording.promised_quantile(slo, worst)
    # Where there is room for one number only it is the bucket, which is certain.
    short = stacked(wording.bucket(quantile, slo.unit, words.language))[0] if quantile else value
    return Cell(verdict_of(worst.outcome, words), value, short)
