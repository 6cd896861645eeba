from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.judge import judge
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Events, Kind, Malformed
from sloagent.model.slo import Limit
from sloagent.model.verdict import Cause, Outcome, Quantile, Share
from tests.unit.evaluation.build import (
    KARMADA,
    NODES,
    PODS,
    answer,
    bucketed,
    histogram,
    judged,
    latency,
    overriding,
    promising,
    ratio,
    refusal,
    value,
)  # fmt: skip

FEW = 10.0


# A latency against its limit.


@pytest.mark.parametrize("limit", [2.0, 2.048])
def test_all_at_30_s_fail_a_limit_of_2_s_though_the_last_bound_is_2_048_s(limit):
    verdict = judged(latency(at_most=limit), bucketed(KARMADA, [30.0] * 500))
    assert (verdict.outcome, verdict.cause) == (Outcome.FAIL, Cause.DECIDED)
    assert verdict.quantiles[2] == Quantile(2.048, 2.048, inf)
    assert verdict.good_share == Share(0, 0)


def test_all_in_the_first_bucket_are_somewhere_in_it():
    verdict = judged(latency(at_most=0.005), bucketed((0.005, 0.01, inf), [0.0001] * 100))
    assert verdict.outcome is Outcome.PASS
    assert verdict.quantiles[2] == Quantile(pytest.approx(0.00495), 0.0, 0.005)


def test_a_limit_inside_the_bucket_that_holds_the_percentile_is_inconclusive_and_keeps_both_shares():
    verdict = judged(latency(at_most=2.0), bucketed(KARMADA, [0.5] * 980 + [1.5] * 20))
    assert (verdict.outcome, verdict.cause) == (Outcome.INCONCLUSIVE, Cause.LIMIT_INSIDE_BUCKET)
    assert verdict.good_share == Share(pytest.approx(0.98), 1.0)
    assert verdict.gates


def test_a_limit_inside_a_bucket_passes_if_the_bound_below_suffices():
    assert judged(latency(at_most=2.0), bucketed(KARMADA, [0.5] * 990 + [1.5] * 10)).outcome is Outcome.PASS


def test_a_limit_inside_a_bucket_fails_if_the_bound_above_does_not_suffice():
    assert judged(latency(at_most=1.5), bucketed(KARMADA, [0.5] * 980 + [9.0] * 20)).outcome is Outcome.FAIL


def test_a_limit_on_a_bound_is_exact():
    at_the_edge = bucketed(KARMADA, [0.5] * 990 + [1.5] * 10)
    assert judged(latency(at_most=1.024), at_the_edge).outcome is Outcome.PASS
    just_under = bucketed(KARMADA, [0.5] * 989 + [1.5] * 11)
    assert judged(latency(at_most=1.024), just_under).outcome is Outcome.FAIL


def test_a_limit_beyond_the_last_bound_can_pass():
    assert judged(latency(at_most=10.0), bucketed(KARMADA, [0.5] * 100)).outcome is Outcome.PASS


def test_a_limit_beyond_the_last_bound_never_fails():
    verdict = judged(latency(at_most=10.0), bucketed(KARMADA, [30.0] * 100))
    assert (verdict.outcome, verdict.cause) == (Outcome.INCONCLUSIVE, Cause.LIMIT_BEYOND_LAST_BUCKET)


def test_a_limit_below_the_first_bound_cannot_pass():
    fast = bucketed(KARMADA, [0.0002] * 100)
    assert judged(latency(at_most=0.0005), fast).cause is Cause.LIMIT_INSIDE_BUCKET
    assert judged(latency(at_most=0.0005), bucketed(KARMADA, [0.5] * 100)).outcome is Outcome.FAIL


def test_a_histogram_of_only_the_infinite_bucket_decides_nothing():
    verdict = judged(latency(), histogram((inf,), (5,)))
    assert (verdict.outcome, verdict.cause) == (Outcome.INCONCLUSIVE, Cause.LIMIT_BEYOND_LAST_BUCKET)
    assert verdict.quantiles == (None, None, None)
    assert verdict.value is None


@pytest.mark.parametrize(("slow", "outcome"), [(0, Outcome.PASS), (1, Outcome.FAIL)])
def test_percentile_100_promises_every_single_event(slow, outcome):
    sample = bucketed(KARMADA, [0.5] * (100_000 - slow) + [30.0] * slow)
    assert judged(latency(at_most=1.024, percentile=100.0), sample).outcome is outcome


def test_a_promised_percentile_beside_the_usual_three_is_kept_and_is_the_value():
    verdict = judged(latency(percentile=95.0), bucketed(KARMADA, [0.5] * 100))
    assert len(verdict.quantiles) == 4
    assert verdict.value == verdict.quantiles[3].value


