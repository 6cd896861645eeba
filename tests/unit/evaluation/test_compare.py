from __future__ import annotations

import random
from collections import Counter
from itertools import accumulate
from math import inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.compare import compare_distributions, roll_up
from sloagent.model.comparison import Change, Moved, Terms, Why
from sloagent.model.distribution import Distribution
from tests.unit.evaluation.build import histogram
from tests.unit.evaluation.drawn import BOUNDS, EVENTS, drawn, log_normal, mixed, noise

TERMS = Terms()
SEEDS = (101, 202, 303)
"""Not those that the method was worked out on, which were 1, 2 and 3."""
SHAPES = [log_normal(0.02, 1.0), log_normal(0.08, 0.6), log_normal(0.3, 0.8)]
NAMES = ["20 ms, sigma 1", "80 ms, sigma 0.6", "300 ms, sigma 0.8"]


def compared(baseline, current, percentile=99.0, series=1):
    return compare_distributions(percentile, (50.0, 90.0, 99.0), baseline, current, TERMS, series)


def repeated(shape, seed, factor=1.0, count=500, current=None, sigma=0.03, events=EVENTS):
    """How often each verdict and reason came out, over so many pairs of runs of which the second differs by a factor."""
    chance = random.Random(seed)
    found = Counter()
    for _ in range(count):
        other = (current or shape)(factor * noise(chance, sigma))
        moved = compared(drawn(chance, shape(1.0), events), drawn(chance, other, events)).overall
        found[moved.change] += 1
        found[moved.why] += 1
    return found


def exact(shape, factor=1.0, events=1e9):
    """A run without chance, of so many events that only the shape matters."""
    return Distribution(BOUNDS, tuple(share * events for share in shape(factor)))


# The level, the power, the bucket.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_of_500_runs_of_the_same_thing_at_most_15_are_called_worse(shape, seed):
    assert repeated(shape, seed)[Change.WORSE] <= 15


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_15_percent_slower_is_called_worse_in_95_of_100(shape, seed):
    assert repeated(shape, seed, 1.15)[Change.WORSE] >= 475


@pytest.mark.parametrize(
    "shape",
    [
        log_normal(0.003, 0.1),
        log_normal(0.45, 0.02),
        log_normal(0.012, 0.15),
        log_normal(100, 0.1),
        log_normal(70, 0.01),
    ],
    ids=["first bucket", "0.4 to 0.6", "0.005 to 0.025", "last bucket", "near the last bucket"],
)
def test_a_shift_inside_one_bucket_can_never_be_told_and_says_why(shape):
    found = repeated(shape, 101, 1.15, count=200)
    assert found == {Change.CANNOT_TELL: 200, Why.INSIDE_BUCKET: 200}


def test_the_bucket_that_hides_a_shift_is_named():
    inside = compared(exact(log_normal(0.48, 0.01)), exact(log_normal(0.5, 0.01)))
    assert [moved.bucket for moved in (inside.overall, *inside.percentiles)] == [(0.4, 0.6)] * 4
    first = compared(exact(log_normal(0.001, 0.1)), exact(log_normal(0.002, 0.1)))
    assert first.overall.bucket == (0.0, 0.005)
    last = compared(exact(log_normal(100, 0.1)), exact(log_normal(100, 0.1)))
    assert last.overall.bucket == (60, inf)


def test_hardly_any_improvement_or_regression_is_told_of_the_same_thing_with_ever_so_many_events():
    found = repeated(log_normal(0.08, 0.6), 101, count=200, events=2_000_000)
    assert found[Change.WORSE] + found[Change.BETTER] <= 10
    assert found[Change.SAME] >= 150


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_15_percent_faster_is_called_better(shape):
    assert repeated(shape, 101, 1 / 1.15, count=100)[Change.BETTER] >= 90


# What is told, and of what.


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.15, 2.0])
@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_the_change_of_all_and_of_each_percentile_is_the_factor_of_the_latencies(shape, factor):
    found = compared(exact(shape), exact(shape, factor))
    for moved in (found.overall, *found.percentiles):
        assert log(1 + moved.estimate) == pytest.approx(log(factor), abs=0.02)
        assert moved.lower <= moved.estimate <= moved.upper
        assert moved.change is (Change.SAME if factor == 1 else Change.WORSE if factor > 1 else Change.BETTER)


