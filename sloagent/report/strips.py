"""How an SLO came out over time, as stretches of equal outcome: what the timeline draws. A gap stays a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.model.record import Absence, State
from sloagent.model.verdict import Outcome

MOST_CELLS = 480
"""More slots than this are joined to equal cells; the worst outcome in a cell is the cell's."""


WORST_FIRST: tuple[State, ...] = (
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.INCONCLUSIVE,
    Absence.MISSING,
    Outcome.WARN,
    Outcome.PASS,
    Outcome.MEASURED,
    Outcome.NO_DATA,
    Absence.SUMMED,
    Absence.EXCLUDED,
)


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring cells of one state, from the beginning of the first one's interval to the last slot."""

    start: int
    end: int
    """Seconds since the epoch: a slot stands for the interval that ends with it."""
    state: State
    slots: int


def strip(expected: Sequence[int], came_out: Sequence[State], interval: int) -> tuple[Segment, ...]:
    """The segments of an SLO over its expected slots (ascending, evenly spaced) and their states."""
    per_cell = -(-len(expected) // MOST_CELLS) or 1
    segments: list[Segment] = []
    for first in range(0, len(expected), per_cell):
        cell = expected[first : first + per_cell]
        state = min(came_out[first : first + per_cell], key=WORST_FIRST.index)
        if segments and segments[-1].state == state:
            segments[-1] = Segment(segments[-1].start, cell[-1], state, segments[-1].slots + len(cell))
        else:
            segments.append(Segment(cell[0] - interval, cell[-1], state, len(cell)))
    return tuple(segments)
