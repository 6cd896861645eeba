from __future__ import annotations

from math import comb, exp, inf, log, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.counts_ratio import ratio_far

REACH = 4.0
LEVEL = 1 - NormalDist().cdf(REACH)


def tail(least, trials, share):
    """How likely at least so many of the trials succeed."""
    return sum(comb(trials, hits) * share**hits * (1 - share) ** (trials - hits) for hits in range(least, trials + 1))


def odds_share(ratio, all_before, all_now):
    odds = ratio * all_now / all_before
    return odds / (1 + odds)


@pytest.mark.parametrize(
    ("had", "all_before", "has", "all_now"),
    [(50, 2e6, 4, 2e4), (200, 2e6, 10, 2e4), (0, 2e6, 3, 2e4), (100, 2e5, 40, 2e4), (300, 3e5, 60, 2e4)],
)
def test_at_the_lower_end_as_many_bad_events_are_as_unlikely_as_the_exact_binomial_says(had, all_before, has, all_now):
    found = ratio_far((had, all_before), (has, all_now), REACH)
    chance = tail(has, had + has, odds_share(exp(found.lower), all_before, all_now))
    assert LEVEL / 4 < chance < 1.1 * LEVEL


def test_at_the_upper_end_as_few_are_as_unlikely():
    found = ratio_far((40, 2e5), (3, 2e5), REACH)
    chance = 1 - tail(4, 43, odds_share(exp(found.upper), 2e5, 2e5))
    assert LEVEL / 4 < chance < 1.2 * LEVEL


def test_of_many_events_the_interval_is_that_of_the_logarithm():
    found = ratio_far((3e5, 1e6), (3.3e5, 1e6), REACH)
    half = REACH * sqrt(1 / 3e5 + 1 / 3.3e5 - 2 / 1e6)
    assert found.estimate == pytest.approx(log(1.1), abs=1e-5)
    assert (found.upper - found.estimate, found.estimate - found.lower) == pytest.approx((half, half), rel=0.01)


def test_no_event_on_a_side_leaves_its_end_open():
    assert ratio_far((5, 1e5), (0, 1e5), REACH).lower == -inf
    assert ratio_far((0, 1e5), (5, 1e5), REACH).upper == inf
    assert ratio_far((0, 1e5), (0, 1e5), REACH).estimate == 0


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1, 6))
def test_the_estimate_lies_within_and_the_other_way_round_is_the_mirror_image(had, has, reach):
    there, back = ratio_far((had, 1e6), (has, 2e6), reach), ratio_far((has, 2e6), (had, 1e6), reach)
    assert there.lower <= there.estimate <= there.upper
    assert (back.lower, back.upper) == pytest.approx((-there.upper, -there.lower), abs=1e-9)
