"""Whether a document has the shape of a settings class; what does not is a finding with its place and a hint."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sloagent.config.document import Path, Value
from sloagent.config.findings import Findings
from sloagent.config.problem import closest, names_a_secret, spelling_hint
from sloagent.config.shape import class_at, homes
from sloagent.settings import DIRECTORY, Settings
from sloagent.units import UnitError

S = TypeVar("S", bound=Settings)

_TRAPS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def read(
    settings: type[S],
    value: Value,
    findings: Findings,
    *,
    kind: str,
    directory: FilePath,
    at: Path = (),
    note: bool = True,
) -> S | None:
    """The settings that stand at `at`, or None where they are wrong beyond use.

    `kind` begins the problem ids (`slo`, `agent`). What is wrong is noted and left out, so that the rest can be checked:
    what is returned may only be used where there are no findings. With `note` false nothing is noted again.
    """
    try:
        return _validate(settings, value, directory)
    except ValidationError as error:
        details = error.errors(include_url=False)
    if note:
        _Notes(settings, findings, kind, at, details).take()
    try:
        return _validate(settings, _without(value, [detail["loc"] for detail in details]), directory)
    except ValidationError:
        return None


def _validate(settings: type[S], value: Value, directory: FilePath) -> S:
    return settings.model_validate(value, context={DIRECTORY: directory.absolute()})


def _without(value: Any, paths: Sequence[Path]) -> Any:  # noqa: ANN401
    """The value without the entries at these paths."""
    here = {path[0] for path in paths if len(path) == 1}
    below = {
        step: [path[1:] for path in paths if path[0] == step and len(path) > 1] for path in paths for step in path[:1]
    }
    if isinstance(value, dict):
        return {k: _without(v, below[k]) if below.get(k) else v for k, v in value.items() if k not in here}
    if isinstance(value, list):
        return [_without(v, below[i]) if below.get(i) else v for i, v in enumerate(value)]
    return value


class _Notes:
    """Turns pydantic's errors into findings."""

    def __init__(
        self, settings: type[Settings], findings: Findings, kind: str, at: Path, details: Sequence[ErrorDetails]
    ) -> None:
        self._settings = settings
        self._findings = findings
        self._kind = kind
        self._at = at
        self._details = details

    def take(self) -> None:
        """Note every error: unknown fields first, for a missing field may be one of them, misspelt."""
        for detail in sorted(self._details, key=lambda detail: detail["type"] != "extra_forbidden"):
            path = detail["loc"]
            match detail["type"]:
                case "extra_forbidden":
                    self._unknown_field(path)
                case "missing":
                    self._missing(path)
                case _:
                    self._wrong(path, detail)

    def _fields(self, path: Path) -> list[str]:
        found = class_at(self._settings, path)
        return list(found.model_fields) if found else []

    def _unknown_field(self, path: Path) -> None:
        name, known = str(path[-1]), self._fields(path[:-1])
        hint = spelling_hint(name, known, what="the fields here are")
        elsewhere = homes(self._settings, name)
        if not closest(name, known) and elsewhere:
            place = elsewhere[0].replace("slos[]", "the SLO").replace("the SLO.", "")
            hint = f"{name} belongs into {place or 'the top of the file'}"
        self._findings.add((*self._at, *path), f"{self._kind}/field", f'unknown field "{name}"', hint, key=True)

    def _missing(self, path: Path) -> None:
        name = str(path[-1])
        misspelt = any(
            detail["type"] == "extra_forbidden"
            and detail["loc"][:-1] == path[:-1]
            and closest(str(detail["loc"][-1]), self._fields(path[:-1])) == name
            for detail in self._details
        )
        if misspelt:
            return
        found = class_at(self._settings, path[:-1])
        examples = found.model_fields[name].examples if found and name in found.model_fields else None
        hint = f"add {name}: {examples[0]}" if examples else f"add {name}"
        self._findings.add(
            (*self._at, *path[:-1]), f"{self._kind}/missing", f'the field "{name}" is missing', hint, key=True
        )

    def _wrong(self, path: Path, detail: ErrorDetails) -> None:
        cause = detail.get("ctx", {}).get("error")
        full = (*self._at, *path)
        if isinstance(cause, UnitError):
            self._findings.add(full, f"{self._kind}/unit", cause.summary, cause.hint)
        elif isinstance(cause, ValueError):
            summary, _, hint = str(cause).partition("; ")
            self._findings.add(full, f"{self._kind}/value", summary, hint)
        elif detail["input"] is None:
            self._findings.add(full, f"{self._kind}/type", f"nothing is written for {path[-1] if path else 'the file'}",
                               "write a value, or leave the field out", key=True)  # fmt: skip
        elif any(names_a_secret(step) for step in path):
            self._findings.add(
                full, f"{self._kind}/type", "the secret here is not text", "put it in quotes, or into a file"
            )
        else:
            check, summary, hint = _explained(detail)
            self._findings.add(full, f"{self._kind}/{check}", summary, hint)


