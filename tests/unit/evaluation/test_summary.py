from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import exp, inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloagent.evaluation.judge import judge
from sloagent.evaluation.summary import merge, summarise, tally
from sloagent.model.samples import Events, Kind, Malformed
from sloagent.model.slo import Gate, Limit
from sloagent.model.verdict import Cause, Outcome, Share
from tests.unit.evaluation.build import (
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
    slot_of,
    value,
)  # fmt: skip

BOUNDS = (1.0, 2.0, 4.0, inf)
GOOD = bucketed(BOUNDS, [0.5] * 100)
BAD = bucketed(BOUNDS, [3.0] * 100)
OPEN = bucketed(BOUNDS, [1.9] * 100)
IDLE = histogram(BOUNDS, (0, 0, 0, 0))
FEW = bucketed(BOUNDS, [0.5] * 2)
SLO = latency(at_most=1.0, min_events=10)
OPENABLE = latency(at_most=1.5, min_events=10)


def slots(slo, samples, *, labels=PODS, start=0):
    """One slot for each sample; None is an answer without that series, an exception in the list a refusal."""
    return [
        slot_of(slo, start + 60 * i, {} if sample is None else {labels: sample}) for i, sample in enumerate(samples)
    ]


def concluded(slo, samples, *, expected=None, excluded=0, whole=None):
    recorded = slots(slo, samples)
    return summarise(slo, tally(slo, recorded), expected=expected or len(samples), excluded=excluded, whole=whole)


def series_of(slo, samples, **options):
    (row,) = concluded(slo, samples, **options).series
    return row


def test_all_windows_good_pass():
    summary = concluded(SLO, [GOOD] * 100)
    assert (summary.outcome, summary.cause) == (Outcome.PASS, Cause.SERIES_DECIDE)
    assert summary.series[0].good_windows == Share(1, 1)


@pytest.mark.parametrize(("bad", "outcome"), [(1, Outcome.PASS), (2, Outcome.FAIL)])
def test_ninety_nine_of_a_hundred_windows_must_be_good(bad, outcome):
    assert series_of(SLO, [GOOD] * (100 - bad) + [BAD] * bad).outcome is outcome


def test_another_share_of_windows_can_be_promised():
    slo = promising(SLO, windows_at_least=0.5)
    assert series_of(slo, [GOOD, BAD]).outcome is Outcome.PASS


def test_windows_without_events_or_with_too_few_or_without_the_series_leave_the_denominator():
    row = series_of(SLO, [GOOD, GOOD, IDLE, FEW, None])
    assert (row.windows.judged, row.windows.idle, row.windows.too_few) == (2, 2, 1)
    assert row.outcome is Outcome.PASS


def test_undecided_windows_make_the_share_an_interval_that_may_decide_nothing():
    row = series_of(OPENABLE, [GOOD] * 98 + [OPEN] * 2)
    assert row.good_windows == Share(0.98, 1.0)
    assert (row.outcome, row.cause) == (Outcome.INCONCLUSIVE, Cause.UNDECIDED_WINDOWS)


def test_undecided_windows_that_cannot_save_it_leave_a_fail():
    assert series_of(OPENABLE, [GOOD] * 96 + [BAD] * 2 + [OPEN] * 2).outcome is Outcome.FAIL


def test_undecided_windows_that_cannot_spoil_it_leave_a_pass():
    assert series_of(OPENABLE, [GOOD] * 199 + [OPEN]).outcome is Outcome.PASS


def test_missing_slots_are_undecided_for_every_series():
    row = series_of(SLO, [GOOD] * 95, expected=100)
    assert (row.windows.undecided, row.windows.missing, row.windows.evaluated) == (5, 5, 95)
    assert (row.outcome, row.good_windows) == (Outcome.INCONCLUSIVE, Share(0.95, 1.0))


def test_excluded_slots_are_not_missing():
    assert series_of(SLO, [GOOD] * 95, expected=100, excluded=5).outcome is Outcome.PASS


