from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sloagent.evaluation.regressing import Side, regressions, wandering
from sloagent.model.comparison import Change, Terms, Why
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Events
from sloagent.model.slo import LatencySLI, LowerBound
from tests.unit.evaluation.build import NODES, PODS, latency, ratio, value
from tests.unit.evaluation.drawn import BOUNDS, EVENTS, log_normal
from tests.unit.evaluation.running import HOUR, first_worse, from_then, latencies, numbers, shares

SHAPE = log_normal(0.08, 0.6)
DAY_OF_LOOKS = 288.0
"""The level of a look of the first day is shared among so many: half of it among 144."""


def exact(factor=1.0, events=EVENTS, shape=SHAPE):
    return Distribution(BOUNDS, tuple(share * events for share in shape(factor)))


def moved(baseline, current, slo=None, looks=DAY_OF_LOOKS, terms=Terms()):  # noqa: B008 (a constant)
    slo = slo or latency()
    return regressions(terms, Side(slo, baseline), Side(slo, current), looks)


# The level and the power; in full in tests/e2e/test_regression_levels.py.


def test_no_look_at_12_runs_of_the_same_thing_finds_it_worse():
    chance = random.Random(101)
    assert [first_worse(latencies(chance, {PODS: SHAPE}, 8)) for _ in range(12)] == [None] * 12


@pytest.mark.parametrize("onset", [0, 5 * HOUR])
def test_15_percent_slower_is_found_by_the_look_that_ends_half_an_hour_later(onset):
    chance = random.Random(202)
    for _ in range(5):
        found = first_worse(latencies(chance, {PODS: SHAPE}, 8, from_then(onset, 1.15)))
        assert onset < found <= onset + HOUR / 2


def test_doubled_bad_events_and_a_value_grown_by_15_percent_are_found_within_half_an_hour_too():
    chance = random.Random(303)
    assert first_worse(shares(chance, 0.01, 3, from_then(2 * HOUR, 2.0))) <= 2.5 * HOUR
    assert first_worse(numbers(chance, 0.01, 2, 3, from_then(2 * HOUR, 1.15))) <= 2.5 * HOUR


def test_shares_of_few_bad_events_raise_no_false_alarm_over_many_looks():
    chance = random.Random(404)
    for share in (1e-5, 1e-4):
        for _ in range(10):
            assert first_worse(shares(chance, share, 24, promised=0.99999, earlier=24)) is None


# What is told.


def test_each_series_is_told_and_those_in_one_of_the_two_only_are_not_compared():
    found = moved({PODS: exact(), NODES: exact()}, {PODS: exact(1.5), (): exact()})
    assert {labels: one.change for labels, one in found.items()} == {
        PODS: Change.WORSE, NODES: Change.CANNOT_TELL, (): Change.CANNOT_TELL,
    }  # fmt: skip
    assert (found[NODES].why, found[()].why) == (Why.NOT_RUN, Why.NOT_RUN)
    assert found[NODES].current is None
    assert found[()].baseline is None


def test_events_that_are_too_few_to_tell_15_percent_leave_it_open_and_never_make_it_the_same():
    for events in (50, 150, 500):
        found = moved({PODS: exact(events=1e6)}, {PODS: exact(1.15, events)})[PODS]
        assert (found.change, found.why) == (Change.CANNOT_TELL, Why.TOO_FEW if events == 50 else Why.STRADDLES)


def test_a_better_series_is_better_and_one_of_huge_counts_the_same():
    assert moved({PODS: exact()}, {PODS: exact(1 / 1.3)})[PODS].change is Change.BETTER
    assert moved({PODS: exact(events=1e7)}, {PODS: exact(events=1e7)})[PODS].change is Change.SAME


def test_more_looks_widen_the_interval_and_ask_for_more_than_noise_by_less_than_they_would_if_it_were_drawn_anew():
    one, other = {PODS: exact(events=1e6)}, {PODS: exact(1.09)}
    once, often = moved(one, other, looks=1.0)[PODS], moved(one, other)[PODS]
    assert often.lower < once.lower < once.upper < often.upper
    assert (once.change, often.change) == (Change.WORSE, Change.WORSE)
    anew = moved(one, other, terms=Terms(level=Terms().level / DAY_OF_LOOKS), looks=1.0)[PODS]
    assert (anew.change, anew.why) == (Change.CANNOT_TELL, Why.NOISE)


def test_a_baseline_with_many_series_shares_the_level_among_those_that_it_tells_enough_of():
    few = {PODS: exact(), **{(("resource", f"r{number}"),): exact(events=20) for number in range(50)}}
    many = {PODS: exact(), **{(("resource", f"r{number}"),): exact() for number in range(50)}}
    alone = moved({PODS: exact()}, {PODS: exact(1.3)})[PODS]
    assert moved(few, {PODS: exact(1.3)})[PODS] == alone
    assert moved(many, {PODS: exact(1.3)})[PODS].lower < alone.lower


