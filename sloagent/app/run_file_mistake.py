"""What is wrong in a run file that a program wrote, and where: `slos[3].whole.tally.series[0].good`, as jq writes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
S = TypeVar("S")


class MistakeError(Exception):
    """The sentence, and the place where it holds, which grows from the inside as it is raised."""

    def __init__(self, said: str, where: str = "") -> None:
        super().__init__(said)
        self.said = said
        self.where = where

    def inside(self, step: str) -> MistakeError:
        """The same one block further out."""
        dot = "." if self.where and not self.where.startswith("[") else ""
        return MistakeError(self.said, f"{step}{dot}{self.where}")

    def __str__(self) -> str:
        return f"{self.where}: {self.said}" if self.where else self.said


def each(name: str, entries: Iterable[S], read: Callable[[S], T]) -> tuple[T, ...]:
    """Every entry of a list as `read` makes it; what that raises says which entry it was."""
    return tuple(at(f"{name}[{number}]", read, entry) for number, entry in enumerate(entries))


def at(step: str, read: Callable[[S], T], entry: S) -> T:
    """What `read` makes of the entry; what it raises says where that stands."""
    try:
        return read(entry)
    except MistakeError as mistake:
        raise mistake.inside(step) from None


_KINDS = {
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "array": "a list",
    "object": "an object", "null": "nothing", "datetime": "a time",
}  # fmt: skip


def explained(words: str) -> MistakeError:
    """What the JSON decoder says of a value, as a sentence: its own words hold types and a path behind `$`."""
    said, _, where = words.partition(" - at `$")
    where = where.removesuffix("`").removeprefix(".")
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", said, re.DOTALL):
        said = f'unknown field "{found[1][:80]}"'
    elif found := re.fullmatch(r"Object missing required field `(.*)`", said):
        said = f'the field "{found[1]}" is missing'
    elif found := re.fullmatch(r"Expected `(.+)`, got `(.+)`", said):
        said = f"{_kinds(found[1])} is needed here, and this is {_kinds(found[2])}"
    elif found := re.fullmatch(r"Expected `datetime` with a timezone component", said):
        said = "the time has no zone; write it with Z for UTC"
    elif said.startswith("Expected `str` matching regex"):
        said = "this is not written as it should be"
    elif said == "Invalid RFC3339 encoded datetime":
        said = "this is no time; write it like 2026-11-22T05:56:00Z"
    elif found := re.fullmatch(r"Invalid enum value (.*)", said, re.DOTALL):
        said = f"{found[1][:80]} is not accepted here"
    elif found := re.fullmatch(r"Expected `(.+)` (<=|>=|<|>) (.+)", said):
        said = f"{_kinds(found[1])} {found[2]} {found[3]} is needed here"
    return MistakeError(said[:1].lower() + said[1:], where)


def _kinds(types: str) -> str:
    return " or ".join(_KINDS.get(name.strip("` "), name.strip("` ")) for name in types.split("|"))