def _explained(detail: ErrorDetails) -> tuple[str, str, str]:
    """The last word of the problem id, the summary and the hint of an error about a value."""
    found, limits = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "string_type" if isinstance(found, bool | int | float):
            written = str(found).lower() if isinstance(found, bool) else str(found)
            return "type", f"{written} is a {_named(found)}, and text is needed here", f'write "{written}" in quotes'
        case "bool_type":
            meant = _TRAPS.get(str(found).lower(), "true or false")
            return "type", f"{_shown(found)} is {_named(found)}, not true or false", f"write {meant}"
        case "int_type" | "int_from_float" | "int_parsing" | "float_type" | "float_parsing":
            whole = "a whole number" if detail["type"].startswith("int") else "a number"
            digits = re.search(r"\d+(\.\d+)?", str(found)) if isinstance(found, str) else None
            return "type", f"{_shown(found)} is not {whole}", f"write {digits[0]}" if digits else f"write {whole}"
        case "literal_error" | "enum":
            accepted = re.findall(r"'([^']*)'", str(limits.get("expected", "")))
            return "value", f"{_shown(found)} is not accepted here", spelling_hint(str(found), accepted)
        case "objective":
            meant = 'did you mean "tbd"?' if isinstance(found, str) and closest(found, ["tbd"]) else ""
            forms = "write {percentile: 99, at_most: 1s}, {at_least: 99.9%} or tbd"
            return "type", f"{_shown(found)} is no objective", meant or forms
        case "model_type" | "model_attributes_type" | "dict_type" | "mapping_type":
            return (
                "type",
                f"{_shown(found)} is {_named(found)}, and fields are needed here",
                "write them as `name: value`",
            )
        case "list_type" | "tuple_type":
            return "type", f"{_shown(found)} is {_named(found)}, and a list is needed here", f"write [{_inside(found)}]"
        case "string_type":
            return "type", f"{_named(found)} stands where text is needed", "write one value"
        case "string_pattern_mismatch":
            fixed = re.sub(r"[^a-z0-9]+", "-", str(found).lower()).strip("-") or "my-name"
            return "name", f"{_shown(found)} is no name: lower-case letters, digits and hyphens", f"write {fixed[:63]}"
        case kind if kind.startswith(("greater_than", "less_than", "too_short", "too_long", "string_too")):
            return "value", _out_of_bounds(kind, found, limits), ""
        case _:
            return (
                "value",
                f"{_shown(found)} is not accepted here: {detail['msg'].removeprefix('Value error, ').lower()}",
                "",
            )


def _out_of_bounds(kind: str, found: object, limits: dict[str, Any]) -> str:
    match kind:
        case "greater_than":
            return f"{_shown(found)} must be above {limits['gt']:g}"
        case "greater_than_equal":
            return f"{_shown(found)} must be at least {limits['ge']:g}"
        case "less_than":
            return f"{_shown(found)} must be below {limits['lt']:g}"
        case "less_than_equal":
            return f"{_shown(found)} must be at most {limits['le']:g}"
        case "too_short" | "string_too_short":
            return "this is empty"
        case _:
            return f"this is too long; at most {limits['max_length']} are accepted"


def _named(found: object) -> str:
    match found:
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "nothing"


def _shown(found: object) -> str:
    """The value for a sentence; what is long or has parts is only named."""
    match found:
        case bool():
            return str(found).lower()
        case str():
            return f'"{found}"' if len(found) <= 40 else f'"{found[:40]}…"'
        case int() | float():
            return str(found)
        case _:
            return "this"


def _inside(found: object) -> str:
    return str(found) if isinstance(found, str | int | float) else "…"
