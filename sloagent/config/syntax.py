"""What the YAML parser says of a broken text, in sentences that help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from sloagent.config.document import source_line


@dataclass(frozen=True, slots=True)
class _Explanation:
    """What we say where the parser's own words hold `said`."""

    said: str
    summary: str
    hint: str
    at_beginning: bool = False
    """The mistake lies where the thing began that the parser was reading, if that is on an earlier line."""
    only_at: str = ""
    """Only where the offending character is one of these."""


_EXPLANATIONS = (
    _Explanation(
        "cannot start any token", "a tab indents this line", "indent with spaces; YAML does not accept tabs", only_at="\t"
    ),
    _Explanation(
        "found a tab character", "a tab indents this line", "indent with spaces; YAML does not accept tabs"
    ),
    _Explanation(
        "cannot start any token", "a value cannot begin with this character", "put the value in quotes", only_at="@`%|>"
    ),
    _Explanation(
        "mapping values are not allowed", "a second colon in one value, or wrong indentation",
        "put the value in quotes, or indent it like its neighbours",
    ),
    _Explanation(
        "could not find expected ':'", "a colon is missing after this name", "write `name: value`", at_beginning=True
    ),
    _Explanation(
        "did not find expected key", "the indentation does not fit the lines above, or a quote stands inside quotes",
        "indent it like its neighbours; write a quote inside single quotes twice",
    ),
    _Explanation(
        "did not find expected ',' or", "a bracket is opened here and not closed, or a comma is missing in it",
        "close the bracket, or put the value in quotes", at_beginning=True,
    ),
    _Explanation(
        "did not find expected node content", "a value or a closing bracket is missing", "close the bracket"
    ),
    _Explanation("unexpected end of stream", "a quote is opened here and never closed", "close it", at_beginning=True),
    _Explanation(
        "block sequence entries are not allowed", "a list item (-) cannot stand here",
        "begin the list on the next line, indented",
    ),
    _Explanation(
        "did not find expected '-' indicator", "a list item (-) was expected; the indentation does not fit the lines above",
        "indent it like its neighbours",
    ),
    _Explanation(
        "unknown escape character", "an unknown escape in double quotes",
        "use single quotes, in which a backslash stands for itself",
    ),
    _Explanation("undefined alias", "an alias without its anchor", "aliases are not accepted; write the value out"),
)  # fmt: skip


def explain(error: yaml.YAMLError, lines: Sequence[str]) -> tuple[int, int, str, str]:
    """Where a YAML syntax error lies (line and column from 1), what it is, and a hint.

    The parser's own words where we have no better.
    """
    place = getattr(error, "problem_mark", None)
    beginning = getattr(error, "context_mark", None) or place
    line, column = _inside(lines, place.line + 1, place.column + 1) if place else (1, 1)
    words = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error).strip()
    character = source_line(tuple(lines), line)[column - 1 : column]
    for case in _EXPLANATIONS:
        if case.said not in words or (case.only_at and (not character or character not in case.only_at)):
            continue
        if case.at_beginning and beginning and beginning.line + 1 < line:
            return beginning.line + 1, beginning.column + 1, case.summary, case.hint
        return line, column, case.summary, case.hint
    return line, column, words, ""


def _inside(lines: Sequence[str], line: int, column: int) -> tuple[int, int]:
    """The place itself; of one beyond the text, or on the empty end of it, the end of the last line that says something."""
    if any(text.strip() for text in lines[line - 1 :]):
        return line, column
    last = max((number for number, text in enumerate(lines, start=1) if text.strip()), default=1)
    return last, len(source_line(tuple(lines), last)) + 1