def test_a_ratio_and_a_value_are_compared_as_the_report_does():
    slo = ratio(at_least=0.999)
    found = moved({PODS: Events(1000.0, 1e6)}, {PODS: Events(200.0, 4e4)}, slo)
    assert (found[PODS].change, found[PODS].current) == (Change.WORSE, 0.005)
    assert moved({PODS: Events(None, 1e6)}, {PODS: Events(200.0, 4e4)}, slo)[PODS].why is Why.NOT_RUN
    steady = tuple(100.0 + (i * 7) % 5 / 10 for i in range(12))
    grown = tuple(1.2 * mean for mean in steady[:10])
    assert moved({PODS: steady}, {PODS: grown}, value())[PODS].change is Change.WORSE
    assert moved({PODS: steady}, {PODS: grown[:5]}, value())[PODS].why is Why.TOO_FEW


def test_a_window_errs_by_as_much_as_the_hours_of_the_baseline_differ_by():
    """A window that is still in itself, in a run whose hours lie 10 % apart, is not worse for lying 15 % off."""
    wandering = tuple(100.0 + 10 * (-1) ** hour for hour in range(24))
    assert moved({PODS: wandering}, {PODS: (115.0, 115.1) * 5}, value())[PODS].why is Why.STRADDLES
    assert moved({PODS: (100.0, 100.1) * 12}, {PODS: (115.0, 115.1) * 5}, value())[PODS].change is Change.WORSE


def test_a_lower_bound_is_compared_with_the_same_lower_bound_alone():
    slo = latency()
    slo = replace(slo, sli=LatencySLI(("h",), "", ("resource",), lower_bounds=(LowerBound("part", ""),)))
    before, now = {PODS: exact()}, {PODS: exact(1.5)}

    def change(was, is_now):
        sides = (Side(slo, series, {PODS: names} if names else {}) for series, names in ((before, was), (now, is_now)))
        return regressions(Terms(), *sides, DAY_OF_LOOKS)[PODS]

    assert change((), ("h",)).change is Change.WORSE
    assert change(("part",), ("part",)).change is Change.WORSE
    for names in (("part",), ("h", "part")):
        assert change((), names).why is Why.LOWER_BOUND
        assert change(names, ("h",)).why is Why.LOWER_BOUND
    assert change(("h", "part"), ("h", "part")).why is Why.LOWER_BOUND


# A run that wanders.


def hours(factors, events=40_000):
    return [{PODS: exact(factor, events)} for factor in factors]


def test_how_far_the_hours_of_a_run_stray_is_told_beyond_what_sampling_explains():
    straying = wandering(latency(), hours([0.95, 1.05] * 6))
    assert straying[PODS].size == pytest.approx(0.052, abs=0.003)
    assert straying[PODS].degrees == 11
    assert wandering(latency(), hours([0.998, 1.002] * 6))[PODS].size == 0
    assert wandering(latency(), hours([0.95, 1.05] * 6, events=200))[PODS].size == 0


def test_of_fewer_than_six_hours_with_enough_events_nothing_is_told():
    assert wandering(latency(), hours([0.95, 1.05] * 2 + [1.0])) == {}
    assert wandering(latency(), [*hours([0.9] * 5), *hours([1.1] * 5, events=50)]) == {}


def test_how_far_a_share_strays_is_told_too():
    straying = wandering(ratio(), [{PODS: Events(400.0 * factor, 1e4)} for factor in [0.7, 1.4] * 6])
    assert straying[PODS].size == pytest.approx(0.36, abs=0.03)
    assert wandering(ratio(), [{PODS: Events(400.0, 1e4)}] * 12)[PODS].size == 0


def test_what_strays_by_five_percent_within_a_run_is_not_worse_for_15_and_surely_is_for_50():
    slo, before = latency(), {PODS: exact(events=1e6)}
    wander = wandering(slo, hours([0.95, 1.05] * 6))
    changes = [
        regressions(Terms(), Side(slo, before, wander=wander), Side(slo, {PODS: exact(factor)}), DAY_OF_LOOKS)[
            PODS
        ].change
        for factor in (1.15, 1.5)
    ]
    assert changes == [Change.CANNOT_TELL, Change.WORSE]
    bad = {PODS: Events(4800.0, 1.2e5)}
    straying = wandering(ratio(), [{PODS: Events(400.0 * factor, 1e4)} for factor in [0.7, 1.4] * 6])
    sides = Side(ratio(), bad, wander=straying), Side(ratio(), {PODS: Events(1600.0, 2e4)})
    assert moved(bad, {PODS: Events(1600.0, 2e4)}, ratio())[PODS].change is Change.WORSE
    assert regressions(Terms(), *sides, DAY_OF_LOOKS)[PODS].change is Change.CANNOT_TELL
