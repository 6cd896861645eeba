"""What stands in a row of the verdict table, as plain text: the same words for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.cli.formats import (
    Heading,
    explain_command,
    promises,
    series_worst_first,
    slots_worst_first,
    summaries_worst_first,
)
from sloagent.evaluation import wording
from sloagent.evaluation.reasons import reason
from sloagent.model.slo import SLO, Gate, LatencySLI, ValueSLI
from sloagent.model.timerange import at
from sloagent.model.verdict import Cause, Outcome, RangeSummary, RangeVerdict, SlotVerdict, Windows
from sloagent.report import times
from sloagent.report.naming import series_name

SLOT_COLUMNS = ("SLO", "OBJECTIVE", "WORST SERIES", "VALUE", "VERDICT")
RANGE_COLUMNS = ("SLO", "OBJECTIVE", "WORST SERIES", "WHOLE RANGE", "GOOD WINDOWS", "VERDICT")
NOTHING = wording.ABSENT

_QUIET = (Outcome.PASS, Outcome.MEASURED)
"""Outcomes that need no reason: the row shows all there is, and the SLO's own note is of more use."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: cells in the order of its columns, and what else there is to say."""

    outcome: Outcome
    cells: tuple[str, ...]
    notes: tuple[str, ...]


def slot_rows(slots: Sequence[SlotVerdict]) -> list[Row]:
    """One row per SLO, worst first."""
    return [_slot_row(slot) for slot in slots_worst_first(slots)]


def range_rows(summaries: Sequence[RangeSummary]) -> list[Row]:
    """One row per SLO, worst first."""
    return [_range_row(summary) for summary in summaries_worst_first(summaries)]


def each_slot_rows(slots: Sequence[SlotVerdict]) -> list[tuple[SLO, list[Row]]]:
    """For `--slots`: per SLO, in the order given, one row per slot with its time in front."""
    by_slo: dict[tuple[str, str], tuple[SLO, list[Row]]] = {}
    for slot in slots:
        row = _slot_row(slot)
        cells = (f"{at(slot.slot):%Y-%m-%d %H:%M:%S}", *row.cells[2:])
        by_slo.setdefault((slot.slo.set, slot.slo.name), (slot.slo, []))[1].append(Row(row.outcome, cells, row.notes))
    return list(by_slo.values())


def title(heading: Heading, slots: Sequence[int], windows: Sequence[Windows]) -> list[str]:
    """The parts of the header line: sets, time, slots evaluated, the peer."""
    parts = [", ".join(heading.sets)] if heading.sets else []
    if heading.range is not None:
        parts.append(times.stretch(heading.range))
    elif slots:
        first, last = min(slots), max(slots)
        parts.append(f"{at(first):%Y-%m-%d %H:%M:%S} UTC" if first == last else
                     f"{at(first):%Y-%m-%d %H:%M:%S}–{at(last):%H:%M:%S} UTC")  # fmt: skip
    if windows:
        evaluated, expected = {w.evaluated for w in windows}, {w.expected - w.excluded for w in windows}
        if len(evaluated) == len(expected) == 1:
            parts.append(f"{evaluated.pop():,} of {_count(expected.pop(), 'slot')} evaluated")
        else:
            done, due = sum(w.evaluated for w in windows), sum(w.expected - w.excluded for w in windows)
            parts.append(f"{done:,} of {_count(due, 'slot')} of {_count(len(windows), 'SLO')} evaluated")
    else:
        parts.append(_count(len(slots), "SLO"))
    parts.append(
        f"Prometheus {heading.version} at {heading.url}" if heading.version else f"Prometheus at {heading.url}"
    )
    return parts


def closing(counted: Sequence[tuple[SLO, Outcome]]) -> str:
    """The line that counts: how many SLOs came out how."""
    gating = [outcome for slo, outcome in counted if promises(slo)]
    others = [outcome for slo, outcome in counted if not promises(slo)]
    words = {
        Outcome.FAIL: "fail", Outcome.ERROR: "in error", Outcome.INCONCLUSIVE: "inconclusive",
        Outcome.WARN: "warn", Outcome.PASS: "pass", Outcome.NO_DATA: "without data", Outcome.MEASURED: "measured",
    }  # fmt: skip
    # An SLO with an objective is only measured while nothing but its growth is limited and the stretch is too short.
    parts = [f"{gating.count(outcome)} {word}" for outcome, word in words.items() if outcome in gating]
    if Outcome.MEASURED in gating:
        parts[-1] += " (limited in growth alone)"
    if others:
        told = [f"{others.count(outcome)} {word}" for outcome, word in reversed(words.items()) if outcome in others]
        parts.append(f"{' and '.join(told)} (no objective yet)")
    return f"{_count(len(counted), 'SLO')}: {', '.join(parts) or 'nothing to judge'}."


