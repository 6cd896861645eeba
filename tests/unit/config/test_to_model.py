"""One good SLO file, one field changed at a time."""

from __future__ import annotations

import pytest

from sloagent.config.reader import parse
from sloagent.config.to_model import to_model
from sloagent.model.slo import (
    SLO,
    Evaluate,
    Gate,
    LatencySLI,
    Limit,
    LowerBound,
    Objective,
    Override,
    RatioSLI,
    Status,
    Text,
    ValueSLI,
)

HEAD = "apiVersion: sloagent/v1\nkind: SLOSet\nmetadata: {name: shop, title: {en: Shop, zh: 商店}}\n"
LATENCY = "{latency: {histogram: checkout_seconds, where: 'a=\"b\",', by: [method]}}"
RATIO = "{ratio: {bad: 'sum(rate(e[$window])) # why', total: 'sum(rate(t[${window}]))'}}"
PARAMETERS = "parameters: {shop: 'job=\"shop\"', limit: 2s}\n"
VALUE = "{value: {query: max(mem), unit: bytes}}"


def load(
    sli: str = LATENCY, objective: str = "{percentile: 99, at_most: 1s}", more: str = "", head: str = "", given=None
):
    text = f"{HEAD}{head}slos:\n  - name: checkout\n    sli: {sli}\n    objective: {objective}\n{more}"
    return to_model(parse("shop.yaml", text.encode()), given or {})


def slo(*args, **parts):
    loaded = load(*args, **parts)
    assert loaded.problems == ()
    return loaded.slo_set.slos[0]


def checks(*args, **parts) -> list[str]:
    return [problem.check for problem in load(*args, **parts).problems]


def test_a_set_has_its_name_its_title_and_its_place():
    slo_set = load().slo_set
    assert (slo_set.name, slo_set.title, slo_set.place) == ("shop", Text("Shop", "商店"), "shop.yaml:3")
    assert (slo_set.slos[0].set, slo_set.slos[0].place) == ("shop", "shop.yaml:5")


def test_a_latency_slo_is_read():
    found = slo()
    assert found.sli == LatencySLI(("checkout_seconds",), 'a="b"', ("method",))
    assert found.objective.limit == Limit(at_most=1.0)
    assert (found.objective.percentile, found.interval, found.window, found.min_events) == (99, 60, 300, 0)
    assert (found.title, found.status, found.objective.gate, found.objective.windows_at_least) == (
        Text("checkout"), Status.OFFICIAL, Gate.WINDOWS, 0.99,
    )  # fmt: skip


BOUNDED = "{latency: {histogram: whole_seconds, lower_bound: [{histogram: part_seconds, where: $shop}]}}"


def test_a_lower_bound_has_matchers_of_its_own():
    found = slo(BOUNDED, head=PARAMETERS)
    assert found.sli == LatencySLI(("whole_seconds",), "", (), lower_bounds=(LowerBound("part_seconds", 'job="shop"'),))


def test_the_history_of_an_slo_without_lower_bounds_is_what_it_was_before_there_were_any():
    known = SLO("s", "n", LatencySLI(("h_seconds",), 'a="b"', ("x",)), Objective(Limit(at_most=1.0), 99.0), 60, 300)
    assert known.fingerprint() == "90bc00554ac6a0c7"


def test_another_lower_bound_is_another_history():
    without = slo("{latency: {histogram: whole_seconds}}").fingerprint()
    assert (
        len({without, slo(BOUNDED, head=PARAMETERS).fingerprint(), slo(BOUNDED.replace("$shop", "''")).fingerprint()})
        == 3
    )


def test_a_ratio_keeps_its_window_and_loses_its_comments():
    found = slo(RATIO, "{at_least: 99.9%}")
    assert found.sli == RatioSLI("bad", "sum(rate(e[$window]))", "sum(rate(t[$window]))")
    assert found.objective.limit == Limit(at_least=0.999)


def test_a_value_may_promise_growth_alone():
    found = slo(VALUE, "{grows_at_most: 36MiB/h}")
    assert found.sli == ValueSLI("max(mem)", "bytes")
    assert (found.objective.limit, found.objective.grows_at_most) == (Limit(), 36 * 2**20 / 3600)


def test_tbd_has_no_objective():
    assert slo(objective="tbd").objective is None


def test_defaults_hold_until_an_slo_says_otherwise():
    head = "defaults: {interval: 30s, window: 1m, min_events: 7, allow_partial: true, evaluate: recorded}\n"
    found = slo(head=head, more="    window: 90s\n    allow_partial: false\n")
    assert (found.interval, found.window, found.min_events, found.allow_partial) == (30, 90, 7, False)
    assert found.evaluate is Evaluate.RECORDED
    assert slo(head=head, more="    window: 90s\n    evaluate: raw\n").evaluate is Evaluate.RAW
    assert slo(VALUE, "tbd", head=head).min_events == 0


