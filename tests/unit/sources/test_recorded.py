"""What rules record of an SLI, and how it is asked for."""

from __future__ import annotations

from dataclasses import replace

import promql_parser
import pytest

from sloagent.app import rules_export
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer, Question
from sloagent.model.slo import SLO, Evaluate, LatencySLI, Limit, LowerBound, Objective, RatioSLI, ValueSLI
from sloagent.sources import promql, recorded
from sloagent.sources.rules.compiling import compiled
from sloagent.sources.rules.rule import Compiled, Record, Refused
from sloagent.store.spec import slo_from, spec_text

OBJECTIVE = Objective(Limit(at_most=1.0), percentile=99.0)
LATENCY = SLO(
    "own", "api", LatencySLI(("a_seconds",), 'job="a"', ("verb",)), OBJECTIVE, 60, 300, evaluate=Evaluate.RECORDED
)
SEVERAL = replace(
    LATENCY, sli=LatencySLI(("a_seconds", "b_seconds"), "", (), lower_bounds=(LowerBound("c_seconds", 'x="y"'),))
)
RATIO = replace(LATENCY, sli=RatioSLI("bad", "bad[$window]", "all"), objective=Objective(Limit(at_least=0.999)))
VALUE = replace(LATENCY, sli=ValueSLI("depth", "items"), objective=Objective(Limit(at_most=5.0)))
SCALAR = replace(VALUE, sli=ValueSLI("scalar(x)", "items"))
ALL = [LATENCY, SEVERAL, RATIO, VALUE, SCALAR]


def answers(slo: SLO) -> list[Record]:
    found = compiled(slo)
    assert isinstance(found, Compiled)
    return [rule for rule in found.rules if isinstance(rule, Record) and rule.metric.startswith("sloagent:sli_")]


def test_a_recorded_latency_is_one_question_over_one_interval() -> None:
    ((query, histogram),) = recorded.questions(LATENCY)
    assert histogram == "a_seconds"
    own = 'sloagent_set="own", sloagent_slo="api", sloagent_sli="0cfcb3df30fc1b62", sloagent_histogram="a_seconds"'
    assert query == (
        "max without (sloagent_set, sloagent_slo, sloagent_sli, sloagent_histogram) "
        f'(last_over_time(sloagent:sli_bucket:sum_rate5m{{{own}, sloagent_rule=""}}[1m]))'
    )
    assert recorded.evaluated(LATENCY) == (
        f'group(last_over_time(sloagent:sli_bucket:sum_rate5m{{{own}, sloagent_rule="evaluated"}}[1m]))'
    )


@pytest.mark.parametrize("slo", ALL)
def test_questions_of_raw_series_are_as_ever_and_those_of_recorded_ones_parse(slo: SLO) -> None:
    raw = replace(slo, evaluate=Evaluate.RAW)
    assert recorded.questions(raw) == promql.questions(slo.sli, "5m")
    assert answers(raw) == []
    for query in (*(query for query, _ in recorded.questions(slo)), recorded.evaluated(slo)):
        promql_parser.parse(query)


@pytest.mark.parametrize("slo", [LATENCY, SEVERAL, VALUE])
def test_each_question_has_a_rule_that_comes_first_and_says_that_it_was_evaluated(slo: SLO) -> None:
    found = compiled(slo)
    assert isinstance(found, Compiled)
    asked = promql.questions(slo.sli, "5m")
    assert list(found.rules[: len(asked)]) == answers(slo)
    for rule, (query, histogram) in zip(answers(slo), asked, strict=True):
        promql_parser.parse(rule.expression)
        assert query in rule.expression
        assert rule.expression.endswith('\nor\nlabel_replace(vector(1), "sloagent_rule", "evaluated", "", "")')
        assert rule.labels == recorded.labels(slo, histogram)
        assert (rule.metric in recorded.questions(slo)[0][0]) is True


def test_both_sides_of_a_ratio_are_one_rule_so_that_none_is_missing_alone() -> None:
    (rule,) = answers(RATIO)
    assert rule.metric == "sloagent:sli_side:rate5m"
    assert '"sloagent_side", "part"' in rule.expression
    assert '"sloagent_side", "total"' in rule.expression


def test_the_ruler_takes_the_first_histogram_that_answers() -> None:
    first, second, third = (rule.expression for rule in answers(SEVERAL))
    assert "unless" not in first
    assert "unless on () rate(a_seconds_bucket{}[5m])\nor" in second
    assert "unless on () rate(a_seconds_bucket{}[5m])\nunless on () rate(b_seconds_bucket{}[5m])\nor" in third
    assert recorded.evaluated(SEVERAL).count(" and on () ") == 2, "and none of its rules may have failed"


def test_a_number_without_series_is_made_one() -> None:
    (rule,) = answers(SCALAR)
    assert "vector(scalar(x))" in rule.expression


def test_what_is_measured_is_told_apart_and_what_is_promised_is_not() -> None:
    def identity(slo: SLO) -> str:
        return dict(recorded.labels(slo, ""))["sloagent_sli"]

    others = [
        replace(LATENCY, window=600), replace(LATENCY, sli=replace(LATENCY.sli, where="")), SEVERAL, RATIO, VALUE,
        replace(RATIO, sli=replace(RATIO.sli, counts="good")),
    ]  # fmt: skip
    assert len({identity(slo) for slo in (LATENCY, *others)}) == 7
    same = [
        replace(LATENCY, objective=None), replace(LATENCY, min_events=5.0), replace(LATENCY, interval=30),
        replace(LATENCY, evaluate=Evaluate.RAW),
    ]  # fmt: skip
    assert {identity(slo) for slo in same} == {identity(LATENCY)}


def test_it_is_another_slo_with_a_history_of_its_own_and_is_remembered() -> None:
    raw = replace(LATENCY, evaluate=Evaluate.RAW)
    assert raw.fingerprint() != LATENCY.fingerprint()
    assert "evaluate" not in raw.content()
    for slo in (raw, LATENCY):
        assert slo_from("own", "api", spec_text(slo)) == slo


def test_of_a_limit_that_is_no_bound_the_answers_are_exported_and_nothing_else() -> None:
    class Here:
        def at(self, slo: SLO, slot: int) -> Answer:
            assert slot == 60
            return Answer(Question("q"), {(("verb", "GET"),): Distribution((0.5, 2.0, float("inf")), (1.0, 2.0, 2.0))})

    raw = replace(LATENCY, evaluate=Evaluate.RAW)
    made = rules_export.checked(rules_export.export([LATENCY, raw]), Here(), lambda _: 60)
    (kept,), (refused,) = made.compiled, made.refused
    reason = "1 s is no bucket bound; promise one that is, next to it 500 ms and 2 s"
    assert refused == Refused(raw, reason)
    assert list(kept.rules) == answers(LATENCY)
    assert kept.left_out == (f"its verdict and its alerts: {reason}",)


def test_a_series_that_is_told_apart_by_a_label_of_the_rules_is_refused() -> None:
    found = compiled(replace(LATENCY, sli=replace(LATENCY.sli, by=("sloagent_sli",))))
    assert isinstance(found, Refused)
