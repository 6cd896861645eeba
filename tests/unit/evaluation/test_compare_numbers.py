from __future__ import annotations

import random
from collections import Counter
from math import inf, nan, sqrt

import pytest

from sloagent.evaluation.compare import compare_shares, compare_values
from sloagent.model.comparison import Change, Terms, Why
from sloagent.model.samples import Events
from tests.unit.evaluation.drawn import binomial, noise

TERMS = Terms()


def shares(before, now, events=1e6, **options):
    """Bad events of so many in either run."""
    return compare_shares(Events(before, events), Events(now, events), "bad", TERMS, **options)


# Shares.


@pytest.mark.parametrize(
    ("before", "now", "change", "why"),
    [
        (10_000, 13_000, Change.WORSE, Why.DECIDED),
        (13_000, 10_000, Change.BETTER, Why.DECIDED),
        (100_000, 100_100, Change.SAME, Why.DECIDED),
        (10_000, 10_600, Change.CANNOT_TELL, Why.STRADDLES),
        (1_000_000, 1_000_000, Change.SAME, Why.DECIDED),
        (0, 100_000, Change.WORSE, Why.DECIDED),
        (100_000, 0, Change.BETTER, Why.DECIDED),
    ],
)
def test_more_bad_events_are_worse(before, now, change, why):
    moved = shares(before, now)
    assert (moved.change, moved.why) == (change, why)
    assert (moved.baseline, moved.current) == (before / 1e6, now / 1e6)


def test_the_change_is_that_of_the_share_with_its_interval():
    moved = shares(10_000, 13_000)
    assert moved.estimate == pytest.approx(0.3)
    # The logarithm of the ratio has the variance 1/10,000 + 1/13,000 - 2/1,000,000, and 1 % lies 2.326 errors away.
    half = 2.3263 * sqrt(1 / 10_000 + 1 / 13_000 - 2 / 1_000_000)
    assert (moved.lower, moved.upper) == pytest.approx((1.3 * (1 - half) - 1, 1.3 * (1 + half) - 1), abs=0.003)


def test_good_events_are_counted_from_the_other_side():
    good = compare_shares(Events(990_000, 1e6), Events(987_000, 1e6), "good", TERMS)
    assert good == shares(10_000, 13_000)


def test_nothing_bad_in_many_events_is_the_same_and_in_few_is_too_few():
    assert (shares(0, 0).change, shares(0, 0).estimate) == (Change.SAME, None)
    few = shares(0, 0, events=5_000)
    assert (few.change, few.why) == (Change.CANNOT_TELL, Why.TOO_FEW)
    assert shares(0, 1, events=99).why is Why.TOO_FEW


def test_twice_next_to_nothing_is_the_same_where_the_budget_does_not_feel_it():
    assert shares(10, 20, promised=0.99).change is Change.SAME
    assert shares(1000, 2000, promised=0.9999).change is Change.WORSE
    assert shares(1000, 2000, events=1e9, promised=0.9).change is Change.SAME
    assert shares(1000, 2000, events=1e8, promised=0.9999).change is Change.WORSE
    near = shares(1000, 1400, events=1e8, promised=0.9999)
    assert near.lower > TERMS.tolerance
    assert (near.change, near.why) == (Change.CANNOT_TELL, Why.STRADDLES)
    fewer = shares(1400, 1000, events=1e8, promised=0.9999)
    assert (fewer.change, fewer.why) == (Change.CANNOT_TELL, Why.STRADDLES)


@pytest.mark.parametrize("promised", [None, 1.0])
def test_without_a_budget_it_is_that_of_99_9_percent(promised):
    assert shares(1000, 1400, events=1e8, promised=promised).change is Change.SAME
    assert shares(1000, 1400, promised=promised).change is Change.WORSE


@pytest.mark.parametrize(
    "absent",
    [None, Events(None, None), Events(3.0, None), Events(0.0, 0.0), Events(None, 1e6), Events(2e6, 1e6),
     Events(nan, 1e6), Events(-1.0, 1e6)],
)  # fmt: skip
def test_a_share_that_cannot_be_judged_was_not_run(absent):
    known = Events(100.0, 1e6)
    for before, now in ((known, absent), (absent, known)):
        moved = compare_shares(before, now, "bad", TERMS)
        assert (moved.change, moved.why) == (Change.CANNOT_TELL, Why.NOT_RUN)
        assert (moved.baseline is None, moved.current is None) == (before is absent, now is absent)


def test_bad_events_without_series_are_none_where_the_slo_says_so_and_good_ones_always():
    assert compare_shares(Events(None, 1e6), Events(0.0, 1e6), "bad", TERMS, absent_is_zero=True) == shares(0, 0)
    assert compare_shares(Events(None, 1e6), Events(1e6, 1e6), "good", TERMS) == shares(1e6, 0)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1])
