from __future__ import annotations

import random
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.drift import GROUPS, growth, seconds_until
from sloagent.model.verdict import Growth

HOUR = 3600
MIB = 1024.0**2
LEAK = 20 * MIB / HOUR
SEEDS = (101, 202, 303, 404, 505)
"""Not those that the method was worked out on, which were 0 to 59."""


def minima(count, per_second, noise=lambda i: 0.0):
    return [(120 * i, 5e8 + per_second * 120 * i + noise(i)) for i in range(count)]


def test_the_slope_of_a_straight_line_is_known_exactly():
    found = growth(minima(60, 2.0), 120)
    assert (found.slope, found.lower, found.upper) == pytest.approx((2.0, 2.0, 2.0))
    assert (found.windows, found.sustained) == (120, True)


def test_a_quarter_of_wild_values_does_not_move_the_slope():
    found = growth(minima(100, 2.0, noise=lambda i: 1e9 if i % 4 == 0 else 0.0), 200)
    assert found.slope == pytest.approx(2.0)


def test_noise_without_growth_has_an_interval_around_zero():
    found = growth(minima(60, 0.0, noise=lambda i: float((i * 7919) % 101)), 120)
    assert found.lower < 0 < found.upper
    assert not found.sustained


@pytest.mark.parametrize(("stretches", "windows"), [(30, 60), (31, 29), (2, 100), (0, 0)])
def test_below_an_hour_or_thirty_windows_nothing_can_be_told(stretches, windows):
    assert growth(minima(stretches, 1.0), windows) is None


def test_an_hour_and_thirty_windows_are_enough():
    assert growth(minima(31, 1.0), 30) is not None


def test_a_run_whose_answers_lie_in_its_warm_up_alone_tells_nothing():
    assert growth([*minima(30, 1.0), (6 * HOUR, 6e8)], 60) is None


def test_weeks_keep_their_slope():
    found = growth(minima(10_000, 0.5), 20_000)
    assert found.slope == pytest.approx(0.5)
    assert found.lower <= found.slope <= found.upper


@given(st.lists(st.floats(-1e9, 1e9), min_size=31, max_size=60))
def test_the_slope_lies_in_its_interval(values):
    found = growth([(120 * i, v) for i, v in enumerate(values)], 60)
    assert found.lower <= found.slope <= found.upper


def test_neighbours_that_err_alike_widen_the_interval():
    chance = random.Random(101)
    wandering = [0.0]
    while len(wandering) < 600:
        wandering.append(0.95 * wandering[-1] + chance.gauss(0, 1))
    shuffled = chance.sample(wandering, 600)
    narrow, wide = (growth(minima(600, 0.0, noise=lambda i, e=e: e[i]), 600) for e in (shuffled, wandering))
    assert wide.upper - wide.lower > 2 * (narrow.upper - narrow.lower)


# Fixtures: what a process's memory looks like, in two-minute minima of a sample each minute.


def run(hours, seed, *parts, noise=2.0):
    """500 MiB, independent noise of so many MiB, and whatever the parts add to (or make of) it at each minute."""
    chance = random.Random(seed)
    shapes = [part(chance, hours * HOUR) for part in parts]
    least = {}
    for second in range(0, round(hours * HOUR) + 120, 60):
        level = 500.0
        for shape in shapes:
            level = shape(second, level)
        start = second // 120 * 120
        value = (level + chance.gauss(0, noise)) * MIB
        least[start] = min(value, least.get(start, value))
    return sorted(least.items())


def leaking(per_hour=20.0):
    return lambda chance, span: lambda second, level: level + per_hour * second / HOUR


def sawtooth(minutes, jitter=0.1, height=200.0):
    """From the troughs up by `height` in a period, then down at once; each period is longer or shorter by chance."""

    def part(chance, span):
        drops, phase = [-60.0 * minutes * chance.random()], 0
        while drops[-1] <= span + 120:
            drops.append(drops[-1] + 60 * minutes * (1 + chance.uniform(-jitter, jitter)))

        def shape(second, level):
            nonlocal phase
            while drops[phase + 1] <= second:
                phase += 1
            return level + height * (second - drops[phase]) / (drops[phase + 1] - drops[phase])

        return shape

    return part


def step(place, height=100.0):
    return lambda chance, span: lambda second, level: level + (height if second >= place * span else 0.0)


def restart(place, minutes=5.0):
    """Down to a third, and back to the old level within so many minutes."""

    def part(chance, span):
        def shape(second, level):
            since = (second - place * span) / 60
            return level * (1 / 3 + 2 / 3 * since / minutes) if 0 <= since < minutes else level

        return shape

    return part


def warm_up(minutes, height=300.0):
    return lambda chance, span: lambda second, level: level - height * exp(-second / 60 / minutes)