def test_what_is_worse_one_way_is_better_the_other_way_by_the_same_factor():
    one, other = exact(SHAPES[0], events=1e6), exact(SHAPES[0], 1.3, events=1e6)
    there, back = compared(one, other).overall, compared(other, one).overall
    assert (there.change, back.change) == (Change.WORSE, Change.BETTER)
    assert (1 + there.estimate) * (1 + back.estimate) == pytest.approx(1)


def test_shapes_that_are_not_log_normal_have_their_factor_found_too():
    shape = mixed((0.95, log_normal(0.01, 0.3)), (0.05, log_normal(1.0, 0.3)))
    for events in (EVENTS, 1e9):
        moved = compared(exact(shape, events=events), exact(shape, 1.15, events=events)).overall
        assert 0.1 < moved.estimate < 0.25


def test_identical_distributions_of_huge_counts_are_the_same():
    found = compared(exact(SHAPES[1]), exact(SHAPES[1]))
    for moved in (found.overall, *found.percentiles):
        assert (moved.change, moved.why) == (Change.SAME, Why.DECIDED)
        assert moved.estimate == pytest.approx(0)


def test_the_values_beside_the_change_are_what_prometheus_interpolates():
    found = compared(histogram((1, 2, inf), (500, 1000, 1000)), histogram((1, 2, inf), (400, 1000, 1000)))
    assert (found.overall.baseline, found.overall.current) == pytest.approx((1.98, 1 + 590 / 600))
    assert (found.percentiles[0].baseline, found.percentiles[0].current) == pytest.approx((1.0, 1 + 100 / 600))


# Only the slow.


def tail_times_three(median, sigma):
    """The slowest 1 % of a log-normal shape take three times as long, the others as long as before."""
    before, moved = log_normal(median, sigma)(1.0), log_normal(median, sigma)(3.0)
    return [min(a, 0.99) + max(0.0, b - 0.99) for a, b in zip(before, moved, strict=True)]


@pytest.mark.parametrize("events", [EVENTS, 10 * EVENTS])
@pytest.mark.parametrize(("median", "sigma"), [(0.02, 1.0), (0.08, 0.6), (0.3, 0.8), (0.3, 0.3)])
def test_the_slowest_percent_taking_three_times_as_long_is_worse_and_says_that_it_is_the_slow(median, sigma, events):
    chance = random.Random(101)
    for _ in range(20):
        now = drawn(chance, tail_times_three(median, sigma), events)
        moved = compared(drawn(chance, log_normal(median, sigma)(1.0), events), now).overall
        assert moved.change is Change.WORSE
        assert moved.percentile == 99 or moved.bound is not None


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_one_event_in_a_hundred_taking_three_times_as_long_is_not_the_same(shape):
    hit = mixed((0.99, shape), (0.01, lambda factor: shape(3 * factor)))
    assert repeated(shape, 101, count=100, current=hit, sigma=0.0)[Change.SAME] == 0


def test_a_change_beyond_the_promise_is_told_with_the_bound_where_it_shows():
    before = histogram((0.1, 0.2, 0.4, 0.8, 1.6, inf), (5e5, 9.5e5, 9.98e5, 9.998e5, 1e6, 1e6))
    after = histogram((0.1, 0.2, 0.4, 0.8, 1.6, inf), (5e5, 9.5e5, 9.98e5, 9.985e5, 1e6, 1e6))
    moved = compared(before, after).overall
    assert (moved.change, moved.bound, moved.percentile) == (Change.WORSE, 0.8, None)
    back = compared(after, before).overall
    assert (back.change, back.bound) == (Change.BETTER, 0.8)


def test_an_improvement_of_all_that_may_hide_slower_slow_events_cannot_be_told():
    before = histogram((0.1, 0.2, 0.4, 0.8, 1.6, inf), (5000, 8000, 9500, 9850, 9980, 10_000))
    after = histogram((0.1, 0.2, 0.4, 0.8, 1.6, inf), (7500, 9300, 9800, 9850, 9980, 10_000))
    moved = compared(before, after).overall
    assert (moved.change, moved.why, moved.percentile) == (Change.CANNOT_TELL, Why.STRADDLES, 99.0)
    assert compared(before, after, percentile=90.0).overall.change is Change.BETTER


# Buckets.


def test_leaving_the_first_bucket_is_worse_by_at_least_what_the_bounds_tell():
    found = compared(exact(log_normal(0.001, 0.2), events=1e5), exact(log_normal(0.04, 0.3), events=1e5))
    median = found.percentiles[0]
    assert (found.overall.change, median.change) == (Change.WORSE, Change.WORSE)
    assert (median.estimate, median.upper) == (None, None)
    assert 5 < median.lower < 7


