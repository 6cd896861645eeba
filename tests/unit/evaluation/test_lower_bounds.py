"""A part of what is measured can prove a failure and never a pass: at a slot, over a range, in words and comparisons."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from sloagent.evaluation import wording
from sloagent.evaluation.judge import judge
from sloagent.evaluation.leniency import as_declared, judged_again
from sloagent.evaluation.reasons import reason
from sloagent.evaluation.summary import summarise, tally
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer, Malformed, Question
from sloagent.model.slo import SLO, Gate, LatencySLI, Limit, LowerBound
from sloagent.model.verdict import Cause, Outcome, Quantile, RangeSummary, SlotVerdict
from tests.unit.evaluation.build import PODS, bucketed, histogram, latency, promising

WHOLE, PART = "whole_seconds", "part_seconds"
BOUNDS = (1.0, 2.0, 4.0, inf)
GOOD = bucketed(BOUNDS, [0.5] * 100)
WARNED = bucketed(BOUNDS, [1.5] * 100)
BAD = bucketed(BOUNDS, [3.0] * 100)
FEW = bucketed(BOUNDS, [0.5] * 2)
RUN, BAD_RUN = (bucketed(BOUNDS, [seconds] * 500, window=1) for seconds in (0.5, 3.0))
IDLE = histogram(BOUNDS, (0, 0, 0, 0))
SLO_ = replace(
    latency(at_most=2.0, min_events=10),
    sli=LatencySLI((WHOLE,), "", ("resource",), lower_bounds=(LowerBound(PART, ""),)),
)
ONLY_MEASURED = replace(SLO_, objective=None, min_events=0)
LIMITED = promising(SLO_, limit=Limit(at_most=2.0, warn_at=1.0))
INSIDE = promising(SLO_, limit=Limit(at_most=3.0))


def slot(slo: SLO, sample: Distribution | Malformed, name: str = PART, at: int = 600) -> SlotVerdict:
    return judge(slo, at, Answer(Question("q", name), {PODS: sample}))


def over(
    slo: SLO, *slots: tuple[str, Distribution], whole: Distribution | None = None, read_from: tuple[str, ...] = ()
) -> RangeSummary:
    judged = [slot(slo, sample, name, 600 + 60 * place) for place, (name, sample) in enumerate(slots)]
    return summarise(
        slo, tally(slo, judged), expected=len(judged), excluded=0, whole={PODS: whole} if whole else None,
        answered_by={PODS: read_from},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("slo", "sample", "outcome", "cause", "gates"),
    [
        (SLO_, GOOD, Outcome.INCONCLUSIVE, Cause.LOWER_BOUND, True),
        (LIMITED, WARNED, Outcome.INCONCLUSIVE, Cause.LOWER_BOUND, True),
        (SLO_, BAD, Outcome.FAIL, Cause.DECIDED, True),
        (INSIDE, BAD, Outcome.INCONCLUSIVE, Cause.LIMIT_INSIDE_BUCKET, True),
        (SLO_, FEW, Outcome.INCONCLUSIVE, Cause.TOO_FEW_EVENTS, False),
        (SLO_, IDLE, Outcome.NO_DATA, Cause.NO_EVENTS, False),
        (SLO_, Malformed("no"), Outcome.ERROR, Cause.MALFORMED, True),
        (ONLY_MEASURED, GOOD, Outcome.MEASURED, Cause.NO_OBJECTIVE, False),
    ],
    ids=["passes", "warns", "fails", "open", "too few", "idle", "malformed", "no objective"],
)
def test_what_a_lower_bound_makes_of_a_window(
    slo: SLO, sample: Distribution | Malformed, outcome: Outcome, cause: Cause, gates: bool
) -> None:
    judged = slot(slo, sample)
    (verdict,) = judged.verdicts
    assert (verdict.outcome, verdict.cause, verdict.gates) == (outcome, cause, gates)
    assert verdict.lower_bound == ("" if outcome in (Outcome.NO_DATA, Outcome.ERROR) else PART)
    assert judged.outcome is (outcome if gates or outcome is Outcome.MEASURED else Outcome.NO_DATA)


@pytest.mark.parametrize(
    ("slo", "sample", "outcome"),
    [(SLO_, GOOD, Outcome.PASS), (LIMITED, WARNED, Outcome.WARN), (SLO_, BAD, Outcome.FAIL)],
)
def test_the_whole_is_judged_as_ever(slo: SLO, sample: Distribution, outcome: Outcome) -> None:
    (verdict,) = slot(slo, sample, WHOLE).verdicts
    assert (verdict.outcome, verdict.lower_bound) == (outcome, "")


def test_windows_that_a_lower_bound_would_pass_are_undecided_and_those_it_fails_are_bad() -> None:
    assert over(SLO_, *[(PART, GOOD)] * 5).outcome is Outcome.INCONCLUSIVE
    mixed = over(SLO_, (WHOLE, GOOD), (PART, GOOD), (PART, BAD), (WHOLE, GOOD))
    (row,) = mixed.series
    assert (row.windows.good, row.windows.undecided, row.windows.bad) == (2, 1, 1)
    assert mixed.outcome is Outcome.FAIL
    assert mixed.histograms == (WHOLE, PART)


@pytest.mark.parametrize("gate", Gate)
def test_by_no_reading_of_a_run_does_a_lower_bound_pass(gate: Gate) -> None:
    slo = promising(SLO_, gate=gate)
    passing = over(slo, *[(PART, GOOD)] * 5, whole=RUN, read_from=(PART,))
    assert passing.outcome is Outcome.INCONCLUSIVE
    failing = over(slo, *[(PART, BAD)] * 5, whole=BAD_RUN, read_from=(PART,))
    assert failing.outcome is Outcome.FAIL
    assert over(slo, *[(WHOLE, GOOD)] * 5, whole=RUN, read_from=(WHOLE,)).outcome is Outcome.PASS


@pytest.mark.parametrize("read_from", [(PART,), (WHOLE, PART)])
def test_events_of_a_run_of_which_some_were_read_from_a_part_are_a_lower_bound(read_from: tuple[str, ...]) -> None:
    slo = promising(SLO_, gate=Gate.WHOLE_RUN)
    found = over(slo, *[(WHOLE, GOOD)] * 5, whole=RUN, read_from=read_from)
    (row,) = found.series
    assert (found.outcome, row.cause) == (Outcome.INCONCLUSIVE, Cause.LOWER_BOUND)
    assert row.whole is not None
    assert row.whole.lower_bound == PART


def test_a_run_whose_windows_were_partly_judged_by_a_part_does_not_pass_by_the_events_of_the_rest() -> None:
    slo = promising(SLO_, gate=Gate.WHOLE_RUN)
    (row,) = over(slo, (WHOLE, GOOD), (PART, GOOD), whole=RUN, read_from=(WHOLE,)).series
    assert (row.outcome, row.cause, row.gates) == (Outcome.INCONCLUSIVE, Cause.LOWER_BOUND, True)
    assert reason(slo, row).endswith("a part of the stretch was judged by a lower bound alone, so this proves no pass")
    (failed,) = over(slo, (WHOLE, BAD), (PART, GOOD), whole=BAD_RUN, read_from=(WHOLE,)).series
    assert failed.outcome is Outcome.FAIL


def test_the_reason_names_what_was_judged_and_what_was_missing() -> None:
    passing, failing = slot(SLO_, GOOD), slot(SLO_, BAD)
    assert reason(SLO_, passing) == (
        "100 % within 2 s, 99 % promised; judged by part_seconds, a part of what is measured, which takes at least that"
        " long: no pass is proven; whole_seconds has no series"
    )
    assert reason(SLO_, failing) == (
        "0 % within 2 s, 99 % promised; judged by part_seconds, a part of what is measured, which takes at least that long"
    )
    assert "part_seconds" in reason(SLO_, passing, "zh")
    assert "whole_seconds" in reason(SLO_, passing, "zh")
    assert "part_seconds" in reason(ONLY_MEASURED, slot(ONLY_MEASURED, GOOD))
    assert "part_seconds" not in reason(SLO_, slot(SLO_, GOOD, WHOLE))


@pytest.mark.parametrize(
    ("quantile", "shown"),
    [
        (Quantile(1.5, 1.024, 2.048), "≥ 1.5 s (1.02–2.05 s)"),
        (Quantile(0.003, 0.0, 0.005), "≥ 0–5 ms (first bucket)"),
        (Quantile(2.048, 2.048, inf), "> 2.05 s (last bucket)"),
    ],
)
def test_a_percentile_of_a_part_is_marked(quantile: Quantile, shown: str) -> None:
    assert wording.percentile(quantile, lower_bound=True) == shown


def test_a_window_judged_again_by_the_declared_limit_proves_no_more_than_it_did() -> None:
    relaxed = replace(promising(SLO_, limit=Limit(at_most=4.0)), declared=Limit(at_most=2.0))
    strict = as_declared(relaxed)
    assert strict is not None
    again = judged_again(strict, slot(relaxed, GOOD))
    assert (again.outcome, again.verdicts[0].cause) == (Outcome.INCONCLUSIVE, Cause.LOWER_BOUND)
    assert judged_again(strict, slot(relaxed, BAD)).outcome is Outcome.FAIL
    assert judged_again(strict, slot(relaxed, GOOD, WHOLE)).outcome is Outcome.PASS
