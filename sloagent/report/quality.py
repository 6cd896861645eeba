"""How much the numbers rest on: slots evaluated, refused, excluded; what was not scraped; what matched nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.model.slo import LatencySLI
from sloagent.model.verdict import Cause, Outcome
from sloagent.report import times
from sloagent.report.cells import name_of
from sloagent.report.content import Report, Result
from sloagent.report.escaping import visible
from sloagent.report.grid import Cell, Grid, grid, soft
from sloagent.report.words import Words

MOST_GAPS = 5
"""Of an SLO's stretches without an answer, the first that the page names; the JSON names all."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Of the whole report. `good` where there were slots, every one was evaluated and nothing was refused."""

    good: bool
    sentences: tuple[str, ...]
    """Of the run as a whole: exclusions, what was not scraped, restarts, counter resets, what was not answered."""
    table: Grid


def quality(report: Report, words: Words) -> Quality:
    """The data quality of a report, its SLOs in the order of the results."""
    measured = [result for result in report.results if result.summary.windows.expected]
    found = [(result, _findings(result, words)) for result in measured]
    rows = [_row(result, findings, words) for result, findings in found if findings or not _complete(result)]
    columns = [words.say(name) for name in ("slo", "slots", "findings")]
    sentences = [
        words.say("excluded_range", from_to=times.stretch(one.range), reason=visible(one.reason))
        for one in report.run.exclusions
    ]
    others = len(measured) - len(rows)
    rest = [words.say("quality_rest", count=others)] if rows and others else []
    return Quality(
        bool(measured) and all(map(_complete, measured)),
        (*sentences, *_scraping(report, words), *rest),
        grid(columns, rows),
    )


def _scraping(report: Report, words: Words) -> list[str]:
    collected = report.record.facts.collected
    said = []
    if collected.gaps:
        said.append(words.say("not_scraped", when=_times(collected.gaps, words)))
    for one in collected.components:
        own = [gap for gap in one.gaps if gap not in collected.gaps]
        if own:
            said.append(words.say("job_not_scraped", job=visible(one.job), when=_times(own, words)))
        if one.started:
            when = ", ".join(times.moment(int(start)) for start in one.started[:MOST_GAPS])
            said.append(words.say("job_restarted", job=visible(one.job), count=len(one.started), when=when))
        if one.resets:
            said.append(words.say("job_reset", job=visible(one.job), count=one.resets))
    if collected.resolution is not None and collected.components:
        said.append(words.say("gaps_resolved", time=times.duration(max(1.0, collected.resolution))))
    said += [
        words.say("fact_refused", question=visible(question, 300), why=visible(why, 300))
        for question, why in collected.refusals
    ]
    return said


def _times(gaps: Sequence[tuple[int, int]], words: Words) -> str:
    named = [times.between(first, last) if first < last else times.moment(first) for first, last in gaps[:MOST_GAPS]]
    if len(gaps) > MOST_GAPS:
        named.append(words.say("and_more_stretches", count=len(gaps) - MOST_GAPS))
    return ", ".join(named)


def _complete(result: Result) -> bool:
    windows = result.summary.windows
    counting = windows.expected - windows.excluded
    return windows.evaluated == counting and not result.refusals and not result.record.warnings


def _findings(result: Result, words: Words) -> list[str]:
    summary = result.summary
    windows = summary.windows
    findings = []
    if windows.missing:
        findings.append(words.say("slots_missing", count=windows.missing, when=_times(result.gaps, words)))
        if result.record.trouble:
            findings.append(words.say("not_answered_because", why=visible(result.record.trouble, 500)))
    findings += [
        words.say(
            "slots_refused", count=count, kind=kind.replace("_", " "), when=_times(result.record.refused[kind], words)
        )
        for kind, count in result.refusals.items()
    ]
    if windows.excluded:
        findings.append(words.say("slots_excluded", count=windows.excluded))
    few = sum(series.cause is Cause.TOO_FEW_EVENTS for series in summary.series)
    silent = sum(series.outcome is Outcome.NO_DATA for series in summary.series)
    findings += [words.say("too_few", count=few)] * bool(few) + [words.say("silent", count=silent)] * bool(silent)
    if len(summary.histograms) > 1:
        findings.append(words.say("histogram_changed", names=" → ".join(summary.histograms)))
    sli = summary.slo.sli
    if isinstance(sli, LatencySLI) and (bound := sli.lower_bound(summary.histograms)):
        findings.append(words.say("lower_bound_judged", name=bound, wanted=sli.histograms[0]))
    findings += [words.say("override_unused", match=name_of(match)) for match in summary.unused_overrides]
    told = sorted(result.record.warnings.items(), key=lambda item: (-item[1], item[0]))
    findings += [words.say("warned_by", count=count, warning=visible(warning, 500)) for warning, count in told[:5]]
    return findings


def _row(result: Result, findings: Sequence[str], words: Words) -> list[Cell]:
    windows = result.summary.windows
    counting = windows.expected - windows.excluded
    return [
        Cell(words.title(result.slo), anchor=result.anchor, wide=True),
        Cell(words.say("of", good=f"{windows.evaluated:,}", judged=f"{counting:,}")),
        Cell("\n".join(findings), wide=True) if findings else soft(words.say("nothing_to_say")),
    ]
