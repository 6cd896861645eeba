"""Which slots are due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.app.clock import AGREE_SECONDS, ClockWatch, SlotTrigger, dispute
from sloagent.app.schedule import due, missing, stretches
from sloagent.model.samples import Kind, Question, Refusal
from sloagent.model.timerange import TimeRange, contiguous, newest_slot

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_a_slot_is_due_only_after_its_scrapes_have_had_the_delay_to_arrive() -> None:
    assert newest_slot(120 + 29.9, 60, 30) == 60
    assert newest_slot(120 + 30, 60, 30) == 120


def test_catch_up_reaches_back_whole_intervals() -> None:
    assert due(86_400 * 10 + 30, 60, 30, 3_600).oldest == 86_400 * 10 - 3_600


@given(
    st.integers(0, 1_000).map(lambda n: n * 60),
    st.integers(0, 200).map(lambda n: n * 60),
    st.sets(st.integers(0, 1_200).map(lambda n: n * 60)),
)
def test_missing_and_recorded_slots_make_up_the_stretch(first: int, length: int, recorded: set[int]) -> None:
    last = first + length
    lacking = missing(first, last, 60, recorded)
    assert sorted([*lacking, *(recorded & set(range(first, last + 1, 60)))]) == list(range(first, last + 1, 60))


def test_stretches_are_evenly_spaced_and_never_longer_than_allowed() -> None:
    assert stretches([0, 60, 120, 300, 360], 60, 2) == [[0, 60], [120], [300, 360]]


@given(
    st.floats(0, 4e9),
    st.sampled_from([1, 5, 15, 60, 300, 3_600]),
    st.floats(0, 120),
    st.floats(-4e9, 4e9),
)
def test_the_trigger_looks_forward_only_and_at_most_one_interval(
    now_seconds: float, interval: int, delay: float, previous_offset: float
) -> None:
    trigger = SlotTrigger(interval, delay)
    now = EPOCH + timedelta(seconds=now_seconds)
    previous = EPOCH + timedelta(seconds=max(0.0, now_seconds + previous_offset))
    fire = trigger.get_next_fire_time(previous, now)
    assert now < fire <= now + timedelta(seconds=interval, milliseconds=1)
    assert (fire.timestamp() - delay) / interval == pytest.approx(
        round((fire.timestamp() - delay) / interval), abs=1e-3
    )


def test_ordinary_drift_is_no_step_of_the_clock() -> None:
    watch = ClockWatch(offset=100.0)
    assert watch.stepped(1_101.0, 1_000.0) == 0.0
    assert watch.stepped(1_042.0, 1_001.0) == pytest.approx(-60.0)
    assert watch.stepped(1_043.0, 1_002.0) == 0.0


def test_a_run_has_only_the_slots_whose_whole_window_lies_in_it() -> None:
    stretch = TimeRange(EPOCH + timedelta(seconds=30.5), EPOCH + timedelta(seconds=600))
    assert list(stretch.slots_inside(60, 300)) == [360, 420, 480, 540, 600]
    assert next(iter(stretch.slots(60))) == 60
    assert list(TimeRange(EPOCH, EPOCH).slots(60)) == [0]


QUESTION = Question("vector(1)")


def test_a_clock_is_trusted_where_the_peer_agrees_or_does_not_say() -> None:
    assert dispute(1_000.0, 1_000.0 + AGREE_SECONDS) == ""
    assert dispute(None, 1_000.0) == ""


def test_a_clock_is_in_dispute_where_the_peer_says_another_time_or_does_not_answer() -> None:
    assert dispute(0.0, 86_400.0) == (
        "here it is 1970-01-02 00:00:00 UTC, for Prometheus 1970-01-01 00:00:00 UTC; one of the two clocks is wrong"
    )
    assert dispute(1_000.0 + AGREE_SECONDS + 1, 1_000.0)
    assert dispute(Refusal(QUESTION, Kind.UNREACHABLE, "refused", final=False), 1_000.0) == "refused"


def test_neighbouring_slots_without_an_answer_are_one_stretch() -> None:
    assert contiguous([60, 120, 300, 420, 480, 540], 60) == ((60, 120), (300, 300), (420, 540))
    assert contiguous([], 60) == ()