def test_with_less_than_nine_tenths_evaluated_nothing_passes():
    slo = promising(SLO, windows_at_least=0.5)
    assert series_of(slo, [GOOD] * 90, expected=100).outcome is Outcome.PASS
    row = series_of(slo, [GOOD] * 89, expected=100)
    assert (row.outcome, row.cause) == (Outcome.INCONCLUSIVE, Cause.TOO_LITTLE_EVALUATED)
    assert concluded(slo, [GOOD] * 89, expected=100).cause is Cause.TOO_LITTLE_EVALUATED


def test_slots_that_were_only_refused_are_not_evaluated():
    slo = promising(SLO, windows_at_least=0.5)
    recorded = slots(slo, [GOOD] * 80)
    recorded += [judge(slo, 60 * (80 + i), refusal(Kind.NEVER_ANSWERED, final=True)) for i in range(20)]
    summary = summarise(slo, tally(slo, recorded), expected=100, excluded=0, whole=None)
    assert summary.series[0].cause is Cause.TOO_LITTLE_EVALUATED
    assert summary.detail == "never_answered ×20"
    assert summary.windows.undecided == 20
    for windows in (summary.windows, summary.series[0].windows):
        assert (windows.evaluated, windows.refused, windows.missing) == (80, 20, 0), "the number that the rule counts"


def test_a_refused_slot_is_undecided_for_every_series():
    recorded = slots(SLO, [GOOD] * 97)
    recorded += [judge(SLO, 60 * (97 + i), refusal(Kind.BAD_DATA, final=True)) for i in range(3)]
    (row,) = summarise(SLO, tally(SLO, recorded), expected=100, excluded=0, whole=None).series
    assert (row.windows.undecided, row.windows.missing, row.windows.idle) == (3, 0, 0)
    assert (row.outcome, row.good_windows) == (Outcome.INCONCLUSIVE, Share(0.97, 1.0))


def test_with_less_than_nine_tenths_evaluated_a_certain_fail_stays():
    row = series_of(SLO, [BAD] * 50, expected=100)
    assert (row.outcome, row.cause) == (Outcome.FAIL, Cause.DECIDED)


def test_a_series_without_events_is_not_made_undecided_by_a_missing_slot():
    row = series_of(SLO, [IDLE] * 99, expected=100)
    assert (row.outcome, row.cause, row.gates) == (Outcome.NO_DATA, Cause.NO_EVENTS, False)
    assert concluded(SLO, [IDLE] * 99, expected=100).outcome is Outcome.NO_DATA


def test_a_series_with_only_too_few_events_does_not_gate():
    row = series_of(SLO, [FEW, IDLE])
    assert (row.outcome, row.cause, row.gates) == (Outcome.INCONCLUSIVE, Cause.TOO_FEW_EVENTS, False)


def test_malformed_windows_are_undecided():
    row = series_of(SLO, [Malformed("x")] * 3)
    assert (row.windows.undecided, row.outcome, row.gates) == (3, Outcome.INCONCLUSIVE, True)


def test_windows_that_warn_are_good_and_warn_if_as_bad_ones_they_would_miss_the_gate():
    slo = promising(SLO, limit=Limit(at_most=2.0, warn_at=1.0))
    assert series_of(slo, [GOOD] * 98 + [OPEN] * 2).outcome is Outcome.WARN
    assert series_of(slo, [GOOD] * 99 + [OPEN]).outcome is Outcome.PASS


def test_the_parts_of_the_windows_add_up():
    row = series_of(OPENABLE, [GOOD, BAD, OPEN, IDLE, FEW, None], expected=9, excluded=2)
    w = row.windows
    assert w.expected == w.good + w.bad + w.undecided + w.idle + w.too_few + w.measured + w.excluded == 9
    whole = concluded(replace(OPENABLE, objective=None), [GOOD, IDLE], expected=4)
    for w in (whole.windows, whole.series[0].windows):
        assert w.expected == w.good + w.bad + w.undecided + w.idle + w.too_few + w.measured + w.excluded == 4


# The worst window as the gate, and as a reading.


