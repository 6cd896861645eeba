"""A limit that was relaxed keeps the declared one, and the same windows are judged by both."""

from __future__ import annotations

import dataclasses

import pytest

from sloagent.evaluation.judge import judge
from sloagent.evaluation.leniency import as_declared, is_more_lenient, judged_again
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer, Events, Question
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective, Override, RatioSLI, ValueSLI
from sloagent.model.verdict import Outcome, SlotVerdict

INF = float("inf")
PODS, NODES = (("resource", "pods"),), (("resource", "nodes"),)


def latency(at_most: float, declared: float | None = None, *overrides: Override) -> SLO:
    return SLO(
        "set", "latency", LatencySLI(("h",), "", ("resource",)),
        Objective(Limit(at_most=at_most), percentile=99.0, overrides=overrides), interval=60, window=60,
        declared=None if declared is None else Limit(at_most=declared),
    )  # fmt: skip


def judged(slo: SLO, slow: float) -> SlotVerdict:
    """A window with 100 events a second, `slow` of which lie between 1 s and 2 s and the others below 1 s."""
    counts = Distribution((1.0, 2.0, INF), (100.0 - slow, 100.0, 100.0))
    return judge(slo, 60, Answer(Question("q", "h"), {PODS: counts, NODES: counts}))


def test_an_slo_whose_limit_nobody_touched_or_made_stricter_is_not_relaxed() -> None:
    assert as_declared(latency(1.0)) is None
    assert as_declared(latency(0.5, declared=1.0)) is None
    assert as_declared(dataclasses.replace(latency(1.0), objective=None)) is None


def test_the_same_window_passes_the_relaxed_limit_and_fails_the_declared_one() -> None:
    relaxed = latency(2.0, declared=1.0)
    strict = as_declared(relaxed)
    assert strict is not None
    assert strict.objective is not None
    assert strict.objective.limit == Limit(at_most=1.0)
    slot = judged(relaxed, slow=10.0)
    assert slot.outcome is Outcome.PASS
    assert judged_again(strict, slot).outcome is Outcome.FAIL
    assert judged_again(strict, judged(relaxed, slow=0.5)).outcome is Outcome.PASS


def test_a_declared_limit_inside_the_bucket_of_the_percentile_decides_nothing() -> None:
    strict = as_declared(latency(2.0, declared=1.5))
    assert strict is not None
    assert judged_again(strict, judged(latency(2.0, declared=1.5), slow=10.0)).outcome is Outcome.INCONCLUSIVE


def test_judging_again_says_what_judging_by_the_declared_limit_says_wherever_bounds_decide() -> None:
    for slow in (0.0, 0.5, 1.0, 1.5, 10.0, 100.0):
        relaxed = latency(2.0, declared=1.0)
        strict = as_declared(relaxed)
        assert strict is not None
        assert judged_again(strict, judged(relaxed, slow)).outcome is judged(strict, slow).outcome


def test_an_override_that_is_wider_than_the_general_limit_is_relaxed_for_its_series_alone() -> None:
    slo = latency(1.0, None, Override(PODS, Limit(at_most=2.0)))
    strict = as_declared(slo)
    assert strict is not None
    slot = judged(slo, slow=10.0)
    assert [verdict.outcome for verdict in slot.verdicts] == [Outcome.FAIL, Outcome.PASS]
    assert [verdict.outcome for verdict in judged_again(strict, slot).verdicts] == [Outcome.FAIL, Outcome.FAIL]
    assert as_declared(latency(1.0, None, Override(PODS, Limit(at_most=0.5)))) is None


@pytest.mark.parametrize(
    ("one", "other", "lenient"),
    [
        (Limit(at_most=2.0), Limit(at_most=1.0), True),
        (Limit(at_most=1.0), Limit(at_most=1.0), False),
        (Limit(at_least=0.9), Limit(at_least=0.99), True),
        (Limit(at_least=0.99), Limit(at_least=0.9), False),
        (Limit(at_most=2.0), Limit(at_least=0.9), False),
    ],
)
def test_a_limit_is_more_lenient_where_it_lets_more_pass(one: Limit, other: Limit, lenient: bool) -> None:
    assert is_more_lenient(one, other) is lenient


def test_a_value_is_judged_again_by_its_number() -> None:
    slo = SLO(
        "set", "memory", ValueSLI("q", "bytes"), Objective(Limit(at_most=20.0)), 60, 60, declared=Limit(at_most=10.0)
    )
    strict = as_declared(slo)
    assert strict is not None
    slot = judge(slo, 60, Answer(Question("q"), {PODS: 15.0, NODES: 5.0}))
    assert [v.outcome for v in judged_again(strict, slot).verdicts] == [Outcome.PASS, Outcome.FAIL]


def test_a_share_that_is_off_in_its_last_digits_passes_the_declared_limit_as_it_passed_when_it_was_judged() -> None:
    """Rates are multiplied and divided on their way: 0.1 % of bad events may be a hair more."""
    slo = SLO(
        "set", "answered", RatioSLI("bad", "b", "t"), Objective(Limit(at_least=0.99)), 60, 60,
        declared=Limit(at_least=0.999),
    )  # fmt: skip
    strict = as_declared(slo)
    assert strict is not None
    bad = 0.1 + 1e-13
    slot = judge(slo, 60, Answer(Question("q"), {PODS: Events(bad, 100.0)}))
    assert slot.verdicts[0].value is not None
    assert slot.verdicts[0].value < 0.999
    assert [v.outcome for v in judged_again(strict, slot).verdicts] == [Outcome.PASS]
    assert [v.outcome for v in judge(strict, 60, Answer(Question("q"), {PODS: Events(bad, 100.0)})).verdicts] == [
        Outcome.PASS
    ]
