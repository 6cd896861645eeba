"""The configuration in force as YAML: defaults filled in, units written, secrets hidden."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from sloagent import units
from sloagent.config.discretion import HIDDEN, names_a_secret, without_secrets
from sloagent.config.shape import is_of
from sloagent.settings import ByteSize, Duration, Settings


def effective(settings: Settings) -> str:
    """The settings as YAML that could be read again, but for the secrets. Ends with a newline."""
    return yaml.safe_dump(_block(settings), sort_keys=False, allow_unicode=True, width=120)


def _block(settings: Settings) -> dict[str, Any]:
    return {
        name: HIDDEN if names_a_secret(name) and isinstance(value, str | SecretStr) else _plain(value, field)
        for name, field in type(settings).model_fields.items()
        if (value := getattr(settings, name)) is not None and value != {}
    }


def _plain(value: Any, field: FieldInfo | None = None) -> Any:  # noqa: ANN401
    match value:
        case SecretStr():
            return HIDDEN
        case Settings():
            return _block(value)
        case Path():
            return str(value)
        case bool():
            return value
        case int() | float() if field is not None and is_of(field, Duration):
            return units.written_duration(value)
        case int() if field is not None and is_of(field, ByteSize):
            return units.written_bytes(value)
        case str():
            return without_secrets(value)
        case Mapping():
            return {str(key): HIDDEN if names_a_secret(key) else _plain(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_plain(entry) for entry in value]
        case _:
            return value