PLACES = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
NO_LEAKS = {
    "flat": [()],
    "sawtooth": [(sawtooth(m, j),) for m in (1, 2, 3, 5, 7, 10, 15, 20, 30) for j in (0.0, 0.1)],
    "step": [(step(place),) for place in PLACES],
    "step under a sawtooth": [(sawtooth(m), step(place)) for place in PLACES for m in (5, 30)],
    "restart": [(restart(place, minutes),) for place in PLACES for minutes in (3, 20)],
    "restart under a sawtooth": [(sawtooth(m), restart(place)) for place in PLACES for m in (5, 30)],
    "warm-up": [(warm_up(minutes),) for minutes in (3, 10)],
    "warm-up under a sawtooth": [(warm_up(10), sawtooth(m)) for m in (5, 30)],
}


def leaks(found):
    return found.sustained and found.lower > 0


@pytest.mark.parametrize("hours", [1, 3, 12])
@pytest.mark.parametrize("name", NO_LEAKS)
def test_what_is_no_leak_is_called_none(name, hours):
    for number, parts in enumerate(NO_LEAKS[name]):
        found = growth(run(hours, SEEDS[number % len(SEEDS)], *parts), 60 * hours)
        assert not leaks(found), (number, found)


def test_what_is_no_leak_is_none_over_a_week():
    for name in ("flat", "step", "restart"):
        assert not leaks(growth(run(168, 101, *NO_LEAKS[name][0]), 10_000))


@pytest.mark.parametrize("minutes", [1, 2, 3, 5, 7, 10, 15, 20, 30])
@pytest.mark.parametrize(("hours", "jitter"), [(6, 0.0), (12, 0.0), (24, 0.1)])
def test_20_mib_an_hour_under_a_sawtooth_of_100_mib_up_and_down_is_a_leak_known_within_10_percent(
    minutes, hours, jitter
):
    for seed in SEEDS[:2]:
        found = growth(run(hours, seed, leaking(), sawtooth(minutes, jitter)), 60 * hours)
        assert leaks(found), found
        assert found.slope == pytest.approx(LEAK, rel=0.1)


@pytest.mark.parametrize(("hours", "at_least"), [(2, 8), (3, 10)])
def test_in_a_short_run_a_leak_without_a_sawtooth_is_found(hours, at_least):
    found = [growth(run(hours, seed, leaking()), 60 * hours) for seed in range(101, 111)]
    assert sum(map(leaks, found)) >= at_least
    assert all(one.slope == pytest.approx(LEAK, rel=0.2) for one in found)


def test_a_leak_after_a_warm_up_has_its_own_slope_over_a_week_too():
    found = growth(run(168, 101, leaking(), warm_up(10), sawtooth(10)), 10_000)
    assert leaks(found)
    assert found.slope == pytest.approx(LEAK, rel=0.02)


@pytest.mark.parametrize("gap", [(0.2, 0.4), (0.45, 0.55), (0.8, 0.95)])
def test_excluded_stretches_are_gaps_and_change_nothing(gap):
    whole = run(12, 101, leaking(), sawtooth(10))
    found = growth([m for m in whole if not gap[0] * 12 * HOUR < m[0] < gap[1] * 12 * HOUR], 600)
    assert leaks(found)
    assert found.slope == pytest.approx(LEAK, rel=0.1)


def test_two_troughs_on_either_side_of_a_border_between_parts_do_not_look_like_a_leap():
    # After the warm-up, an hour, there are 151 stretches in parts of 37 and 38, each part with one trough.
    troughs = {5: 0.0, 74: 0.0, 76: 10.0, 140: 0.0}
    run = [(120 * (place + 30), place + troughs.get(place, 1000.0)) for place in range(-30, 151)]
    assert growth(run, 181).sustained


def test_never_more_points_are_compared_than_quickly_can_be():
    assert max(GROUPS) <= 100


# When it reaches its limit.

GROWN = Growth(slope=2.0, lower=1.0, upper=4.0, windows=60, sustained=True, latest=100.0)


def test_the_time_until_the_limit_is_that_at_the_slope():
    assert seconds_until(GROWN, 500.0) == 200.0


def test_what_is_beyond_its_limit_has_reached_it_and_what_does_not_grow_never_does():
    assert seconds_until(GROWN, 100.0) == 0.0
    shrinking = Growth(slope=-1.0, lower=-2.0, upper=0.5, windows=60, sustained=False, latest=100.0)
    assert seconds_until(shrinking, 200.0) is None


def test_the_level_of_now_is_the_top_of_the_sawtooth_that_reaches_the_limit_first():
    found = growth(run(6, 101, leaking(), sawtooth(20), noise=0.1), 360)
    assert 500 + 6 * 20 + 150 < found.latest / MIB < 500 + 6 * 20 + 200