def test_a_fall_that_does_not_reach_the_decision_leaves_the_verdict_and_widens_the_share():
    verdict = judged(latency(at_most=1.0), histogram((1, 2, inf), (999, 998, 1000)))
    assert (verdict.outcome, verdict.cause) == (Outcome.PASS, Cause.DECIDED_DESPITE_FALL)
    assert verdict.good_share == Share(0.998, 0.999)


def test_a_fall_wider_than_the_decision_is_inconclusive():
    verdict = judged(latency(at_most=1.0), histogram((1, 2, inf), (99.5, 98.5, 100)))
    assert (verdict.outcome, verdict.cause) == (Outcome.INCONCLUSIVE, Cause.FALLING_COUNTS)


def test_a_fall_of_the_total_itself_is_seen_too():
    assert judged(latency(at_most=1.0), histogram((1, 2, inf), (98.5, 100, 99))).cause is Cause.FALLING_COUNTS


@pytest.mark.parametrize("counts", [(1, -1, 5), (1, nan, 5), (nan, 2, 5), (1, 2, inf)])
def test_counts_that_are_no_counts_are_an_error_of_that_series(counts):
    verdict = judged(latency(), histogram((1, 2, inf), counts))
    assert (verdict.outcome, verdict.cause) == (Outcome.ERROR, Cause.MALFORMED)
    assert verdict.detail


def test_a_histogram_without_the_infinite_bucket_is_an_error():
    verdict = judged(latency(), histogram((1, 2), (5, 5)))
    assert (verdict.outcome, verdict.detail) == (Outcome.ERROR, "the bucket +Inf is missing")


def test_no_events_are_no_data_and_do_not_gate():
    verdict = judged(latency(), histogram((1, inf), (0, 0)))
    assert (verdict.outcome, verdict.cause, verdict.gates) == (Outcome.NO_DATA, Cause.NO_EVENTS, False)


def test_fewer_events_than_needed_are_inconclusive_even_if_all_are_bad():
    few = bucketed(KARMADA, [30.0] * 9)
    verdict = judged(latency(at_most=1.024, min_events=FEW), few)
    assert (verdict.outcome, verdict.cause, verdict.gates) == (Outcome.INCONCLUSIVE, Cause.TOO_FEW_EVENTS, False)
    assert verdict.events == pytest.approx(9)


def test_exactly_as_many_events_as_needed_are_judged():
    assert judged(latency(at_most=1.024, min_events=9), histogram((1.024, inf), (0.03, 0.03))).outcome is Outcome.PASS


def test_the_warn_level_warns_unless_it_is_shown_to_be_kept():
    slo = promising(latency(), limit=Limit(at_most=1.024, warn_at=0.512))
    assert judged(slo, bucketed(KARMADA, [0.4] * 100)).outcome is Outcome.PASS
    assert judged(slo, bucketed(KARMADA, [0.6] * 100)).outcome is Outcome.WARN
    assert judged(slo, bucketed(KARMADA, [3.0] * 100)).outcome is Outcome.FAIL
    inside = promising(latency(), limit=Limit(at_most=1.024, warn_at=0.8))
    assert judged(inside, bucketed(KARMADA, [0.6] * 100)).outcome is Outcome.WARN


def test_an_override_gives_its_series_another_limit():
    slo = overriding(latency(at_most=0.512), PODS, Limit(at_most=1.024))
    sample = bucketed(KARMADA, [0.6] * 100)
    nodes, pods = judge(slo, 600, answer({PODS: sample, NODES: sample})).verdicts
    assert (pods.outcome, pods.overridden, pods.limit) == (Outcome.PASS, True, Limit(at_most=1.024))
    assert (nodes.outcome, nodes.overridden) == (Outcome.FAIL, False)


def test_without_objective_a_latency_is_measured_and_never_gates():
    verdict = judged(replace(latency(), objective=None), bucketed(KARMADA, [30.0] * 100))
    assert (verdict.outcome, verdict.cause, verdict.gates) == (Outcome.MEASURED, Cause.NO_OBJECTIVE, False)
    assert verdict.value == 2.048
    assert verdict.good_share is None


@given(
    st.lists(st.floats(0, 4) | st.sampled_from(KARMADA[:-1]), min_size=1, max_size=80),
    st.floats(0.0001, 5) | st.sampled_from(KARMADA[:-1]),
    st.sampled_from((50.0, 90.0, 99.0, 100.0)),
)
def test_a_verdict_never_contradicts_the_observations(observations, limit, percentile):
    verdict = judged(latency(at_most=limit, percentile=percentile), bucketed(KARMADA, observations))
    kept = sum(o <= limit for o in observations) / len(observations) >= percentile / 100 - 1e-9
    assert verdict.outcome is not (Outcome.FAIL if kept else Outcome.PASS)
    if limit in KARMADA:
        assert verdict.outcome is (Outcome.PASS if kept else Outcome.FAIL)


