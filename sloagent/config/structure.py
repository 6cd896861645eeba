"""Whether a document has the shape of a settings class; what does not is a finding with its place and a hint."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sloagent import units
from sloagent.config.discretion import names_a_secret, without_secrets
from sloagent.config.document import Path, Value
from sloagent.config.findings import MOST_PROBLEMS, Findings, dotted
from sloagent.config.problem import closest, cut, spelling_hint
from sloagent.config.shape import class_at, homes, is_of
from sloagent.settings import DIRECTORY, ByteSize, Duration, Settings
from sloagent.units import UnitError

S = TypeVar("S", bound=Settings)

_BOUNDS = ("greater_than", "less_than", "too_short", "too_long", "string_too")
_TRAPS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def read(
    settings: type[S],
    value: Value,
    findings: Findings,
    *,
    kind: str,
    directory: FilePath,
) -> S | None:
    """The settings, or None where they are wrong beyond use.

    `kind` begins the problem ids (`slo`, `agent`). What is wrong is noted and left out, so that the rest can be checked:
    what is returned may only be used where there are no findings.
    """
    details = errors(settings, value, directory)
    note(settings, findings, kind, details)
    try:
        return validate(settings, _without(value, [detail["loc"] for detail in details]), directory)
    except ValidationError:
        return None


def errors(settings: type[Settings], value: Value, directory: FilePath) -> list[ErrorDetails]:
    """All that is wrong with the shape of the value."""
    try:
        validate(settings, value, directory)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def note(settings: type[Settings], findings: Findings, kind: str, details: Sequence[ErrorDetails]) -> None:
    """Note these errors of a file's shape; of too many the first ones."""
    _Notes(settings, findings, kind, details[:MOST_PROBLEMS]).take()
    findings.leave_out(max(len(details) - MOST_PROBLEMS, 0))


def validate(settings: type[S], value: Value, directory: FilePath) -> S:
    """The settings. Raises pydantic's ValidationError where the value has another shape."""
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
        self, settings: type[Settings], findings: Findings, kind: str, details: Sequence[ErrorDetails]
    ) -> None:
        self._settings = settings
        self._findings = findings
        self._kind = kind
        self._details = details

    def take(self) -> None:
        """Note every error: unknown fields first, for a missing field may be one of them, misspelt."""
        missing: dict[Path, list[str]] = {}
        for detail in sorted(self._details, key=lambda detail: detail["type"] != "extra_forbidden"):
            path = detail["loc"]
            match detail["type"]:
                case "extra_forbidden":
                    self._unknown_field(path)
                case "missing" if not self._is_misspelt(path):
                    missing.setdefault(path[:-1], []).append(str(path[-1]))
                case "missing":
                    pass
                case "too_short" if detail["input"]:
                    pass  # pydantic counts only the entries that are right; what is wrong with the others is noted
                case _:
                    self._wrong(path, detail)
        for path, names in missing.items():
            self._missing(path, names)

    def _fields(self, path: Path) -> list[str]:
        found = class_at(self._settings, path)
        return list(found.model_fields) if found else []

    def _unknown_field(self, path: Path) -> None:
        name, known = str(path[-1]), self._fields(path[:-1])
        hint = spelling_hint(name, known, what="the fields here are")
        if not closest(name, known) and (elsewhere := homes(self._settings, name)):
            here = re.sub(r"\[\d+\]", "[]", dotted(path[:-1]))
            nearest = max(elsewhere, key=lambda home: _shared(home, here))
            hint = f"{name} belongs {_in_block(nearest)}"
        # What stands behind an unknown name of the agent's file may be a secret whose name is misspelt.
        self._findings.add(
            path, f"{self._kind}/field", f'unknown field "{without_secrets(cut(name))}"', hint, key=True,
            key_alone=self._kind == "agent",
        )  # fmt: skip

    def _is_misspelt(self, path: Path) -> bool:
        """Whether an unknown field of the same block is nearly the one that is missing."""
        return any(
            detail["type"] == "extra_forbidden"
            and detail["loc"][:-1] == path[:-1]
            and closest(str(detail["loc"][-1]), self._fields(path[:-1])) == path[-1]
            for detail in self._details
        )

    def _missing(self, path: Path, names: Sequence[str]) -> None:
        quoted = " and ".join(f'"{name}"' for name in names)
        summary = f"the field {quoted} is missing" if len(names) == 1 else f"the fields {quoted} are missing"
        hint = "add " + ", ".join(self._example((*path, name)) for name in names)
        self._findings.add(path, f"{self._kind}/missing", summary, hint, key=True)

    def _field(self, path: Path) -> FieldInfo | None:
        found = class_at(self._settings, path[:-1]) if path else None
        return found.model_fields.get(str(path[-1])) if found else None

    def _example(self, path: Path) -> str:
        """A field as it could be written."""
        field, below = self._field(path), class_at(self._settings, path)
        if field is not None and field.examples:
            return f"{path[-1]}: {field.examples[0]}"
        needed = [name for name, inner in below.model_fields.items() if inner.is_required()] if below else []
        return f"{path[-1]}: " + ("{" + ", ".join(f"{name}: …" for name in needed) + "}" if needed else "…")

    def _out_of_bounds(self, path: Path, detail: ErrorDetails) -> str:
        """The sentence about a value outside its bounds, the bound written with its unit."""
        name, field = path[-1] if isinstance(path[-1], str) else "it", self._field(path)
        limits = detail.get("ctx", {})

        def written(key: str) -> str:
            bound = limits[key]
            if field is not None and is_of(field, Duration):
                return units.written_duration(bound)
            return units.written_bytes(bound) if field is not None and is_of(field, ByteSize) else f"{bound:g}"

        match detail["type"]:
            case "greater_than":
                return f"{name} must be above {written('gt')}"
            case "greater_than_equal":
                return f"{name} must be at least {written('ge')}"
            case "less_than":
                return f"{name} must be below {written('lt')}"
            case "less_than_equal":
                return f"{name} must be at most {written('le')}"
            case "too_short" | "string_too_short":
                return f"{name} is empty"
            case _:
                return f"{name} is too long; at most {limits['max_length']} are accepted"

    def _is_required(self, path: Path) -> bool:
        field = self._field(path)
        return field is not None and field.is_required()

    def _wrong(self, path: Path, detail: ErrorDetails) -> None:
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, UnitError):
            self._findings.add(path, f"{self._kind}/unit", cause.summary, cause.hint)
        elif isinstance(cause, ValueError):
            summary, _, hint = str(cause).partition("; ")
            self._findings.add(path, f"{self._kind}/value", summary, hint)
        elif detail["input"] is None and self._findings.is_told(path):
            pass
        elif detail["input"] is None:
            otherwise = "write a value, or leave the field out"
            hint = f"write {self._example(path)}" if self._is_required(path) else otherwise
            summary = f"nothing is written for {path[-1] if path else 'the file'}"
            self._findings.add(path, f"{self._kind}/type", summary, hint, key=True)
        elif any(names_a_secret(step) for step in path):
            summary, hint = "the secret here is not text", "put it in quotes, or into a file"
            if detail["type"] != "string_type":
                summary, hint = (
                    f"{_named(detail['input'])} stands where fields are needed",
                    "write them as `name: value`",
                )
            self._findings.add(path, f"{self._kind}/type", summary, hint)
        elif detail["type"].startswith(_BOUNDS):
            self._findings.add(path, f"{self._kind}/value", self._out_of_bounds(path, detail))
        else:
            check, summary, hint = _explained(detail, self._findings.spelling(path, detail["input"]))
            self._findings.add(path, f"{self._kind}/{check}", summary, hint)


