"""The run phase by phase: by the windows that lie wholly inside, or, where none does, by all events together."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.report import times
from sloagent.report.content import Report
from sloagent.report.phase_results import PhaseResult
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
        Row(result.anchor, words.title(result.slo), tuple(_cell(one, words) for one in result.phases))
        for result in report.results
    ]
    blocks = []
    for first in range(0, len(heads), MOST_COLUMNS):
        part = slice(first, first + MOST_COLUMNS)
        narrowed = (Row(row.anchor, row.title, row.cells[part]) for row in rows)
        said = tuple(row for row in narrowed if any(cell.verdict.kind != "none" for cell in row.cells))
        blocks.append(Block(heads[part], said))
    short = any(not one.summary.windows.expected for result in report.results for one in result.phases)
    return Phases(heads, tuple(blocks), short)


def _cell(phase: PhaseResult, words: Words) -> Cell:
    if phase.judged_by is None:
        return Cell(Verdict("none", words.say("no_window")), wording.ABSENT, wording.ABSENT)
    slo, verdict = phase.summary.slo, verdict_of(phase.outcome, words)
    if phase.whole is not None:
        value = wording.value(slo, phase.whole, words.language)
        quantile = wording.promised_quantile(slo, phase.whole)
        # Where there is room for one number only it is the bucket, which is certain.
        short = stacked(wording.bucket(quantile, slo.unit, words.language))[0] if quantile else value
        return Cell(verdict, value, short)
    series = phase.summary.series[0] if phase.summary.series else None
    judged = series.windows.judged if series else 0
    short = f"{span(series)}/{judged:,}" if series and judged else wording.ABSENT
    return Cell(verdict, good_windows(series, words), short)
