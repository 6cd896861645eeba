"""The one line that answers the reader's question: were the promises kept, and if not, which, when and how far."""

from __future__ import annotations

from sloagent.model.slo import Gate
from sloagent.model.verdict import Cause, Outcome
from sloagent.report import times
from sloagent.report.content import Report, Result
from sloagent.report.words import Words

_NAMED_FAILURES = 2
_MET = (Outcome.PASS, Outcome.WARN)
_UNDECIDED = (Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.NO_DATA)


def answer(report: Report, words: Words) -> str:
    """The sentences, such as `7 of 9 SLOs were met. Mutating API calls failed in 4 of 28 windows (05:52–05:56).`."""
    gating = [result for result in report.results if result.counts]
    outcomes = [result.summary.outcome for result in gating]
    failed = [result for result in gating if result.summary.outcome is Outcome.FAIL]
    undecided = sum(outcome in _UNDECIDED for outcome in outcomes)
    met = sum(outcome in _MET for outcome in outcomes)
    measured = sum(result.summary.outcome is Outcome.MEASURED for result in report.results)
    if not gating:
        promised = any(result.gates for result in report.results)
        sentences = [words.say("none_judged" if promised else "none_promised", measured=measured)]
    elif met == len(gating):
        sentences = [words.say("all_met", all=len(gating))]
    else:
        sentences = [words.say("some_met", met=met, all=len(gating))]
    sentences += [_failure(result, words) for result in failed[:_NAMED_FAILURES]]
    if len(failed) > _NAMED_FAILURES:
        sentences.append(words.say("more_failed", count=len(failed) - _NAMED_FAILURES))
    if undecided:
        sentences.append(words.say("undecided", count=undecided))
    if gating and measured:
        sentences.append(words.say("more_measured", count=measured))
    if report.run.end is None:
        sentences.append(words.say("unfinished"))
    return words.after_sentence.join(sentences)


def _failure(result: Result, words: Words) -> str:
    slo, worst = result.slo, result.summary.series[0] if result.summary.series else None
    title = words.title(slo)
    if worst is None or worst.cause is Cause.GROWS or not worst.windows.bad:
        whole = slo.objective is not None and slo.objective.gate is Gate.WHOLE_RUN
        return words.say("failed_whole" if whole else "failed", title=title)
    when = _when(result)
    return words.say("failed_in", title=title, bad=worst.windows.bad, judged=worst.windows.judged, when=when)


def _when(result: Result) -> str:
    failing = _of_the_worst(result) or result.failing
    if not failing:
        return ""
    first, last = failing[0], failing[-1]
    return times.within(first, result.slots) if first == last else times.between(first, last)


def _of_the_worst(result: Result) -> tuple[int, ...]:
    """First and last failed window of the series whose windows are counted; empty where not all of them are known."""
    labels = result.summary.series[0].labels
    line = next((one for one in result.record.lines if one.labels == labels and one.seen == len(one.windows)), None)
    failed = [slot for slot, verdict in line.windows if verdict.outcome is Outcome.FAIL] if line is not None else []
    return (failed[0], failed[-1]) if failed else ()
