"""A report put into words of one language: what the templates show, row by row, unescaped (the environment escapes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.model.slo import SLO, Labels, LatencySLI, Limit
from sloagent.model.verdict import Cause, Outcome, RangeVerdict
from sloagent.report import quality, times
from sloagent.report.answer import answer
from sloagent.report.content import Evidence, Report, Result
from sloagent.report.escaping import visible
from sloagent.report.naming import series_name
from sloagent.report.phases import Phases, phases
from sloagent.report.quality import Quality
from sloagent.report.strips import WORST_FIRST
from sloagent.report.text_timeline import text_timeline
from sloagent.report.timeline import Timeline, timeline
from sloagent.report.verdicts import Verdict, good_windows, verdict_of
from sloagent.report.words import Words

_NEEDS_ATTENTION = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NO_DATA, Outcome.WARN)
SHOWN_SERIES = 8
"""Rows of a result's table that stand open; the others are folded."""
MOST_SERIES = 100
"""Rows of a result's table in all; the others are in report.json."""


@dataclass(frozen=True, slots=True)
class Row:
    """One SLO in the table of verdicts."""

    anchor: str
    verdict: Verdict
    title: str
    name: str
    objective: str
    series: str
    good: str
    whole: str
    worst: str
    worst_at: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How to see it oneself."""

    sentence: str
    query: str
    curl: str
    graph_url: str


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that needs attention."""

    anchor: str
    verdict: Verdict
    title: str
    sentences: tuple[str, ...]
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """One series in a result's table; `measured` are the cells under the result's columns."""

    verdict: Verdict
    series: str
    measured: tuple[str, ...]
    limit: str
    good: str
    worst: str
    worst_at: str
    quiet: bool
    """It does not gate."""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """All of one SLO under its section."""

    anchor: str
    verdict: Verdict
    title: str
    name: str
    status: str
    objective: str
    window: str
    note: str
    reason: str
    columns: tuple[str, ...]
    rows: tuple[Numbers, ...]
    folded: tuple[Numbers, ...]
    left_out: int
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class SectionView:
    """A numbered section."""

    number: int
    title: str
    note: str
    results: tuple[ResultTable, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The whole report in words."""

    language: str
    eyebrow: str
    title: str
    facts: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    conclusion: Verdict
    answer: str
    timeline: Timeline
    text_timeline: str
    legend: tuple[Verdict, ...]
    rows: tuple[Row, ...]
    concerns: tuple[Concern, ...]
    phases: Phases
    sections: tuple[SectionView, ...]
    quality: Quality


def view(report: Report, words: Words) -> View:
    """The report in the language of `words`."""
    sets = ", ".join(words.text(one.title) or one.name for one in report.sets)
    duration = times.duration((report.range.end - report.range.start).total_seconds())
    prometheus = words.say("prometheus", version=report.version) if report.version else words.say("prometheus_unknown")
    return View(
        language={"zh": "zh-CN"}.get(words.language, words.language),
        eyebrow=words.text(report.title),
        title=f"{sets} · {report.run.name}" if report.run.name else sets,
        facts=(
            words.say("range", from_to=times.stretch(report.range), duration=duration),
            f"{prometheus} · {report.url}",
        ),
        labels=report.run.labels,
        conclusion=verdict_of(report.conclusion, words),
        answer=answer(report, words),
        timeline=timeline(report, words), text_timeline=text_timeline(report, words),
        legend=_legend(report, words),
        rows=tuple(_row(result, words) for result in report.results),
        concerns=tuple(_concern(r, words) for r in report.results if r.gates and r.summary.outcome in _NEEDS_ATTENTION),
        phases=phases(report, words),
        sections=tuple(
            SectionView(number, words.text(section.title), words.text(section.note),
                        tuple(_table(result, words) for result in section.results))
            for number, section in enumerate(report.sections, 1)
        ),
        quality=quality.quality(report, words),
    )  # fmt: skip


def _legend(report: Report, words: Words) -> tuple[Verdict, ...]:
    used = {segment.state for result in report.results for segment in result.strip}
    return tuple(Verdict(s.value.replace("_", "-"), words.say(s.value)) for s in WORST_FIRST if s in used)


def _objective(slo: SLO, words: Words) -> str:
    return wording.objective(slo) if slo.objective is not None else words.say("tbd")


def _row(result: Result, words: Words) -> Row:
    slo, series = result.slo, result.summary.series[0] if result.summary.series else None
    objective = wording.objective(slo, series.limit) if series and slo.objective else _objective(slo, words)
    return Row(
        result.anchor, verdict_of(result.summary.outcome, words), words.title(slo), slo.name, objective,
        (_name(series.labels) if series else "") or wording.ABSENT,
        good_windows(series, words), _whole(slo, series, words), *_worst(slo, series, words),
    )  # fmt: skip


def _name(labels: Labels) -> str:
    """A series's name, cut where it is endless."""
    return visible(series_name(labels))


def _whole(slo: SLO, series: RangeVerdict | None, words: Words) -> str:
    return wording.value(slo, series.whole, words.language) if series and series.whole else wording.ABSENT


def _worst(slo: SLO, series: RangeVerdict | None, words: Words) -> tuple[str, str]:
    """The worst window's number and its time."""
    if series is None or series.worst is None or series.worst.verdict.value is None:
        return wording.ABSENT, ""
    return wording.value(slo, series.worst.verdict, words.language), times.clock(series.worst.slot)


def _concern(result: Result, words: Words) -> Concern:
    summary = result.summary
    sentences = [words.reason(result.slo, summary)] if len(summary.series) != 1 else []
    if summary.series and summary.series[0].outcome is summary.outcome:
        worst = summary.series[0]
        name = _name(worst.labels)
        sentence = words.reason(result.slo, worst)
        sentences.insert(0, f"{name}: {sentence}" if name else sentence)
    if result.evidence and result.evidence.said:
        sentences.append(words.say("said", words=result.evidence.said))
    return Concern(
        result.anchor, verdict_of(summary.outcome, words), words.title(result.slo), tuple(sentences),
        _proof(result.evidence, words),
    )  # fmt: skip


def _proof(evidence: Evidence | None, words: Words) -> Proof | None:
    if evidence is None:
        return None
    name, time = _name(evidence.series), f"{times.moment(evidence.slot)} UTC"
    key = "evidence_at" if name else "evidence_slot"
    return Proof(words.say(key, time=time, series=name), evidence.query, evidence.curl, evidence.graph_url)


def _table(result: Result, words: Words) -> ResultTable:
    slo, summary = result.slo, result.summary
    rows = [_numbers(slo, series, words) for series in summary.series[:MOST_SERIES]]
    columns = tuple(f"P{p:g}" for p in slo.quantiles) if isinstance(slo.sli, LatencySLI) else (words.say("value"),)
    window = words.say("window", duration=times.duration(slo.window), interval=times.duration(slo.interval))
    return ResultTable(
        result.anchor, verdict_of(summary.outcome, words), words.title(slo), slo.name, words.say(slo.status.value),
        _objective(slo, words), window, words.text(slo.note), words.reason(slo, summary), columns,
        tuple(rows[:SHOWN_SERIES]), tuple(rows[SHOWN_SERIES:]), len(summary.series) - len(rows),
        _proof(result.evidence, words),
    )  # fmt: skip


def _numbers(slo: SLO, series: RangeVerdict, words: Words) -> Numbers:
    return Numbers(
        verdict_of(series.outcome, words),
        _name(series.labels) or words.say("only_series"),
        _measured(slo, series, words),
        _limit(slo, series.limit, words),
        good_windows(series, words), *_worst(slo, series, words),
        quiet=not series.gates and series.cause in (Cause.TOO_FEW_EVENTS, Cause.NO_EVENTS, Cause.NO_SERIES),
    )  # fmt: skip


def _limit(slo: SLO, limit: Limit | None, words: Words) -> str:
    """The limit alone: which percentile it is for stands in the heading."""
    if slo.objective is None:
        return words.say("tbd")
    return wording.objective(slo, limit).removeprefix(f"P{slo.objective.percentile or 0:g} ")


def _measured(slo: SLO, series: RangeVerdict, words: Words) -> tuple[str, ...]:
    """The numbers of the whole stretch; of a value, which has none, those of its worst window."""
    whole = series.whole
    if not isinstance(slo.sli, LatencySLI):
        shown = whole or (series.worst.verdict if series.worst else None)
        return (wording.value(slo, shown, words.language) if shown else wording.ABSENT,)
    found: Sequence[object] = whole.quantiles if whole else ()
    if not found or whole is None:
        return tuple(wording.ABSENT for _ in slo.quantiles)
    return tuple(wording.percentile(quantile, slo.unit, words.language) for quantile in whole.quantiles)
