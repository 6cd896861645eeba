"""An SLO file made of OpenSLO documents: each field with the place of what it was made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from sloagent.config.document import Document, Mark, Path, Value
from sloagent.config.findings import dotted
from sloagent.config.problem import Problem


@dataclass(slots=True)
class Made:
    """The content of an SLO file in the making. Its places are those of the OpenSLO file."""

    value: dict[str, Value]
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    _names: dict[tuple[int, int], str] = field(default_factory=dict)

    def put(self, path: Path, value: Value, source: Document, at: Path) -> None:
        """Write a field; its place is that of `at` in the source."""
        here: Value = self.value
        for step, following in pairwise(path):
            empty: Value = [] if isinstance(following, int) else {}
            match here, step:
                case dict(), str():
                    here = here.setdefault(step, empty)
                case list(), int():
                    if step == len(here):
                        here.append(empty)
                    here = here[step]
        match here, path[-1]:
            case dict(), str() as last:
                here[last] = value
            case list(), int():
                here.append(value)
        self.keys[path] = source.mark(at, key=True)
        self.values[path] = source.mark(at)
        name = source.at(("metadata", "name"))
        where = f'{str(source.at(("kind",)) or "").strip()} "{name}", {dotted(at)}'
        for mark in (self.keys[path], self.values[path]):
            self._names.setdefault((mark.line, mark.column), where)

    def document(self, source: Document) -> Document:
        """The SLO file."""
        return Document(source.path, source.text, self.value, self.keys, self.values, (), source.lines)

    def told(self, problem: Problem) -> Problem:
        """A problem of the SLO file with the field that OpenSLO calls it."""
        return replace(problem, where=self._names.get((problem.line, problem.column), ""))
