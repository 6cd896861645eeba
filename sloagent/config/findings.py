"""What was found wrong in one document, gathered by the path of the offending value."""

from __future__ import annotations

from dataclasses import replace

from sloagent.config.document import Document, Path
from sloagent.config.problem import Problem, names_a_secret


class Findings:
    """Gathers problems; the place, the offending line and the name of the SLO are looked up in the document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._problems: list[Problem] = list(document.problems)
        self._noted: set[Path] = set()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them, in the order in which they were found."""
        return tuple(self._problems)

    def __len__(self) -> int:
        return len(self._problems)

    def add(self, path: Path, check: str, summary: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem of the value at `path`, or of its key."""
        inner = isinstance(path[-1], str) and (key or isinstance(self.document.at(path), _PLAIN)) if path else False
        where = described(self.document, path[:-1] if inner else path)
        self._noted.add(path)
        mark = self.document.mark(path, key=key)
        problem = self.document.problem(mark, check, summary, hint=hint, where=where)
        secret = any(names_a_secret(step) for step in path) and not key
        self._problems.append(replace(problem, source="") if secret else problem)

    def missing(self, path: Path, check: str, summary: str, hint: str = "") -> None:
        """Note what the block at `path` lacks, unless a field in it is wrong: that may be the one, misspelt."""
        if not any(noted[:-1] == path for noted in self._noted):
            self.add(path, check, summary, hint, key=True)

    def is_noted(self, *paths: Path) -> bool:
        """Whether something has been found wrong with the value at one of these paths, so that it is not used."""
        return any(path in self._noted for path in paths)


_PLAIN = (str, int, float, type(None))


def described(document: Document, path: Path) -> str:
    """The path for people: the SLO by its name, then the field; empty at the top."""
    if path[:1] == ("slos",) and len(path) > 1 and isinstance(path[1], int) and isinstance(document.at(path[:2]), dict):
        name = document.at((*path[:2], "name"))
        slo = f'slo "{name}"' if isinstance(name, str) else f"the SLO number {path[1] + 1}"
        return ", ".join(filter(None, (slo, dotted(path[2:]))))
    return dotted(path)


def dotted(path: Path) -> str:
    """`sli.latency.by[2]`: lists count from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text
