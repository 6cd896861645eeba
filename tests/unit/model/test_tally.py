"""Minima are pairs like any others, in a sixth of the memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.model.tally import Minima, SeriesTally

PAIRS = st.lists(st.tuples(st.integers(-(2**40), 2**40), st.floats(allow_nan=False)), max_size=20)


@given(PAIRS)
def test_they_are_what_they_were_made_of_in_that_order_and_to_the_last_bit(pairs: list[tuple[int, float]]) -> None:
    minima = Minima(pairs)
    assert list(minima) == pairs
    assert [minima[n] for n in range(len(minima))] == pairs
    assert tuple(minima[1:3]) == tuple(pairs[1:3])
    assert minima == tuple(pairs)
    assert tuple(pairs) == minima
    assert hash(minima) == hash(tuple(pairs))
    assert SeriesTally(minima=minima) == SeriesTally(minima=tuple(pairs))


def test_other_pairs_are_not_equal_and_beyond_the_end_there_is_none() -> None:
    minima = Minima([(120, 1.0), (240, 2.0)])
    assert minima != ((120, 1.0), (240, 2.5))
    assert minima != Minima([(120, 1.0)])
    assert minima[-1] == (240, 2.0)
    with pytest.raises(IndexError):
        minima[2]
