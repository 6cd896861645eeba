from __future__ import annotations

import random
from statistics import NormalDist

import pytest

from sloagent.evaluation.deciding import Yardstick, around, decided
from sloagent.model.comparison import Change, Terms, Why

NORMAL = NormalDist()


def called_worse(size, error, yardstick):
    """Of a number that no tolerance excuses."""
    return decided(around(size, yardstick.reach * error), (-1e-9, 1e-9), yardstick)[0] is Change.WORSE


def threshold(error, yardstick):
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if called_worse(middle, error, yardstick) else (middle, high)
    return high


@pytest.mark.parametrize("looks", [1.0, 10.0, 288.0, 8064.0])
@pytest.mark.parametrize("error", [0.002, 0.01, 0.03])
def test_the_greatest_of_many_errors_and_the_one_noise_of_a_run_exceed_what_is_worse_as_often_as_the_level_says(
    looks, error
):
    yardstick = Yardstick(Terms(level=0.02), looks=looks)
    least, chance, count = threshold(error, yardstick), random.Random(101), 20_000
    greatest = (NORMAL.inv_cdf(chance.random() ** (1 / looks)) * error for _ in range(count))
    found = sum(one + chance.gauss(0, 0.03) > least for one in greatest)
    assert 0.016 * count < found < 0.024 * count


def test_looks_move_the_ends_as_far_as_their_share_of_the_level_and_cost_little_of_the_noise():
    once, often = Yardstick(Terms()), Yardstick(Terms(), looks=288)
    assert often.reach == pytest.approx(NORMAL.inv_cdf(1 - 0.01 / 288))
    assert threshold(1e-6, often) == pytest.approx(threshold(1e-6, once), rel=1e-3)
    assert threshold(0.0, often) == pytest.approx(threshold(0.0, once))
    assert threshold(0.005, once) < threshold(0.005, often) < threshold(0.005, once) + 3 * 0.005


def test_without_noise_the_interval_alone_decides():
    yardstick = Yardstick(Terms(noise=0.0), looks=288)
    assert called_worse(1.001 * yardstick.reach * 0.01, 0.01, yardstick)
    assert not called_worse(0.999 * yardstick.reach * 0.01, 0.01, yardstick)


def test_what_noise_may_explain_is_told_as_noise_in_both_directions():
    yardstick = Yardstick(Terms(), looks=288)
    assert decided(around(0.06, 0.001), (-0.05, 0.05), yardstick) == (Change.CANNOT_TELL, Why.NOISE)
    assert decided(around(-0.06, 0.001), (-0.05, 0.05), yardstick) == (Change.CANNOT_TELL, Why.NOISE)
    assert decided(around(-0.15, 0.001), (-0.05, 0.05), yardstick) == (Change.BETTER, Why.DECIDED)


def test_comparisons_among_which_the_level_is_shared_multiply():
    assert Yardstick(Terms(), 4).among(2).level == pytest.approx(0.01 / 8)
    assert Yardstick(Terms()).among(1 / 2).level == 0.01
