from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.errors import StoreError
from sloagent.model.slo import Limit
from sloagent.model.verdict import Cause, Outcome
from sloagent.store import compact
from tests.unit.store.strategies import labels_of_series

any_double = st.floats(allow_nan=True, allow_infinity=True)


def bits(numbers) -> bytes:
    return struct.pack(f">{len(numbers)}d", *numbers)


@given(st.lists(any_double, max_size=70))
def test_doubles_come_back_bit_for_bit_squeezed_or_not(numbers):
    assert bits(compact.doubles_from(compact.doubles(numbers))) == bits(numbers)
    assert bits(compact.squeezed_doubles_from(compact.squeezed_doubles(numbers))) == bits(numbers)


@given(st.lists(st.tuples(st.integers(0, 2**40), st.floats(allow_nan=False)), max_size=30))
def test_minima_come_back(minima):
    assert compact.minima_from_blob(compact.minima_blob(minima)) == tuple(minima)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_an_exact_sum_comes_back(numbers):
    total = sum(map(Fraction, numbers), Fraction(0))
    assert compact.exact_from_blob(compact.exact_blob(total)) == total


@given(st.sets(st.integers(0, 300), min_size=1), st.integers(1, 3600), st.integers(0, 10**6))
def test_slots_come_back_from_their_bits(positions, interval, start):
    slots = [start + position * interval for position in sorted(positions)]
    assert compact.slots_from_blob(compact.slots_blob(slots, interval), slots[0], interval) == slots


@given(labels_of_series)
def test_labels_come_back(labels):
    assert compact.labels_from_text(compact.labels_text(labels)) == labels


@given(*(st.none() | st.floats(allow_nan=False) for _ in range(3)))
def test_limits_come_back(at_most, at_least, warn_at):
    limit = Limit(at_most, at_least, warn_at)
    assert compact.limit_from_text(compact.limit_text(limit)) == limit


def test_every_outcome_and_cause_has_a_code_of_its_own_that_never_changes():
    assert {outcome.value: code for outcome, code in compact.OUTCOME_CODES.items()} == {
        "pass": 0, "warn": 1, "fail": 2, "inconclusive": 3, "no_data": 4, "error": 5, "measured": 6,
    }  # fmt: skip
    assert [cause.value for cause in compact.CAUSE_CODES] == [
        "decided", "limit_inside_bucket", "limit_beyond_last_bucket", "falling_counts", "too_few_events", "no_events",
        "no_series", "not_a_number", "bad_absent", "no_objective", "malformed", "part_exceeds_total", "total_absent",
        "refused", "series_decide", "not_gating", "undecided_windows", "too_little_evaluated", "grows",
        "decided_despite_fall", "stated", "not_run", "lower_bound",
    ]  # fmt: skip
    assert list(compact.CAUSE_CODES.values()) == list(range(len(compact.CAUSE_CODES)))
    assert set(compact.OUTCOME_CODES) == set(Outcome)
    assert set(compact.CAUSE_CODES) == set(Cause)


@pytest.mark.parametrize(
    "read",
    [
        lambda: compact.doubles_from(b"1234567"),
        lambda: compact.squeezed_doubles_from(b"not deflated"),
        lambda: compact.minima_from_blob(b"123"),
        lambda: compact.exact_from_blob(b"12"),
        lambda: compact.outcome_of(99),
        lambda: compact.cause_of(99),
    ],
    ids=["doubles", "squeezed", "minima", "exact sum", "outcome", "cause"],
)
def test_what_cannot_be_ours_is_damage(read):
    with pytest.raises(StoreError, match="the store is damaged"):
        read()
