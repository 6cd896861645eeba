"""From a facts file to facts as meant: flags and numbers read, texts of other files taken in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from sloagent.config.discretion import HIDDEN, names_a_secret, without_secrets
from sloagent.config.document import Document, Path, Value
from sloagent.config.facts_spec import FactsSpec, LoadSpec
from sloagent.config.files import shown
from sloagent.config.findings import Findings
from sloagent.config.problem import Problem, cut
from sloagent.config.repair import read_to_the_end
from sloagent.config.to_model import text
from sloagent.model.facts import Attachment, Quantity, Tool, Written

KIND = "facts"
STAND_INS: dict[str, Value] = {
    "apiVersion": "sloagent/v1", "kind": "Facts", "name": "x", "value": 0, "en": "x",
    "tools[]": {"name": "x"}, "load[]": {"name": "x", "text": "x"},
}  # fmt: skip
"""What stands for a field, or an entry of a list, that is wrong or missing, so that all else is checked."""
LARGEST_ATTACHMENT_BYTES = 262_144
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_FLAG = re.compile(r"-{1,2}([A-Za-z0-9][A-Za-z0-9_.-]*)(?:[= ](.*))?", re.DOTALL)

Flag = tuple[str, str]


def written(document: Document, directory: FilePath) -> tuple[Written | None, tuple[Problem, ...]]:
    """The facts of a document, and what is wrong with it. Files that it names count from `directory`."""
    findings = Findings(document)
    if document.value is None:
        if not document.problems:
            findings.add((), "yaml/empty", "the file holds nothing", "write the facts, or leave `facts` out")
        return None, findings.problems
    spec = read_to_the_end(FactsSpec, document.value, findings, kind=KIND, directory=directory, stand_ins=STAND_INS)
    if spec is None:
        return None, findings.problems
    made = Written(
        software=tuple(spec.software.items()),
        hardware=tuple(spec.hardware.items()),
        topology=text(spec.topology, ""),
        scale=tuple(_scale(spec, findings)),
        flags={component: tuple(_flags(component, given, findings)) for component, given in spec.flags.items()},
        tools=tuple(Tool(tool.name, text(tool.note, "")) for tool in spec.tools),
        load=tuple(_load(spec.load, directory, findings)),
        background=text(spec.background, ""),
        conclusion=text(spec.conclusion, ""),
    )
    return (None if findings.problems else made), findings.problems


def _scale(spec: FactsSpec, findings: Findings) -> Iterator[Quantity]:
    for name, number in spec.scale.items():
        if not _NAME.fullmatch(name):
            fixed = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "clusters"
            findings.add(
                ("scale", name), "facts/value", f'"{cut(name)}" is no name of a number',
                f"write lower-case words joined by _: {fixed}; another wording belongs into its title", key=True,
            )  # fmt: skip
        yield Quantity(name, number.value, text(number.title, ""))


def _flags(component: str, given: object, findings: Findings) -> Iterator[Flag]:
    """The flags of a component, however they are written; values that may be secrets are hidden."""
    for path, found in _each_flag(("flags", component), given):
        match = _FLAG.fullmatch(found) if isinstance(found, str) else None
        if match is None:
            shown = f'"{cut(found, 40)}"' if isinstance(found, str) else "this"
            findings.add(path, "facts/value", f"{shown} is no flag", "write --name=value, or name: value")
            continue
        name, value = match[1], (match[2] or "").strip()
        yield name, HIDDEN if value and names_a_secret(name) else without_secrets(value)


def _each_flag(path: Path, given: object) -> Iterator[tuple[Path, object]]:
    """Each flag in the form `--name=value`, with its place."""
    match given:
        case str():
            yield from ((path, line.strip().removesuffix("\\").rstrip()) for line in given.splitlines() if line.strip())
        case list():
            yield from (((*path, at), entry) for at, entry in enumerate(given))
        case Mapping():
            for name, value in given.items():
                plain = str(value).lower() if isinstance(value, bool) else value
                whole = f"--{name}={plain}" if isinstance(plain, str | int | float) else None
                yield (*path, name), whole
        case _:
            yield path, None


def _load(load: tuple[LoadSpec, ...], directory: FilePath, findings: Findings) -> Iterator[Attachment]:
    names: set[str] = set()
    for at, entry in enumerate(load):
        if entry.name in names:
            findings.add(
                ("load", at, "name"), "facts/value", f'"{cut(entry.name)}" is there already', "name it otherwise"
            )
        names.add(entry.name)
        if (entry.file is None) == (entry.text is None):
            both = "both `file` and `text`" if entry.file is not None else "neither `file` nor `text`"
            findings.add(("load", at), "facts/value", f"this has {both}", "write one of the two")
        elif entry.file is None:
            yield Attachment(entry.name, entry.text or "")
        else:
            found = _text_of(directory / FilePath(entry.file).expanduser(), cut(entry.file))
            if isinstance(found, str):
                yield Attachment(entry.name, found)
            else:
                findings.add(("load", at, "file"), *found)


def _text_of(path: FilePath, name: str) -> str | tuple[str, str, str]:
    """The text of a file, or the finding (problem id, summary, hint) of one that cannot be taken in."""
    try:
        if not path.exists():
            return "file/missing", f'there is no file "{name}"', f"it was looked for in {shown(path.parent)}"
        if not path.is_file():
            return "file/missing", f'"{name}" is no file', "name a file of text"
        with path.open("rb") as file:
            content = file.read(LARGEST_ATTACHMENT_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        return "file/missing", f'"{name}" cannot be read: {reason.lower()}', ""
    if len(content) > LARGEST_ATTACHMENT_BYTES:
        return "facts/value", f'"{name}" is larger than 256 KiB', "attach the part that matters"
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "facts/value", f'"{name}" is no text in UTF-8', "save it as UTF-8"
