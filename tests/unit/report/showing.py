"""A report of the tests as it is shown: its texts, and what single blocks of it hold."""

from __future__ import annotations

import re

from sloagent.model.slo import Text
from sloagent.report.block_views import BlockView, Tables
from sloagent.report.blocks import Telling, views
from sloagent.report.content import Report, Section
from sloagent.report.definition import Block
from sloagent.report.figures import Pictures
from sloagent.report.grid import Cell, Grid
from sloagent.report.render import text
from sloagent.report.view import View, view
from sloagent.report.words import Words
from tests.unit.report.sample import TEMPLATES

ENGLISH = Words("en")


def page(report: Report, language: str = "en") -> str:
    """The page of a report."""
    return _text(report, "html", language)


def without_scripts(page: str) -> str:
    """The page as it is without JavaScript: Vega, which vl-convert brings, is not ours to keep in a repository."""
    return re.sub(r"<script.*?</script>\n", "", page, flags=re.DOTALL)


def markdown(report: Report, language: str = "en") -> str:
    """The Markdown of a report."""
    return _text(report, "md", language)


def summary(report: Report, language: str = "en") -> str:
    """The step summary of a report."""
    return _text(report, "github", language)


def told(report: Report, language: str = "en") -> View:
    """A report in words."""
    words = Words(language)
    return view(report, words, Pictures(report, words))


def shown(report: Report, name: str, language: str = "en") -> tuple[BlockView, ...]:
    """What a block `show: name` shows."""
    return blocks(report, Block.model_validate({"show": name}), language=language)


def blocks(report: Report, *chosen: Block, language: str = "en") -> tuple[BlockView, ...]:
    """What these blocks show."""
    words = Words(language)
    return views(Section("here", Text("Here"), chosen, ()), Telling(report, words, Pictures(report, words)))


def table(report: Report, name: str, language: str = "en") -> Tables:
    """The one table block that `show: name` shows."""
    (found,) = shown(report, name, language)
    assert isinstance(found, Tables)
    return found


def texts(grid: Grid) -> list[list[str]]:
    """The rows of a table, each cell with what stands small below it."""
    return [[said(cell) for cell in row] for row in grid.rows]


def said(cell: Cell) -> str:
    """A cell in one line."""
    return f"{cell.text} ({cell.sub})" if cell.sub else cell.text


def _text(report: Report, form: str, language: str) -> str:
    words = Words(language)
    pictures = Pictures(report, words)
    return text(view(report, words, pictures), pictures, form, TEMPLATES, language)
