from __future__ import annotations

from dataclasses import replace

import pytest

from sloagent.evaluation.alert_trends import LEAK_LOOKS, leak_look, regression_look
from sloagent.evaluation.alerting import State
from sloagent.evaluation.regressing import Side
from sloagent.model.alert import Regressing, Rule, Severity
from sloagent.model.comparison import Terms
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Events
from sloagent.model.tally import SeriesTally
from tests.unit.evaluation.build import NODES, PODS, latency, promising, ratio, value
from tests.unit.evaluation.drawn import BOUNDS, log_normal
from tests.unit.evaluation.test_drift import HOUR, LEAK, MIB, leaking, run, sawtooth

RULE = Regressing(window=1800, terms=Terms(), severity=Severity.TICKET)
LOOKS = 288.0


def exact(factor=1.0, events=2e4, median=0.08):
    return Distribution(BOUNDS, tuple(share * events for share in log_normal(median, 0.6)(factor)))


def look(baseline, current, slo=None):
    slo = slo or latency()
    return regression_look(RULE, Side(slo, baseline), Side(slo, current), LOOKS, "v1.12")


def test_a_series_that_is_worse_holds_with_the_change_the_run_beside_it_and_both_numbers():
    found = look({PODS: exact(events=1e6), NODES: exact()}, {PODS: exact(1.3), NODES: exact()})
    assert list(found.holds) == [PODS]
    held = found.holds[PODS]
    assert held.severity is Severity.TICKET
    assert held.value == pytest.approx(0.4448, abs=0.0001)
    assert held.reason == (
        "+30 % (+27.6 % to +32.5 %), surely more than 5 %, beside v1.12: P99 445 ms (400–600 ms), was 379 ms (200–400 ms)"
    )
    assert (found.rule, found.window, found.after, found.over_after) == (Rule.REGRESSION, 0, 1, 3)
    assert found.state(NODES) is State.CALM


def test_a_ratio_tells_its_bad_shares_and_a_value_its_means():
    bad = look({PODS: Events(1000.0, 1e6)}, {PODS: Events(200.0, 4e4)}, ratio(at_least=0.999)).holds[PODS]
    assert bad.reason.endswith("beside v1.12: bad 0.5 %, was 0.1 %")
    grown = look({PODS: (1e8, 1.001e8) * 6}, {PODS: (1.3e8, 1.301e8) * 5}, value()).holds[PODS]
    assert grown.reason.endswith("beside v1.12: 124 MiB, was 95.4 MiB")
    assert grown.value == pytest.approx(1.3005e8)


def test_what_is_seen_and_not_surely_worse_is_calm_even_where_it_cannot_be_told_from_the_same():
    before = {PODS: exact()}
    assert look(before, {PODS: exact()}).state(PODS) is State.CALM
    assert look(before, {PODS: exact(1.06)}).state(PODS) is State.CALM
    assert look(before, {PODS: exact(0.5)}).state(PODS) is State.CALM
    inside = {PODS: exact(median=0.0005)}
    assert look(inside, inside).state(PODS) is State.CALM


def test_a_series_without_enough_events_is_not_seen_and_what_cannot_be_compared_is_unknown():
    before = {PODS: exact(), NODES: exact()}
    assert look(before, {PODS: exact(events=50)}).state(PODS) is State.UNSEEN
    assert look(before, {PODS: exact()}).state(NODES) is State.UNSEEN
    assert look(before, {PODS: exact()}).state(()) is State.UNSEEN
    other = {PODS: Distribution((0.007, float("inf")), (1e4, 2e4))}
    assert look(before, other).state(PODS) is State.UNKNOWN


def test_a_stretch_without_any_series_tells_nothing_of_any():
    assert look({PODS: exact()}, {}).state(PODS) is State.UNKNOWN


# Leaks.

SLO = promising(value(), grows_at_most=LEAK)


def row(hours, *parts, seed=101, **fields):
    return SeriesTally(good=round(60 * hours), minima=run(hours, seed, *parts), **fields)


def leak(series, hours=6, slo=SLO):
    return leak_look(slo, Severity.TICKET, round(hours * HOUR), series)


def test_what_grows_faster_than_is_promised_holds_with_its_pace():
    found = leak({PODS: row(6, leaking(60), sawtooth(10)), NODES: row(6, sawtooth(10))})
    assert list(found.holds) == [PODS]
    assert found.holds[PODS].value == pytest.approx(60 * MIB / HOUR, rel=0.1)
    assert found.holds[PODS].reason.startswith("grows by 59.7 MiB/h")
    assert found.holds[PODS].reason.endswith("at most 20 MiB/h promised")
    assert found.state(NODES) is State.CALM
    assert (found.rule, found.after, found.over_after) == (Rule.LEAK, LEAK_LOOKS, LEAK_LOOKS)


def test_what_grows_more_slowly_than_is_promised_is_calm():
    assert leak({PODS: row(6, leaking(10))}).state(PODS) is State.CALM


def test_below_an_hour_or_thirty_windows_nobody_can_tell():
    assert leak({PODS: row(0.8, leaking(60))}, 0.8).state(PODS) is State.UNKNOWN
    few = replace(row(6, leaking(60)), good=29)
    assert leak({PODS: few}).state(PODS) is State.UNKNOWN


def test_a_series_that_went_more_than_a_look_ago_is_not_seen_whatever_it_did_before():
    found = leak({PODS: row(6, leaking(60)), NODES: row(8)}, 8)
    assert not found.holds
    assert found.state(PODS) is State.UNSEEN


def test_without_a_promise_of_growth_or_without_series_nothing_is_told():
    assert leak({PODS: row(6, leaking(60))}, slo=value()).state(PODS) is State.UNKNOWN
    assert leak({}).state(PODS) is State.UNKNOWN
