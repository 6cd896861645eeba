"""A YAML text with the position of everything in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sloagent.config.problem import Problem

Path = tuple[str | int, ...]
"""Where a value stands: keys and list indexes from the top."""

Scalar = str | int | float | bool | None
Value = Scalar | list["Value"] | dict[str, "Value"]

LINE_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
"""YAML 1.1's line breaks, which are what the parser counts."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a token stands: line and column from 1, and its length on that line."""

    line: int
    column: int
    length: int


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says and where it says it. `value` is None for a text that could not be read; `problems` say why."""

    path: str
    """As people know it, for messages."""
    text: str
    value: Value
    keys: Mapping[Path, Mark]
    """Of each entry of a mapping, where its key stands."""
    values: Mapping[Path, Mark]
    problems: tuple[Problem, ...]
    lines: tuple[str, ...] = field(default=(), repr=False)
    """As they may be shown: those that may hold a secret are empty."""

    def at(self, path: Path) -> Value:
        """The value at `path`, or None where there is nothing."""
        value: Value = self.value
        for step in path:
            match value, step:
                case dict(), str():
                    value = value.get(step)
                case list(), int() if 0 <= step < len(value):
                    value = value[step]
                case _:
                    return None
        return value

    def mark(self, path: Path, *, key: bool = False) -> Mark:
        """The position of the value at `path` (or of its key), else of the nearest thing around it."""
        for end in range(len(path), -1, -1):
            here = path[:end]
            preferred = self.keys if key or end < len(path) else self.values
            found = preferred.get(here) or self.values.get(here)
            if found is not None:
                return found
        return Mark(1, 1, 1)

    def problem(
        self,
        mark: Mark,
        check: str,
        summary: str,
        *,
        hint: str = "",
        where: str = "",
    ) -> Problem:
        """Make a problem at a mark of this document."""
        return Problem(
            self.path,
            mark.line,
            mark.column,
            check,
            summary,
            where,
            hint,
            mark.length,
            source_line(self.lines, mark.line),
        )


def source_line(lines: tuple[str, ...], number: int) -> str:
    """The line of that number (from 1), or an empty string beyond the end."""
    return lines[number - 1] if 0 < number <= len(lines) else ""
