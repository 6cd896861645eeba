"""The first screen: the verdict, the worst offenders and one picture, for a reader who does not scroll."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.model.slo import Status
from sloagent.model.verdict import Cause, Outcome
from sloagent.report import times
from sloagent.report.cells import name_of, objective_text
from sloagent.report.content import Report, Result
from sloagent.report.result_tables import why
from sloagent.report.verdicts import Verdict, good_windows, verdict_of
from sloagent.report.words import Words

MOST_OFFENDERS = 5


@dataclass(frozen=True, slots=True)
class Offender:
    """One promise that was not kept, in three short lines."""

    anchor: str
    verdict: Verdict
    title: str
    measured: str
    """What was measured against what was promised, in its worst window."""
    where: str
    """Which series, in how many windows, when."""


def offenders(report: Report, words: Words) -> tuple[Offender, ...]:
    """The worst first: what failed of what is official, then what failed, then what stayed open."""
    return tuple(_offender(result, words) for result in ranked(report)[:MOST_OFFENDERS])


def ranked(report: Report) -> list[Result]:
    """The results that need a look, those that a newcomer should see first at the head."""
    bad = [r for r in report.results if r.counts and r.summary.outcome not in (Outcome.PASS, Outcome.WARN)]
    failed = [r for r in bad if r.summary.outcome is Outcome.FAIL]
    official = [r for r in failed if r.slo.status is Status.OFFICIAL]
    return [*official, *(r for r in failed if r not in official), *(r for r in bad if r not in failed)]


def pictured(report: Report) -> Result | None:
    """The result whose chart stands on the first screen: the worst with something to draw, else the first official one."""
    drawable = [result for result in [*ranked(report), *report.results] if result.record.lines]
    return drawable[0] if drawable else None


def _offender(result: Result, words: Words) -> Offender:
    slo, series = result.slo, result.summary.series[0] if result.summary.series else None
    verdict = verdict_of(result.summary.outcome, words)
    objective = objective_text(slo, words, series.limit if series else None)
    if series is None or result.summary.outcome is not Outcome.FAIL or series.cause is Cause.GROWS:
        return Offender(result.anchor, verdict, words.title(slo), objective, why(result, words))
    shown = series.worst.verdict if series.worst is not None else series.whole
    value = wording.value(slo, shown, words.language) if shown is not None else wording.ABSENT
    measured = objective if value == wording.ABSENT else words.say("instead_of", value=value, objective=objective)
    parts = [name_of(series.labels)]
    if series.windows.judged:
        parts.append(words.say("windows_good", windows=good_windows(series, words)))
    if series.worst is not None:
        parts.append(words.say("worst_time", time=times.within(series.worst.slot, result.slots)))
    return Offender(result.anchor, verdict, words.title(slo), measured, " · ".join(part for part in parts if part))