@given(
    st.lists(st.integers(0, 40), min_size=13, max_size=13).filter(lambda steps: sum(steps) > 0),
    st.lists(st.floats(0.98, 1.02), min_size=13, max_size=13),
    st.sampled_from(KARMADA[:-1]),
)
def test_a_verdict_on_disturbed_counts_stands_for_the_raised_ones_too(steps, disturbance, limit):
    """What Prometheus itself would say after raising the counts is never contradicted."""
    counts = [sum(steps[: i + 1]) * d for i, d in enumerate(disturbance)]
    raised = [max(counts[: i + 1]) for i in range(13)]
    promised = 0.9
    verdict = judged(latency(at_most=limit, percentile=promised * 100), histogram(KARMADA, counts))
    kept = raised[KARMADA.index(limit)] / raised[-1] >= promised - 1e-9
    assert verdict.outcome is not (Outcome.FAIL if kept else Outcome.PASS)


# A ratio.


@pytest.mark.parametrize(
    ("counts", "part", "outcome"),
    [
        ("bad", 0.01, Outcome.PASS),
        ("bad", 0.011, Outcome.FAIL),
        ("good", 0.99, Outcome.PASS),
        ("good", 0.989, Outcome.FAIL),
    ],
)
def test_a_ratio_is_judged_by_its_share_of_good_events(counts, part, outcome):
    verdict = judged(ratio(counts), Events(part, 1.0))
    assert verdict.outcome is outcome
    assert verdict.events == pytest.approx(300)
    assert verdict.good_share == Share(verdict.value, verdict.value)


def test_a_part_without_its_total_is_an_error():
    assert judged(ratio(), Events(0.1, None)).cause is Cause.TOTAL_ABSENT


@pytest.mark.parametrize("counts", ["good", "bad"])
def test_more_of_a_part_than_of_the_total_is_an_error(counts):
    verdict = judged(ratio(counts), Events(1.0001, 1.0))
    assert (verdict.outcome, verdict.cause) == (Outcome.ERROR, Cause.PART_EXCEEDS_TOTAL)


def test_a_part_that_exceeds_the_total_by_a_rounding_is_all_of_it():
    assert judged(ratio("good"), Events(1 + 1e-12, 1.0)).value == 1.0


def test_a_part_of_nothing_is_an_error():
    assert judged(ratio(), Events(0.1, 0.0)).cause is Cause.PART_EXCEEDS_TOTAL


@pytest.mark.parametrize("part", [None, 0.0])
def test_a_total_without_events_is_no_data(part):
    verdict = judged(ratio(), Events(part, 0.0))
    assert (verdict.outcome, verdict.cause, verdict.gates) == (Outcome.NO_DATA, Cause.NO_EVENTS, False)


def test_good_events_without_series_are_zero():
    verdict = judged(ratio("good"), Events(None, 1.0))
    assert (verdict.outcome, verdict.value) == (Outcome.FAIL, 0.0)


def test_bad_events_without_series_are_no_data_because_a_typo_must_not_pass():
    verdict = judged(ratio("bad"), Events(None, 1.0))
    assert (verdict.outcome, verdict.cause, verdict.gates) == (Outcome.NO_DATA, Cause.BAD_ABSENT, False)
    assert judge(ratio("bad"), 600, answer({PODS: Events(None, 1.0)})).cause is Cause.BAD_ABSENT


def test_bad_events_without_series_are_zero_where_the_slo_says_so():
    slo = ratio("bad")
    verdict = judged(replace(slo, sli=replace(slo.sli, bad_absent_is_zero=True)), Events(None, 1.0))
    assert (verdict.outcome, verdict.value) == (Outcome.PASS, 1.0)


@pytest.mark.parametrize("events", [Events(nan, 1.0), Events(0.0, nan), Events(-0.1, 1.0), Events(0.1, inf)])
def test_sides_that_are_no_counts_are_an_error(events):
    assert judged(ratio(), events).cause is Cause.MALFORMED


def test_a_ratio_of_too_few_events_does_not_gate():
    verdict = judged(ratio(min_events=301), Events(0.5, 1.0))
    assert (verdict.outcome, verdict.cause, verdict.gates) == (Outcome.INCONCLUSIVE, Cause.TOO_FEW_EVENTS, False)