def test_the_worst_window_fails_by_one_bad_one():
    slo = promising(OPENABLE, gate=Gate.WORST_WINDOW)
    assert series_of(slo, [GOOD] * 999 + [BAD]).outcome is Outcome.FAIL
    assert series_of(slo, [GOOD] * 999 + [OPEN]).outcome is Outcome.INCONCLUSIVE
    assert series_of(slo, [GOOD] * 10).outcome is Outcome.PASS


def test_the_worst_window_has_the_least_share_within_the_limit():
    half = bucketed(BOUNDS, [0.5] * 50 + [3.0] * 50)
    row = series_of(SLO, [GOOD, half, BAD, half, GOOD])
    assert row.worst.slot == 120


def test_of_equal_windows_the_earliest_is_the_worst():
    assert series_of(SLO, [GOOD, BAD, BAD]).worst.slot == 60


def test_an_error_is_worse_than_a_pass_and_better_than_a_fail():
    assert series_of(SLO, [GOOD, Malformed("x"), BAD]).worst.slot == 120
    assert series_of(SLO, [GOOD, Malformed("x")]).worst.slot == 60


@pytest.mark.parametrize(("limit", "slot"), [(Limit(at_most=10), 60), (Limit(at_least=1), 120)])
def test_the_worst_value_is_the_furthest_towards_its_limit(limit, slot):
    assert series_of(value(limit), [5.0, 7.0, 3.0]).worst.slot == slot


def test_the_worst_ratio_is_the_lowest():
    samples = [Events(0.1, 1.0), Events(0.3, 1.0), Events(0.2, 1.0)]
    assert series_of(ratio(), samples).worst.slot == 60
    assert series_of(replace(ratio(), objective=None), samples).worst.slot == 60


# The whole stretch.


def test_the_whole_stretch_is_judged_from_added_events():
    slo = promising(SLO, gate=Gate.WHOLE_RUN)
    whole = {PODS: bucketed(BOUNDS, [0.5] * 995 + [3.0] * 5, window=1)}
    row = series_of(slo, [GOOD, BAD], whole=whole)
    assert (row.outcome, row.whole.events) == (Outcome.PASS, 1000)
    assert row.good_windows == Share(0.5, 0.5)


def test_the_whole_stretch_needs_its_events():
    slo = promising(SLO, gate=Gate.WHOLE_RUN)
    row = series_of(slo, [GOOD, GOOD], whole=None)
    assert (row.outcome, row.gates) == (Outcome.INCONCLUSIVE, True)
    assert series_of(slo, [GOOD], whole={}).outcome is Outcome.INCONCLUSIVE


def test_min_events_counts_all_events_of_the_whole_stretch():
    slo = promising(SLO, gate=Gate.WHOLE_RUN)
    row = series_of(slo, [FEW, FEW], whole={PODS: bucketed(BOUNDS, [0.5] * 9, window=1)})
    assert (row.cause, row.gates) == (Cause.TOO_FEW_EVENTS, False)
    assert series_of(slo, [FEW, FEW], whole={PODS: bucketed(BOUNDS, [0.5] * 10, window=1)}).outcome is Outcome.PASS


def test_the_whole_stretch_is_a_reading_even_where_windows_gate():
    assert series_of(SLO, [GOOD], whole={PODS: bucketed(BOUNDS, [3.0] * 99, window=1)}).whole.outcome is Outcome.FAIL


def test_the_whole_stretch_does_not_pass_with_too_little_evaluated_but_fails():
    slo = promising(SLO, gate=Gate.WHOLE_RUN)
    good, bad = ({PODS: bucketed(BOUNDS, [o] * 99, window=1)} for o in (0.5, 3.0))
    assert series_of(slo, [GOOD], whole=good, expected=2).cause is Cause.TOO_LITTLE_EVALUATED
    assert series_of(slo, [GOOD], whole=bad, expected=2).outcome is Outcome.FAIL


# Several series, refusals, and nothing at all.


def test_series_are_told_worst_first_and_the_worst_decides():
    recorded = [slot_of(SLO, 0, {PODS: GOOD, NODES: BAD, (("resource", "a"),): IDLE})]
    summary = summarise(SLO, tally(SLO, recorded), expected=1, excluded=0, whole=None)
    assert summary.outcome is Outcome.FAIL
    assert [row.outcome for row in summary.series] == [Outcome.FAIL, Outcome.PASS, Outcome.NO_DATA]


