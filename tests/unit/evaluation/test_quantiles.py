from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.quantiles import quantile, reaches
from sloagent.model.distribution import total_of
from sloagent.model.verdict import Quantile, Share
from tests.unit.evaluation.build import KARMADA, bucketed, histogram, share_within

counts_rising = st.lists(st.integers(0, 50), min_size=13, max_size=13).map(
    lambda steps: [sum(steps[: i + 1]) for i in range(13)]
)
counts_any = st.lists(st.floats(0, 1e6), min_size=13, max_size=13)


def test_a_quantile_interpolates_inside_its_bucket_as_prometheus_does():
    found = quantile(histogram((1, 2, 4, inf), (10, 30, 40, 40)), 50)
    assert found == Quantile(1.5, 1, 2)


def test_a_rank_on_an_edge_belongs_to_the_lower_bucket():
    assert quantile(histogram((1, 2, inf), (50, 100, 100)), 50) == Quantile(1, 0, 1)


def test_in_the_first_bucket_the_truth_begins_at_zero_if_its_bound_is_positive():
    assert quantile(histogram((0.005, 0.01, inf), (7, 7, 7)), 99) == Quantile(pytest.approx(0.00495), 0, 0.005)


@pytest.mark.parametrize("bound", [0.0, -1.0])
def test_in_a_first_bucket_at_or_below_zero_only_its_bound_is_known(bound):
    assert quantile(histogram((bound, 10, inf), (7, 8, 8)), 50) == Quantile(bound, -inf, bound)


def test_between_a_negative_bound_and_the_next_it_interpolates_between_the_two():
    assert quantile(histogram((-2, 2, inf), (0, 8, 8)), 50) == Quantile(0, -2, 2)


def test_in_the_last_bucket_only_its_lower_bound_is_known():
    assert quantile(histogram((1, 2, inf), (0, 0, 5)), 1) == Quantile(2, 2, inf)


@pytest.mark.parametrize("counts", [(0, 0, 0), (0.0, 0.0, 0.0)])
def test_without_events_there_is_no_quantile(counts):
    assert quantile(histogram((1, 2, inf), counts), 99) is None


def test_with_only_the_infinite_bucket_there_is_no_quantile():
    assert quantile(histogram((inf,), (5,)), 99) is None


def test_falling_counts_are_raised_before_the_rank_is_sought():
    assert quantile(histogram((1, 2, 4, inf), (10, 8, 12, 11)), 100) == Quantile(4, 2, 4)


def test_the_share_at_a_bound_is_one_exact_number():
    low, high = share_within(histogram((1, 2, inf), (60, 90, 100)), 2)
    assert low == high == Share(0.9, 0.9)


def test_the_share_inside_a_bucket_lies_between_the_shares_of_its_bounds():
    assert share_within(histogram((1, 2, inf), (60, 90, 100)), 1.5) == (Share(0.6, 0.6), Share(0.9, 0.9))


def test_below_the_first_bound_nothing_is_known_to_be_within():
    assert share_within(histogram((1, 2, inf), (60, 90, 100)), 0.5) == (Share(0, 0), Share(0.6, 0.6))


def test_beyond_the_last_finite_bound_everything_may_be_within():
    assert share_within(histogram((1, 2, inf), (60, 90, 100)), 5) == (Share(0.9, 0.9), Share(1, 1))


def test_a_fall_widens_the_share_by_all_that_the_counts_leave_open():
    low, high = share_within(histogram((1, 2, inf), (95, 90, 100)), 1)
    assert low == high == Share(0.9, 0.95)


def test_a_total_below_an_earlier_count_widens_the_share_on_both_sides():
    low, _ = share_within(histogram((1, 2, inf), (80, 100, 90)), 1)
    assert low == Share(0.8, 80 / 90)


def test_a_first_bucket_of_zero_under_a_total_of_zero_is_no_division_by_zero():
    assert share_within(histogram((1, 2, inf), (0, 5, 0)), 1) == (Share(0, 0), Share(0, 0))


def test_shares_are_compared_with_a_slack_of_a_billionth():
    assert reaches(0.99 - 9e-10, 0.99)
    assert not reaches(0.99 - 2e-9, 0.99)


@given(counts_rising.filter(lambda c: c[-1] > 0), st.sampled_from((50, 90, 99, 99.9, 100)))
def test_a_quantile_lies_in_its_bucket_and_its_bucket_holds_the_rank(counts, percentile):
    found = quantile(histogram(KARMADA, counts), percentile)
    assert found is not None
    assert found.lower <= found.value <= found.upper
    below = counts[KARMADA.index(found.lower)] if found.lower > 0 else 0
    assert below < percentile / 100 * counts[-1] <= counts[KARMADA.index(found.upper)]


@given(st.lists(st.floats(0, 4), min_size=1, max_size=60), st.floats(0, 5))
def test_the_true_share_lies_between_the_two_stated_ones(observations, limit):
    low, high = share_within(bucketed(KARMADA, observations), limit)
    truth = sum(o <= limit for o in observations) / len(observations)
    assert low.lower - 1e-12 <= truth <= high.upper + 1e-12


@given(counts_any.filter(lambda c: max(c) > 0), st.floats(0, 5))
def test_under_any_counts_an_interval_holds_the_plain_ratio_and_the_raised_one(counts, limit):
    both = share_within(histogram(KARMADA, counts), limit)
    held = [max((i for i, b in enumerate(KARMADA) if b <= limit), default=None)]
    held.append(next(i for i, b in enumerate(KARMADA) if b >= limit))
    for share, index in zip(both, held, strict=True):
        assert 0 <= share.lower <= share.upper <= 1
        if index is not None:
            raised = max(counts[: index + 1]) / max(counts)
            assert share.lower - 1e-12 <= raised <= share.upper + 1e-12
            if counts[-1] > 0:
                plain = min(1.0, counts[index] / counts[-1])
                assert share.lower - 1e-12 <= plain <= share.upper + 1e-12


@given(counts_any, counts_any, counts_any)
def test_distributions_add_in_any_order_and_grouping_to_the_same_bits(one, two, three):
    a, b, c = (histogram(KARMADA, counts) for counts in (one, two, three))
    assert a + b == b + a
    assert total_of((a, b, c)) == total_of((c, a, b)) == total_of((b, c, a))


@given(*[st.lists(st.integers(0, 2**40), min_size=13, max_size=13)] * 3)
def test_whole_counts_add_associatively(one, two, three):
    a, b, c = (histogram(KARMADA, counts) for counts in (one, two, three))
    assert (a + b) + c == a + (b + c) == total_of((a, b, c))
