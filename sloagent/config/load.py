"""Reads files: the agent's own, and SLO files by path, glob, directory or shipped name. All problems are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sloagent.config import openslo, structure
from sloagent.config.document import Document, Value
from sloagent.config.files import files_of, neighbour, not_there, shown
from sloagent.config.findings import Findings
from sloagent.config.problem import Problem, count_line, in_order, render
from sloagent.config.reader import LARGEST_FILE_BYTES, parse
from sloagent.config.to_model import Loaded, to_model, unknown_parameters
from sloagent.errors import ConfigError
from sloagent.model.slo import SLOSet
from sloagent.settings import Settings

if TYPE_CHECKING:
    from sloagent.model.facts import Written

S = TypeVar("S", bound=Settings)
Complain = Callable[[str, str, str], None]
"""Notes a problem: its id, the finding, the hint."""

MOST_SLOS = 10_000
"""Of all files together; twice as many as are asked for within one interval."""


def load_settings(path: Path, settings: type[S]) -> S:
    """The settings a file holds; relative paths in it count from the file. Raises ConfigError with every problem."""
    read, findings = _settings(path, settings)
    raise_for(findings.problems)
    assert read is not None
    return read


def load_slo_files(
    entries: Iterable[str],
    *,
    parameters: Mapping[str, Mapping[str, str]] | None = None,
    relative_to: Path | None = None,
) -> tuple[SLOSet, ...]:
    """The SLO sets of `entries`: paths, globs and directories, which count from `relative_to`, and `builtin:name`.

    `parameters` are by set and name. Raises ConfigError with every problem of every file.
    """
    reading = Reading()
    reading.take(entries, relative_to or Path(), parameters or {})
    for _, summary, hint in unknown_parameters(parameters or {}, reading.declared):
        reading.problems.append(Problem("parameters", 0, 0, "parameter/set", summary, hint=hint))
    raise_for(reading.problems)
    return reading.sets


def load_facts(path: Path) -> Written:
    """The facts of a facts file; files that it names count from it. Raises ConfigError with every problem."""
    found, problems = _written(read_document(path), path.parent)
    raise_for(problems)
    assert found is not None
    return found


def load_agent(path: Path, settings: type[S]) -> tuple[S, tuple[SLOSet, ...]]:
    """The agent's file and the SLO sets that its `slos` names, with its `parameters`.

    `settings` has the fields `slos` (entries as of `load_slo_files`), `parameters` and `facts`. Raises ConfigError with
    every problem of every file at once, the facts file among them.
    """
    reading = Reading()
    read = reading.take_agent(path, settings)
    raise_for(reading.problems)
    assert read is not None
    return read, reading.sets


def raise_for(problems: Sequence[Problem]) -> None:
    """Raise ConfigError, its problems rendered and counted, unless there are none."""
    if problems:
        ordered = in_order(problems)
        raise ConfigError(count_line(ordered), problems=[render(problem) for problem in ordered])


@dataclass(slots=True)
class Reading:
    """SLO files and facts files as they are read: each once, with what is wrong in any of them."""

    problems: list[Problem] = field(default_factory=list)
    files: dict[Path, Loaded] = field(default_factory=dict)
    facts: set[Path] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)
    _slos: int = 0

    @property
    def sets(self) -> tuple[SLOSet, ...]:
        """The sets of the files that have no problem, in the order of the files."""
        return tuple(loaded.slo_set for loaded in self.files.values() if loaded.slo_set is not None)

    @property
    def declared(self) -> dict[str, Mapping[str, str]]:
        """The parameters that each set declares."""
        return {name: loaded.parameters for loaded in self.files.values() if (name := _set_name(loaded.document))}

    def take_agent(self, path: Path, settings: type[S], document: Document | None = None) -> S | None:
        """Read an agent's file and the files it names; None where the file itself is wrong."""
        read, findings = _settings(path, settings, document)
        # From the document and not from `read`, so that the SLO files are checked although another block is wrong.
        given = _parameters(findings.document)
        for at, entry in enumerate(_texts(findings.document.at(("slos",)))):
            self._take_entry(entry, path.parent, given, lambda *problem, at=at: findings.add(("slos", at), *problem))
        for where, summary, hint in unknown_parameters(given, self.declared):
            findings.add(("parameters", *where), "parameter/set", summary, hint, key=True)
        if isinstance(name := findings.document.at(("facts",)), str) and "\0" not in name:
            file = path.parent / name
            if (finding := not_there(file, name)) is None:
                self.take_facts(file)
            else:
                findings.add(("facts",), *finding)
        self.problems.extend(findings.problems)
        return read

    def take_any(self, entries: Iterable[str], directory: Path, settings: type[Settings]) -> int:
        """Read agent's files, SLO files and facts files alike, and return how many of them are an agent's.

        Agent's files come first, so that the SLO files they name are read with their parameters.
        """
        documents: dict[Path, Document] = {}
        for entry in entries:
            found = files_of(entry, directory)
            if isinstance(found, tuple):
                self.problems.append(Problem(entry, 0, 0, *found[:2], hint=found[2]))
            else:
                documents |= {path: read_document(path) for path in found if path not in documents}
        agents = {path: document for path, document in documents.items() if _is_of_an_agent(document)}
        for path, document in agents.items():
            self.take_agent(path, settings, document)
        for path, document in documents.items():
            if path not in agents and document.at(("kind",)) == "Facts":
                self.take_facts(path, document)
            elif path not in agents:
                self.take_file(path, {}, document)
        return len(agents)

    def take(self, entries: Iterable[str], directory: Path, given: Mapping[str, Mapping[str, str]]) -> None:
        """Read the SLO files of the entries; an entry that names none is a problem."""
        for entry in entries:

            def complain(check: str, summary: str, hint: str, entry: str = entry) -> None:
                self.problems.append(Problem(entry, 0, 0, check, summary, hint=hint))

            self._take_entry(entry, directory, given, complain)

    def take_file(self, path: Path, given: Mapping[str, Mapping[str, str]], document: Document | None = None) -> None:
        """Read one SLO file, unless it has been read."""
        key = path.resolve()
        if key in self.files:
            return
        document = document or read_document(path)
        loaded = _of_openslo(document) if openslo.is_openslo(document) else to_model(document, given)
        self.files[key] = loaded
        self.problems.extend(loaded.problems)
        before, self._slos = self._slos, self._slos + len(loaded.slo_set.slos if loaded.slo_set is not None else ())
        if before <= MOST_SLOS < self._slos:
            summary = f"with this file there are more than {MOST_SLOS:,} SLOs"
            hint = "share them among several agents"
            self.problems.append(Problem(loaded.document.path, 0, 0, "file/number", summary, hint=hint))
        name = _set_name(loaded.document)
        if name in self._names:
            mark = loaded.document.mark(("metadata", "name"))
            self.problems.append(
                loaded.document.problem(
                    mark,
                    "slo/duplicate-set",
                    f'the set name "{name}" is taken: the first is at {self._names[name]}',
                    hint="give each set its own name",
                )
            )
        elif name:
            self._names[name] = f"{loaded.document.path}:{loaded.document.mark(('metadata', 'name')).line}"

    def take_facts(self, path: Path, document: Document | None = None) -> None:
        """Read a facts file, unless it has been read."""
        if (key := path.resolve()) not in self.facts:
            self.facts.add(key)
            self.problems.extend(_written(document or read_document(path), path.parent)[1])

    def _take_entry(
        self, entry: str, directory: Path, given: Mapping[str, Mapping[str, str]], complain: Complain
    ) -> None:
        found = files_of(entry, directory)
        if isinstance(found, tuple):
            complain(*found)
            return
        for path in found:
            self.take_file(path, given)


