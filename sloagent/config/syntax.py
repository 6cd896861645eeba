"""What the YAML parser says of a broken text, in sentences that help."""

from __future__ import annotations

from collections.abc import Callable

import yaml

EXPLANATIONS: tuple[tuple[str, Callable[[str, int], bool], str, str], ...] = (
    (
        "cannot start any token",
        lambda line, _: line[: len(line) - len(line.lstrip())].count("\t") > 0,
        "a tab indents this line",
        "indent with spaces; YAML does not accept tabs",
    ),
    (
        "cannot start any token",
        lambda line, at: line[at - 1 : at] in {"@", "`", "%"},
        "a value cannot begin with this character",
        "put the value in quotes",
    ),
    (
        "mapping values are not allowed",
        lambda *_: True,
        "a second colon in one value, or wrong indentation",
        "put the value in quotes, or indent it like its neighbours",
    ),
    ("could not find expected ':'", lambda *_: True, "a colon is missing after a name", "write `name: value`"),
    (
        "did not find expected key",
        lambda *_: True,
        "a name was expected here; the indentation does not fit the lines above",
        "indent it like its neighbours; quote a value that holds quotes",
    ),
    (
        "did not find expected ',' or",
        lambda *_: True,
        "a comma or the closing bracket is missing",
        "close the bracket, or put the value in quotes",
    ),
    (
        "did not find expected node content",
        lambda *_: True,
        "a value or a closing bracket is missing",
        "close the bracket",
    ),
    ("unexpected end of stream", lambda *_: True, "a quote is opened and never closed", "close it"),
    (
        "block sequence entries are not allowed",
        lambda *_: True,
        "a list item (-) cannot stand here",
        "begin the list on the next line, indented",
    ),
    (
        "did not find expected '-' indicator",
        lambda *_: True,
        "a list item was expected here",
        "begin it with -, indented like its neighbours",
    ),
    (
        "unknown escape character",
        lambda *_: True,
        "an unknown escape in a double-quoted value",
        "use single quotes, in which backslashes stand for themselves",
    ),
    (
        "undefined alias",
        lambda *_: True,
        "an alias without its anchor",
        "aliases are not accepted; write the value out",
    ),
)
"""The YAML parser's words, when they mean it, and ours: summary and hint."""


def explain(error: yaml.YAMLError, line: str, column: int) -> tuple[str, str]:
    """Say a YAML syntax error in a sentence that helps, with a hint; the parser's own words where we have no better."""
    words = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error).strip()
    for said, applies, summary, hint in EXPLANATIONS:
        if said in words and applies(line, column):
            return f"this is not YAML: {summary}", hint
    return f"this is not YAML: {words}", ""
