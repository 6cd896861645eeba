from __future__ import annotations

from sloagent.model.record import Absence
from sloagent.model.verdict import Outcome
from sloagent.report.strips import MOST_CELLS, Segment, strip

PASS, FAIL = Outcome.PASS, Outcome.FAIL


def test_neighbours_of_one_outcome_are_one_segment_and_a_slot_stands_for_the_interval_that_it_ends() -> None:
    assert strip([60, 120, 180, 240], [PASS, PASS, FAIL, PASS], 60) == (
        Segment(0, 120, PASS, 2), Segment(120, 180, FAIL, 1), Segment(180, 240, PASS, 1),
    )  # fmt: skip


def test_absences_are_segments_of_their_own() -> None:
    states = [PASS, Absence.MISSING, Absence.EXCLUDED, Absence.SUMMED]
    assert [segment.state for segment in strip([60, 120, 180, 240], states, 60)] == states


def test_many_slots_are_joined_to_cells_and_a_failure_among_them_is_never_lost() -> None:
    slots = [60 * number for number in range(1, 20 * MOST_CELLS + 1)]
    states = [FAIL if number == 777 else PASS for number in range(len(slots))]
    segments = strip(slots, states, 60)
    assert [segment.state for segment in segments] == [PASS, FAIL, PASS]
    assert segments[1].slots == 20
    assert segments[1].start < slots[777] <= segments[1].end
    assert sum(segment.slots for segment in segments) == len(slots)


def test_a_run_shorter_than_a_window_has_no_strip() -> None:
    assert strip([], [], 60) == ()
