"""What was found wrong in one document, gathered by the path of the offending value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sloagent.config import scalars
from sloagent.config.discretion import names_a_secret
from sloagent.config.document import Document, Path, Value, source_line
from sloagent.config.problem import Problem, cut

MOST_PROBLEMS = 200
"""Of one file that are told; to look for close spellings of a hundred thousand fields would take minutes."""


class Findings:
    """Gathers problems; the place, the offending line and the name of the SLO are looked up in the document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._problems: list[Problem] = list(document.problems)
        self._told = {(problem.line, problem.column) for problem in document.problems if problem.line}
        self._noted: set[Path] = set()
        self._unread: set[Path] = set()
        self._more = 0
        self._spelt: dict[Path, Path] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them, in the order in which they were found; beyond MOST_PROBLEMS only how many more there are."""
        return (*self._problems, *([self._how_many_more()] if self._more else ()))

    def __len__(self) -> int:
        return len(self._problems)

    def add(
        self, path: Path, check: str, summary: str, hint: str = "", *, key: bool = False, key_alone: bool = False
    ) -> None:
        """Note a problem of the value at `path`, or of its key; with `key_alone` nothing behind the key is shown.

        Unless it follows from another: of a stand-in, or where the file is wrong YAML, nothing more is told.
        """
        key = key or key_alone
        if self.is_unread(path[:-1] if key else path):
            return
        path = self.written(path)
        inner = isinstance(path[-1], str) and (key or isinstance(self.document.at(path), _PLAIN)) if path else False
        where = described(self.document, path[:-1] if inner else path)
        self._noted.add(path)
        mark = self.document.mark(path, key=key)
        if (mark.line, mark.column) in self._told:
            return
        if len(self._problems) >= MOST_PROBLEMS:
            self.leave_out(1)
            return
        problem = self.document.problem(mark, check, summary, hint=hint, where=where)
        if any(names_a_secret(step) for step in path) and not key:
            problem = replace(problem, source="")
        elif key_alone:
            problem = replace(problem, source=_until(problem.source, mark.column + mark.length))
        self._problems.append(problem)

    def leave_out(self, number: int) -> None:
        """So many problems more have been found than are told."""
        self._more += number

    def _how_many_more(self) -> Problem:
        summary = f"{self._more:,} problems more are not told, and there may be others"
        return Problem(self.document.path, 0, 0, "file/problems", summary, hint="mend these first")

    def missing(self, path: Path, fields: Sequence[str], check: str, summary: str, hint: str = "") -> None:
        """Note that the block at `path` lacks one of these fields, unless one is there and wrong."""
        if not self.is_unread(path) and not any(self.is_written((*path, name)) for name in fields):
            self.add(path, check, summary, hint, key=True)

    def is_noted(self, path: Path) -> bool:
        """Whether something has been found wrong with this value, so that it is not used."""
        return self.is_unread(path) or self.written(path) in self._noted

    def is_told(self, path: Path) -> bool:
        """Whether the YAML at this value is wrong, so that it is no wonder that nothing could be made of it."""
        mark = self.document.mark(path)
        return (mark.line, mark.column) in self._told

    def read_as(self, path: Path, written: Path) -> None:
        """What is misspelt at `written` is read as `path`."""
        self._spelt[path] = self.written(written)

    def leave_unread(self, path: Path) -> None:
        """What is at `path` could not be read, so that nothing can be said of it."""
        self._unread.add(path)

    def is_unread(self, path: Path) -> bool:
        """Whether this, or a block around it, could not be read."""
        return any(path[:end] in self._unread for end in range(len(path) + 1))

    def is_written(self, path: Path) -> bool:
        """Whether anything stands at `path` in the file, right or wrong."""
        return self.written(path) in self.document.values

    def at(self, path: Path) -> Value:
        """What stands in the file at `path`, or at its misspelling."""
        return self.document.at(self.written(path))

    def spelling(self, path: Path, value: object) -> str:
        """A plain value at `path` as the file spells it: `1.30` and not 1.3."""
        mark = self.document.mark(self.written(path))
        spelt = source_line(self.document.lines, mark.line)[mark.column - 1 : mark.column - 1 + mark.length]
        return spelt if spelt and scalars.read(spelt) == value else str(value)

    def written(self, path: Path) -> Path:
        """The path as the file spells it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._spelt:
                return (*self._spelt[path[:end]], *path[end:])
        return path


def _until(line: str, end: int) -> str:
    """The line up to the colon at index `end - 1`; an ellipsis stands for what follows."""
    return line if not line[end:].strip() else f"{line[:end].rstrip()} …"


_PLAIN = (str, int, float, type(None))


def described(document: Document, path: Path) -> str:
    """The path for people: the SLO by its name, then the field; empty at the top."""
    if path[:1] == ("slos",) and len(path) > 1 and isinstance(path[1], int) and isinstance(document.at(path[:2]), dict):
        name = document.at((*path[:2], "name"))
        slo = f'slo "{cut(name)}"' if isinstance(name, str) else f"the SLO number {path[1] + 1}"
        return ", ".join(filter(None, (slo, dotted(path[2:]))))
    return dotted(path)


def dotted(path: Path) -> str:
    """`sli.latency.by[2]`: lists count from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text
