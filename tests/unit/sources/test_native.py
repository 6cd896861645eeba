"""Native histograms as distributions: what the API writes, and what it must never write."""

from __future__ import annotations

import math

import pytest

from sloagent.model.distribution import Distribution
from sloagent.model.samples import Malformed
from sloagent.sources.envelope import NativeHistogram
from sloagent.sources.native import distribution

BUCKETS = [(0, "1", "2", "3"), (0, "4", "8", "2")]


def test_every_edge_of_a_bucket_becomes_a_bound():
    expected = Distribution((1.0, 2.0, 4.0, 8.0, math.inf), (0.0, 3.0, 3.0, 5.0, 5.0))
    assert distribution(NativeHistogram("5", BUCKETS)) == expected


def test_the_zero_bucket_begins_at_zero():
    histogram = NativeHistogram("3", [(3, "-0.001", "0.001", "1"), (0, "0.5", "1", "2")])
    assert distribution(histogram) == Distribution((0.001, 0.5, 1.0, math.inf), (1.0, 1.0, 3.0, 3.0))


def test_the_zero_bucket_after_negative_ones_begins_below_zero():
    histogram = NativeHistogram("3", [(1, "-2", "-1", "1"), (3, "-0.5", "0.5", "2")])
    assert distribution(histogram) == Distribution((-2.0, -1.0, -0.5, 0.5, math.inf), (0.0, 1.0, 1.0, 3.0, 3.0))


def test_events_in_no_bucket_are_beyond_the_last_one():
    assert distribution(NativeHistogram("7", BUCKETS)) == Distribution(
        (1.0, 2.0, 4.0, 8.0, math.inf), (0.0, 3.0, 3.0, 5.0, 7.0)
    )


def test_a_bucket_that_reaches_to_infinity_is_the_last():
    histogram = NativeHistogram("5", [(0, "1", "2", "3"), (0, "2", "+Inf", "2")])
    assert distribution(histogram) == Distribution((1.0, 2.0, math.inf), (0.0, 3.0, 5.0))


def test_the_count_gives_way_to_the_sum_where_only_rounding_differs():
    found = distribution(NativeHistogram("4.9999999999", BUCKETS))
    assert isinstance(found, Distribution)
    assert found.total == 5.0


@pytest.mark.parametrize(
    ("histogram", "words"),
    [
        (NativeHistogram("NaN", BUCKETS), "counts nan events"),
        (NativeHistogram("-1"), "counts -1 events"),
        (NativeHistogram("5", [(0, "1", "2", "-3")]), "from 1 to 2 that counts -3 events"),
        (NativeHistogram("5", [(0, "1", "2", "NaN")]), "counts nan events"),
        (NativeHistogram("5", [(0, "2", "1", "3")]), "a bucket from 2 to 1"),
        (NativeHistogram("5", list(reversed(BUCKETS))), "a bucket from 1 to 2"),
        (NativeHistogram("5", [(0, "one", "2", "3")]), "not written in numbers"),
    ],
)
def test_a_histogram_that_cannot_be_is_malformed(histogram: NativeHistogram, words: str):
    found = distribution(histogram)
    assert isinstance(found, Malformed)
    assert words in found.reason
