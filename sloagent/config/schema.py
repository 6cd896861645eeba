"""JSON Schemas of the files, for editors that complete and check while one types."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from sloagent import units
from sloagent.settings import Settings


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes of field names: they say nothing new."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        return False


def json_schema(settings: type[Settings], title: str) -> str:
    """The JSON Schema of a file as text, ending with a newline. The same for the same classes."""
    schema = settings.model_json_schema(schema_generator=_WithoutTitles)
    _with_written_defaults(schema)
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _with_written_defaults(node: Any) -> None:  # noqa: ANN401
    """Defaults of durations and sizes as people write them: `30s` for 30."""
    match node:
        case {"type": "string", "pattern": str(pattern), "default": int() | float() as default}:
            is_size = pattern.endswith("B$")
            node["default"] = units.written_bytes(int(default)) if is_size else units.written_duration(default)
        case _:
            pass
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        _without_null(node)
        for inner in node.values():
            _with_written_defaults(inner)
    elif isinstance(node, list):
        for inner in node:
            _with_written_defaults(inner)


def _without_null(node: dict[str, Any]) -> None:
    """A field is left out or holds something: nothing behind its colon is a mistake, although it is None in the code."""
    if {"type": "null"} in (choices := node.get("anyOf", [])):
        node["anyOf"] = [choice for choice in choices if choice != {"type": "null"}]
        if node.get("default", "") is None:
            del node["default"]
        if len(node["anyOf"]) == 1:
            node |= {k: v for k, v in node.pop("anyOf")[0].items() if k not in node}
