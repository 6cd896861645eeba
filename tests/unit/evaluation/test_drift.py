from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.drift import MOST_POINTS, growth


def minima(count, per_second, noise=lambda i: 0.0):
    return [(120 * i, 5e8 + per_second * 120 * i + noise(i)) for i in range(count)]


def test_the_slope_of_a_straight_line_is_known_exactly():
    found = growth(minima(60, 2.0), 120)
    assert (found.slope, found.lower, found.upper) == pytest.approx((2.0, 2.0, 2.0))
    assert found.windows == 120


def test_a_quarter_of_wild_values_does_not_move_the_slope():
    found = growth(minima(100, 2.0, noise=lambda i: 1e9 if i % 4 == 0 else 0.0), 200)
    assert found.slope == pytest.approx(2.0)


def test_noise_without_growth_has_an_interval_around_zero():
    found = growth(minima(60, 0.0, noise=lambda i: float((i * 7919) % 101)), 120)
    assert found.lower < 0 < found.upper


@pytest.mark.parametrize(("stretches", "windows"), [(30, 60), (31, 29), (2, 100), (0, 0)])
def test_below_an_hour_or_thirty_windows_nothing_can_be_told(stretches, windows):
    assert growth(minima(stretches, 1.0), windows) is None


def test_an_hour_and_thirty_windows_are_enough():
    assert growth(minima(31, 1.0), 30) is not None


def test_weeks_are_joined_to_few_points_and_keep_their_slope():
    found = growth(minima(10_000, 0.5), 20_000)
    assert found.slope == pytest.approx(0.5)
    assert found.lower <= found.slope <= found.upper


@given(st.lists(st.floats(-1e9, 1e9), min_size=31, max_size=60))
def test_the_slope_lies_in_its_interval(values):
    found = growth([(120 * i, v) for i, v in enumerate(values)], 60)
    assert found.lower <= found.slope <= found.upper


def test_there_are_never_more_points_than_can_be_compared_quickly():
    from sloagent.evaluation.drift import _joined

    for count in (MOST_POINTS, MOST_POINTS + 1, 2 * MOST_POINTS, 20_000):
        assert len(_joined(minima(count, 1.0))) <= MOST_POINTS
