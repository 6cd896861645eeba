from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.tallying import merge, tally
from sloagent.model.tally import Numbers, SeriesTally, Tally
from sloagent.model.verdict import SlotVerdict
from tests.unit.store.strategies import HOUR, LATENCY, VALUE, numbers, plain_slot, series

SOME = series(resource="r0", verb="POST")
finite = st.floats(allow_nan=False, allow_infinity=False)


def windows(values: list[float | None], slo=VALUE) -> list[SlotVerdict]:
    """One slot after the other, of one series."""
    slots = [plain_slot(HOUR + 60 * n, slo=slo, n=1) for n in range(len(values))]
    return [
        replace(slot, verdicts=(replace(slot.verdicts[0], value=value),))
        for slot, value in zip(slots, values, strict=True)
    ]


@given(st.lists(finite, min_size=1))
def test_the_mean_is_the_exact_one_rounded_once(values):
    (row,) = tally(VALUE, windows(values)).series.values()
    assert row.numbers is not None
    assert row.numbers.total == sum(map(Fraction, values))
    assert row.numbers.mean == float(sum(map(Fraction, values)) / len(values))
    assert (row.numbers.least, row.numbers.greatest) == (min(values), max(values))


@given(st.lists(numbers | st.none(), min_size=1, max_size=20), st.data())
def test_the_numbers_of_the_whole_are_those_of_its_parts_bit_for_bit(values, data):
    slots = windows(values)
    cut = data.draw(st.integers(0, len(slots)))
    parts = [tally(VALUE, slots[:cut]), tally(VALUE, slots[cut:])]
    whole = tally(VALUE, slots)
    for order in (parts, parts[::-1]):
        added = merge(order)
        assert added.series == whole.series
        assert repr([row.numbers for row in added.series.values()]) == repr(
            [row.numbers for row in whole.series.values()]
        )


@pytest.mark.parametrize("values", [[0.0, -0.0], [-0.0, 0.0], [-0.0]])
def test_of_the_two_zeros_there_is_one_extreme_whichever_came_first(values):
    (row,) = tally(VALUE, windows(values)).series.values()
    assert (repr(row.numbers.least), repr(row.numbers.greatest)) == ("0.0", "0.0")


def test_a_window_without_a_number_is_not_counted_as_one():
    (row,) = tally(VALUE, windows([None, 3.0, None, 5.0])).series.values()
    assert row.numbers == Numbers(2, Fraction(8), 3.0, 5.0)
    (row,) = tally(VALUE, windows([None])).series.values()
    assert row.numbers == Numbers(0, Fraction(0), None, None)
    assert row.numbers.mean is None


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_where_one_is_infinite_there_is_no_mean_and_the_extreme_says_so(value):
    (row,) = tally(VALUE, windows([1.0, value, 2.0])).series.values()
    assert row.numbers is not None
    assert (row.numbers.count, row.numbers.mean) == (2, None)
    assert value in (row.numbers.least, row.numbers.greatest)


def test_a_share_or_a_latency_has_no_numbers():
    (row,) = tally(LATENCY, windows([0.5], LATENCY)).series.values()
    assert row.numbers is None


def test_what_one_part_does_not_know_nobody_knows_of_the_whole():
    known = Tally(1, series={SOME: SeriesTally(good=1, numbers=Numbers(1, Fraction(3), 3.0, 3.0))})
    unknown = Tally(1, series={SOME: SeriesTally(good=1)})
    for parts in ([known, unknown], [unknown, known], [known, unknown, known]):
        assert merge(parts).series[SOME].numbers is None
    assert merge([known, known]).series[SOME].numbers == Numbers(2, Fraction(6), 3.0, 3.0)
