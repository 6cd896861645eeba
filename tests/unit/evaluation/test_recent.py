from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from sloagent.evaluation.judge import judge
from sloagent.evaluation.recent import counted, counted_events, recent
from sloagent.model.samples import Events
from tests.unit.evaluation.build import NODES, PODS, answer, histogram, latency, ratio, refusal, slot_of, value

MINUTE, HOUR, DAY = 60, 3600, 86_400
HALF_HOUR = 30 * MINUTE


def looks(slo, hours, window=HALF_HOUR, since=0):
    """{slot: what is looked at} of a run of so many hours."""
    slots = range(since - since % slo.interval, since + round(hours * HOUR) + 1, slo.interval)
    found = {slot: recent(slo, window, since, slot) for slot in slots}
    return {slot: look for slot, look in found.items() if look is not None}


def test_a_latency_is_looked_at_three_times_a_window_over_the_tiles_of_the_last_window():
    found = looks(latency(), 1)
    assert sorted(found) == [30 * MINUTE, 40 * MINUTE, 50 * MINUTE, 60 * MINUTE]
    assert list(found[40 * MINUTE].slots) == [minutes * MINUTE for minutes in (15, 20, 25, 30, 35, 40)]
    assert found[40 * MINUTE].parts == ()


def test_the_first_look_needs_a_whole_window_of_the_run():
    found = looks(latency(), 1, since=7 * MINUTE)
    assert min(found) == 40 * MINUTE
    assert found[40 * MINUTE].slots[0] - 300 >= 7 * MINUTE


def test_a_value_is_looked_at_in_equal_parts_of_whole_windows_of_its_own():
    found = looks(value(), 1)
    assert min(found) == 40 * MINUTE  # at 30 min its first number would have looked back beyond the beginning
    look = found[40 * MINUTE]
    assert list(look.slots) == [minutes * MINUTE for minutes in range(11, 41)]
    assert len(look.parts) == 10
    assert {last - first for first, last in look.parts} == {2 * MINUTE}
    assert (look.parts[0][0], look.parts[-1][1]) == (11 * MINUTE, 40 * MINUTE)


@pytest.mark.parametrize(("minutes", "parts", "first"), [(30, 10, 11), (65, 10, 6), (10, 10, 31), (5, 5, 36)])
def test_parts_are_of_as_many_slots_and_what_is_left_over_is_the_oldest(minutes, parts, first):
    slo = replace(value(), window=5 * MINUTE)
    look = recent(slo, minutes * MINUTE, -DAY, 40 * MINUTE if minutes < 65 else 80 * MINUTE)
    ends = [start for start, _ in look.parts]
    assert len(look.parts) == parts
    assert len({last - start for start, last in look.parts}) == 1
    assert ends == sorted(ends)
    if minutes < 65:
        assert look.parts[0][0] == first * MINUTE
    else:
        assert look.parts[0][0] == look.slots[5]


@pytest.mark.parametrize(
    ("own", "length", "every"), [(5, 30, 10), (7, 35, 7), (15, 30, 15), (20, 40, 20), (60, 60, 60), (1, 30, 10)]
)
def test_where_the_slos_own_window_does_not_fit_the_stretch_is_longer_and_never_cuts_a_tile(own, length, every):
    slo = replace(latency(), window=own * MINUTE)
    found = looks(slo, 10)
    assert {slot % (every * MINUTE) for slot in found} == {0}
    assert {len(look.slots) * own for look in found.values()} == {length}
    assert all(slot in look.slots and not any(one % slo.window for one in look.slots) for slot, look in found.items())


@pytest.mark.parametrize("slo", [latency(), replace(latency(), window=7 * MINUTE), value()])
def test_all_looks_of_a_run_share_the_level_once_however_long_it_goes_on(slo):
    found = looks(slo, 30 * 24, since=HOUR)
    spent = sum(1 / look.looks for look in found.values())
    assert 0.9 < spent <= 1
    first_day = sum(1 / look.looks for slot, look in found.items() if slot < HOUR + DAY)
    assert 0.45 < first_day <= 0.5


# What was counted.


def test_tiles_are_rates_whose_events_are_added_series_by_series():
    one, other = histogram((1, inf), (0.1, 0.2)), histogram((1, inf), (0.3, 0.4))
    found = counted(latency(), [{PODS: one, NODES: other}, {PODS: other}, {}])
    assert found[PODS].counts == pytest.approx((120, 180))
    assert found[NODES].counts == pytest.approx((90, 120))


@pytest.mark.parametrize("counts", ["good", "bad"])
def test_the_events_of_a_ratio_come_back_from_its_verdicts(counts):
    slo = ratio(counts)
    slots = [
        slot_of(slo, 300, {PODS: Events(0.5, 2.0), NODES: Events(0.0, 1.0)}),
        slot_of(slo, 600, {PODS: Events(1.0, 2.0), NODES: Events(0.0, 0.0)}),
        judge(slo, 900, refusal(final=True)),
    ]
    found = counted_events(slo, slots)
    assert (found[PODS].part, found[PODS].total) == pytest.approx((450, 1200))
    assert (found[NODES].part, found[NODES].total) == pytest.approx((0, 300))


def test_bad_events_without_series_are_absent_and_what_cannot_be_judged_is_not_counted():
    absent = slot_of(ratio(), 300, {PODS: Events(None, 2.0)})
    assert counted_events(ratio(), [absent]) == {PODS: Events(None, 600.0)}
    zero = ratio()
    zero = replace(zero, sli=replace(zero.sli, bad_absent_is_zero=True))
    assert counted_events(zero, [slot_of(zero, 300, {PODS: Events(None, 2.0)})]) == {PODS: Events(0.0, 600.0)}
    too_many = judge(ratio(), 300, answer({PODS: Events(3.0, 2.0)}))
    assert counted_events(ratio(), [too_many]) == {}
