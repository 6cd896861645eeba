from __future__ import annotations

import pytest

from sloagent.cli.formats.terminal import Terminal, column_widths, fitted, padded, width_of, wrapped
from sloagent.model.verdict import Outcome


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("控制面", 6), ("e\u0301", 1), ("🚀", 2), ("", 0)])
def test_width_is_what_a_terminal_shows(text: str, columns: int) -> None:
    assert width_of(text) == columns


def test_a_cut_never_passes_the_columns_and_is_marked() -> None:
    assert fitted("控制面控制面", 7) == "控制面…"
    assert fitted("控制面控制面", 6) == "控制…"
    assert fitted("abc", 3) == "abc"
    assert fitted("abcdef", 4, "...") == "a..."
    assert width_of(padded("控", 5)) == 5


def test_a_number_keeps_its_unit_when_lines_break() -> None:
    assert wrapped("the limit of this objective is 5 s beyond", 35) == ["the limit of this objective is 5 s", "beyond"]
    assert wrapped("the limit of this objective lies at 5 s", 37, "  ")[-1] == "  5 s"
    assert wrapped("word", 5) == ["word"]


def test_columns_give_way_in_order_and_only_so_far() -> None:
    rows = [("a" * 20, "b" * 30), ("", "b")]
    assert column_widths(rows, 60, ((1, 10), (0, 5))) == [20, 30]
    assert column_widths(rows, 40, ((1, 10), (0, 5))) == [20, 20]
    assert column_widths(rows, 20, ((1, 10), (0, 5))) == [10, 10]
    assert column_widths(rows, 3, ((1, 10), (0, 5))) == [5, 10]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
def test_whatever_the_encoding_every_text_can_be_written(encoding: str) -> None:
    terminal = Terminal(encoding=encoding)
    for text in ("P99 ≤ 1 s · 4–5 s — ✗ █ ◀", "控制面 🚀", "é"):
        terminal.plain(text).encode(encoding)
    for outcome in Outcome:
        assert width_of(terminal.mark(outcome)) == 1
        terminal.mark(outcome).encode(encoding)


def test_ascii_spells_signs_and_names_what_it_cannot_spell() -> None:
    assert Terminal(encoding="ascii").plain("P99 ≤ 1 s, 4–5 s, 控") == "P99 <= 1 s, 4-5 s, \\u63a7"
