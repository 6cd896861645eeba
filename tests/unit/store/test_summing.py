from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sloagent.store.summing import disjoint

INTERVAL = 6


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), max_size=6))
def test_disjoint_stretches_hold_the_same_slots_once_and_ascend(stretches):
    result = disjoint(stretches, INTERVAL)
    listed = [slot for first, last in result for slot in range(first, last + 1) if slot % INTERVAL == 0]
    wanted = {slot for first, last in stretches for slot in range(first, last + 1) if slot % INTERVAL == 0}
    assert listed == sorted(wanted)
    assert all(one[1] < other[0] for one, other in pairwise(result))
