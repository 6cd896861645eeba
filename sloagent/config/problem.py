"""A problem: what is wrong in a file, where, and what to write instead; and how people read it."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sloagent.config.discretion import without_secrets

SHOWN_TAB = "→"
"""A tab in a line that is shown: one column, and visible."""
WIDEST_LINE = 110
"""Columns of the offending line that are shown; of a longer line, those around the caret."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something written is wrong. `line` and `column` count from 1; line 0: the file as a whole."""

    path: str
    line: int
    column: int
    check: str
    """The problem's id, stable, such as `slo/field`; `docs/checks/` has a page for each."""
    summary: str
    where: str = ""
    """The SLO by name and the field, such as `slo "x", sli.latency`."""
    hint: str = ""
    length: int = 1
    """How many characters the caret underlines."""
    source: str = ""
    """The offending line."""

    @property
    def place(self) -> str:
        """`path:line:column`, or the path alone."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


def render(problem: Problem) -> str:
    """Write the problem out: the place and the finding, the SLO, the line with a caret, the hint. No trailing newline."""
    lines = [f"{problem.place}: {printable(problem.summary)} ({problem.check})"]
    if problem.where:
        lines.append(f"  {printable(problem.where)}")
    if problem.line and problem.source.strip(" \r"):
        shown, offset, width = _excerpt(problem)
        lines.append(f"{problem.line:>4} | {shown}".rstrip())
        if width:
            lines.append(f"     | {' ' * offset}{'^' * width}")
    if problem.hint:
        lines.append(f"  hint: {printable(problem.hint)}")
    return "\n".join(lines)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, by file and position; several at one place in the order in which they were found."""
    first: dict[tuple[str, int, int, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.path, problem.line, problem.column, problem.summary), problem)
    return tuple(sorted(first.values(), key=lambda p: (p.path, p.line, p.column)))


def count_line(problems: Sequence[Problem]) -> str:
    """The closing line, such as "2 problems in 1 file; nothing was loaded."."""
    files = len({problem.path for problem in problems})
    return f"{_counted(len(problems), 'problem')} in {_counted(files, 'file')}; nothing was loaded."


def closest(name: str, accepted: Iterable[str]) -> str:
    """The accepted spelling nearest to `name`, or an empty string where none is near."""
    known = list(accepted)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return near[0]
    folded = {_folded(spelling): spelling for spelling in known}
    return folded.get(_folded(name), "")


def spelling_hint(name: str, accepted: Iterable[str], *, what: str = "accepted are") -> str:
    """The hint for a name that is not accepted: the close spelling, or all that is accepted."""
    known = sorted(accepted)
    near = closest(name, known)
    if near:
        return f'did you mean "{near}"?'
    return f"{what} {', '.join(known)}" if known else ""


def cut(name: str, longest: int = 80) -> str:
    """A name from a file for a sentence; of an endless one the beginning."""
    return name if len(name) <= longest else f"{name[:longest]}…"


def printable(text: str) -> str:
    """The text with control and direction-changing characters made visible, so that a terminal cannot be steered."""
    return "".join(
        c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else f"\\u{ord(c):04x}" for c in text
    )


def _excerpt(problem: Problem) -> tuple[str, int, int]:
    """The line as shown, the columns before the caret, and the caret's width (0: the place is hidden)."""
    line = problem.source.replace("\t", SHOWN_TAB)
    begin = min(problem.column - 1, len(line))
    end = min(begin + max(problem.length, 1), max(len(line), begin + 1))
    if without_secrets(line) != line:
        hidden = without_secrets(line)
        if not hidden.startswith(line[:end]):
            return printable(hidden), 0, 0
        line = hidden
    first = max(0, begin - WIDEST_LINE // 2) if len(line) > WIDEST_LINE else 0
    last = first + WIDEST_LINE
    head, tail = "…" if first else "", "…" if last < len(line) else ""
    before = head + printable(line[first:begin])
    under = printable(line[begin : min(end, last)])
    return f"{before}{under}{printable(line[min(end, last) : last])}{tail}", _width(before), max(_width(under), 1)


def _width(text: str) -> int:
    """Terminal columns: Chinese characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _folded(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