def test_an_override_has_its_own_limit_in_base_units():
    found = slo(
        objective="{percentile: 99, at_most: 1s, warn_at: 500ms, overrides: [{match: {method: LIST}, at_most: 30s}]}"
    )
    assert found.objective.overrides == (Override((("method", "LIST"),), Limit(at_most=30.0)),)
    assert found.objective.limit_for((("method", "LIST"),)).warn_at is None


def test_parameters_stand_in_queries_matchers_and_limits():
    sli = "{latency: {histogram: checkout_seconds, where: '$shop, code=~\"5..$$\"'}}"
    found = slo(sli, "{percentile: 99, at_most: '${limit}'}", head=PARAMETERS)
    assert found.sli.where == 'job="shop", code=~"5..$"'
    assert found.objective.limit.at_most == 2.0


def test_the_agent_file_sets_other_parameters():
    sli = "{value: {query: 'max(up{$shop})', unit: ratio}}"
    given = {"shop": {"shop": 'job="other"'}, "another": {"shop": "x"}}
    assert slo(sli, "tbd", head=PARAMETERS, given=given).sli.query == 'max(up{job="other"})'


def test_another_parameter_is_another_history_and_another_title_is_not():
    one = slo(objective="{percentile: 99, at_most: $limit}", head=PARAMETERS)
    other = slo(objective="{percentile: 99, at_most: $limit}", head=PARAMETERS, given={"shop": {"limit": "3s"}})
    assert one.fingerprint() != other.fingerprint()
    assert slo(more="    title: x\n").fingerprint() == slo().fingerprint()


@pytest.mark.parametrize(
    ("parts", "check"),
    [
        ({"objective": "{percentile: 99, at_most: 1}"}, "objective/unit"),
        ({"objective": "{percentile: 0, at_most: 1s}"}, "objective/percentile"),
        ({"objective": "{percentile: 100.1, at_most: 1s}"}, "objective/percentile"),
        ({"objective": "{percentile: 99, at_most: 1s, at_least: 1ms}"}, "objective/limit"),
        ({"objective": "{percentile: 99, at_most: 1s, warn_at: 1s}"}, "objective/warn"),
        ({"objective": "{percentile: 99, at_most: 1s, windows_at_least: 0%}"}, "objective/ratio"),
        ({"objective": "{percentile: 99, at_most: 1s, windows_at_least: 99}"}, "objective/ratio"),
        ({"objective": "{percentile: 99, at_most: 1s, overrides: [{match: {}, at_most: 2s}]}"}, "slo/value"),
        (
            {"objective": "{percentile: 99, at_most: 1s, overrides: [{match: {code: x}, at_most: 2s}]}"},
            "objective/override",
        ),
        (
            {"objective": "{percentile: 99, at_most: 1s, overrides: [{match: {method: x}, at_least: 2s}]}"},
            "objective/limit",
        ),
        ({"sli": RATIO, "objective": "{at_least: 99.9}"}, "objective/ratio"),
        ({"sli": RATIO, "objective": "{at_least: 1000%}"}, "objective/ratio"),
        ({"sli": RATIO, "objective": "{percentile: 99, at_least: 99%}"}, "objective/percentile"),
        ({"sli": RATIO, "objective": "{}"}, "objective/limit"),
        ({"sli": VALUE, "objective": "{at_most: 8GiB, judge: whole_run}"}, "objective/judge"),
        ({"sli": VALUE, "objective": "{grows_at_most: -1MiB/h}"}, "objective/growth"),
        ({"sli": "{value: {query: up}}", "objective": "{at_least: 1}"}, "sli/unit"),
        ({"more": "    window: 90s\n"}, "time/window"),
        ({"more": "    interval: 1.5s\n"}, "time/interval"),
        ({"more": "    window: 0s\n"}, "time/window"),
    ],
)
def test_one_wrong_field_is_one_problem(parts, check):
    assert checks(**parts) == [check]


def test_problems_of_every_slo_are_told_although_another_has_the_wrong_shape():
    more = (
        "    windw: 5m\n  - {name: b, sli: 5, objective: tbd}\n"
        "  - {name: c, sli: {value: {query: 'sum('}}, objective: tdb}\n"
    )
    assert checks(objective="{percentile: 99, at_most: 5}", more=more) == [
        "slo/field", "slo/type", "slo/type", "objective/unit", "promql/syntax",
    ]  # fmt: skip


def test_a_missing_limit_is_not_held_against_a_misspelt_one():
    assert checks(objective="{percentile: 99, at_mots: 1s}") == ["slo/field"]


def test_a_wrong_interval_is_not_held_against_the_window():
    assert checks(more="    interval: 7\n    window: 90s\n") == ["slo/unit"]