def why_slot(heading: Heading, slots: Sequence[SlotVerdict]) -> str:
    """The next command to type: explain the worst SLO; empty where nothing needs explaining."""
    for slot in slots_worst_first(slots):
        if slot.outcome not in (Outcome.PASS, Outcome.MEASURED) and promises(slot.slo):
            return explain_command(heading.config, slot.slo, slot.slot)
    return ""


def why_range(heading: Heading, summaries: Sequence[RangeSummary]) -> str:
    """The next command to type: explain the worst SLO at its worst window."""
    for summary in summaries_worst_first(summaries):
        if summary.outcome in (Outcome.PASS, Outcome.MEASURED) or not promises(summary.slo):
            continue
        worst = next((series.worst for series in summary.series if series.worst), None)
        if worst is not None:
            return explain_command(heading.config, summary.slo, worst.slot)
        if heading.range is not None:
            slots = heading.range.slots(summary.slo.interval)
            if slots:
                return explain_command(heading.config, summary.slo, slots[-1])
    return ""


def _slot_row(slot: SlotVerdict) -> Row:
    slo = slot.slo
    series = series_worst_first(slot.verdicts)
    worst = series[0] if series else None
    cells = (
        slo.name,
        wording.objective(slo, worst.limit if worst else None),
        (series_name(worst.labels) if worst else "") or NOTHING,
        wording.value(slo, worst) if worst else NOTHING,
        slot.outcome.value,
    )
    notes = [reason(slo, worst)] if worst and (worst.outcome not in _QUIET or worst.lower_bound) else []
    if len(series) > 1 or not series:
        notes.append(reason(slo, slot))
    if slot.outcome in _QUIET:
        notes.append(slo.note.en)
    notes += [f"Prometheus warns: {warning}" for warning in slot.warnings]
    return Row(slot.outcome, cells, tuple(note for note in notes if note))


def _range_row(summary: RangeSummary) -> Row:
    slo, worst = summary.slo, summary.series[0] if summary.series else None
    cells = (
        slo.name,
        wording.objective(slo, worst.limit if worst else None),
        (series_name(worst.labels) if worst else "") or NOTHING,
        range_value(slo, worst),
        good_windows(worst),
        summary.outcome.value,
    )
    notes = _range_notes(slo, worst) if worst else []
    if len(summary.series) > 1 or worst is None:
        notes.append(reason(slo, summary))
    if summary.outcome in _QUIET:
        notes.append(slo.note.en)
    if len(summary.histograms) > 1:
        notes.append(f"the metric's name changed: {', then '.join(summary.histograms)}")
    if isinstance(slo.sli, LatencySLI) and (bound := slo.sli.lower_bound(summary.histograms)):
        notes.append(f"judged by {bound}, a lower bound, where {slo.sli.histograms[0]} had no series")
    notes += [f"the override for {series_name(match)} matched nothing" for match in summary.unused_overrides]
    return Row(summary.outcome, cells, tuple(note for note in notes if note))


def _range_notes(slo: SLO, series: RangeVerdict) -> list[str]:
    """Why the series shown came out so: in full where its worst window alone does not tell it."""
    if series.outcome in _QUIET:
        return []
    window = series.worst
    if series.cause is not Cause.DECIDED or window is None or (slo.objective and slo.objective.gate is Gate.WHOLE_RUN):
        return [reason(slo, series)]
    shown = f"worst window {wording.value(slo, window.verdict)} at {times.clock(window.slot)}"
    return [f"{shown}: {reason(slo, window.verdict)}"]


def range_value(slo: SLO, series: RangeVerdict | None) -> str:
    """The number over the whole range with its bounds; of a value, which has none, the worst window's and its time."""
    if series is None:
        return NOTHING
    if series.whole is not None and series.whole.value is not None:
        return wording.value(slo, series.whole)
    if isinstance(slo.sli, ValueSLI) and series.worst is not None and series.worst.verdict.value is not None:
        return f"{wording.value(slo, series.worst.verdict)} at {times.clock(series.worst.slot)}"
    return NOTHING


def good_windows(series: RangeVerdict | None) -> str:
    """`4 of 4`; with undecided ones `3–4 of 4`; without a denominator a dash."""
    if series is None or not series.windows.judged:
        return NOTHING
    good, undecided, judged = series.windows.good, series.windows.undecided, series.windows.judged
    span = f"{good:,}–{good + undecided:,}" if undecided else f"{good:,}"
    return f"{span} of {judged:,}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
