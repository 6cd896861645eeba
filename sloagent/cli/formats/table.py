"""The verdict table for people, in a terminal: one line per SLO, worst first, and what to type next."""

from __future__ import annotations

from collections.abc import Sequence

from sloagent.cli.formats import Heading, cells
from sloagent.cli.formats.cells import Row
from sloagent.cli.formats.terminal import Terminal, column_widths, fitted, packed, padded, width_of, wrapped
from sloagent.model.verdict import RangeSummary, SlotVerdict

_GAP = "  "
_GIVES_WAY = (("WORST SERIES", 24), ("SLO", 20), ("WORST SERIES", 12), ("SLO", 14))
"""Which column is cut first where the terminal is narrow, and down to what. A number is never cut."""
_MOVES = ("WORST SERIES", "OBJECTIVE", "GOOD WINDOWS")
"""Where cutting is not enough, these move to the notes, the first first."""
_NOTE_INDENT = "    "


def at_slot(heading: Heading, slots: Sequence[SlotVerdict], terminal: Terminal) -> str:
    """The table of one slot. At most one slot per SLO."""
    lines = _title(cells.title(heading, [slot.slot for slot in slots], ()), terminal)
    lines += _table(cells.SLOT_COLUMNS, cells.slot_rows(slots), terminal)
    counted = [(slot.slo, slot.outcome) for slot in slots]
    return _joined([*lines, *_closing(cells.closing(counted), cells.why_slot(heading, slots), terminal)])


def over_range(
    heading: Heading, summaries: Sequence[RangeSummary], terminal: Terminal, slots: Sequence[SlotVerdict] = ()
) -> str:
    """The table of a range: good windows, the whole stretch and, in the notes, the worst window.

    `slots` (ascending; what `--slots` asks for) add one table per SLO: its worst series at each slot.
    """
    lines = _title(cells.title(heading, (), [summary.windows for summary in summaries]), terminal)
    lines += _table(cells.RANGE_COLUMNS, cells.range_rows(summaries), terminal)
    for slo, rows in cells.each_slot_rows(slots):
        lines += [terminal.bold(terminal.untrusted(slo.name)), ""]
        lines += _table(("SLOT (UTC)", *cells.SLOT_COLUMNS[2:]), rows, terminal)
    counted = [(summary.slo, summary.outcome) for summary in summaries]
    return _joined([*lines, *_closing(cells.closing(counted), cells.why_range(heading, summaries), terminal)])


def _title(parts: Sequence[str], terminal: Terminal) -> list[str]:
    shown = [terminal.untrusted(part, longest=500) for part in parts]
    return [terminal.bold(line) for line in packed(shown, terminal.plain(" · "), terminal.columns)] + [""]


def _table(columns: Sequence[str], rows: Sequence[Row], terminal: Terminal) -> list[str]:
    if not rows:
        return []
    texts = [[terminal.untrusted(cell) for cell in row.cells] for row in rows]
    notes = [[terminal.untrusted(note, longest=500) for note in row.notes] for row in rows]
    columns = list(columns)
    widths = _widths(columns, texts, terminal)
    for name in _MOVES:
        if name in columns and _total(widths) > terminal.columns:
            index = columns.index(name)
            columns.pop(index)
            for text, told in zip(texts, notes, strict=True):
                cell = text.pop(index)
                if cell != terminal.plain(cells.NOTHING):
                    told.insert(0, f"{name.lower()} {cell}")
            widths = _widths(columns, texts, terminal)
    ellipsis = terminal.plain("…")
    head = "  " + _GAP.join(padded(name, width) for name, width in zip(columns, widths, strict=True)).rstrip()
    lines = [terminal.dim(head)]
    for row, text, told in zip(rows, texts, notes, strict=True):
        line = _GAP.join(padded(fitted(t, w, ellipsis), w) for t, w in zip(text, widths, strict=True))
        lines += _with_notes(row, line, "; ".join(told), terminal)
    return [*lines, ""]


def _widths(columns: Sequence[str], texts: Sequence[Sequence[str]], terminal: Terminal) -> list[int]:
    gives_way = [(columns.index(name), least) for name, least in _GIVES_WAY if name in columns]
    room = terminal.columns - 2 - len(_GAP) * (len(columns) - 1)
    return column_widths([columns, *texts], room, gives_way)


def _total(widths: Sequence[int]) -> int:
    return 2 + sum(widths) + len(_GAP) * (len(widths) - 1)


def _with_notes(row: Row, line: str, notes: str, terminal: Terminal) -> list[str]:
    """The row, and its notes behind it where they fit, else below it."""
    mark = terminal.paint(terminal.mark(row.outcome), row.outcome)
    outcome = terminal.plain(row.outcome.value)
    before, found, after = line.rpartition(outcome)
    painted = before + terminal.paint(found, row.outcome) + after if found else line
    if width_of(line) + 2 + len(_GAP) + width_of(notes) <= terminal.columns:
        return [f"{mark} {painted}{_GAP}{terminal.dim(notes)}".rstrip() if notes else f"{mark} {painted}".rstrip()]
    below = wrapped(notes, terminal.columns, _NOTE_INDENT) if notes else []
    return [f"{mark} {painted}".rstrip(), *(terminal.dim(note) for note in below)]


def _closing(counts: str, why: str, terminal: Terminal) -> list[str]:
    lines = wrapped(terminal.plain(counts), terminal.columns)
    # The command stays whole on one line, whatever the width: it is there to be copied.
    return [*lines, f"Why:  {terminal.untrusted(why, longest=2000)}"] if why else lines


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
