from __future__ import annotations

from sloagent.model.verdict import Outcome
from sloagent.report.strips import MOST_CELLS, Absence, Segment, states, strip

PASS, FAIL = Outcome.PASS, Outcome.FAIL


def test_neighbours_of_one_outcome_are_one_segment_and_a_slot_stands_for_the_interval_that_it_ends() -> None:
    outcomes = {60: PASS, 120: PASS, 180: FAIL, 240: PASS}
    assert strip([60, 120, 180, 240], states([60, 120, 180, 240], [60, 120, 180, 240], outcomes, ()), 60) == (
        Segment(0, 120, PASS, 2), Segment(120, 180, FAIL, 1), Segment(180, 240, PASS, 1),
    )  # fmt: skip


def test_a_slot_without_answer_is_a_gap_and_an_excluded_one_is_excluded_even_if_it_was_answered() -> None:
    segments = strip([60, 120, 180], states([60, 120, 180], [60, 120], {60: PASS, 180: FAIL}, [120]), 60)
    assert [segment.state for segment in segments] == [PASS, Absence.MISSING, Absence.EXCLUDED]


def test_many_slots_are_joined_to_cells_and_a_failure_among_them_is_never_lost() -> None:
    slots = [60 * number for number in range(1, 20 * MOST_CELLS + 1)]
    outcomes = dict.fromkeys(slots, PASS) | {slots[777]: FAIL}
    segments = strip(slots, states(slots, slots, outcomes, ()), 60)
    assert [segment.state for segment in segments] == [PASS, FAIL, PASS]
    assert segments[1].slots == 20
    assert segments[1].start < slots[777] <= segments[1].end
    assert sum(segment.slots for segment in segments) == len(slots)


def test_a_run_shorter_than_a_window_has_no_strip() -> None:
    assert strip([], states([], [], {}, ()), 60) == ()


def test_a_slot_that_is_part_of_an_hourly_sum_is_neither_a_gap_nor_an_outcome() -> None:
    assert states([60, 120, 180], [60, 120, 180], {180: PASS}, [120]) == (Absence.SUMMED, Absence.MISSING, PASS)
