"""Pieces of PromQL for rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.model.slo import Limit, Objective, Override
from sloagent.sources.rules.latency import is_edge
from sloagent.sources.rules.numbers import is_scalar
from sloagent.sources.rules.text import by_limit, number, quoted


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
