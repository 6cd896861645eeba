"""The kinds of things that stand in a report, in words of one language: each has a template of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sloagent.report.conclusion import Statement
from sloagent.report.figures import Figure
from sloagent.report.grid import Grid
from sloagent.report.result_tables import Concern, ResultTable
from sloagent.report.timeline import Timeline
from sloagent.report.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs. `soft` ones explain, the others tell."""

    paragraphs: tuple[str, ...]
    soft: bool = False
    kind: str = "prose"


@dataclass(frozen=True, slots=True)
class Tables:
    """A heading of its own and one or more tables under it, with what is said before and after."""

    grids: tuple[Grid, ...]
    heading: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    folded: bool = False
    """Behind its heading until somebody opens it."""
    kind: str = "tables"


@dataclass(frozen=True, slots=True)
class Attachments:
    """Texts of several lines, folded."""

    heading: str
    texts: tuple[tuple[str, str], ...]
    kind: str = "attachments"


@dataclass(frozen=True, slots=True)
class Over:
    """The timeline, drawn and as text."""

    drawn: Timeline
    text: str
    legend: tuple[Verdict, ...]
    phases: tuple[str, ...]
    kind: str = "timeline"


@dataclass(frozen=True, slots=True)
class Concerns:
    """What needs attention."""

    concerns: tuple[Concern, ...]
    kind: str = "concerns"


@dataclass(frozen=True, slots=True)
class Statements:
    """The conclusion."""

    statements: tuple[Statement, ...]
    kind: str = "statements"


@dataclass(frozen=True, slots=True)
class Charts:
    """Pictures, one below the other."""

    figures: tuple[Figure, ...]
    kind: str = "figures"


@dataclass(frozen=True, slots=True)
class Results:
    """SLOs with their series."""

    glance: Grid | None
    tables: tuple[ResultTable, ...]
    kind: str = "results"


BlockView = Prose | Tables | Attachments | Over | Concerns | Statements | Charts | Results


def tables(
    heading: str, *grids: Grid | None, before: Iterable[str] = (), after: Iterable[str] = (), folded: bool = False
) -> list[BlockView]:
    """Those of the tables that have rows under one heading; nothing where none has."""
    there = tuple(grid for grid in grids if grid is not None and grid.rows)
    return [Tables(there, heading, tuple(before), tuple(after), folded)] if there else []
