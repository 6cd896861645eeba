from __future__ import annotations

from math import sqrt

import pytest

from sloagent.evaluation.student import mean_error, student_quantile

TABLE = {
    1: (6.314, 31.821, 63.657),
    2: (2.920, 6.965, 9.925),
    3: (2.353, 4.541, 5.841),
    4: (2.132, 3.747, 4.604),
    5: (2.015, 3.365, 4.032),
    10: (1.812, 2.764, 3.169),
    11: (1.796, 2.718, 3.106),
    30: (1.697, 2.457, 2.750),
    120: (1.658, 2.358, 2.617),
}
"""Degrees of freedom to the t exceeded with probability 5 %, 1 % and 0.5 %, as printed in tables."""


@pytest.mark.parametrize("degrees", TABLE)
def test_the_quantiles_are_those_of_the_tables(degrees):
    assert [round(student_quantile(level, degrees), 3) for level in (0.05, 0.01, 0.005)] == list(TABLE[degrees])


def test_the_quantiles_of_ever_so_many_degrees_stay_above_the_normal_ones():
    assert 2.3263 < student_quantile(0.01, 10**9) < 2.3263 * 1.01


def test_the_error_of_independent_numbers_is_the_usual_one():
    numbers = [1.0, 4.0, 2.0, 3.0, 1.0, 4.0, 2.0, 3.0]
    error, degrees = mean_error(numbers)
    assert error == pytest.approx(sqrt(sum((x - 2.5) ** 2 for x in numbers) / 7 / 8))
    assert degrees == 7


def test_numbers_that_resemble_their_neighbours_count_for_fewer():
    apart, alike = [1.0, 2.0] * 12, [1.0] * 12 + [2.0] * 12
    (error, degrees), (larger, fewer) = mean_error(apart), mean_error(alike)
    assert larger > 2 * error
    assert fewer < degrees / 4


def test_the_likeness_of_neighbours_is_corrected_for_how_few_they_are():
    error, degrees = mean_error([1.0, 1.0, 1.0, 2.0, 2.0, 2.0] * 2)
    alike = 1.25 / 3 + (1 + 3 * 1.25 / 3) / 12
    effective = 12 * (1 - alike) / (1 + alike)
    assert error == pytest.approx(sqrt(3 / 11 / effective))
    assert degrees == int(effective) - 1 == 1


def test_equal_numbers_are_sure():
    assert mean_error([5.0] * 6) == (0.0, 5)