def _explained(detail: ErrorDetails, spelt: str) -> tuple[str, str, str]:
    """The last word of the problem id, the summary and the hint of an error about a value that is `spelt` so."""
    found = detail["input"]
    match detail["type"]:
        case "string_type" if isinstance(found, bool | int | float):
            written = spelt.lower() if isinstance(found, bool) else spelt
            return "type", f"{written} is a {_named(found)}, and text is needed here", f'write "{written}" in quotes'
        case "bool_type":
            hint = f"write {_TRAPS.get(str(found).lower(), 'true or false')}"
            return "type", f"{_shown(found)} is {_named(found)}, not true or false", hint
        case "int_type" | "int_from_float" | "int_parsing" | "float_type" | "float_parsing":
            whole = "a whole number" if detail["type"].startswith("int") else "a number"
            digits = re.search(r"\d+(\.\d+)?", str(found)) if isinstance(found, str) else None
            return "type", f"{_shown(found)} is not {whole}", f"write {digits[0]}" if digits else f"write {whole}"
        case "literal_error" | "enum":
            accepted = re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))
            hint = f"write {accepted[0]}" if len(accepted) == 1 else spelling_hint(str(found), accepted)
            return "value", f"{_shown(found)} is not accepted here", hint
        case "objective":
            near = isinstance(found, str) and closest(found, ["tbd"])
            forms = "write {percentile: 99, at_most: 1s}, {at_least: 99.9%} or tbd"
            return "type", f"{_shown(found)} is no objective", 'did you mean "tbd"?' if near else forms
        case "model_type" | "model_attributes_type" | "dict_type" | "mapping_type":
            summary = f"{_shown(found)} is {_named(found)}, and fields are needed here"
            return "type", summary, "write them as `name: value`"
        case "list_type" | "tuple_type":
            hint = "begin each entry with -" if isinstance(found, dict) else f"write [{_inside(found)}]"
            return "type", f"{_shown(found)} is {_named(found)}, and a list is needed here", hint
        case "string_type":
            return "type", f"{_named(found)} stands where text is needed", "write one value"
        case "string_pattern_mismatch":
            fixed = re.sub(r"[^a-z0-9]+", "-", str(found).lower()).strip("-") or "my-name"
            return "name", f"{_shown(found)} is no name: lower-case letters, digits and hyphens", f"write {fixed[:63]}"
        case _:
            return (
                "value",
                f"{_shown(found)} is not accepted here: {detail['msg'].removeprefix('Value error, ').lower()}",
                "",
            )


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
            return f'"{cut(found, 40)}"'
        case int() | float():
            return str(found)
        case _:
            return "this"


def _shared(one: str, other: str) -> int:
    """How many steps two dotted names share from the top."""
    pairs = zip(one.split("."), other.split("."), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _in_block(home: str) -> str:
    """Where a block is, for people."""
    if home == "slos[]":
        return "to the SLO itself, beside sli"
    return f"into {home.removeprefix('slos[].')}" if home else "to the top of the file"


def _inside(found: object) -> str:
    return str(found) if isinstance(found, str | int | float) else "…"