def test_a_percentile_in_the_first_bucket_of_both_keeps_the_whole_from_being_the_same():
    shape = mixed((0.995, log_normal(0.001, 0.2)), (0.005, log_normal(0.3, 1.0)))
    moved = compared(exact(shape), exact(shape)).overall
    assert (moved.change, moved.why, moved.bucket) == (Change.CANNOT_TELL, Why.INSIDE_BUCKET, (0.0, 0.005))


def test_with_a_single_bound_a_change_is_told_only_as_the_least_that_explains_it():
    before, after = histogram((1, inf), (9_950, 10_000)), histogram((1, inf), (100, 10_000))
    worse, better = compared(before, after).overall, compared(after, before).overall
    assert (worse.change, worse.estimate, worse.upper) == (Change.WORSE, None, None)
    assert 0.15 < worse.lower < 0.3
    assert (better.change, better.estimate, better.lower) == (Change.BETTER, None, None)
    small = compared(before, histogram((1, inf), (9_800, 10_000))).overall
    assert (small.change, small.why) == (Change.CANNOT_TELL, Why.INSIDE_BUCKET)


# What cannot be compared.


def test_what_was_not_run_in_both_is_not_run_and_shows_the_other():
    run, empty = exact(SHAPES[1]), histogram(BOUNDS, [0] * len(BOUNDS))
    for absent in (None, empty):
        for before, now in ((run, absent), (absent, run), (absent, absent)):
            found = compared(before, now)
            assert {(m.change, m.why) for m in (found.overall, *found.percentiles)} == {
                (Change.CANNOT_TELL, Why.NOT_RUN)
            }
            assert (found.overall.baseline is None) == (before is absent)
            assert (found.overall.current is None) == (now is absent)


def test_few_events_are_too_few_and_few_beyond_the_promise_leave_the_promise_open():
    few = compared(exact(SHAPES[1], events=99), exact(SHAPES[1], 3.0, events=1e6))
    assert {m.why for m in (few.overall, *few.percentiles)} == {Why.TOO_FEW}
    some = compared(exact(SHAPES[1], events=900), exact(SHAPES[1], 1.5, events=1e6))
    assert [m.why for m in some.percentiles] == [Why.DECIDED, Why.DECIDED, Why.TOO_FEW]
    assert some.overall.change is Change.WORSE
    assert compared(exact(SHAPES[1]), exact(SHAPES[1]), percentile=100.0).overall.why is Why.TOO_FEW


def test_histograms_without_a_common_bound_are_not_compared():
    one, other = histogram((0.1, 0.2, inf), (500, 900, 1000)), histogram((0.15, 0.3, inf), (500, 900, 1000))
    assert compared(one, other).overall.why is Why.OTHER_BOUNDS
    only_infinity = histogram((inf,), (1000,))
    assert compared(only_infinity, only_infinity).overall.why is Why.OTHER_BOUNDS


def test_only_common_bounds_are_compared():
    shape = log_normal(0.08, 0.6)
    every_other = (0.025, 0.1, 0.4, 0.8, 1.5, 7.0, inf)
    now = Distribution(every_other, tuple(1e9 * share for share in log_normal(0.08, 0.6, every_other)(1.15)))
    moved = compared(exact(shape), now).overall
    assert (moved.change, moved.estimate) == (Change.WORSE, pytest.approx(0.15, abs=0.005))


def test_bounds_at_and_below_zero_take_no_part():
    bounds = (-0.1, 0.0, 0.1, 0.2, 0.4, inf)
    one = histogram(bounds, (5e5, 6e5, 7e5, 9e5, 9.99e5, 1e6))
    assert compared(one, one).overall.change is Change.SAME


def test_counts_that_fall_are_raised_first():
    raised = histogram((0.1, 0.2, 0.3, 0.4, inf), (5e5, 9.6e5, 9.6e5, 9.999e5, 9.999e5))
    falling = histogram((0.1, 0.2, 0.3, 0.4, inf), (5e5, 9.6e5, 9.5e5, 9.999e5, 9.9e5))
    other = histogram((0.1, 0.2, 0.3, 0.4, inf), (4e5, 9e5, 9.5e5, 9.9e5, 1e6))
    assert compared(other, falling) == compared(other, raised)
    assert compared(falling, other) == compared(raised, other)


