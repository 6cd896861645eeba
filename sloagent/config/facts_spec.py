"""The shape of a facts file: what Prometheus cannot know about a test bed.

```yaml
apiVersion: sloagent/v1
kind: Facts
software: {Karmada: v1.3.0}
scale: {clusters: 100, pods_per_cluster: 20000, pods: 2000000}
flags: {karmada-scheduler: [--kube-api-qps=200, --kube-api-burst=400]}
load: [{name: the load's configuration, file: load.yaml}]
```
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from sloagent.config.problem import cut
from sloagent.config.slo_spec import Text
from sloagent.settings import Settings

_THOUSANDS = re.compile(r"[0-9]{1,3}([_,][0-9]{3})+")


def _amount(value: object) -> object:
    if isinstance(value, str) and _THOUSANDS.fullmatch(value):
        return float(value.replace("_", "").replace(",", ""))
    shown = f'"{cut(value, 40)}"' if isinstance(value, str) else "this"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value >= 0:
            return value
        shown = str(value)
    raise ValueError(f"{shown} is no number of anything; write it with its digits alone, such as 2000000")


def _with_title(value: object) -> object:
    # A number alone is looked at here, so that a mistake in it is told at its place.
    return value if isinstance(value, dict) else {"value": _amount(value)}


Amount = Annotated[
    float,
    BeforeValidator(_amount),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_THOUSANDS.pattern}$"}],
            "examples": [2_000_000],
        }
    ),
]
"""A number; in quotes, its thousands may be set apart: `"2_000_000"`, `"2,000,000"`."""

Flags = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "pattern": "^-"}},
                {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
                {"type": "string", "description": "One flag per line."},
            ]
        }
    ),
]
"""Flags of a component as a list of `--name=value`, a mapping of names to values, or lines of text; read in `facts`."""


class NumberSpec(Settings):
    """A number of the scale; alone it may stand without braces."""

    value: Amount = Field(description="The number.", examples=[100])
    title: Text | None = Field(default=None, description="What the report calls it; its name without one.")


Number = Annotated[NumberSpec, BeforeValidator(_with_title)]


class ToolSpec(Settings):
    """Something that the test was made with."""

    name: str = Field(min_length=1, description="Its name.", examples=["ClusterLoader2"])
    note: Text | None = Field(default=None, description="What it was used for.")


class LoadSpec(Settings):
    """Something that belongs to the run, shown folded: `file` or `text`."""

    name: str = Field(min_length=1, description="What it is called in the report.", examples=["deployment.yaml"])
    file: str | None = Field(default=None, description="A file with the text, at most 256 KiB of UTF-8.")
    text: str | None = Field(default=None, description="The text itself.")


class FactsSpec(Settings):
    """A facts file."""

    apiVersion: Literal["sloagent/v1"] = Field(description="The format's version.", examples=["sloagent/v1"])  # noqa: N815
    kind: Literal["Facts"] = Field(description="What the file is.", examples=["Facts"])
    background: Text | None = Field(default=None, description="Why the test was made; the report begins with it.")
    software: dict[str, str] = Field(
        default_factory=dict,
        description="Names and versions. The first word of a name is compared with what components say of themselves.",
    )
    hardware: dict[str, str] = Field(
        default_factory=dict, description="Names and values, of which one may have many lines: the output of lscpu."
    )
    topology: Text | None = Field(default=None, description="What runs where.")
    scale: dict[str, Number] = Field(
        default_factory=dict,
        description="Numbers by name: lower-case words joined by `_`. `A_per_B` times the number of Bs must be A.",
    )
    flags: dict[str, Flags] = Field(
        default_factory=dict, description="By component the flags that it was started with: a list, a mapping or lines."
    )
    tools: tuple[ToolSpec, ...] = Field(default=(), max_length=100, description="What the test was made with.")
    load: tuple[LoadSpec, ...] = Field(
        default=(), max_length=50, description="The load's configuration and other texts, shown folded."
    )
    conclusion: Text | None = Field(
        default=None, description="What people conclude; shown beside what the verdicts say, never instead of it."
    )
