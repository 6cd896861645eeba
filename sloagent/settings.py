"""The strict, frozen base of every settings class, and the field types that carry units.

A settings class says what a block of a file holds; `sloagent.config.load_settings` reads the file and says where a
problem is. What is written in a file is never guessed at: `"30"` is no number, `yes` is no flag, `30` is no duration.
"""

from __future__ import annotations

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticKnownError

from sloagent import units

DIRECTORY = "directory"
"""The key of the validation context under which a loader passes the file's directory; only files have one."""


class Settings(BaseModel):
    """A block of a configuration file. Frozen; a field it does not know is an error, never ignored.

    Defaults are written in code as what the field holds (seconds, bytes, a Path). A relative Path in a file counts from
    the file.
    """

    # Built when it is used: a command starts in less time where most blocks stand in no file.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _nothing_guessed(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[info.field_name or ""]
        wanted = _members(field.annotation)
        if value is None and _directory(info) is not None:
            # `at_most:` with nothing behind it is no way to leave a field out: a promise would be none, a password no one.
            raise PydanticKnownError("string_type")
        if any(isinstance(mark, BeforeValidator) for mark in field.metadata) or not wanted <= {
            bool,
            int,
            float,
            NoneType,
        }:
            return value
        if isinstance(value, str) or (
            isinstance(value, bool) != (bool in wanted) and isinstance(value, bool | int | float)
        ):
            raise PydanticKnownError("bool_type" if bool in wanted else "int_type" if int in wanted else "float_type")
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _paths_count_from_the_file(cls, value: object, info: ValidationInfo) -> object:
        directory = _directory(info)
        if directory is None:
            return value
        if isinstance(value, Path):
            return directory / value
        if isinstance(value, tuple) and any(isinstance(entry, Path) for entry in value):
            return tuple(directory / entry if isinstance(entry, Path) else entry for entry in value)
        return value


def _members(annotation: object) -> set[object]:
    return set(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else {annotation}


def _directory(info: ValidationInfo) -> Path | None:
    found = (info.context or {}).get(DIRECTORY)
    return found if isinstance(found, Path) else None


def _is_bare_number(value: object, info: ValidationInfo) -> bool:
    if isinstance(value, bool):
        raise units.UnitError(
            f"{str(value).lower()} is no quantity", "write a number with its unit, such as 30s or 16MiB"
        )
    return _directory(info) is not None and isinstance(value, int | float)


def _duration(value: object, info: ValidationInfo) -> object:
    return units.duration(str(value)) if isinstance(value, str) or _is_bare_number(value, info) else value


def _byte_size(value: object, info: ValidationInfo) -> object:
    return units.byte_size(str(value)) if isinstance(value, str) or _is_bare_number(value, info) else value


Duration = Annotated[
    float,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9].*[a-zµ]$", "examples": ["30s", "1h30m"]}, mode="validation"),
]
"""Seconds; written with a unit: `250ms`, `30s`, `1h30m`. Defaults in code are plain seconds."""

ByteSize = Annotated[
    int,
    BeforeValidator(_byte_size),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9].*B$", "examples": ["16MiB", "1GB"]}, mode="validation"),
]
"""Bytes; written with a unit: `16MiB`, `1GB`. Defaults in code are plain bytes."""
