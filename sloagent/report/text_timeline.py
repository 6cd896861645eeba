"""The timeline as text, for Markdown: one line per SLO, one sign per cell, the worst outcome in it."""

from __future__ import annotations

from sloagent.model.verdict import Outcome
from sloagent.report import times
from sloagent.report.content import Report
from sloagent.report.strips import WORST_FIRST, Absence, Segment, State
from sloagent.report.words import Words

_MOST_CELLS = 72
_SIGNS: dict[State, str] = {
    Outcome.FAIL: "█",
    Outcome.ERROR: "!",
    Outcome.INCONCLUSIVE: "?",
    Absence.MISSING: " ",
    Outcome.WARN: "▄",
    Outcome.PASS: "▁",
    Outcome.MEASURED: "▁",
    Outcome.NO_DATA: "·",
    Absence.EXCLUDED: "x",
}


def text_timeline(report: Report, words: Words) -> str:
    """The lines, phases first, then one per SLO, then the times of both ends and what the signs mean."""
    rows = [result for result in report.results if result.strip]
    if not rows:
        return ""
    start = min(int(report.range.start.timestamp()), *(result.strip[0].start for result in rows))
    end = max(int(report.range.end.timestamp()), start + 1)
    step = max(-(-(end - start) // _MOST_CELLS), min(result.slo.interval for result in rows))
    count = -(-(end - start) // step)
    left = max(len(result.slo.name) for result in rows)
    lines = []
    if report.run.phases:
        numbers = [" "] * count
        for number, phase in enumerate(report.run.phases, 1):
            place = (int(phase.range.start.timestamp()) - start) // step
            for offset, sign in enumerate(f"{number}"):
                if 0 <= place + offset < count:
                    numbers[place + offset] = sign
        lines.append(" " * (left + 2) + "".join(numbers).rstrip())
    for result in rows:
        cells = (_sign(result.strip, start + step * index, start + step * (index + 1)) for index in range(count))
        lines.append(f"{result.slo.name:<{left}}  {''.join(cells)}".rstrip())
    first, last = times.clock(start), times.clock(end)
    lines.append(f"{'':<{left}}  {first}{' ' * max(1, count - len(first) - len(last))}{last}")
    used = {segment.state for result in rows for segment in result.strip}
    legend = "   ".join(f"{_shown(state)} {words.say(state.value)}" for state in WORST_FIRST if state in used)
    return "\n".join([*lines, "", legend])


def _shown(state: State) -> str:
    """A state's sign, in quotes where it is a gap."""
    return "' '" if _SIGNS[state] == " " else _SIGNS[state]


def _sign(strip: tuple[Segment, ...], start: int, end: int) -> str:
    inside = [segment.state for segment in strip if segment.start < end and segment.end > start]
    return _SIGNS[min(inside, key=WORST_FIRST.index)] if inside else " "
