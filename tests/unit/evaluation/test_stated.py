"""Numbers that somebody wrote down are judged as such, and what nobody measured is never a zero or a pass."""

from __future__ import annotations

import dataclasses

from sloagent.evaluation.reasons import reason
from sloagent.evaluation.stated import summarise_stated
from sloagent.evaluation.wording import percentile
from sloagent.model.record import Stated
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective, ValueSLI
from sloagent.model.verdict import Cause, Outcome

PUSH, PULL = (("mode", "push"),), (("mode", "pull"),)
DISTRIBUTION = SLO(
    "karmada", "resource-distribution", LatencySLI(("h",), "", ("mode",)),
    Objective(Limit(at_most=2.0), percentile=99.0), 60, 300,
)  # fmt: skip


def published(p50: float, p90: float, p99: float) -> Stated:
    return Stated(percentiles={50.0: p50, 90.0: p90, 99.0: p99})


def test_stated_percentiles_pass_and_fail_and_the_worst_stands_first() -> None:
    summary = summarise_stated(DISTRIBUTION, {PUSH: published(0.706, 0.899, 1.298), PULL: published(0.6, 0.9, 2.001)})
    assert summary.outcome is Outcome.FAIL
    assert [(row.labels, row.outcome) for row in summary.series] == [(PULL, Outcome.FAIL), (PUSH, Outcome.PASS)]
    assert summary.series[1].whole is not None
    assert [percentile(q) for q in summary.series[1].whole.quantiles] == ["706 ms", "899 ms", "1.298 s"]
    assert reason(DISTRIBUTION, summary.series[1]) == "stated, not measured here: 1.3 s, at most 2 s promised"


def test_the_limit_itself_passes() -> None:
    assert summarise_stated(DISTRIBUTION, {PUSH: published(1, 1, 2.0)}).outcome is Outcome.PASS


def test_nothing_stated_is_not_run() -> None:
    summary = summarise_stated(DISTRIBUTION, {})
    assert (summary.outcome, summary.cause, summary.series) == (Outcome.NO_DATA, Cause.NOT_RUN, ())
    assert reason(DISTRIBUTION, summary) == "not run"


def test_a_percentile_that_is_promised_and_not_stated_is_no_data() -> None:
    summary = summarise_stated(DISTRIBUTION, {PUSH: Stated(percentiles={50.0: 0.7})})
    assert summary.outcome is Outcome.NO_DATA
    assert "was not stated" in reason(DISTRIBUTION, summary.series[0])


def test_without_a_promise_numbers_are_measured() -> None:
    tbd = dataclasses.replace(DISTRIBUTION, objective=None)
    assert summarise_stated(tbd, {PUSH: published(5.356, 6.125, 6.904)}).outcome is Outcome.MEASURED
    cpu = SLO("karmada", "agent-cpu", ValueSLI("q", "cores"), None, 60, 60)
    assert summarise_stated(cpu, {(): Stated(value=0.04)}).outcome is Outcome.MEASURED


def test_a_median_alone_is_measured_where_nothing_is_promised() -> None:
    tbd = dataclasses.replace(DISTRIBUTION, objective=None)
    summary = summarise_stated(tbd, {PUSH: Stated(percentiles={50.0: 0.0087}), PULL: Stated()})
    assert [(row.labels, row.outcome) for row in summary.series] == [
        (PUSH, Outcome.MEASURED),
        (PULL, Outcome.NO_DATA),
    ]
    assert reason(tbd, summary.series[0]) == "stated, not measured here; no objective yet"


def test_another_percentile_than_the_one_kept_was_stated_all_the_same() -> None:
    only = {PUSH: Stated(percentiles={95.0: 1.1})}
    tbd = dataclasses.replace(DISTRIBUTION, objective=None)
    assert summarise_stated(tbd, only).outcome is Outcome.MEASURED
    promised = summarise_stated(DISTRIBUTION, only)
    assert (promised.outcome, promised.series[0].cause) == (Outcome.NO_DATA, Cause.STATED)
    assert "was not stated" in reason(DISTRIBUTION, promised.series[0])
