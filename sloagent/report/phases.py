"""The run phase by phase: by the windows that lie wholly inside, or, where none does, by all events together."""

from __future__ import annotations

from sloagent.evaluation import wording
from sloagent.report import times
from sloagent.report.content import Report
from sloagent.report.escaping import visible
from sloagent.report.grid import Cell, Grid, grid
from sloagent.report.phase_results import PhaseResult
from sloagent.report.verdicts import good_windows, span, stacked, verdict_of
from sloagent.report.words import Words

MOST_COLUMNS = 7


def phase_grids(report: Report, words: Words) -> tuple[Grid, ...]:
    """As many phases side by side as have room, block by block; SLOs that say nothing of any of them are left out."""
    names = [f"{number} {visible(phase.name)}" for number, phase in enumerate(report.run.phases, 1)]
    rows = [
        (Cell(words.title(result.slo), anchor=result.anchor, wide=True), [_cell(one, words) for one in result.phases])
        for result in report.results
        if result.phases
    ]
    blocks = []
    for first in range(0, len(names), MOST_COLUMNS):
        part = slice(first, first + MOST_COLUMNS)
        narrowed = [(title, cells[part]) for title, cells in rows]
        said = [[title, *cells] for title, cells in narrowed if any(cell.verdict for cell in cells)]
        if said:
            blocks.append(grid([words.say("slo"), *names[part]], said, "matrix"))
    return tuple(blocks)


def phase_list(report: Report, words: Words) -> Grid | None:
    """When each phase was, and what was done in it."""
    if not report.run.phases:
        return None
    columns = [words.say("phase"), f"{words.say('from')}–{words.say('to')}", words.say("note")]
    rows = [
        [
            Cell(f"{number} {visible(phase.name)}"),
            Cell(times.stretch(phase.range)),
            Cell(visible(phase.note, 2_000), wide=True),
        ]
        for number, phase in enumerate(report.run.phases, 1)
    ]
    return grid(columns, rows)


def some_are_short(report: Report) -> bool:
    """Whether a phase is too short for a window and is judged as a whole."""
    return any(not one.summary.windows.expected for result in report.results for one in result.phases)


def _cell(phase: PhaseResult, words: Words) -> Cell:
    if phase.judged_by is None:
        return Cell(wording.ABSENT, title=words.say("no_window"), soft=True)
    slo, verdict = phase.summary.slo, verdict_of(phase.outcome, words)
    if phase.whole is not None:
        value = wording.value(slo, phase.whole, words.language)
        quantile = wording.promised_quantile(slo, phase.whole)
        # Where there is room for one number only it is the bucket, which is certain.
        bounded = bool(phase.whole.lower_bound)
        bucket = wording.bucket(quantile, slo.unit, words.language, lower_bound=bounded) if quantile else value
        short = stacked(bucket)[0]
        return Cell(verdict.word, sub="" if short == wording.ABSENT else short, verdict=verdict.kind, title=value)
    series = phase.summary.series[0] if phase.summary.series else None
    judged = series.windows.judged if series else 0
    short = f"{span(series)}/{judged:,}" if series and judged else ""
    return Cell(verdict.word, sub=short, verdict=verdict.kind, title=good_windows(series, words))
