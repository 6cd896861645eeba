"""What is left of a budget over a run so far and over the last period, computed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.spending import DAY, HOUR, Spent, Term
from sloagent.model.run import Exclusion, Run
from sloagent.model.samples import Events, Sample
from sloagent.model.slo import SLO, Labels, Limit
from sloagent.model.timerange import TimeRange, at
from tests.unit.evaluation.build import NODES, PODS, overriding, ratio, slot_of, value

MINUTE = 60
START = 20_000 * DAY
RATIO = ratio(at_least=0.99)
VALUE = value()
Series = Mapping[Labels, Sample]


def run(*holes: tuple[int, int], start: int = START) -> Term:
    exclusions = tuple(Exclusion(TimeRange(at(begin), at(end)), "chaos") for begin, end in holes)
    return Term.of_run(Run("soak", at(start), None, exclusions=exclusions))


def spent(slo: SLO, term: Term, slots: Iterable[tuple[int, Series]], *, up_to: int = START) -> Spent:
    """Begun at a slot, nothing left to be read, and the slots added."""
    found = Spent(slo, term, up_to)
    while (unread := found.unread) is not None:
        found.was_read(unread[1])
    for slot, series in slots:
        found.add(slot_of(slo, slot, series))
    return found


def bad(share: float, rate: float = 1.0) -> Sample:
    return Events(share * rate, rate)


# ---- what is left ---------------------------------------------------------------------------------------------------


def test_the_budget_is_a_share_of_all_events_of_the_run() -> None:
    # 300 s at one a second, then 300 s at three a second of which 1 % is bad: 9 of 1,200, and 12 may be.
    slots = [(START + 300, {PODS: bad(0.0)}), (START + 600, {PODS: bad(0.01, 3.0)})]
    assert spent(RATIO, run(), slots).left() == pytest.approx(1 - 9 / 12)


def test_the_worst_series_counts_and_an_overspent_budget_is_negative() -> None:
    slots = [(START + 300, {PODS: bad(0.005), NODES: bad(0.05)})]
    assert spent(RATIO, run(), slots).left() == pytest.approx(1 - 5)


def test_a_series_with_a_budget_of_its_own_is_held_against_that() -> None:
    own = overriding(RATIO, NODES, Limit(at_least=0.9))
    slots = [(START + 300, {PODS: bad(0.005), NODES: bad(0.06)})]
    assert spent(own, run(), slots).left() == pytest.approx(1 - 0.6)


def test_nothing_is_said_without_events_and_an_untouched_budget_is_one() -> None:
    assert spent(RATIO, run(), []).left() is None
    assert spent(RATIO, run(), [(START + 300, {PODS: bad(0.0, 0.0)})]).left() is None
    assert spent(RATIO, run(), [(START + 300, {PODS: bad(0.0)})]).left() == 1.0


def test_a_series_with_too_few_events_for_a_verdict_says_nothing() -> None:
    few = replace(RATIO, min_events=400.0)
    slots = [(START + 300, {PODS: bad(0.5)})]
    assert spent(few, run(), slots).left() is None
    assert spent(few, run(), [*slots, (START + 600, {PODS: bad(0.0)})]).left() == pytest.approx(1 - 25)


def test_the_budget_of_a_value_is_a_share_of_its_judged_windows() -> None:
    slots = [(START + 300 + number * 60, {PODS: 101.0 if number < 3 else 1.0}) for number in range(400)]
    slots += [(slots[-1][0] + 60, {PODS: float("nan")})]
    assert spent(VALUE, run(), slots).left() == pytest.approx(1 - 3 / 4)


# ---- what counts ----------------------------------------------------------------------------------------------------


def test_of_events_the_slots_count_that_tile_the_time_and_of_values_all_of_them() -> None:
    events, windows = spent(RATIO, run(), []), spent(VALUE, run(), [])
    slots = range(START, START + 661, 60)
    assert [slot - START for slot in slots if events.takes(slot)] == [300, 600]
    assert [slot - START for slot in slots if windows.takes(slot)] == [300, 360, 420, 480, 540, 600, 660]


@pytest.mark.parametrize("late", [0, 1, 60, 299, 300])
def test_a_window_counts_that_lies_wholly_in_the_run(late: int) -> None:
    assert [slot for slot in (300, 600) if spent(RATIO, run(start=START + late), []).takes(START + slot)] == (
        [300, 600] if late == 0 else [600]
    )


def test_a_window_that_touches_what_was_excluded_does_not_count_and_its_neighbours_do() -> None:
    term = run((START + 900, START + 1000))
    counted = [slot for slot in range(300, 2101, 300) if spent(RATIO, term, []).takes(START + slot)]
    assert counted == [300, 600, 900, 1500, 1800, 2100]
    slots = [(START + slot, {PODS: bad(1.0 if slot == 1200 else 0.0)}) for slot in range(300, 2101, 300)]
    assert spent(RATIO, term, slots).left() == 1.0


# ---- the last period ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "step"),
    [
        (MINUTE, 60),
        (2 * HOUR, 60),
        (DAY, 900),
        (7 * DAY, HOUR),
        (30 * DAY, 6 * HOUR),
        (90 * DAY, DAY),
        (400 * DAY, DAY),
    ],
)
def test_the_period_is_cut_into_steps_of_which_hours_are_made(seconds: int, step: int) -> None:
    assert Term(seconds=seconds).step == step
    assert HOUR % step == 0 or step % HOUR == 0


def test_what_was_before_the_last_period_has_gone() -> None:
    term = Term(seconds=DAY)
    slots = [(START + 300, {PODS: bad(1.0)})]
    slots += [(START + 300 * number, {PODS: bad(0.0)}) for number in range(2, 288 + 1)]
    full = spent(RATIO, term, slots)
    assert full.left() == pytest.approx(1 - 100 / 288)
    # A step of a quarter of an hour goes as a whole, when the first slot after it has come.
    full.add(slot_of(RATIO, START + DAY + 300, {PODS: bad(0.0)}))
    assert full.left() == 1.0


def test_a_series_that_is_gone_for_a_period_is_forgotten() -> None:
    over = spent(RATIO, Term(seconds=HOUR), [(START + 300, {PODS: bad(1.0), NODES: bad(0.0)})])
    assert over.left() == pytest.approx(1 - 100)
    over.add(slot_of(RATIO, START + 300 + HOUR, {NODES: bad(0.0)}))
    assert over.left() == 1.0
    over.add(slot_of(RATIO, START + 3 * HOUR, {}))
    assert over.left() is None


# ---- reading and going back -----------------------------------------------------------------------------------------


def test_what_is_in_the_store_is_read_a_day_at_a_time_from_the_beginning_of_the_step() -> None:
    begun = Spent(RATIO, run(start=START + 7 * HOUR), START + DAY + HOUR)
    assert begun.unread == (START + 1, START + DAY)
    begun.was_read(START + DAY)
    assert begun.unread == (START + DAY + 1, START + DAY + HOUR)
    begun.was_read(START + DAY + HOUR)
    assert begun.unread is None


def test_of_a_value_a_day_begins_at_midnight() -> None:
    assert Spent(VALUE, run(), START + DAY + HOUR).unread == (START, START + DAY - 1)


def test_of_a_period_no_more_is_read_than_counts() -> None:
    begun = Spent(RATIO, Term(seconds=30 * DAY), START)
    assert begun.unread == (START - 30 * DAY + 1, START - 29 * DAY)


def test_after_a_late_slot_its_step_is_read_again_up_to_it_and_the_next_ones_are_added_anew() -> None:
    slots = [(START + 300 * number, {PODS: bad(1.0)}) for number in range(1, 300)]
    late = spent(RATIO, run(), slots)
    late.go_back(START + DAY + 900)
    assert late.unread == (START + DAY + 1, START + DAY + 899)
    assert late.left() == pytest.approx(1 - 100), "what was a day ago is known"
    late.count(START + DAY + 300, PODS, (0.0, 300.0))
    late.was_read(START + DAY + 899)
    late.add(slot_of(RATIO, START + DAY + 900, {PODS: bad(0.0)}))
    assert late.left() == pytest.approx(1 - 100 * 288 / 290)


def test_what_was_to_be_read_still_is_when_a_slot_comes_late() -> None:
    begun = Spent(RATIO, run(), START + 3 * DAY)
    begun.was_read(START + DAY)
    begun.go_back(START + 5 * DAY)
    assert begun.unread == (START + DAY + 1, START + 2 * DAY)
    begun.was_read(START + 5 * DAY - 1)
    assert begun.unread is None


def test_slots_that_another_agent_has_looked_at_are_read() -> None:
    behind = spent(RATIO, run(), [(START + 300, {PODS: bad(0.0)})])
    behind.go_back(START + 1200)
    assert behind.unread == (START + 1, START + 1199)


def test_a_slot_from_before_the_term_leaves_nothing_to_be_read() -> None:
    late = spent(RATIO, run(), [(START + 300, {PODS: bad(1.0)})])
    late.go_back(START - DAY)
    assert late.unread is None
    assert late.left() is None


@given(
    st.lists(st.sampled_from([0.0, 0.0, 0.02, 0.5, None]), min_size=1, max_size=120),
    st.lists(st.integers(1, 119), max_size=4),
    st.sampled_from([run(), run((START + 2000, START + 3000)), Term(seconds=2 * HOUR), Term(seconds=DAY)]),
)
def test_the_order_in_which_slots_become_known_changes_nothing(
    shares: list[float | None], lates: list[int], term: Term
) -> None:
    """A store that holds every slot, an agent that goes back to some of them again and again: as if it never had."""
    stored = {START + 300 * number: {PODS: bad(share)} for number, share in enumerate(shares, 1) if share is not None}
    simple = spent(RATIO, term, stored.items(), up_to=START)
    worn = Spent(RATIO, term, START)
    reads = [START + 300 * late for late in lates if late <= len(shares)]
    _read(worn, stored)
    for until in [*reads, None]:
        for slot, series in stored.items():
            if slot >= worn._next and (until is None or slot <= until + 3000):
                worn.add(slot_of(RATIO, slot, series))
        if until is not None:
            worn.go_back(until)
            if until % 600:
                _read(worn, stored)
    _read(worn, stored)
    left = simple.left()
    assert worn.left() == (None if left is None else pytest.approx(left, abs=1e-9))


def _read(one: Spent, stored: Mapping[int, Series]) -> None:
    while (unread := one.unread) is not None:
        for slot, series in stored.items():
            if unread[0] <= slot <= unread[1] and one.takes(slot):
                for labels, sample in series.items():
                    assert isinstance(sample, Events)
                    assert sample.part is not None
                    assert sample.total is not None
                    one.count(slot, labels, (sample.part * 300, sample.total * 300))
        one.was_read(unread[1])


def test_a_run_s_term_knows_its_name_its_start_and_its_holes() -> None:
    moment = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    term = Term.of_run(Run("soak", moment, None))
    assert (term.run, term.start, term.holes) == ("soak", moment.timestamp(), ())
