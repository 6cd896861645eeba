"""How bounds of buckets are written."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.model.bucket import bound_matcher, spellings


@pytest.mark.parametrize(
    ("bound", "written"),
    [
        (1.0, ["1", "1.0"]),  # Go; OpenMetrics, Python, Java, Prometheus 3
        (0.25, ["0.25"]),
        (2.048, ["2.048"]),
        (100000.0, ["100000", "100000.0"]),
        (1e6, ["1000000", "1000000.0", "1e+06"]),
        (2.5e7, ["25000000.0", "2.5e+07", "2.5E7"]),
        (5e-05, ["0.00005", "5e-05", "5e-5", "5.0E-5"]),
        (0.0005, ["0.0005", "5.0E-4"]),
    ],
)
def test_a_bound_is_found_in_every_spelling_that_clients_write(bound: float, written: list[str]) -> None:
    assert set(written) <= set(spellings(bound))


@given(st.floats(min_value=1e-9, max_value=1e12, allow_nan=False))
def test_every_spelling_is_that_bound_and_the_matcher_finds_it_and_nothing_longer(bound: float) -> None:
    assert {float(spelling) for spelling in spellings(bound)} == {bound}
    pattern = json.loads(bound_matcher(bound).removeprefix("le=~"))
    for spelling in spellings(bound):
        assert re.fullmatch(pattern, spelling)
        assert not re.fullmatch(pattern, f"1{spelling}")
        assert not re.fullmatch(pattern, spelling.replace(".", "x")) or "." not in spelling
    assert f"{bound!r}" in spellings(bound) or "e" in repr(bound)