def read_document(path: Path) -> Document:
    """Read a YAML file with its positions; one that cannot be read is a document with a problem."""
    name = shown(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except FileNotFoundError:
        return _unreadable(name, "there is no such file", neighbour(path))
    except IsADirectoryError:
        return _unreadable(name, "this is a directory", "name a file in it")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _unreadable(name, f"the file cannot be read: {reason.lower()}", "")
    return parse(name, content)


def _settings(path: Path, settings: type[S], document: Document | None = None) -> tuple[S | None, Findings]:
    document = document or read_document(path)
    findings = Findings(document)
    if document.value is None:
        if not document.problems:
            findings.add((), "yaml/empty", "the file holds nothing", "`sloagent init` writes a commented example")
        return None, findings
    read = structure.read(settings, document.value, findings, kind="agent", directory=path.parent)
    return read, findings


def _is_of_an_agent(document: Document) -> bool:
    """Whether this is an agent's file: it has `prometheus`, or `slos` that are names of files, and no `kind`."""
    block = document.value
    if not isinstance(block, dict) or "kind" in block or "apiVersion" in block:
        return False
    return "prometheus" in block or bool(_texts(block.get("slos")))


def _texts(value: Value) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _parameters(document: Document) -> dict[str, dict[str, str]]:
    """The parameters of an agent's file, by set and name; what has another shape has been noted."""
    block = document.at(("parameters",))
    return {
        set_name: {name: value for name, value in values.items() if isinstance(value, str)}
        for set_name, values in (block.items() if isinstance(block, dict) else ())
        if isinstance(values, dict)
    }


def _unreadable(name: str, summary: str, hint: str) -> Document:
    return Document(name, "", None, {}, {}, (Problem(name, 0, 0, "file/missing", summary, hint=hint),))


def _set_name(document: Document) -> str:
    name = document.at(("metadata", "name"))
    return name if isinstance(name, str) else ""


def _written(document: Document, directory: Path) -> tuple[Written | None, tuple[Problem, ...]]:
    from sloagent.config.facts import written  # lazily: few agents have facts, and each command reads its agent's file

    return written(document, directory)


def _of_openslo(document: Document) -> Loaded:
    from sloagent.config.openslo.reading import read

    return read(document)