def test_a_ratio_below_its_warn_level_warns():
    slo = promising(ratio(), limit=Limit(at_least=0.99, warn_at=0.995))
    assert judged(slo, Events(0.006, 1.0)).outcome is Outcome.WARN
    assert judged(slo, Events(0.005, 1.0)).outcome is Outcome.PASS


def test_a_ratio_without_objective_is_measured():
    assert judged(replace(ratio(), objective=None), Events(0.5, 1.0)).outcome is Outcome.MEASURED


# A value.


@pytest.mark.parametrize(
    ("limit", "number", "outcome"),
    [
        (Limit(at_most=100), 100.0, Outcome.PASS),
        (Limit(at_most=100), 100.0000001, Outcome.FAIL),
        (Limit(at_most=100), inf, Outcome.FAIL),
        (Limit(at_most=100), -inf, Outcome.PASS),
        (Limit(at_least=100), 100.0, Outcome.PASS),
        (Limit(at_least=100), 99.0, Outcome.FAIL),
        (Limit(at_least=100), -inf, Outcome.FAIL),
        (Limit(at_most=100, warn_at=80), 81.0, Outcome.WARN),
        (Limit(at_most=100, warn_at=80), 80.0, Outcome.PASS),
        (Limit(at_least=100, warn_at=120), 119.0, Outcome.WARN),
    ],
)
def test_a_value_is_compared_with_its_limit(limit, number, outcome):
    assert judged(value(limit), number).outcome is outcome


def test_nan_is_no_data():
    verdict = judged(value(), nan)
    assert (verdict.outcome, verdict.cause, verdict.gates) == (Outcome.NO_DATA, Cause.NOT_A_NUMBER, False)
    assert verdict.value is None


def test_a_value_of_which_only_the_growth_is_limited_is_measured_at_a_slot():
    slo = promising(value(), limit=Limit(), grows_at_most=1.0)
    verdict = judged(slo, 5.0)
    assert (verdict.outcome, verdict.gates) == (Outcome.MEASURED, False)


# Answers and refusals.


@pytest.mark.parametrize("slo", [latency(), ratio(), value()])
def test_a_malformed_series_is_an_error_with_its_reason(slo):
    verdict = judged(slo, Malformed("two series with the same labels"))
    assert (verdict.outcome, verdict.detail) == (Outcome.ERROR, "two series with the same labels")


@pytest.mark.parametrize(
    ("slo", "sample"),
    [(latency(), 5.0), (ratio(), 5.0), (value(), Distribution((inf,), (1.0,))), (latency(), Events(1, 2))],
)
def test_a_sample_of_another_kind_is_an_error_never_a_number(slo, sample):
    assert judged(slo, sample).cause is Cause.MALFORMED


def test_a_refusal_that_repeats_is_recorded_as_an_error():
    slot = judge(latency(), 600, refusal(Kind.BAD_DATA, final=True, message="parse error"))
    assert (slot.outcome, slot.cause, slot.kind, slot.pending) == (Outcome.ERROR, Cause.REFUSED, "bad_data", False)
    assert slot.detail == "parse error"


def test_a_refusal_that_may_pass_leaves_the_slot_pending():
    slot = judge(latency(), 600, refusal(Kind.TIMEOUT))
    assert (slot.outcome, slot.pending, slot.verdicts) == (Outcome.ERROR, True, ())


def test_an_empty_answer_is_no_data():
    slot = judge(latency(), 600, answer({}))
    assert (slot.outcome, slot.cause, slot.pending) == (Outcome.NO_DATA, Cause.NO_SERIES, False)


def test_only_series_that_do_not_gate_are_no_data():
    few, none = bucketed(KARMADA, [0.1] * 3), histogram((1, inf), (0, 0))
    slot = judge(latency(min_events=FEW), 600, answer({PODS: few, NODES: none}))
    assert (slot.outcome, slot.cause) == (Outcome.NO_DATA, Cause.NOT_GATING)


def test_series_are_told_in_the_order_of_their_labels_with_their_distributions():
    sample = bucketed(KARMADA, [0.1] * 3)
    slot = judge(latency(), 600, answer({PODS: sample, NODES: Malformed("x")}))
    assert [v.labels for v in slot.verdicts] == [NODES, PODS]
    assert slot.distributions == {PODS: sample}
    assert slot.outcome is Outcome.ERROR


def test_a_slo_without_objective_is_measured_with_data_and_no_data_without():
    slo = replace(value(), objective=None)
    assert judge(slo, 600, answer({PODS: 1.0})).outcome is Outcome.MEASURED
    assert judge(slo, 600, answer({PODS: nan})).outcome is Outcome.NO_DATA
