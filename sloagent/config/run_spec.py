"""The shape of a run file that a person writes: numbers that somebody measured, held against what is promised.

```yaml
schema: sloagent/run/v1
written_by_hand: true
run: {name: karmada-1.3, from: 2022-09-01T00:00:00Z, to: 2022-09-02T00:00:00Z, labels: {version: v1.3.0}}
slos:
  - name: resource-distribution
    objective: {percentile: 99, at_most: 2s}
    series: [{labels: {mode: push}, p50: 706ms, p90: 899ms, p99: 1298ms}]
```
"""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model

from sloagent.config.document import Value
from sloagent.config.facts_spec import FactsSpec
from sloagent.config.slo_spec import Name, Objective, Quantity, Text
from sloagent.settings import Settings

PERCENTILES = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


def _time(value: object) -> object:
    example = "write it like 2026-11-22T05:56:00Z"
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is not None:
        raise ValueError(f"{value} has no time zone; {example}")
    raise ValueError(f"this is no time; {example}")


Time = Annotated[
    datetime,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T05:56:00Z"]}),
]


def _visible(value: object) -> object:
    if isinstance(value, str) and (not value or value != value.strip() or not value.isprintable() or len(value) > 200):
        raise ValueError("a run needs a name of 1 to 200 visible characters; write one such as karmada-1.3")
    return value


RunName = Annotated[str, BeforeValidator(_visible)]


class StatedSeriesSpec(Settings):
    """Numbers of one series. What is left out was not measured; with its labels alone a series was not run."""

    labels: dict[str, str] = Field(
        default_factory=dict, max_length=30, description="What tells the series from the others.",
        examples=["{mode: push}"],
    )  # fmt: skip
    p50: Quantity | None = Field(default=None, description="The median of a latency.")
    p75: Quantity | None = Field(default=None, description="Its 75th percentile.")
    p90: Quantity | None = Field(default=None, description="Its 90th percentile.")
    p95: Quantity | None = Field(default=None, description="Its 95th percentile.")
    p99: Quantity | None = Field(default=None, description="Its 99th percentile.")
    p999: Quantity | None = Field(default=None, description="Its 99.9th percentile.")
    value: Quantity | None = Field(default=None, description="The number of an SLO with a unit.")
    min: Quantity | None = Field(default=None, description="The least.")
    mean: Quantity | None = Field(default=None, description="The mean.")
    stddev: Quantity | None = Field(default=None, description="The standard deviation.")
    max: Quantity | None = Field(default=None, description="The greatest.")
    count: float | None = Field(default=None, ge=0, description="How many measurements these numbers are made of.")
    calls: float | None = Field(default=None, ge=0, description="How many calls were tried.")
    errors: float | None = Field(default=None, ge=0, description="How many of the calls failed.")


class StatedSLOSpec(Settings):
    """What is promised, and the numbers that were measured."""

    set: Name = Field(
        default="stated",
        description="The set it belongs to; an SLO of another run of the same set and name is the same.",
    )
    name: Name = Field(description="Its name, unique in its set.", examples=["resource-distribution"])
    title: Text | None = Field(default=None, description="Its title for people; the name without one.")
    status: Literal["official", "wip"] = Field(default="official", description="How official the promise is.")
    section: str = Field(default="", description="Where the report puts it.")
    note: Text | None = Field(default=None, description="What a reader must know to read the numbers rightly.")
    unit: str = Field(
        default="",
        description="Of a value: bytes, cores, seconds, ratio or a word such as goroutines. Without it this is a latency.",
    )
    objective: Objective = Field(
        description="What is promised of it, as in an SLO file, or tbd.", examples=["{percentile: 99, at_most: 2s}"]
    )
    series: tuple[StatedSeriesSpec, ...] = Field(
        default=(), max_length=10_000, description="The series and their numbers; without any it was not run."
    )


class StatedSetSpec(Settings):
    """A set that SLOs name in `set`."""

    title: Text = Field(description="Its title for people.", examples=["Karmada control plane"])


def _model(title: str, doc: str, /, **fields: Any) -> type[Settings]:  # noqa: ANN401
    """A settings class whose fields have names that Python or pydantic would use otherwise: `from`, `schema`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return create_model(title, __base__=Settings, __module__=__name__, __doc__=doc, **fields)


RunSpec = _model(
    "RunSpec",
    "The run.",
    **{
        "name": (RunName, Field(description="Its name.", examples=["karmada-1.3"])),
        "from": (Time, Field(description="When it began.", examples=["2026-11-22T05:40:00Z"])),
        "to": (Time, Field(description="When it ended.", examples=["2026-11-22T06:10:00Z"])),
        "labels": (
            dict[str, str],
            Field(default_factory=dict, max_length=64, description="What was tested.", examples=["{version: v1.3.0}"]),
        ),
    },
)

FACTS_HEAD: dict[str, Value] = {"apiVersion": "sloagent/v1", "kind": "Facts"}
"""What a file of its own begins with."""
FactsBlock = _model(
    "FactsBlock",
    "Facts about the test bed, as in a facts file.",
    **{name: (field.annotation, field) for name, field in FactsSpec.model_fields.items() if name not in FACTS_HEAD},
)

RunFileSpec = _model(
    "RunFileSpec",
    "A run file that a person writes.",
    schema=(Literal["sloagent/run/v1"], Field(description="The format.", examples=["sloagent/run/v1"])),
    written_by_hand=(
        bool,
        Field(description="true: whoever wrote the numbers answers for them; the report says so.", examples=["true"]),
    ),
    run=(RunSpec, Field(description="The run.")),
    sets=(
        dict[Name, StatedSetSpec],
        Field(default_factory=dict, description="Titles of the sets, by their names.", examples=["{shop: {title: …}}"]),
    ),
    facts=(FactsBlock | None, Field(default=None, description="Facts about the test bed, as in a facts file.")),
    slos=(
        tuple[StatedSLOSpec, ...],
        Field(
            min_length=1, max_length=10_000, description="What was promised and measured.",
            examples=["[{name: …, objective: …}]"],
        ),
    ),
)  # fmt: skip
