"""Pieces of PromQL for rules."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.model.slo import Limit, Objective, Override
from sloagent.sources.rules.latency import is_edge
from sloagent.sources.rules.numbers import is_scalar
from sloagent.sources.rules.text import bound_matcher, by_limit, number, quoted, spellings


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


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_the_same_one(value: float) -> None:
    assert float(number(value)) == value


def test_a_text_cannot_leave_its_quotes() -> None:
    assert quoted('a"} or vector(1)\\\n') == r'"a\"} or vector(1)\\\n"'


def test_a_series_is_chosen_by_the_first_override_that_matches() -> None:
    overrides = (
        Override((("resource", "pods"), ("verb", "LIST")), Limit(at_most=5.0)),
        Override((("verb", ""),), Limit(at_most=2.0)),
    )
    found = by_limit(Objective(Limit(at_most=1.0), overrides=overrides), lambda limit: f"x < {limit.at_most:g}")
    first = 'on (resource, verb) label_replace(label_replace(vector(1), "resource", "pods", "", ""), "verb", "LIST", "", "")'
    second = "on (verb) vector(1)"
    assert " ".join(found.split()) == (
        f"( ( x < 5 ) and {first} ) or ( ( x < 2 ) and {second} unless {first} ) or "
        f"( ( x < 1 ) unless {first} unless {second} )"
    )


def test_a_dollar_in_a_label_is_no_reference() -> None:
    overrides = (Override((("path", "$1"),), Limit(at_most=5.0)),)
    assert '"$$1"' in by_limit(Objective(Limit(at_most=1.0), overrides=overrides), lambda _: "x")


@pytest.mark.parametrize("query", ["1", "time()", "(scalar(x))", "-scalar(x) * 2", "pi()"])
def test_a_query_that_gives_one_number_is_known(query: str) -> None:
    assert is_scalar(query)


@pytest.mark.parametrize("query", ["x", "sum(x)", "x * 2", "2 * (x)", "vector(1)", "not promql ("])
def test_a_query_that_gives_series_is_none(query: str) -> None:
    assert not is_scalar(query)


def test_an_edge_of_native_histograms_is_a_power_of_two() -> None:
    assert [bound for bound in (0.25, 0.3, 0.5, 1.0, 1.5, 2.0, 2.048, 4.0, 10.0) if is_edge(bound)] == [
        0.25, 0.5, 1.0, 2.0, 4.0
    ]  # fmt: skip
