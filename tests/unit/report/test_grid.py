from __future__ import annotations

import pytest

from sloagent.report.grid import Cell, Grid, grid


def test_a_row_of_another_length_than_the_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells under 2 columns"):
        grid(["a", "b"], [[Cell("1"), Cell("2")], [Cell("3")]])
    with pytest.raises(ValueError, match="3 cells under 2 columns"):
        Grid(("a", "b"), ((Cell(""),) * 3,))


def test_a_part_of_a_table_keeps_its_columns_and_which_rows_are_quiet() -> None:
    whole = Grid(("a",), tuple((Cell(str(n)),) for n in range(5)), frozenset({1, 3}), "matrix")
    first, rest = whole.part(slice(2)), whole.part(slice(2, None))
    assert [row[0].text for row in first.rows + rest.rows] == ["0", "1", "2", "3", "4"]
    assert (first.quiet, rest.quiet) == ({1}, {1})
    assert (rest.columns, rest.style) == (("a",), "matrix")
