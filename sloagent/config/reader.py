"""Reads a YAML text into a document.

The tree is built from the parser's events, so that a duplicate key, an alias, a tag or a hostile depth is met before any
object is made of it. What is wrong is noted with its place; nothing is raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NoReturn

import yaml

from sloagent.config import scalars
from sloagent.config.discretion import shown_lines
from sloagent.config.document import LINE_BREAK, Document, Mark, Path, Scalar, Value, source_line
from sloagent.config.findings import MOST_PROBLEMS
from sloagent.config.problem import Problem, cut
from sloagent.config.syntax import explain

LARGEST_FILE_BYTES = 10_000_000
DEEPEST = 50
MOST_NODES = 200_000
LONGEST_TEXT = 65_536
"""Characters of one value. The longest that means anything is a query, and that ends at 16,384."""
LONGEST_NAME = 1_000
"""Characters of the name of a field: messages repeat it."""

_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(path: str, content: bytes) -> Document:
    """Read a YAML text; what is wrong with it is in the document's `problems`, never raised."""
    if len(content) > LARGEST_FILE_BYTES:
        return _unread(
            path,
            "yaml/size",
            f"the file is larger than {LARGEST_FILE_BYTES // 1_000_000} MB",
            "split it into several files",
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _undecodable(path, content, error)
    text = text.removeprefix("\ufeff")
    lines = tuple(LINE_BREAK.split(text))
    control = _NOT_YAML.search(text)
    if control:
        mark = _mark_at(text, control.start())
        lines = tuple(shown_lines(lines))
        finding = Problem(
            path,
            mark.line,
            mark.column,
            "yaml/encoding",
            f"the character U+{ord(control[0]):04X} is not allowed in YAML",
            hint="delete it; an editor that shows control characters finds it",
            source=source_line(lines, mark.line),
        )
        return Document(path, text, None, {}, {}, (finding,), lines)
    return _Reader(path, text, lines).read()


def documents(document: Document) -> tuple[Document, ...]:
    """Each YAML document of a text that holds several, its places counted in the whole text. Empty ones are left out."""
    return _Reader(document.path, document.text, tuple(LINE_BREAK.split(document.text))).read_all()


def _mark_at(text: str, index: int) -> Mark:
    before = LINE_BREAK.split(text[:index])
    return Mark(len(before), len(before[-1]) + 1, 1)


def _unread(path: str, check: str, summary: str, hint: str) -> Document:
    return Document(path, "", None, {}, {}, (Problem(path, 0, 0, check, summary, hint=hint),))


def _undecodable(path: str, content: bytes, error: UnicodeDecodeError) -> Document:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _unread(path, "yaml/encoding", "the file is written in UTF-16", "save it as UTF-8")
    before = content[: error.start].decode("utf-8").removeprefix("\ufeff")
    mark = _mark_at(before, len(before))
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = tuple(shown_lines(LINE_BREAK.split(text)))
    problem = Problem(
        path,
        mark.line,
        mark.column,
        "yaml/encoding",
        f"the byte 0x{content[error.start]:02X} is not UTF-8",
        hint="save the file as UTF-8",
        source=lines[mark.line - 1],
    )
    return Document(path, text, None, {}, {}, (problem,), lines)


def _short_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


class _Stop(Exception):  # noqa: N818 - not an error: the text is not worth reading on
    """Reading ends here; the problem has been noted."""


class _Reader:
    """Builds the tree of one text from the parser's events."""

    def __init__(self, path: str, text: str, lines: tuple[str, ...]) -> None:
        self._path = path
        self._text = text
        self._lines = lines
        self._shown = tuple(shown_lines(lines))
        self._keys: dict[Path, Mark] = {}
        self._values: dict[Path, Mark] = {}
        self._problems: list[Problem] = []
        self._nodes = 0

    def read(self) -> Document:
        value: Value = None
        try:
            events = iter(yaml.parse(self._text, Loader=yaml.CSafeLoader))
            next(events)
            if isinstance(next(events), yaml.StreamEndEvent):
                self._note(
                    Mark(0, 0, 0), "yaml/empty", "the file is empty", "`sloagent init` writes a commented example"
                )
            else:
                value = self._value(next(events), events, ())
                next(events)
                self._end(next(events))
        except _Stop:
            value = None
        except yaml.YAMLError as error:
            value = None
            with suppress(_Stop):
                self._syntax(error)
        return self._document(value)

    def read_all(self) -> tuple[Document, ...]:
        found: list[Document] = []
        try:
            events = iter(yaml.parse(self._text, Loader=yaml.CSafeLoader))
            next(events)
            while not isinstance(next(events), yaml.StreamEndEvent):
                value = self._value(next(events), events, ())
                next(events)
                if value is not None or self._problems:
                    found.append(self._document(value))
                self._keys, self._values, self._problems = {}, {}, []
        except _Stop:
            found.append(self._document(None))
        except yaml.YAMLError as error:
            with suppress(_Stop):
                self._syntax(error)
            found.append(self._document(None))
        return tuple(found)

    def _document(self, value: Value) -> Document:
        return Document(self._path, self._text, value, self._keys, self._values, tuple(self._problems), self._shown)

    def _end(self, event: yaml.Event) -> None:
        if not isinstance(event, yaml.StreamEndEvent):
            self._note(
                self._mark(event), "yaml/documents", "a second YAML document begins here", "keep one document to a file"
            )

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Value:
        """Build the value that begins with `event`. Its depth is at most DEEPEST, so recursion is safe."""
        self._nodes += 1
        mark = self._values[path] = self._mark(event)
        if self._nodes > MOST_NODES:
            self._fatal(
                mark, "yaml/size", f"the file has more than {MOST_NODES:,} values", "split it into several files"
            )
        if len(path) > DEEPEST:
            self._fatal(
                mark, "yaml/depth", f"values are nested more than {DEEPEST} deep", "no field of sloagent lies that deep"
            )
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._note(
                mark,
                "yaml/alias",
                "anchors (&name) and aliases (*name) are not accepted",
                "write the value out where it is used",
            )
        tag = getattr(event, "tag", None)
        if tag:
            self._note(
                mark,
                "yaml/tag",
                f'the tag "{_short_tag(tag)}" is not accepted',
                "leave the tag out; quotes make text of a value",
            )
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(events, path)
            case yaml.SequenceStartEvent():
                return self._sequence(events, path)
            case yaml.ScalarEvent():
                return self._scalar(event, mark)
            case _:
                return None

    def _sequence(self, events: Iterator[yaml.Event], path: Path) -> list[Value]:
        entries: list[Value] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            entries.append(self._value(event, events, (*path, len(entries))))
        return entries

    def _mapping(self, events: Iterator[yaml.Event], path: Path) -> dict[str, Value]:
        entries: dict[str, Value] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            mark = self._mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._fatal(mark, "yaml/key", "the name of a field must be a word", "write it as `name: value`")
            name = event.value
            if len(name) > LONGEST_NAME:
                self._fatal(
                    mark, "yaml/size", f"the name of a field is longer than {LONGEST_NAME:,} characters",
                    "no field of sloagent has such a name",
                )  # fmt: skip
            here = (*path, name)
            if name in entries:
                first = self._keys[here]
                self._note(
                    mark,
                    "yaml/duplicate-key",
                    f'"{cut(name)}" is written twice; the first is in line {first.line}',
                    "delete one of them",
                )
                self._skip(next(events), events, (*path, f"{name}\0{mark.line}:{mark.column}"))
                continue
            self._keys[here] = mark
            entries[name] = self._value(next(events), events, here)
        return entries

    def _skip(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> None:
        self._value(event, events, path)

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> Scalar:
        if len(event.value) > LONGEST_TEXT:
            self._fatal(
                mark,
                "yaml/size",
                f"a value is longer than {LONGEST_TEXT:,} characters",
                "no field of sloagent needs so many",
            )
        if not event.implicit[0]:
            return str(event.value)
        trap = scalars.trap(event.value)
        if trap:
            self._note(mark, "yaml/trap", *trap)
        return scalars.read(event.value)

    def _mark(self, event: yaml.Event) -> Mark:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        line = source_line(self._lines, start.line + 1)
        stop = end.column if end.line == start.line else len(line.rstrip())
        if isinstance(event, yaml.CollectionStartEvent) and start.index == end.index:
            stop = start.column + len(line[start.column :].split(":")[0].rstrip())
        return Mark(start.line + 1, start.column + 1, max(stop - start.column, 1))

    def _syntax(self, error: yaml.YAMLError) -> None:
        line, column, summary, hint = explain(error, self._lines)
        self._note(Mark(line, column, 1), "yaml/syntax", f"this is not YAML: {summary}", hint)

    def _fatal(self, mark: Mark, check: str, summary: str, hint: str) -> NoReturn:
        self._note(mark, check, summary, hint)
        raise _Stop

    def _note(self, mark: Mark, check: str, summary: str, hint: str) -> None:
        source = source_line(self._shown, mark.line)
        self._problems.append(
            Problem(self._path, mark.line, mark.column, check, summary, "", hint, mark.length, source)
        )
        if len(self._problems) >= MOST_PROBLEMS:
            summary = f"the file has {MOST_PROBLEMS} problems and is not read on"
            self._problems.append(Problem(self._path, 0, 0, "file/problems", summary, hint="mend these first"))
            raise _Stop
