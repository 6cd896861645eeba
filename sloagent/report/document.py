"""`report.json`: the report as JSON of schema `sloagent/report/v1`. Missing numbers are null; both languages are in it."""

from __future__ import annotations

import json

from sloagent.evaluation.reasons import reason
from sloagent.model.slo import SLO, Labels, Text
from sloagent.model.verdict import Growth, RangeSummary, RangeVerdict, Verdict, Windows
from sloagent.report.content import Report, Result
from sloagent.report.phase_results import PhaseResult
from sloagent.report.plain import JSON, number, objective, quantiles, share, slo_data, stretches
from sloagent.report.times import instant

SCHEMA = "sloagent/report/v1"


def document(report: Report) -> dict[str, JSON]:
    """The whole report as JSON-able values, results worst first."""
    run = report.run
    return {
        "schema": SCHEMA,
        "title": _text(report.title),
        "run": {
            "name": run.name or None,
            "from": instant(report.range.start),
            "to": instant(report.range.end),
            "finished": run.end is not None,
            "labels": _labels(run.labels),
            "phases": [
                {"name": p.name, "from": instant(p.range.start), "to": instant(p.range.end), "note": p.note or None}
                for p in run.phases
            ],
            "exclusions": [
                {"from": instant(e.range.start), "to": instant(e.range.end), "reason": e.reason} for e in run.exclusions
            ],
        },
        "prometheus": {"version": report.version or None, "url": report.url},
        "sets": [{"name": s.name, "title": _text(s.title)} for s in report.sets],
        "conclusion": report.conclusion.value,
        "sections": [
            {
                "name": section.name,
                "title": _text(section.title),
                "slos": [{"set": r.slo.set, "slo": r.slo.name} for r in section.results],
            }
            for section in report.sections
        ],
        "results": [_result(result, report) for result in report.results],
    }


def text_of(report: Report) -> str:
    """The file's text: UTF-8, indented, with a line break at its end."""
    # ASCII escapes, so that nothing in a label can act on the reader's terminal.
    return json.dumps(document(report), indent=1, allow_nan=False) + "\n"


def _result(result: Result, report: Report) -> dict[str, JSON]:
    summary, evidence = result.summary, result.evidence
    phases: list[JSON] = [
        {"phase": phase.name, **_phase(one)} for phase, one in zip(report.run.phases, result.phases, strict=True)
    ]
    refusals: dict[str, JSON] = dict(result.refusals)
    warnings: dict[str, JSON] = dict(result.warnings)
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
            "refused": {kind: stretches(found) for kind, found in result.refused.items()},
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
        }
    )


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
        "good_share": share(verdict.good_share),
        "events": number(verdict.events),
    }


def _growth(growth: Growth | None) -> JSON:
    if growth is None:
        return None
    return {
        "per_second": number(growth.slope),
        "lower": number(growth.lower),
        "upper": number(growth.upper),
        "windows": growth.windows,
    }


def _reason(slo: SLO, verdict: Verdict | RangeVerdict | RangeSummary) -> JSON:
    return {"en": reason(slo, verdict, "en"), "zh": reason(slo, verdict, "zh")}


def _text(text: Text) -> JSON:
    return {"en": text.en, "zh": text.zh or None}


def _labels(labels: Labels) -> dict[str, JSON]:
    return dict(labels)
