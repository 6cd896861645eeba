"""A table as plain cells: what a row says, what stands small below it, and the exact number for whoever points at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sloagent.report.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. Text is unescaped; whoever renders it escapes for the place."""

    text: str
    sub: str = ""
    """Below the text, smaller: a bucket, a time, a name."""
    exact: str = ""
    """The number with all its digits, in the base unit; shown on hover."""
    verdict: str = ""
    """The kind of a verdict whose colour and mark it has, such as `fail`; empty for plain text."""
    anchor: str = ""
    """What it links to, in this report."""
    title: str = ""
    """More words for whoever points at it."""
    soft: bool = False
    wide: bool = False
    """Long text, which may break; other cells stay on one line."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns and rows; each row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    quiet: frozenset[int] = frozenset()
    """Rows that are told without weight: they do not gate."""
    style: str = ""
    """A class of its own, such as `matrix`."""

    def __post_init__(self) -> None:
        """Refuse a row of another length."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells under {len(self.columns)} columns")

    def part(self, rows: slice) -> Grid:
        """The same columns with some of the rows."""
        kept = range(len(self.rows))[rows]
        quiet = frozenset(n for n, row in enumerate(kept) if row in self.quiet)
        return Grid(self.columns, self.rows[rows], quiet, self.style)


def grid(columns: Iterable[str], rows: Iterable[Sequence[Cell]], style: str = "") -> Grid:
    """A grid of these cells."""
    return Grid(tuple(columns), tuple(tuple(row) for row in rows), style=style)


def verdict_cell(verdict: Verdict) -> Cell:
    """A verdict's word in its colour."""
    return Cell(verdict.word, verdict=verdict.kind)


def soft(text: str) -> Cell:
    """A cell that says little."""
    return Cell(text, soft=True)
