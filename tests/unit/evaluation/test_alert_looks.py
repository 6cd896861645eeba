"""What one slot, judged by the real judge, says to each rule: which outcome leads to which state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf, nan

import pytest

from sloagent.evaluation.alert_looks import burn_looks, looks_of
from sloagent.evaluation.alerting import Look, State
from sloagent.evaluation.budget import BurnHistory
from sloagent.evaluation.judge import judge
from sloagent.model.alert import BurnPair, Rule, Severity
from sloagent.model.alert_defaults import STANDARD_ALERTS
from sloagent.model.samples import Answer, Events, Kind, Malformed, Question, Refusal, Sample
from sloagent.model.slo import SLO, Labels, LatencySLI, Limit, LowerBound, Status
from sloagent.model.verdict import SlotVerdict
from tests.unit.evaluation.build import (
    KARMADA,
    NODES,
    PODS,
    answer,
    bucketed,
    histogram,
    latency,
    overriding,
    promising,
    ratio,
    refusal,
    value,
)  # fmt: skip

HOLDS, CALM, UNSEEN, UNKNOWN = State.HOLDS, State.CALM, State.UNSEEN, State.UNKNOWN
EMPTY: Labels = ()
ZONES: Labels = (("resource", "zones"),)
FAST, SLOW, BETWEEN = (bucketed(KARMADA, [seconds] * 100) for seconds in (0.5, 2.0, 1.01))
IDLE = histogram(KARMADA, [0] * len(KARMADA))
LATENCY = latency(1.024)
INSIDE = latency(1.0, min_events=10)
RATIO = ratio(at_least=0.99)
VALUE = value(Limit(at_most=100.0, warn_at=80.0))
LEAK = promising(value(), limit=Limit(), grows_at_most=1.0)
TBD = {"latency": replace(LATENCY, objective=None), "ratio": replace(RATIO, objective=None),
       "value": replace(VALUE, objective=None)}  # fmt: skip


def looks(slo: SLO, series: Mapping[Labels, Sample] | Refusal) -> dict[Rule, Look]:
    found = answer(series) if isinstance(series, Mapping) else series
    return {look.rule: look for look in looks_of(judge(slo, 600, found), slo.alerts)}


def states(slo: SLO, sample: Sample) -> tuple[State, State, State]:
    """Violated, no data, cannot evaluate: what a slot with this one series says to them."""
    found = looks(slo, {PODS: sample})
    return (
        found[Rule.VIOLATED].state(PODS), found[Rule.NO_DATA].state(EMPTY), found[Rule.CANNOT_EVALUATE].state(EMPTY)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("slo", "sample", "violated", "no_data", "cannot"),
    [
        pytest.param(LATENCY, FAST, CALM, CALM, CALM, id="a latency passes"),
        pytest.param(LATENCY, SLOW, HOLDS, CALM, CALM, id="a latency fails"),
        pytest.param(latency(1.024, percentile=100.0), SLOW, HOLDS, CALM, CALM, id="all of them are promised"),
        pytest.param(INSIDE, SLOW, HOLDS, CALM, CALM, id="a latency fails beyond the bucket of its limit"),
        pytest.param(INSIDE, BETWEEN, UNKNOWN, CALM, HOLDS, id="the limit lies inside a bucket"),
        pytest.param(latency(10.0), SLOW, CALM, CALM, CALM, id="a limit beyond the last bucket passes"),
        pytest.param(latency(10.0), bucketed(KARMADA, [9] * 9), UNKNOWN, CALM, HOLDS, id="it cannot be decided"),
        pytest.param(LATENCY, IDLE, UNSEEN, CALM, CALM, id="no events of a latency"),
        pytest.param(latency(1.024, min_events=101), SLOW, UNSEEN, CALM, CALM, id="too few events of a latency"),
        pytest.param(LATENCY, Malformed("no +Inf"), UNKNOWN, CALM, HOLDS, id="a histogram that cannot be read"),
        pytest.param(promising(LATENCY, limit=Limit(1.024, warn_at=0.1)), FAST, CALM, CALM, CALM, id="it warns"),
        pytest.param(RATIO, Events(0.01, 1.0), CALM, CALM, CALM, id="a ratio passes at its limit"),
        pytest.param(RATIO, Events(0.02, 1.0), HOLDS, CALM, CALM, id="a ratio fails"),
        pytest.param(RATIO, Events(0.0, 0.0), UNSEEN, CALM, CALM, id="no events of a ratio"),
        pytest.param(RATIO, Events(None, 1.0), UNKNOWN, HOLDS, CALM, id="bad events have no series"),
        pytest.param(ratio("good"), Events(None, 1.0), HOLDS, CALM, CALM, id="good events have no series"),
        pytest.param(RATIO, Events(2.0, 1.0), UNKNOWN, CALM, HOLDS, id="more bad events than events"),
        pytest.param(RATIO, Events(1.0, None), UNKNOWN, CALM, HOLDS, id="bad events without a total"),
        pytest.param(ratio(min_events=301), Events(1.0, 1.0), UNSEEN, CALM, CALM, id="too few events of a ratio"),
        pytest.param(VALUE, 50.0, CALM, CALM, CALM, id="a value passes"),
        pytest.param(VALUE, 90.0, CALM, CALM, CALM, id="a value warns"),
        pytest.param(VALUE, 101.0, HOLDS, CALM, CALM, id="a value fails"),
        pytest.param(VALUE, inf, HOLDS, CALM, CALM, id="infinity is too much"),
        pytest.param(VALUE, Malformed("a string"), UNKNOWN, CALM, HOLDS, id="a value that is none"),
        pytest.param(LEAK, 1e12, CALM, CALM, CALM, id="only growth is limited"),
        pytest.param(
            replace(VALUE, status=Status.WIP), 101.0, HOLDS, CALM, CALM, id="work in progress is told as well"
        ),
    ],
)
def test_what_an_outcome_says_to_the_rules(
    slo: SLO, sample: Sample, violated: State, no_data: State, cannot: State
) -> None:
    assert states(slo, sample) == (violated, no_data, cannot)


@pytest.mark.parametrize("slo", [LATENCY, RATIO, VALUE, LEAK], ids=["latency", "ratio", "value", "only growth"])
def test_an_answer_without_series_is_no_data_and_no_recovery(slo: SLO) -> None:
    found = looks(slo, {})
    assert found[Rule.VIOLATED].state(PODS) is UNKNOWN
    assert found[Rule.NO_DATA].state(EMPTY) is HOLDS
    assert found[Rule.CANNOT_EVALUATE].state(EMPTY) is CALM
    assert found[Rule.NO_DATA].holds[EMPTY].reason.startswith("no such series in these windows")


@pytest.mark.parametrize("slo", [LATENCY, RATIO, VALUE, LEAK], ids=["latency", "ratio", "value", "only growth"])
def test_a_refusal_says_only_that_nothing_can_be_evaluated_and_why(slo: SLO) -> None:
    found = looks(slo, refusal(Kind.EXECUTION, final=True, message="many-to-many matching"))
    assert found[Rule.VIOLATED].state(PODS) is UNKNOWN
    assert found[Rule.NO_DATA].state(EMPTY) is UNKNOWN
    assert "many-to-many matching" in found[Rule.CANNOT_EVALUATE].holds[EMPTY].reason


@pytest.mark.parametrize("kind", TBD)
def test_what_is_yet_to_be_determined_is_watched_for_data_alone(kind: str) -> None:
    found = looks(TBD[kind], {})
    assert {rule: look.state(EMPTY) for rule, look in found.items()} == {Rule.NO_DATA: HOLDS}
    samples: dict[str, Sample] = {"latency": SLOW, "ratio": Events(1.0, 1.0), "value": 1e9}
    assert looks(TBD[kind], {PODS: samples[kind]})[Rule.NO_DATA].state(EMPTY) is CALM


def test_a_series_that_is_missing_beside_others_is_not_seen() -> None:
    assert looks(LATENCY, {NODES: FAST})[Rule.VIOLATED].state(PODS) is UNSEEN


def test_each_series_is_looked_at_by_itself_and_an_override_is_its_limit() -> None:
    slo = overriding(LATENCY, NODES, Limit(at_most=2.048))
    look = looks(slo, {NODES: SLOW, PODS: SLOW, ZONES: IDLE})[Rule.VIOLATED]
    assert [look.state(labels) for labels in (NODES, PODS, ZONES)] == [CALM, HOLDS, UNSEEN]
    assert look.holds[PODS].value == pytest.approx(2.04, abs=0.01)
    assert "1.024 s" in look.holds[PODS].reason


def test_a_part_of_what_is_measured_can_hold_and_never_be_calm() -> None:
    slo = replace(LATENCY, sli=LatencySLI(("whole",), "", ("resource",), lower_bounds=(LowerBound("part", ""),)))

    def said(sample: Sample, name: str) -> tuple[State, State]:
        slot = judge(slo, 600, Answer(Question("q", name), {PODS: sample}))
        found = {look.rule: look for look in looks_of(slot, slo.alerts)}
        return found[Rule.VIOLATED].state(PODS), found[Rule.CANNOT_EVALUATE].state(EMPTY)

    assert said(SLOW, "part") == (HOLDS, CALM)
    assert said(FAST, "part") == (UNKNOWN, HOLDS)
    assert said(FAST, "whole") == (CALM, CALM)


# ---- numbers that are none -----------------------------------------------------------------------------------------


def test_a_number_that_is_none_beside_others_is_a_series_that_is_not_seen() -> None:
    found = looks(VALUE, {PODS: nan, NODES: 50.0})
    assert found[Rule.VIOLATED].state(PODS) is UNSEEN
    assert found[Rule.NO_DATA].state(EMPTY) is CALM


def test_where_no_number_is_left_that_is_no_data_and_nothing_has_recovered() -> None:
    found = looks(VALUE, {PODS: nan, NODES: nan})
    assert found[Rule.NO_DATA].state(EMPTY) is HOLDS
    assert [found[Rule.VIOLATED].state(labels) for labels in (PODS, NODES, ZONES)] == [UNKNOWN] * 3


def test_where_nothing_happens_any_more_that_is_data() -> None:
    found = looks(LATENCY, {PODS: IDLE, NODES: IDLE})
    assert found[Rule.NO_DATA].state(EMPTY) is CALM
    assert [found[Rule.VIOLATED].state(labels) for labels in (PODS, NODES, ZONES)] == [UNSEEN] * 3


# ---- what is told --------------------------------------------------------------------------------------------------


def test_how_many_of_the_series_cannot_be_judged_is_told_with_the_first_of_them_and_why() -> None:
    told = looks(INSIDE, {PODS: BETWEEN, NODES: Malformed("no +Inf"), ZONES: FAST})[Rule.CANNOT_EVALUATE].holds[EMPTY]
    assert told.reason.startswith("2 of 3 series cannot be judged; resource=nodes: ")
    assert "no +Inf" in told.reason
    assert told.value is None
    alone = looks(INSIDE, {PODS: Malformed("no +Inf")})[Rule.CANNOT_EVALUATE].holds[EMPTY]
    assert "series cannot be judged" not in alone.reason


def test_each_rule_has_its_own_terms_and_one_that_is_off_does_not_look() -> None:
    found = looks(VALUE, {PODS: 101.0})
    assert {rule: (look.after, look.over_after) for rule, look in found.items()} == {
        Rule.VIOLATED: (3, 3), Rule.NO_DATA: (10, 1), Rule.CANNOT_EVALUATE: (10, 1)
    }  # fmt: skip
    assert found[Rule.VIOLATED].holds[PODS].severity is Severity.TICKET
    for rule in found:
        without = replace(STANDARD_ALERTS, **{rule.value: None})  # type: ignore[arg-type]
        assert rule not in looks(replace(VALUE, alerts=without), {PODS: 101.0})


# ---- burn rates ----------------------------------------------------------------------------------------------------

PAIR = BurnPair(10.0, 900, 300, Severity.PAGE)


def burning(*shares: Mapping[Labels, float], slo: SLO = RATIO, last: SlotVerdict | None = None) -> Look:
    """The look after tiles with these shares of bad events, at the last of them."""
    history = BurnHistory(slo, (PAIR.long, PAIR.short))
    for tile, series in enumerate(shares, 1):
        slot = judge(slo, tile * 300, answer({labels: Events(share, 1.0) for labels, share in series.items()}))
        history.add(slot)
    if last is not None:
        slot = last
        history.add(slot)
    (look,) = burn_looks(slot, history, [PAIR])
    return look


def test_a_burn_rate_holds_where_both_windows_exceed_it_and_is_calm_where_one_does_not() -> None:
    assert burning({PODS: 0.2}, {PODS: 0.2}).state(PODS) is HOLDS
    assert burning({PODS: 0.0}, {PODS: 0.0}, {PODS: 0.2}).state(PODS) is CALM, "over the long one it is 0.067"
    assert burning({PODS: 0.9}, {PODS: 0.9}, {PODS: 0.05}).state(PODS) is CALM, "over the short one it is 0.05"


@pytest.mark.parametrize("promised", [0.99, 0.995, 0.999, 0.9999])
def test_what_burns_as_fast_as_the_factor_does_not_burn_faster(promised: float) -> None:
    """Whatever the last digits are: shares are compared with the slack of all shares."""
    share = 10 * (1 - promised)
    assert burning({PODS: share}, {PODS: share}, slo=ratio(at_least=promised)).state(PODS) is CALM
    assert burning({PODS: share + 1e-6}, {PODS: share + 1e-6}, slo=ratio(at_least=promised)).state(PODS) is HOLDS


def test_the_factor_the_windows_and_the_severity_are_in_the_look_and_in_the_words() -> None:
    look = burning({PODS: 0.1}, {PODS: 0.2}, {PODS: 0.3})
    assert (look.rule, look.window, look.after, look.over_after) == (Rule.BURN_RATE, 900, 1, 1)
    told = look.holds[PODS]
    assert told.severity is Severity.PAGE
    assert told.value == pytest.approx(20.0)
    assert told.reason == (
        "20 % of the events were bad over 15m, 30 % over 5m: 20 and 30 times the bearable rate, told above 10"
    )


def test_series_burn_by_themselves() -> None:
    look = burning({PODS: 0.5, NODES: 0.0}, {PODS: 0.5, NODES: 0.01})
    assert (look.state(PODS), look.state(NODES), look.state(ZONES)) == (HOLDS, CALM, UNSEEN)


def test_a_series_without_events_in_the_short_window_is_not_seen_there() -> None:
    assert burning({PODS: 0.5, NODES: 0.5}, {NODES: 0.5}).state(PODS) is UNSEEN


def test_nobody_can_tell_how_a_budget_burns_while_nothing_is_answered() -> None:
    refused = judge(RATIO, 600, refusal(Kind.EXECUTION, final=True))
    assert burning({PODS: 0.5}, last=refused).state(PODS) is UNKNOWN
    assert burning({PODS: 0.5}, last=judge(RATIO, 600, answer({}))).state(PODS) is UNKNOWN


@pytest.mark.parametrize(
    "sample", [Events(None, 1.0), Events(2.0, 1.0), Malformed("no number")], ids=["typo", "more than all", "malformed"]
)
def test_what_cannot_be_judged_now_never_ends_a_burn_rate(sample: Sample) -> None:
    last = judge(RATIO, 600, answer({PODS: sample, NODES: Events(0.0, 1.0)}))
    look = burning({PODS: 0.5, NODES: 0.5}, last=last)
    assert (look.state(PODS), look.state(NODES)) == (UNKNOWN, CALM)


def test_a_latency_that_may_still_be_bad_never_ends_a_burn_rate() -> None:
    history = BurnHistory(INSIDE, (PAIR.long, PAIR.short))
    states = []
    for tile, sample in enumerate((SLOW, BETWEEN, SLOW, FAST), 1):
        history.add(slot := judge(INSIDE, tile * 300, answer({PODS: sample})))
        (look,) = burn_looks(slot, history, [PAIR])
        states.append(look.state(PODS))
    assert states == [HOLDS, UNKNOWN, HOLDS, CALM]


def test_of_a_value_windows_are_bad_and_not_events() -> None:
    history = BurnHistory(VALUE, (PAIR.long, PAIR.short))
    for slot in range(60, 301, 60):
        judged = judge(VALUE, slot, answer({PODS: 101.0 if slot > 180 else 1.0}))
        history.add(judged)
    (look,) = burn_looks(judged, history, [PAIR])
    assert look.holds[PODS].value == pytest.approx(40.0)
    assert look.holds[PODS].reason.startswith("40 % of the windows were bad over 15m, ")
