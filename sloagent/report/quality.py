"""How much the numbers rest on: slots evaluated, refused, excluded; names that changed; overrides that matched nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.model.verdict import Cause, Outcome
from sloagent.report import times
from sloagent.report.content import Report, Result
from sloagent.report.escaping import visible
from sloagent.report.naming import series_name
from sloagent.report.words import Words


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One SLO: slots evaluated of those expected, and what was found."""

    anchor: str
    title: str
    evaluated: str
    findings: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """Of the whole report. `good` where every slot was evaluated and nothing was refused."""

    good: bool
    exclusions: tuple[str, ...]
    rows: tuple[QualityRow, ...]


def quality(report: Report, words: Words) -> Quality:
    """The data quality of a report, its SLOs in the order of the results."""
    rows = tuple(_row(result, words) for result in report.results)
    exclusions = tuple(
        words.say("excluded_range", from_to=times.stretch(one.range), reason=one.reason)
        for one in report.run.exclusions
    )
    return Quality(all(row.complete for row in rows), exclusions, rows)


MOST_GAPS = 5
"""Of an SLO's stretches without an answer, the first that the page names; the JSON names all."""


def _when(gaps: Sequence[tuple[int, int]], words: Words) -> str:
    named = [times.between(first, last) if first < last else times.moment(first) for first, last in gaps[:MOST_GAPS]]
    if len(gaps) > MOST_GAPS:
        named.append(words.say("and_more_stretches", count=len(gaps) - MOST_GAPS))
    return ", ".join(named)


def _row(result: Result, words: Words) -> QualityRow:
    summary = result.summary
    windows = summary.windows
    counting = windows.expected - windows.excluded
    findings = []
    if windows.missing:
        findings.append(words.say("slots_missing", count=windows.missing, when=_when(result.gaps, words)))
    findings += [
        words.say("slots_refused", count=count, kind=kind.replace("_", " "), when=_when(result.refused[kind], words))
        for kind, count in result.refusals.items()
    ]
    if windows.excluded:
        findings.append(words.say("slots_excluded", count=windows.excluded))
    few = sum(series.cause is Cause.TOO_FEW_EVENTS for series in summary.series)
    silent = sum(series.outcome is Outcome.NO_DATA for series in summary.series)
    findings += [words.say("too_few", count=few)] * bool(few) + [words.say("silent", count=silent)] * bool(silent)
    if len(summary.histograms) > 1:
        findings.append(words.say("histogram_changed", names=" → ".join(summary.histograms)))
    findings += [words.say("override_unused", match=visible(series_name(match))) for match in summary.unused_overrides]
    findings += [
        words.say("warned_by", count=count, warning=warning) for warning, count in list(result.warnings.items())[:5]
    ]
    complete = windows.evaluated == counting and not result.refusals and not result.warnings
    return QualityRow(
        result.anchor, words.title(result.slo),
        words.say("of", good=f"{windows.evaluated:,}", judged=f"{counting:,}"), tuple(findings), complete,
    )  # fmt: skip
