"""The timeline as text, for Markdown: one line per SLO, one sign per slot, or per stretch with its worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.model.record import Absence, State
from sloagent.model.verdict import Outcome
from sloagent.report import times
from sloagent.report.content import Report, Result
from sloagent.report.strips import WORST_FIRST
from sloagent.report.words import Words

_MOST_COLUMNS = 120
_NO_SLOT = "-"
"""Between the slots of an SLO that is asked less often than others."""
_SIGNS: dict[State, str] = {
    Outcome.FAIL: "█",
    Outcome.ERROR: "!",
    Outcome.INCONCLUSIVE: "?",
    Absence.MISSING: "_",
    Outcome.WARN: "▄",
    Outcome.PASS: "▁",
    Outcome.MEASURED: "▁",
    Outcome.NO_DATA: "·",
    Absence.SUMMED: "~",
    Absence.EXCLUDED: "x",
}


def text_timeline(report: Report, words: Words) -> str:
    """The lines, phases first, then one per SLO, then the times of both ends and what the signs mean."""
    rows = [result for result in report.results if result.slots]
    if not rows:
        return ""
    grid = _grid(report, rows)
    left = max(len(result.slo.name) for result in rows)
    ruler = _ruler(report, grid)
    lines = [f"{'':<{left}}  {ruler}"] if ruler else []
    drawn = [_cells(result, grid) for result in rows]
    lines += [f"{result.slo.name:<{left}}  {cells}".rstrip() for result, cells in zip(rows, drawn, strict=True)]
    first, last = times.clock(grid.start), times.clock(grid.end)
    lines.append(f"{'':<{left}}  {first}{' ' * max(1, grid.columns - len(first) - len(last))}{last}")
    used = {state for result in rows for state in result.states}
    signs = [f"{_shown(state)} {words.say(state.value)}" for state in WORST_FIRST if state in used]
    if any(_NO_SLOT in cells for cells in drawn):
        signs.append(_NO_SLOT + " " + words.say("between_slots"))
    scale = words.say("strip_slot" if grid.exact else "strip_slots", duration=times.duration(grid.step))
    return "\n".join([*lines, "", "   ".join(signs), scale])


@dataclass(frozen=True, slots=True)
class _Grid:
    """Columns of `step` seconds from `start`; a slot stands in the column that ends with it, or that it lies in."""

    start: int
    step: int
    columns: int
    exact: bool
    """No column has two slots of one SLO."""

    @property
    def end(self) -> int:
        return self.start + self.step * self.columns

    def column(self, slot: int) -> int:
        return -(-(slot - self.start) // self.step) - 1


def _grid(report: Report, rows: Sequence[Result]) -> _Grid:
    interval = min(result.slo.interval for result in rows)
    earliest = min(int(report.range.start.timestamp()), *(r.slots[0] - r.slo.interval for r in rows))
    # Slots are whole multiples of the interval: with the same grid none lies on both sides of a column's border.
    start = earliest - earliest % interval
    end = max(int(report.range.end.timestamp()), *(result.slots[-1] for result in rows))
    slots = -(-(end - start) // interval)
    per_column = -(-slots // _MOST_COLUMNS)
    return _Grid(start, interval * per_column, -(-slots // per_column), per_column == 1)


def _ruler(report: Report, grid: _Grid) -> str:
    """The phases' numbers where they begin; one that has no room after the last is left out."""
    ruler = ""
    for number, phase in enumerate(report.run.phases, 1):
        place = (int(phase.range.start.timestamp()) - grid.start) // grid.step
        free = len(ruler) + 1 if ruler else 0
        if free <= place <= grid.columns - len(str(number)):
            ruler = f"{ruler:<{place}}{number}"
    return ruler


def _cells(result: Result, grid: _Grid) -> str:
    """A sign per column: the worst slot in it."""
    worst: dict[int, State] = {}
    for slot, state in zip(result.slots, result.states, strict=True):
        column = grid.column(slot)
        worst[column] = min(worst.get(column, state), state, key=WORST_FIRST.index)
    last = max(worst)
    drawn = "".join(_SIGNS[worst[column]] if column in worst else _NO_SLOT for column in range(min(worst), last + 1))
    return " " * min(worst) + drawn


def _shown(state: State) -> str:
    """A state's sign, in quotes where it is a gap."""
    return "' '" if _SIGNS[state] == " " else _SIGNS[state]
