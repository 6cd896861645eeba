"""`check --format json`: the document `sloagent/check/v1`. Missing numbers are null; it is ASCII, fit for any stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite

from sloagent.cli.formats import Heading, instant, key, outcome_counts, promises
from sloagent.evaluation.reasons import reason
from sloagent.model.slo import SLO, Limit
from sloagent.model.verdict import Outcome, RangeSummary, RangeVerdict, Share, SlotVerdict, Verdict

SCHEMA = "sloagent/check/v1"

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


def at_slot(slots: Sequence[SlotVerdict]) -> str:
    """One verdict per series; an SLO without series has one verdict with no labels."""
    return _document([entry for slot in slots for entry in _slot_entries(slot)])


def over_range(heading: Heading, summaries: Sequence[RangeSummary], slots: Sequence[SlotVerdict] = ()) -> str:
    """One verdict per series for the whole range, then those of `slots` (what `--slots` asks for)."""
    if heading.range is None:
        raise ValueError("a range's verdicts need the range in their heading")
    entries = [entry for summary in summaries for entry in _range_entries(heading, summary)]
    return _document(entries + [entry for slot in slots for entry in _slot_entries(slot)])


def _document(verdicts: list[dict[str, JSON]]) -> str:
    counts = outcome_counts(Outcome(str(entry["outcome"])) for entry in verdicts)
    document = {"schema": SCHEMA, "summary": {o.value: n for o, n in counts.items()}, "verdicts": verdicts}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _slot_entries(slot: SlotVerdict) -> list[dict[str, JSON]]:
    time: dict[str, JSON] = {"at": instant(slot.slot)}
    query = slot.question.query
    if not slot.verdicts:
        return [_entry(slot.slo, (), time, slot.outcome, reason(slot.slo, slot), None, None, query)]
    return [_entry(slot.slo, v.labels, time, v.outcome, reason(slot.slo, v), v, v.limit, query) for v in slot.verdicts]


def _range_entries(heading: Heading, summary: RangeSummary) -> list[dict[str, JSON]]:
    assert heading.range is not None
    slo = summary.slo
    time: dict[str, JSON] = {"from": instant(heading.range.start), "to": instant(heading.range.end)}
    query = heading.queries.get(key(slo), "")
    if not summary.series:
        entry = _entry(slo, (), time, summary.outcome, reason(slo, summary), None, None, query)
        windows = summary.windows
        entry["windows"] = {"good": windows.good, "evaluated": windows.evaluated, "expected": windows.expected}
        return [entry | {"worst": None}]
    return [_range_entry(slo, time, series, query) for series in summary.series]


def _range_entry(slo: SLO, time: dict[str, JSON], series: RangeVerdict, query: str) -> dict[str, JSON]:
    windows, worst = series.windows, series.worst
    entry = _entry(slo, series.labels, time, series.outcome, reason(slo, series), series.whole, series.limit, query)
    entry["windows"] = {"good": windows.good, "evaluated": windows.evaluated, "expected": windows.expected}
    entry["worst"] = {"at": instant(worst.slot), "value": number(worst.verdict.value)} if worst else None
    return entry


def _entry(
    slo: SLO,
    labels: tuple[tuple[str, str], ...],
    time: dict[str, JSON],
    outcome: Outcome,
    sentence: str,
    numbers: Verdict | None,
    limit: Limit | None,
    query: str,
) -> dict[str, JSON]:
    value = numbers.value if numbers else None
    if value is not None and not isfinite(value) and "Inf" not in sentence:
        sentence = f"{sentence} (the value is {'+Inf' if value > 0 else '-Inf'})"
    names: dict[str, JSON] = dict(labels)
    return {
        "set": slo.set,
        "slo": slo.name,
        "labels": names,
        **time,
        "outcome": outcome.value,
        "reason": sentence,
        "unit": slo.unit,
        "value": number(value),
        "quantiles": quantiles(slo, numbers),
        "good_share": share(numbers.good_share if numbers else None),
        "events": number(numbers.events if numbers else None),
        "objective": objective(slo, limit),
        "query": query or None,
    }


def number(value: float | None) -> float | None:
    """The number, or None where there is none or JSON has no word for it."""
    return value if value is not None and isfinite(value) else None


def quantiles(slo: SLO, verdict: Verdict | None) -> dict[str, JSON]:
    """By percentile, `{"value", "lower", "upper"}`; an open end (−∞ or +∞) is null. Empty unless latency with events."""
    if verdict is None or not verdict.quantiles:
        return {}
    return {
        f"{percentile:g}": None
        if quantile is None
        else {"value": number(quantile.value), "lower": number(quantile.lower), "upper": number(quantile.upper)}
        for percentile, quantile in zip(slo.quantiles, verdict.quantiles, strict=True)
    }


def share(value: Share | None) -> JSON:
    """`{"lower", "upper"}`, or null."""
    return None if value is None else {"lower": number(value.lower), "upper": number(value.upper)}


def objective(slo: SLO, limit: Limit | None) -> dict[str, JSON]:
    """What was promised of this series, the fields that were written only; empty while it is TBD."""
    promise = slo.objective
    if promise is None or not promises(slo):
        return {}
    applied = limit or promise.limit
    fields: dict[str, float | str | None] = {
        "percentile": promise.percentile,
        "at_most": applied.at_most,
        "at_least": applied.at_least,
        "warn_at": applied.warn_at,
        "grows_at_most": promise.grows_at_most,
        "judge": promise.gate.value,
        "windows_at_least": promise.windows_at_least,
    }
    return {name: value for name, value in fields.items() if value is not None}
