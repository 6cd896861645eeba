"""Verdicts as GitHub-flavoured Markdown tables, for pull requests and job summaries."""

from __future__ import annotations

from collections.abc import Sequence

from sloagent.cli.formats import Heading, cells
from sloagent.cli.formats.cells import Row
from sloagent.model.verdict import Outcome, RangeSummary, SlotVerdict
from sloagent.report.escaping import markdown as escaped

_MARKS = {
    Outcome.FAIL: "❌",
    Outcome.ERROR: "⛔",
    Outcome.INCONCLUSIVE: "❔",
    Outcome.WARN: "⚠️",
    Outcome.PASS: "✅",
    Outcome.NO_DATA: "➖",
    Outcome.MEASURED: "📏",
}


def at_slot(heading: Heading, slots: Sequence[SlotVerdict]) -> str:
    """One table, one row per SLO, worst first."""
    rows = cells.slot_rows(slots)
    counted = [(slot.slo, slot.outcome) for slot in slots]
    return _page(cells.title(heading, [slot.slot for slot in slots], ()), cells.SLOT_COLUMNS, rows,
                 cells.closing(counted), cells.why_slot(heading, slots))  # fmt: skip


def over_range(heading: Heading, summaries: Sequence[RangeSummary], slots: Sequence[SlotVerdict] = ()) -> str:
    """One table, one row per SLO, worst first; then, for `--slots`, one folded table per SLO."""
    counted = [(summary.slo, summary.outcome) for summary in summaries]
    page = _page(cells.title(heading, (), [summary.windows for summary in summaries]), cells.RANGE_COLUMNS,
                 cells.range_rows(summaries), cells.closing(counted), cells.why_range(heading, summaries))  # fmt: skip
    for slo, rows in cells.each_slot_rows(slots):
        table = "\n".join(_table(("SLOT (UTC)", *cells.SLOT_COLUMNS[2:]), rows))
        page += f"\n<details><summary>{escaped(slo.name)}</summary>\n\n{table}\n\n</details>\n"
    return page


def _page(title: Sequence[str], columns: Sequence[str], rows: Sequence[Row], closing: str, why: str) -> str:
    lines = [" · ".join(escaped(part, longest=500) for part in title), "", *_table(columns, rows), "", escaped(closing)]
    if why:
        lines += ["", "Why:", "", "```sh", why, "```"]
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Row]) -> list[str]:
    names = ["", *(column.capitalize() if column != "SLO" else column for column in columns), "Notes"]
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    for row in rows:
        notes = "<br>".join(escaped(note, longest=500) for note in row.notes)
        shown = [_MARKS[row.outcome], *(escaped(cell) for cell in row.cells), notes]
        lines.append("| " + " | ".join(shown) + " |")
    return lines
