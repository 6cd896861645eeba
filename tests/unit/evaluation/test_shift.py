from __future__ import annotations

from math import exp, inf, log, sqrt
from statistics import NormalDist

import pytest

from sloagent.evaluation.shift import pair_of, shared_bounds, shift_at, shift_of
from sloagent.model.distribution import Distribution
from tests.unit.evaluation.build import histogram
from tests.unit.evaluation.drawn import BOUNDS, log_normal

FIVE = (0.1, 0.2, 0.4, 0.8, 1.6, inf)


def pair(before, after):
    return pair_of(before, after, shared_bounds(before, after))


def test_a_bound_tells_nothing_unless_ten_events_of_both_lie_on_either_side():
    five = histogram(FIVE, (5, 50, 54, 90, 95, 100))
    assert pair(five, five).bounds == (0.1, 0.2, 0.8, 1.6)
    four = histogram(FIVE, (4, 50, 54, 92, 96, 100))
    assert pair(four, four).bounds == (0.2, 0.8)


def test_a_run_that_is_slower_at_one_bound_is_never_found_faster():
    # Between two modes: there the weights that give the least error are negative.
    before = histogram(FIVE, (2500, 4900, 5100, 7500, 9000, 10_000))
    after = histogram(FIVE, (2500, 4900, 4950, 7500, 9000, 10_000))
    assert shift_of(pair(before, after)).estimate >= 0


def test_a_bound_at_an_empty_bucket_counts_for_nothing():
    modes = histogram((0.1, 0.2, 0.4, 0.8, 1.6, inf), (2500, 5000, 5005, 7500, 9000, 10_000))
    moved = histogram((0.1, 0.2, 0.4, 0.8, 1.6, inf), (2500, 4990, 4995, 7500, 9000, 10_000))
    assert shift_of(pair(modes, moved)).estimate == pytest.approx(0, abs=0.005)


def test_the_error_is_that_of_the_grouped_normal_mean():
    """Of log-normal latencies it lies a little above sigma times sqrt(2 / n), which counting without groups would give."""
    shares = log_normal(0.3, 0.8)(1.0)
    run = Distribution(BOUNDS, tuple(20_000 * share for share in shares))
    ideal = 0.8 * sqrt(2 / 20_000)
    assert ideal < shift_of(pair(run, run)).error < 1.05 * ideal


def test_one_bound_alone_tells_the_factor_with_the_error_of_its_share():
    normal, sigma = NormalDist(), 0.6
    before, after = (
        Distribution(BOUNDS, tuple(1e6 * share for share in log_normal(0.08, sigma)(factor))) for factor in (1.0, 1.1)
    )
    both = pair(before, after)
    found = shift_at(both, both.bounds.index(0.2))
    assert exp(found.estimate) == pytest.approx(1.1, abs=0.005)
    share, density = (f(log(0.2 / 0.08 / sqrt(1.1)) / sigma) for f in (normal.cdf, normal.pdf))
    assert found.error == pytest.approx(sqrt(2 * share * (1 - share) / 1e6) / density * sigma, rel=0.05)