def test_shares_of_the_same_thing_are_rarely_called_worse_and_doubled_ones_nearly_always(share):
    chance, found = random.Random(101), Counter()
    for _ in range(300):
        before = binomial(chance, 200_000, share)
        found[shares(before, binomial(chance, 200_000, share * noise(chance)), 200_000).change] += 1
        found["doubled", shares(before, binomial(chance, 200_000, 2 * share * noise(chance)), 200_000).change] += 1
    assert found[Change.WORSE] <= 9
    assert found["doubled", Change.WORSE] >= 285


# Values.


def values(before, now, **options):
    return compare_values(before, now, TERMS, **options)


def around(mean, count=24, spread=0.01):
    """Parts that do not resemble their neighbours."""
    return [mean * (1 + spread * ((i * 7) % 5 - 2)) for i in range(count)]


@pytest.mark.parametrize(
    ("now", "change", "why"),
    [
        (120.0, Change.WORSE, Why.DECIDED),
        (80.0, Change.BETTER, Why.DECIDED),
        (100.5, Change.SAME, Why.DECIDED),
        (104.9, Change.CANNOT_TELL, Why.STRADDLES),
        (106.5, Change.CANNOT_TELL, Why.NOISE),
    ],
)
def test_a_greater_mean_is_worse(now, change, why):
    moved = values(around(100.0), around(now))
    assert (moved.change, moved.why) == (change, why)
    assert moved.estimate == pytest.approx(now / 100 - 1, abs=0.003)
    assert moved.lower < moved.estimate < moved.upper


def test_a_smaller_mean_is_worse_where_at_least_is_promised():
    assert values(around(100.0), around(80.0), falling_is_worse=True).change is Change.WORSE
    assert values(around(100.0), around(120.0), falling_is_worse=True).change is Change.BETTER
    assert values(around(100.0), around(80.0), falling_is_worse=True).estimate == pytest.approx(-0.2)


def test_neighbours_that_resemble_each_other_widen_the_interval():
    steady, wandering = around(100.0), sorted(around(100.0))
    narrow, wide = values(around(100.0), steady), values(around(100.0), wandering)
    assert wide.upper - wide.lower > 1.5 * (narrow.upper - narrow.lower)


def test_the_error_of_the_baseline_counts_as_often_as_the_mean_grew():
    wide = values(around(100.0, spread=0.05), [100.0] * 24)
    moved = values(around(100.0, spread=0.05), [300.0] * 24)
    assert moved.upper - moved.lower == pytest.approx(3 * (wide.upper - wide.lower), rel=0.01)


def test_fewer_than_six_parts_are_too_few_and_none_is_not_run():
    assert values(around(100.0), around(150.0, count=5)).why is Why.TOO_FEW
    assert values(around(100.0), around(150.0, count=6)).change is Change.WORSE
    absent = values((), around(100.0))
    assert (absent.why, absent.baseline, absent.current) == (Why.NOT_RUN, None, pytest.approx(100.0, abs=0.1))


def test_constants_are_the_same_or_not_at_all():
    assert values([3.0] * 6, [3.0] * 6).change is Change.SAME
    assert values([3.0] * 6, [4.0] * 6).change is Change.WORSE


def test_from_a_mean_of_zero_any_sure_difference_is_one():
    zero, some = [0.0] * 6, [2.0, 3.0, 2.0, 3.0, 2.0, 3.0]
    moved = values(zero, some)
    assert (moved.change, moved.estimate, moved.baseline) == (Change.WORSE, None, 0.0)
    assert values(zero, zero).change is Change.SAME
    assert values(zero, [-1.0, 1.0] * 3).change is Change.CANNOT_TELL


def test_negative_means_change_in_the_direction_of_their_value():
    moved = values(around(-100.0), around(-50.0))
    assert (moved.change, moved.estimate) == (Change.WORSE, pytest.approx(0.5))


@pytest.mark.parametrize("parts", [[inf] + [1.0] * 9, [-inf] + [1.0] * 9, [inf, -inf] + [1.0] * 9])
def test_an_infinite_part_is_never_the_same(parts):
    moved = values(parts, parts)
    assert (moved.change, moved.estimate) == (Change.CANNOT_TELL, None)


@pytest.mark.parametrize("resemblance", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("spread", [0.01, 0.05, 0.2])
def test_values_of_the_same_thing_are_rarely_called_worse(resemblance, spread):
    """Twelve parts of either run, each like its neighbour by this correlation."""
    chance, found = random.Random(101), Counter()
    for _ in range(300):
        before, now = (wandering(chance, resemblance, spread) for _ in range(2))
        factor = noise(chance)
        found[values(before, [factor * value for value in now]).change] += 1
    assert found[Change.WORSE] <= 9


def wandering(chance, resemblance, spread, count=12):
    numbers, apart = [], chance.gauss(0, spread)
    for _ in range(count):
        numbers.append(100 * (1 + apart))
        apart = resemblance * apart + chance.gauss(0, spread * sqrt(1 - resemblance**2))
    return numbers