def test_a_series_that_appears_late_was_idle_before():
    recorded = [*slots(SLO, [GOOD] * 5), slot_of(SLO, 300, {PODS: GOOD, NODES: GOOD})]
    summary = summarise(SLO, tally(SLO, recorded), expected=6, excluded=0, whole=None)
    assert {row.labels: row.windows.idle for row in summary.series} == {PODS: 0, NODES: 5}


def test_answers_without_any_series_are_no_data():
    summary = concluded(SLO, [None] * 5)
    assert (summary.outcome, summary.cause) == (Outcome.NO_DATA, Cause.NO_SERIES)


def test_only_refusals_are_an_error():
    recorded = [judge(SLO, 60 * i, refusal(Kind.BAD_DATA, final=True)) for i in range(3)]
    summary = summarise(SLO, tally(SLO, recorded), expected=3, excluded=0, whole=None)
    assert (summary.outcome, summary.cause) == (Outcome.ERROR, Cause.REFUSED)


def test_without_any_record_there_is_no_verdict():
    summary = summarise(SLO, tally(SLO, []), expected=4, excluded=0, whole=None)
    assert (summary.outcome, summary.cause) == (Outcome.INCONCLUSIVE, Cause.TOO_LITTLE_EVALUATED)
    assert (summary.windows.missing, summary.windows.evaluated) == (4, 0)


def test_pending_slots_are_missing_not_recorded():
    recorded = [*slots(SLO, [GOOD] * 3), judge(SLO, 180, refusal(Kind.TIMEOUT))]
    counted = tally(SLO, recorded)
    assert (counted.recorded, counted.refused) == (3, 0)


def test_bad_events_never_seen_in_a_run_are_no_data():
    row = series_of(ratio(), [Events(None, 1.0)] * 10)
    assert (row.outcome, row.cause, row.gates) == (Outcome.NO_DATA, Cause.BAD_ABSENT, False)
    assert concluded(ratio(), [Events(None, 1.0)] * 10).cause is Cause.BAD_ABSENT


def test_windows_before_the_first_bad_event_are_undecided_not_good():
    row = series_of(ratio(), [Events(None, 1.0)] * 5 + [Events(0.0, 1.0)] * 95)
    assert (row.windows.good, row.windows.undecided, row.outcome) == (95, 5, Outcome.INCONCLUSIVE)


def test_values_that_are_never_a_number_are_no_data():
    row = series_of(value(), [nan] * 5)
    assert (row.outcome, row.cause, row.gates) == (Outcome.NO_DATA, Cause.NOT_A_NUMBER, False)


def test_without_objective_a_range_is_measured_or_no_data_and_never_gates():
    slo = replace(SLO, objective=None)
    assert concluded(slo, [BAD, IDLE]).outcome is Outcome.MEASURED
    assert not series_of(slo, [BAD]).gates
    assert series_of(slo, [BAD, IDLE]).windows.measured == 1
    assert concluded(slo, [IDLE]).outcome is Outcome.NO_DATA


def test_overrides_that_never_matched_are_named():
    slo = overriding(SLO, (("resource", "secrets"),), Limit(at_most=2.0))
    assert concluded(slo, [GOOD]).unused_overrides == ((("resource", "secrets"),),)
    used = overriding(SLO, PODS, Limit(at_most=2.0))
    summary = concluded(used, [OPEN])
    assert summary.unused_overrides == ()
    assert (summary.outcome, summary.series[0].overridden) == (Outcome.PASS, True)


def test_an_override_with_an_empty_value_matches_a_series_without_that_label():
    slo = overriding(SLO, (("subresource", ""),), Limit(at_most=2.0))
    assert series_of(slo, [OPEN]).limit == Limit(at_most=2.0)


def test_a_change_of_the_metrics_name_is_kept_in_order():
    first, second = slots(SLO, [GOOD, GOOD])
    second = replace(second, question=replace(second.question, histogram="older"))
    assert summarise(SLO, tally(SLO, [first, second]), expected=2, excluded=0, whole=None).histograms == ("h", "older")


