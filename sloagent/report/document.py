"""`report.json`: the report as JSON of schema `sloagent/report/v1`. Missing numbers are null; both languages are in it."""

from __future__ import annotations

import json

from sloagent.evaluation.reasons import reason
from sloagent.model.comparison import Moved
from sloagent.model.record import RunRecord, Stated
from sloagent.model.slo import SLO, Labels, Text
from sloagent.model.verdict import Growth, RangeSummary, RangeVerdict, Share, Verdict, Windows
from sloagent.report.comparing import SLOComparison
from sloagent.report.content import Report, Result
from sloagent.report.phase_results import PhaseResult
from sloagent.report.plain import (
    JSON,
    facts_data,
    good_share,
    lower_bound,
    number,
    objective,
    quantiles,
    share,
    slo_data,
    stretches,
)
from sloagent.report.times import instant

SCHEMA = "sloagent/report/v1"


def document(report: Report) -> dict[str, JSON]:
    """The whole report as JSON-able values, results worst first."""
    record = report.record
    return {
        "schema": SCHEMA,
        "title": _text(report.title),
        "run": _run(record),
        "prometheus": {"version": record.peer.version or None, "url": record.peer.url or None},
        "made_by": record.version or None,
        "written_by_hand": record.written_by_hand,
        "baseline": _run(report.baseline) if report.baseline is not None else None,
        "terms": {"tolerance": report.terms.tolerance, "level": report.terms.level, "noise": report.terms.noise},
        "facts": facts_data(record.facts),
        "sets": [{"name": s.name, "title": _text(s.title)} for s in record.sets],
        "conclusion": report.conclusion.value,
        "sections": [
            {
                "name": section.name,
                "title": _text(section.title),
                "slos": [{"set": r.slo.set, "slo": r.slo.name} for r in section.results],
                "blocks": [block.model_dump(exclude_defaults=True) for block in section.blocks],
            }
            for section in report.sections
        ],
        "results": [_result(result, report) for result in report.results],
    }


def _run(record: RunRecord) -> JSON:
    run = record.run
    return {
        "name": run.name or None,
        "from": instant(record.span.start),
        "to": instant(record.span.end),
        "finished": run.end is not None,
        "labels": _labels(run.labels),
        "phases": [
            {"name": p.name, "from": instant(p.range.start), "to": instant(p.range.end), "note": p.note or None}
            for p in run.phases
        ],
        "exclusions": [
            {"from": instant(e.range.start), "to": instant(e.range.end), "reason": e.reason} for e in run.exclusions
        ],
    }


def text_of(report: Report) -> str:
    """The file's text: UTF-8, indented, with a line break at its end."""
    # ASCII escapes, so that nothing in a label can act on the reader's terminal.
    return json.dumps(document(report), indent=1, allow_nan=False) + "\n"


def _result(result: Result, report: Report) -> dict[str, JSON]:
    summary, evidence = result.summary, result.evidence
    phases: list[JSON] = [
        {"phase": phase.name, **_phase(one)} for phase, one in zip(report.run.phases, result.phases, strict=False)
    ]
    refusals: dict[str, JSON] = dict(result.refusals)
    warnings: dict[str, JSON] = dict(sorted(result.record.warnings.items()))
    return (
        slo_data(result.slo)
        | _summary(summary)
        | {
            "phases": phases,
            "strip": [
                {"from": instant(s.start), "to": instant(s.end), "state": s.state.value, "slots": s.slots}
                for s in result.strip
            ],
            "not_answered": stretches(result.gaps),
            "histograms": list(summary.histograms),
            "unused_overrides": [_labels(match) for match in summary.unused_overrides],
            "refusals": refusals,
            "refused": {kind: stretches(found) for kind, found in result.record.refused.items()},
            "warnings": warnings,
            "evidence": {
                "at": instant(evidence.slot),
                "labels": _labels(evidence.series),
                "query": evidence.query,
                "curl": evidence.curl,
                "said": evidence.said or None,
            }
            if evidence
            else None,
            "days": [
                {"from": instant(day.start), "series": [_day(series) for series in day.summary.series]}
                for day in result.days
            ],
            "under_declared_limit": _declared(result.declared) if result.declared is not None else None,
            "stated": [{"labels": _labels(labels), **_stated(one)} for labels, one in result.record.stated.items()],
            "comparison": _comparison(result.comparison) if result.comparison is not None else None,
        }
    )


def _day(series: RangeVerdict) -> JSON:
    return {"labels": _labels(series.labels), "good_windows": share(series.good_windows)}


def _declared(summary: RangeSummary) -> JSON:
    return {
        "objective": objective(summary.slo, None),
        "outcome": summary.outcome.value,
        "reason": _reason(summary.slo, summary),
    }


