"""The strict base of every settings class, and the field types that carry units."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from sloagent import units


class Settings(BaseModel):
    """A block of a configuration file. Frozen; a field it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _duration(value: object) -> object:
    return units.duration(value) if isinstance(value, str) else value


def _byte_size(value: object) -> object:
    return units.byte_size(value) if isinstance(value, str) else value


Duration = Annotated[float, BeforeValidator(_duration)]
"""Seconds; written with a unit: `250ms`, `30s`, `1h30m`. Defaults in code are plain seconds."""

ByteSize = Annotated[int, BeforeValidator(_byte_size)]
"""Bytes; written with a unit: `16MiB`, `1GB`. Defaults in code are plain bytes."""