def test_counts_beyond_floating_point_are_compared_too():
    assert compared(exact(SHAPES[1], events=1e30), exact(SHAPES[1], 1.3, events=1e30)).overall.change is Change.WORSE


@given(
    st.lists(st.integers(0, 300), min_size=6, max_size=6),
    st.lists(st.integers(0, 300), min_size=6, max_size=6),
    st.sampled_from([50.0, 90.0, 99.0, 99.9, 100.0]),
)
def test_whatever_the_counts_the_estimate_lies_in_its_interval_and_the_other_way_round_is_its_inverse(
    before, now, percentile
):
    bounds = (0.1, 0.2, 0.4, 0.8, 1.6, inf)
    one, other = (histogram(bounds, tuple(accumulate(counts))) for counts in (before, now))
    there, back = compared(one, other, percentile), compared(other, one, percentile)
    for moved in (there.overall, *there.percentiles):
        if moved.estimate is not None:
            assert (moved.lower or -1.0) <= moved.estimate <= (moved.upper or inf)
    for moved, mirror in zip(there.percentiles, back.percentiles, strict=True):
        assert {moved.change, mirror.change} not in ({Change.WORSE}, {Change.BETTER})
        assert inverse(mirror.estimate) == pytest.approx(moved.estimate)
        assert (inverse(mirror.upper), inverse(mirror.lower)) == pytest.approx((moved.lower, moved.upper))


@given(
    st.lists(st.integers(0, 300), min_size=6, max_size=6),
    st.lists(st.integers(0, 300), min_size=6, max_size=6),
    st.sampled_from([50.0, 90.0, 99.0]),
)
def test_what_is_slower_at_every_bound_is_never_better(one, other, percentile):
    bounds = (0.1, 0.2, 0.4, 0.8, 1.6, inf)
    first, second = ([*accumulate(counts)][:-1] for counts in (one, other))
    before = histogram(bounds, (*map(max, first, second), 2000))
    after = histogram(bounds, (*map(min, first, second), 2000))
    found = compared(before, after, percentile)
    assert Change.BETTER not in {moved.change for moved in (found.overall, *found.percentiles)}


def inverse(change):
    return None if change is None else 1 / (1 + change) - 1


# The terms.


def test_a_wider_tolerance_turns_worse_into_the_same():
    one, other = exact(SHAPES[1]), exact(SHAPES[1], 1.1)
    quiet = Terms(tolerance=0.05, noise=0.0)
    assert compare_distributions(99.0, (), one, other, quiet).overall.change is Change.WORSE
    assert compare_distributions(99.0, (), one, other, Terms(tolerance=0.15)).overall.change is Change.SAME


def test_a_change_beyond_the_tolerance_that_noise_between_runs_may_make_cannot_be_told():
    moved = compared(exact(SHAPES[1]), exact(SHAPES[1], 1.06)).overall
    assert (moved.change, moved.why) == (Change.CANNOT_TELL, Why.NOISE)
    assert moved.lower > TERMS.tolerance
    faster = compared(exact(SHAPES[1]), exact(SHAPES[1], 0.94)).overall
    assert (faster.change, faster.why) == (Change.CANNOT_TELL, Why.NOISE)


def test_more_series_share_the_level_and_widen_the_interval():
    one, other = exact(SHAPES[1], events=1e5), exact(SHAPES[1], 1.15, events=1e5)
    alone, shared = compared(one, other).overall, compared(one, other, series=8).overall
    assert shared.lower < alone.lower < alone.upper < shared.upper


# From series to SLO.

WORSE, BETTER, SAME = (Moved(change, Why.DECIDED) for change in (Change.WORSE, Change.BETTER, Change.SAME))
OPEN, ABSENT, RARE = (Moved(Change.CANNOT_TELL, why) for why in (Why.STRADDLES, Why.NOT_RUN, Why.TOO_FEW))


@pytest.mark.parametrize(
    ("series", "change"),
    [
        ((SAME, BETTER, OPEN, WORSE, ABSENT), Change.WORSE),
        ((SAME, BETTER, OPEN), Change.CANNOT_TELL),
        ((SAME, BETTER, ABSENT, RARE), Change.BETTER),
        ((RARE, RARE), Change.CANNOT_TELL),
        ((SAME, SAME), Change.SAME),
        ((ABSENT, ABSENT), Change.CANNOT_TELL),
        ((), Change.CANNOT_TELL),
    ],
)
def test_an_slo_is_as_its_series_are(series, change):
    assert roll_up(series) is change