# Leaks.

LEAKING = promising(value(Limit(at_most=1e9)), grows_at_most=0.5)


def leaking(per_second, count=120):
    return [1000.0 + per_second * 60 * i + (i % 2) * 500 for i in range(count)]


def test_a_passing_value_that_grows_too_fast_fails():
    row = series_of(LEAKING, leaking(1.0))
    assert (row.outcome, row.cause, row.gates) == (Outcome.FAIL, Cause.GROWS, True)
    assert row.growth.slope == pytest.approx(1.0)
    assert concluded(LEAKING, leaking(1.0)).cause is Cause.GROWS


def test_a_value_that_grows_within_its_limit_passes_and_states_its_growth():
    row = series_of(LEAKING, leaking(0.25))
    assert row.outcome is Outcome.PASS
    assert row.growth.lower <= 0.25 + 1e-9 and row.growth.upper >= 0.25 - 1e-9


def test_a_value_whose_growth_slows_down_passes_however_steep_its_slope_is():
    row = series_of(LEAKING, [1e6 * (1 - exp(-i / 30)) for i in range(120)])
    assert row.growth.lower > LEAKING.objective.grows_at_most
    assert (row.outcome, row.growth.sustained) == (Outcome.PASS, False)


def test_growth_never_gates_below_an_hour_or_thirty_windows():
    assert series_of(LEAKING, leaking(9.0, count=59)).growth is None
    assert series_of(LEAKING, leaking(9.0, count=59)).outcome is Outcome.PASS
    sparse = [slot_of(LEAKING, 600 * i, {PODS: 1000.0 + i * 9000}) for i in range(29)]
    assert summarise(LEAKING, tally(LEAKING, sparse), expected=29, excluded=0, whole=None).outcome is Outcome.PASS


def test_a_promise_about_growth_alone_is_measured_until_it_can_be_told():
    slo = promising(LEAKING, limit=Limit())
    assert series_of(slo, leaking(0.0, count=30)).outcome is Outcome.MEASURED
    assert series_of(slo, leaking(0.0)).outcome is Outcome.PASS
    assert series_of(slo, leaking(1.0)).outcome is Outcome.FAIL


def test_a_value_that_misses_its_limit_fails_for_that():
    slo = promising(LEAKING, limit=Limit(at_most=1.0))
    assert series_of(slo, leaking(1.0)).cause is Cause.DECIDED


# Tallies add.

samples = st.sampled_from([GOOD, BAD, OPEN, IDLE, FEW, Malformed("x"), None])


@settings(max_examples=60)
@given(st.lists(st.tuples(samples, samples, st.integers(0, 9)), max_size=30), st.lists(st.integers(0, 30), max_size=3))
def test_the_tally_of_a_stretch_is_the_sum_of_its_parts_in_any_grouping(rows, cuts):
    slo = overriding(OPENABLE, NODES, Limit(at_most=2.0, warn_at=1.0))
    recorded = []
    for i, (one, other, chance) in enumerate(rows):
        if chance == 0:
            recorded.append(judge(slo, 60 * i, refusal(Kind.NEVER_ANSWERED, final=True)))
        else:
            recorded.append(
                judge(slo, 60 * i, answer({k: s for k, s in ((PODS, one), (NODES, other)) if s is not None}))
            )
    whole = tally(slo, recorded)
    edges = [0, *sorted(cuts), len(recorded)]
    parts = [tally(slo, recorded[a:b]) for a, b in pairwise(edges)]
    assert merge(parts) == whole
    assert merge([merge(parts[:2]), merge(parts[2:])]) == whole
    assert merge([whole]) == whole


@settings(max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6) | st.sampled_from((nan, inf)), max_size=40), st.integers(0, 40))
def test_the_least_values_of_stretches_add_too(numbers, cut):
    recorded = slots(LEAKING, numbers)
    assert merge([tally(LEAKING, recorded[:cut]), tally(LEAKING, recorded[cut:])]) == tally(LEAKING, recorded)
