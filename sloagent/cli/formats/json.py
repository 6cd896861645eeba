"""`check --format json`: the document `sloagent/check/v1`. Missing numbers are null; it is ASCII, fit for any stream."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sloagent.cli.formats import Heading, key, outcome_counts
from sloagent.evaluation.reasons import reason
from sloagent.model.slo import SLO
from sloagent.model.verdict import Outcome, RangeSummary, RangeVerdict, SlotVerdict
from sloagent.report.plain import JSON, entry, lower_bound, number, slot_data
from sloagent.report.times import instant

SCHEMA = "sloagent/check/v1"


def at_slot(slots: Sequence[SlotVerdict]) -> str:
    """One verdict per series; an SLO without series has one verdict with no labels."""
    return _document([entry for slot in slots for entry in slot_data(slot)])


def over_range(heading: Heading, summaries: Sequence[RangeSummary], slots: Sequence[SlotVerdict] = ()) -> str:
    """One verdict per series for the whole range, then those of `slots` (what `--slots` asks for)."""
    if heading.range is None:
        raise ValueError("a range's verdicts need the range in their heading")
    entries = [entry for summary in summaries for entry in _range_entries(heading, summary)]
    return _document(entries + [entry for slot in slots for entry in slot_data(slot)])


def _document(verdicts: list[dict[str, JSON]]) -> str:
    counts = outcome_counts(Outcome(str(entry["outcome"])) for entry in verdicts)
    document = {"schema": SCHEMA, "summary": {o.value: n for o, n in counts.items()}, "verdicts": verdicts}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _range_entries(heading: Heading, summary: RangeSummary) -> list[dict[str, JSON]]:
    assert heading.range is not None
    slo = summary.slo
    time: dict[str, JSON] = {"from": instant(heading.range.start), "to": instant(heading.range.end)}
    query = heading.queries.get(key(slo), "")
    if not summary.series:
        row = entry(slo, (), time, summary.outcome, reason(slo, summary), None, None, query)
        windows = summary.windows
        row["windows"] = {"good": windows.good, "evaluated": windows.evaluated, "expected": windows.expected}
        return [row | {"worst": None}]
    return [_range_entry(slo, time, series, query) for series in summary.series]


def _range_entry(slo: SLO, time: dict[str, JSON], series: RangeVerdict, query: str) -> dict[str, JSON]:
    windows, worst = series.windows, series.worst
    row = entry(slo, series.labels, time, series.outcome, reason(slo, series), series.whole, series.limit, query)
    row["windows"] = {"good": windows.good, "evaluated": windows.evaluated, "expected": windows.expected}
    row["worst"] = (
        {"at": instant(worst.slot), "value": number(worst.verdict.value), **lower_bound(worst.verdict)}
        if worst
        else None
    )
    return row