def _stated(stated: Stated) -> dict[str, JSON]:
    fields: dict[str, JSON] = {
        "percentiles": {f"{percentile:g}": number(value) for percentile, value in stated.percentiles.items()},
        "value": number(stated.value),
        "count": number(stated.count),
        "calls": number(stated.calls),
        "errors": number(stated.errors),
        "minimum": number(stated.minimum),
        "mean": number(stated.mean),
        "deviation": number(stated.deviation),
        "maximum": number(stated.maximum),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _comparison(comparison: SLOComparison) -> JSON:
    names = [f"{percentile:g}" for percentile in comparison.slo.quantiles] or ["value"]
    return {
        "change": comparison.change.value,
        "slo_changed": comparison.changed,
        "baseline_outcome": comparison.earlier.outcome.value if comparison.earlier is not None else None,
        "series": [
            {
                "labels": _labels(series.labels),
                "overall": _moved(series.overall),
                "numbers": {name: _moved(moved) for name, moved in zip(names, series.numbers, strict=True)},
            }
            for series in comparison.series
        ],
    }


def _moved(moved: Moved) -> JSON:
    return {
        "change": moved.change.value,
        "why": moved.why.value,
        "baseline": number(moved.baseline),
        "current": number(moved.current),
        "relative_change": number(moved.estimate),
        "lower": number(moved.lower),
        "upper": number(moved.upper),
        "percentile": moved.percentile,
        "bound": number(moved.bound),
        "bucket": share(Share(*moved.bucket)) if moved.bucket is not None else None,
    }


def _phase(phase: PhaseResult) -> dict[str, JSON]:
    fields = _summary(phase.summary) | {"judged_by": phase.judged_by.value if phase.judged_by else None}
    if phase.whole is None:
        return fields
    slo, series = phase.summary.slo, phase.summary.series
    judged: list[JSON] = [
        _series(slo, one) | ({"reason": _reason(slo, one.whole)} if one.whole is not None else {}) for one in series
    ]
    return fields | {"reason": _reason(slo, phase.whole), "series": judged}


def _summary(summary: RangeSummary) -> dict[str, JSON]:
    slo = summary.slo
    return {
        "outcome": summary.outcome.value,
        "reason": _reason(slo, summary),
        "slots": {
            "expected": summary.windows.expected,
            "excluded": summary.windows.excluded,
            "evaluated": summary.windows.evaluated,
            "refused": summary.windows.refused,
            "missing": summary.windows.missing,
        },
        "series": [_series(slo, series) for series in summary.series],
    }


def _series(slo: SLO, series: RangeVerdict) -> dict[str, JSON]:
    worst = series.worst
    return {
        "labels": _labels(series.labels),
        "outcome": series.outcome.value,
        "reason": _reason(slo, series),
        "gates": series.gates,
        "objective": objective(slo, series.limit),
        "windows": _windows(series.windows),
        "good_windows": share(series.good_windows),
        "whole": _reading(slo, series.whole),
        "worst": {"at": instant(worst.slot), **(_reading(slo, worst.verdict) or {})} if worst else None,
        "growth": _growth(series.growth),
    }


def _windows(windows: Windows) -> dict[str, JSON]:
    return {
        "expected": windows.expected,
        "good": windows.good,
        "warned": windows.warned,
        "bad": windows.bad,
        "undecided": windows.undecided,
        "idle": windows.idle,
        "too_few": windows.too_few,
        "measured": windows.measured,
        "excluded": windows.excluded,
        "missing": windows.missing,
    }


def _reading(slo: SLO, verdict: Verdict | None) -> dict[str, JSON] | None:
    if verdict is None:
        return None
    return {
        "outcome": verdict.outcome.value,
        "value": number(verdict.value),
        "quantiles": quantiles(slo, verdict),
        "good_share": good_share(verdict),
        "events": number(verdict.events),
    } | lower_bound(verdict)


def _growth(growth: Growth | None) -> JSON:
    if growth is None:
        return None
    return {
        "per_second": number(growth.slope),
        "lower": number(growth.lower),
        "upper": number(growth.upper),
        "windows": growth.windows,
        "sustained": growth.sustained,
        "latest": number(growth.latest),
    }


def _reason(slo: SLO, verdict: Verdict | RangeVerdict | RangeSummary) -> JSON:
    return {"en": reason(slo, verdict, "en"), "zh": reason(slo, verdict, "zh")}


def _text(text: Text) -> JSON:
    return {"en": text.en, "zh": text.zh or None}


def _labels(labels: Labels) -> dict[str, JSON]:
    return dict(labels)
