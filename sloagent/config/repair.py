"""Makes of a file with mistakes one that can be read to the end, so that every mistake in it is told at once.

A misspelt field is read as the one its hint names, and a stand-in takes the place of what is wrong or missing and cannot
be left out. What is read so is only looked through for further mistakes; it never becomes a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic_core import ErrorDetails

from sloagent.config import structure
from sloagent.config.document import Path, Value
from sloagent.config.findings import MOST_PROBLEMS, Findings
from sloagent.config.problem import closest
from sloagent.config.shape import class_at
from sloagent.settings import Settings

S = TypeVar("S", bound=Settings)

_ROUNDS = 12
"""Each round goes one block deeper; no settings class is so deep."""


def read_to_the_end(
    settings: type[S],
    value: Value,
    findings: Findings,
    *,
    kind: str,
    directory: FilePath,
    stand_ins: Mapping[str, Value],
) -> S | None:
    """The settings with everything in them that has the right shape; None where not even stand-ins help.

    `stand_ins` are by the name of a field, and by `name[]` for an entry of a list. They and what was left out are told to
    the findings, which then hold nothing against them.
    """
    value, details = _respelt(settings, value, findings, kind, directory)
    if len(details) > MOST_PROBLEMS:
        return None
    for _ in range(_ROUNDS):
        if not details:
            return structure.validate(settings, value, directory)
        wrong = {detail["loc"] for detail in details}
        # A list that is too short counts only what is right in it: its entries are mended first.
        innermost = [path for path in wrong if not any(path == other[: len(path)] for other in wrong - {path})]
        for path in innermost:
            value = _mended(value, path, stand_ins, findings)
        details = structure.errors(settings, value, directory)
    return None


def _respelt(
    settings: type[Settings], value: Value, findings: Findings, kind: str, directory: FilePath
) -> tuple[Value, list[ErrorDetails]]:
    """The value with the right names of misspelt fields, and what is wrong with it; all of it is noted."""
    details = structure.errors(settings, value, directory)
    told: set[tuple[Path, str]] = set()
    while True:
        new = [detail for detail in details if (detail["loc"], detail["type"]) not in told]
        structure.note(settings, findings, kind, new)
        told |= {(detail["loc"], detail["type"]) for detail in new}
        if len(told) > MOST_PROBLEMS:
            return value, details
        renamed = False
        for detail in new:
            block, written = detail["loc"][:-1], detail["loc"][-1:]
            if detail["type"] != "extra_forbidden" or not isinstance(around := _at(value, block), dict):
                continue
            found = class_at(settings, block)
            meant = closest(str(written[0]), list(found.model_fields) if found else ())
            if meant and meant not in around:
                value = _set(value, block, {meant if k == written[0] else k: v for k, v in around.items()})
                findings.read_as((*block, meant), (*block, *written))
                renamed = True
        details = structure.errors(settings, value, directory)
        if not renamed:
            return value, details


def _mended(value: Value, path: Path, stand_ins: Mapping[str, Value], findings: Findings) -> Value:
    """The value with a stand-in at `path`, or without what is there."""
    while path and not isinstance(_at(value, path[:-1]), dict | list):
        path = path[:-1]
    if not path:
        return value
    around, last = _at(value, path[:-1]), path[-1]
    findings.leave_unread(path)
    name = str(last) if isinstance(last, str) else f"{path[-2] if len(path) > 1 else ''}[]"
    if name in stand_ins:
        return _set(value, path, stand_ins[name])
    if isinstance(around, dict):
        return _set(value, path[:-1], {key: inner for key, inner in around.items() if key != last})
    # Without a stand-in an entry cannot go alone: those behind it would be told at wrong places.
    return _mended(value, path[:-1], stand_ins, findings)


def _at(value: Value, path: Sequence[str | int]) -> Value:
    here: Any = value
    for step in path:
        is_there = step in here if isinstance(here, dict) else isinstance(step, int) and isinstance(here, list)
        if not is_there or (isinstance(here, list) and isinstance(step, int) and step >= len(here)):
            return None
        here = here[step]
    return here  # type: ignore[no-any-return]


def _set(value: Value, path: Path, new: Value) -> Value:
    """A copy of the value with `new` at `path`."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, dict) and isinstance(first, str):
        return {**value, first: _set(value.get(first), rest, new)}
    if isinstance(value, list) and isinstance(first, int):
        return [_set(entry, rest, new) if at == first else entry for at, entry in enumerate(value)]
    return value
