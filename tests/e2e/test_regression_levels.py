"""The level of regression alerts holds for all looks at a run together, and 15 % is found within half an hour of data.

Latencies are those of the report's own test: 20,000 events in what is compared with the baseline, here a window of half
an hour, and runs of the same thing that differ by 3 %. Seeds are not those that the method was worked out on.
"""

from __future__ import annotations

import random

import pytest

from tests.unit.evaluation.build import PODS
from tests.unit.evaluation.drawn import log_normal
from tests.unit.evaluation.running import HOUR, first_worse, from_then, latencies, numbers, shares

SHAPES = [log_normal(0.02, 1.0), log_normal(0.08, 0.6), log_normal(0.3, 0.8)]
NAMES = ["20 ms, sigma 1", "80 ms, sigma 0.6", "300 ms, sigma 0.8"]
EIGHT = {
    (("verb", f"{median}/{sigma}"),): log_normal(median, sigma)
    for median in (0.02, 0.08, 0.3, 1.0)
    for sigma in (0.6, 1.0)
}


def alarms(runs):
    return sum(first_worse(run) is not None for run in runs)


def in_time(runs, onset):
    """How many were found within half an hour of data, none of them before there was anything to find."""
    found = [first_worse(run) for run in runs]
    return sum(slot is not None and onset < slot <= onset + HOUR / 2 for slot in found)


def test_of_500_runs_of_the_same_thing_at_most_15_raise_any_alarm():
    """Nine of ten go on for three hours, 16 looks, the others for eight."""
    chance = random.Random(404)
    runs = (latencies(chance, {PODS: SHAPES[i % 3]}, 8 if i % 10 == 0 else 3) for i in range(500))
    assert alarms(runs) <= 15


def test_the_level_holds_where_few_events_leave_more_to_sampling():
    chance = random.Random(414)
    runs = (latencies(chance, {PODS: SHAPES[i % 3]}, 5, in_a_window=2_000) for i in range(150))
    assert alarms(runs) <= 2


@pytest.mark.parametrize("shared", [True, False], ids=["one noise for all series", "each its own noise"])
def test_the_level_holds_for_eight_series_together(shared):
    chance = random.Random(505)
    assert alarms(latencies(chance, EIGHT, 2, shared=shared) for _ in range(20)) <= 2


@pytest.mark.parametrize("minutes", [30, 120])
def test_the_level_holds_where_latencies_stray_by_5_percent_within_both_runs(minutes):
    chance = random.Random(515)
    runs = (latencies(chance, {PODS: SHAPES[1]}, 3, spread=0.05, minutes=minutes) for _ in range(30))
    assert alarms(runs) <= 2


@pytest.mark.parametrize(("hours", "onset"), [(1, 0), (6, 5)], ids=["from the beginning", "in hour 5"])
@pytest.mark.parametrize(("shape", "at_least"), list(zip(SHAPES, (43, 46, 44), strict=True)), ids=NAMES)
def test_15_percent_slower_is_found_within_half_an_hour_in_nine_of_ten(shape, at_least, hours, onset):
    chance = random.Random(606)
    runs = (latencies(chance, {PODS: shape}, hours, from_then(onset * HOUR, 1.15)) for _ in range(50))
    assert in_time(runs, onset * HOUR) >= at_least


@pytest.mark.parametrize(("share", "promised"), [(1e-4, 0.99999), (1e-3, 0.999), (1e-2, 0.999), (0.1, 0.95)])
def test_of_50_runs_of_a_day_whose_share_is_the_same_at_most_2_raise_any_alarm(share, promised):
    chance = random.Random(707)
    assert alarms(shares(chance, share, 24, promised=promised, earlier=24) for _ in range(50)) <= 2


@pytest.mark.parametrize(("spread", "minutes"), [(0.01, 0), (0.05, 10), (0.05, 60), (0.2, 30)])
def test_of_60_runs_of_a_value_that_is_the_same_at_most_3_raise_any_alarm(spread, minutes):
    chance = random.Random(808)
    assert alarms(numbers(chance, spread, minutes, 12, earlier=12) for _ in range(60)) <= 3


def test_15_percent_slower_is_found_in_nearly_all_where_there_are_ten_times_as_many_events():
    chance = random.Random(616)
    runs = (latencies(chance, {PODS: SHAPES[i % 3]}, 1, from_then(0, 1.15), 200_000) for i in range(200))
    assert in_time(runs, 0) >= 193


def test_doubled_shares_and_values_grown_by_15_percent_are_found_within_half_an_hour():
    chance = random.Random(909)
    runs = (shares(chance, 0.01, 6, from_then(5 * HOUR, 2.0)) for _ in range(100))
    assert in_time(runs, 5 * HOUR) >= 85
    runs = (numbers(chance, 0.01, 2, 6, from_then(5 * HOUR, 1.15)) for _ in range(100))
    assert in_time(runs, 5 * HOUR) >= 90
