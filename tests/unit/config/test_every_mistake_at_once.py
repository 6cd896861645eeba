"""A mistake is told whatever else is wrong in the file: in the same SLO, in another, or around them."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloagent.config.problem import in_order
from sloagent.config.reader import parse
from sloagent.config.to_model import to_model

EVERYTHING = Path(__file__).resolve().parents[2] / "data" / "slo" / "bad" / "everything-at-once.yaml"

HEAD = "apiVersion: sloagent/v1\nkind: SLOSet\nmetadata: {name: shop}\nslos:\n"
LATENCY = "{latency: {histogram: a_seconds, by: [verb]}}"
RATIO = "{ratio: {good: 'sum(rate(g[$window]))', total: 'sum(rate(t[$window]))'}}"
VALUE = "{value: {query: sum(x), unit: bytes}}"
PROMISE = {LATENCY: "{percentile: 99, at_most: 1s}", RATIO: "{at_least: 99%}", VALUE: "{at_most: 8GiB}"}


def slo(sli: str, objective: str = "", more: str = "", name: str = "name: x") -> str:
    return f"{name}, sli: {sli}, objective: {objective or PROMISE.get(sli, 'tbd')}{more}"


ALONE = {
    slo(LATENCY, more=", interval: 1m, window: 90s"): "time/window",
    slo(LATENCY, more=", interval: 1500ms"): "time/interval",
    slo(LATENCY, more=", window: 5"): "slo/unit",
    slo(LATENCY, more=", windw: 5m"): "slo/field",
    slo(LATENCY, more=", status: offical"): "slo/value",
    slo(LATENCY, more=", min_events: many"): "slo/type",
    slo(LATENCY, "99%"): "slo/type",
    slo(LATENCY, "{percentile: 99, at_most: 1}"): "objective/unit",
    slo(LATENCY, "{percentile: 99}"): "objective/limit",
    slo(LATENCY, "{at_most: 1s}"): "objective/percentile",
    slo(LATENCY, "{percentile: 99, at_most: 1s, warn_at: 2s}"): "objective/warn",
    slo(LATENCY, "{percentile: 99, at_most: 1s, overrides: [{match: {code: a}, at_most: 2s}]}"): "objective/override",
    slo(LATENCY, "{percentile: 99, at_most: 1s, judge: whole_run, windows_at_least: 9%}"): "objective/judge",
    slo("{latency: {}}", PROMISE[LATENCY]): "slo/missing",
    slo("{latency: {histogram: a_bucket}}", PROMISE[LATENCY]): "sli/histogram",
    slo("{latency: {histogram: a, where: b}}", PROMISE[LATENCY]): "promql/where",
    slo("{latency: {histogram: a, by: [le]}}", PROMISE[LATENCY]): "sli/label",
    slo(RATIO, "{at_most: 1%}"): "objective/limit",
    slo(RATIO, "{at_least: 99.9}"): "objective/ratio",
    slo("{ratio: {total: 'sum(rate(t[$window]))'}}", "{at_least: 99%}"): "sli/ratio",
    slo("{ratio: {good: 'sum(increase(g[$window]))', total: 'sum(rate(t[$window]))'}}"): "promql/rate",
    slo("{ratio: {good: 'sum(rate(g[5m]))', total: 'sum(rate(t[$window]))'}}"): "promql/window",
    slo(VALUE, "{grows_at_most: -1MiB/h}"): "objective/growth",
    slo(VALUE, more=", min_events: 5"): "slo/min-events",
    slo("{value: {query: 'sum(x{a=\"b\")', unit: bytes}}"): "promql/syntax",
    slo("{value: {query: 'x[5m]', unit: bytes}}"): "promql/type",
    slo("{value: {query: 'x @ end()', unit: bytes}}"): "promql/at",
    slo("{value: {query: 'x{$a}', unit: bytes}}"): "parameter/unknown",
    slo("{value: {query: x, unit: percent}}"): "sli/unit",
    slo("{value: {query: x}}", "{at_most: 1}"): "sli/unit",
    slo("{}"): "sli/kind",
    slo(LATENCY, name="name: A B"): "slo/name",
    slo(LATENCY, more=", title: {zh: 商店}"): "slo/missing",
}
"""SLOs with one mistake each, and the id of its problem."""

OBJECTIVES = {
    "at_most: 1s": "objective/limit",
    "percentile: 9": "objective/percentile",
    "grows_at_most: 1": "objective/growth",
}
FIELDS = {
    "window: 5": "slo/unit",
    "interval: 1500ms": "time/interval",
    "status: x": "slo/value",
    "titel: 5": "slo/field",
    "objective: {at_most: 9, at_least: 99%, windows_at_least: 0%}": "objective/ratio",
    "sli: {ratio: {bad: 'sum(', total: 5}}": "promql/syntax",
    "note: {zh: x}": "slo/missing",
    "name: A B": "slo/name",
}
"""Fields that can stand wrong in the same SLO."""


def told(text: str) -> list[tuple[int, str]]:
    document = parse("a.yaml", text.encode())
    assert document.value is not None, document.problems
    return [(problem.line, problem.check) for problem in in_order(to_model(document, {}).problems)]


def of_slos(slos) -> str:
    return HEAD + "".join(f"  - {{{one.replace('name: x', f'name: x{at}')}}}\n" for at, one in enumerate(slos))


@pytest.mark.parametrize("one", ALONE, ids=lambda one: f"{ALONE[one]} {one[:60]}")
def test_each_mistake_alone_is_one_problem(one):
    assert told(of_slos([one])) == [(5, ALONE[one])]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(sorted(ALONE)), min_size=2, max_size=3, unique=True))
def test_mistakes_of_several_slos_are_told_together(slos):
    alike = [one for one in slos if "name: A B" in one]
    assert len(alike) <= 1
    assert told(of_slos(slos)) == [(5 + at, ALONE[one]) for at, one in enumerate(slos)]


@pytest.mark.parametrize("number", [2, 3])
def test_mistakes_of_one_slo_are_told_together(number):
    good = {"name": "x", "sli": RATIO, "objective": PROMISE[RATIO]}
    for chosen in combinations(FIELDS, number):
        written = dict(field.split(": ", 1) for field in chosen)
        text = ", ".join(f"{name}: {value}" for name, value in {**good, **written}.items())
        assert {FIELDS[field] for field in chosen} <= {check for _, check in told(of_slos([text]))}, chosen


@pytest.mark.parametrize("number", [1, 2, 3])
def test_promises_that_do_not_fit_are_told_together_although_the_query_is_wrong(number):
    for chosen in combinations(OBJECTIVES, number):
        one = slo("{ratio: {good: 'sum(', total: 5}}", "{" + ", ".join(chosen) + "}")
        expected = {OBJECTIVES[field] for field in chosen} | {"promql/syntax", "slo/type"}
        assert expected <= {check for _, check in told(of_slos([one]))}, chosen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (slo(LATENCY, "{percentile: 99, at_mots: 1}"), ["slo/field", "objective/unit"]),
        (slo("{ratoi: {good: 'sum(', total: up}}", "{at_least: 99%}"), ["slo/field", "promql/syntax"]),
        (slo("{latency: 5}", "{at_least: 1s}"), ["slo/type", "objective/limit", "objective/percentile"]),
        (slo("{latency: {histogram: a, bye: [verb, le]}}", PROMISE[LATENCY]), ["slo/field", "sli/label"]),
        (slo("{value: {query: x, units: bytes}}", "{at_most: 1GiB}"), ["slo/field"]),
        (slo("{value: {query: 'sum(increase(x[5m])', unit: bytes}, ratio: {}}"),
         ["slo/missing", "sli/kind", "sli/ratio", "promql/syntax"]),
    ],
)  # fmt: skip
def test_a_wrong_block_is_read_on_and_what_follows_from_it_is_not_told(text, expected):
    assert sorted(check for _, check in told(of_slos([text]))) == sorted(expected)


def test_an_entry_that_is_no_slo_does_not_move_the_places_of_the_others():
    assert told(HEAD + "  - 5\n" + of_slos([slo(LATENCY, more=", window: 90s")]).removeprefix(HEAD)) == [
        (5, "slo/type"),
        (6, "time/window"),
    ]


def test_parameters_and_defaults_that_are_wrong_are_told_once_where_they_are_written():
    head = "parameters: {a: [1]}\ndefaults: {interval: 7, window: 1500ms}\n"
    one = slo("{value: {query: 'x{$a}', unit: bytes}}", more=", window: 90s")
    assert told(head + of_slos([one])) == [(1, "slo/type"), (2, "slo/unit"), (2, "time/window")]


def test_one_file_tells_more_than_forty_problems_at_once():
    assert len(told(EVERYTHING.read_text())) > 40
