"""One slot judged: what a source answered, held against what was promised. Sentences are made later (`reasons`).

A verdict is a pure function of the SLO, the slot and the answer: the same three give the same verdict at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sloagent.evaluation.latency import as_lower_bound, judge_distribution
from sloagent.evaluation.numbers import judge_number, judge_ratio
from sloagent.evaluation.roll_up import roll_up
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer, Events, Malformed, Refusal, Sample
from sloagent.model.slo import SLO, Labels, LatencySLI, RatioSLI, ValueSLI
from sloagent.model.verdict import Cause, Outcome, SlotVerdict, Verdict


def judge(slo: SLO, slot: int, answer: Answer | Refusal) -> SlotVerdict:
    """The verdict of one SLO at one slot, its series in the order of their labels.

    A refusal that is not final leaves the slot pending: told as `error`, never stored.
    """
    if isinstance(answer, Refusal):
        return SlotVerdict(
            slo, slot, Outcome.ERROR, Cause.REFUSED, answer.question, (),
            detail=answer.message, pending=not answer.final, kind=answer.kind.value,
        )  # fmt: skip
    judge_one = judge_series(slo, float(slo.window))
    verdicts = tuple([judge_one(labels, sample) for labels, sample in sorted(answer.series.items(), key=_labels)])
    if isinstance(slo.sli, LatencySLI) and (bound := slo.sli.lower_bound([answer.question.histogram])):
        verdicts = tuple([as_lower_bound(verdict, bound) for verdict in verdicts])
    outcome = roll_up([(verdict.outcome, verdict.gates) for verdict in verdicts])
    distributions = (
        {labels: sample for labels, sample in answer.series.items() if isinstance(sample, Distribution)}
        if isinstance(slo.sli, LatencySLI)
        else None
    )
    return SlotVerdict(
        slo, slot, outcome, _cause(outcome, verdicts), answer.question, verdicts,
        warnings=answer.warnings, distributions=distributions,
    )  # fmt: skip


def judge_series(slo: SLO, scale: float) -> Callable[[Labels, Sample], Verdict]:
    """How one series of this SLO is judged. `scale` turns its counts into events: the window in seconds, or 1."""
    match slo.sli:
        case LatencySLI():
            percentiles = slo.quantiles

            def latency(labels: Labels, sample: Sample) -> Verdict:
                if isinstance(sample, Distribution):
                    return judge_distribution(slo, percentiles, labels, sample, scale)
                return _malformed(slo, labels, sample, "a histogram")

            return latency
        case RatioSLI():

            def ratio(labels: Labels, sample: Sample) -> Verdict:
                if isinstance(sample, Events):
                    return judge_ratio(slo, labels, sample, scale)
                return _malformed(slo, labels, sample, "a pair of event counts")

            return ratio
        case ValueSLI():

            def value(labels: Labels, sample: Sample) -> Verdict:
                if isinstance(sample, float | int):
                    return judge_number(slo, labels, float(sample))
                return _malformed(slo, labels, sample, "a number")

            return value


def _malformed(slo: SLO, labels: Labels, sample: Sample, expected: str) -> Verdict:
    detail = sample.reason if isinstance(sample, Malformed) else f"the source gave something that is not {expected}"
    return Verdict(labels, Outcome.ERROR, Cause.MALFORMED, gates=slo.objective is not None, detail=detail)


def _labels(item: tuple[Labels, Sample]) -> Labels:
    return item[0]


def _cause(outcome: Outcome, verdicts: Sequence[Verdict]) -> Cause:
    match outcome:
        case Outcome.MEASURED:
            return Cause.NO_OBJECTIVE
        case Outcome.NO_DATA if not verdicts:
            return Cause.NO_SERIES
        case Outcome.NO_DATA if any(verdict.cause is Cause.BAD_ABSENT for verdict in verdicts):
            return Cause.BAD_ABSENT
        case Outcome.NO_DATA:
            return Cause.NOT_GATING
        case _:
            return Cause.SERIES_DECIDE
