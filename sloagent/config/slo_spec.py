"""The shape of an SLO file as it is written; `to_model` turns it into what is meant.

```yaml
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: shop}
parameters: {shop: 'job="shop"'}       # name: default; used as $shop in queries, `where` and limits
slos:
  - name: checkout-latency
    sli: {latency: {histogram: checkout_seconds, where: $shop, by: [method]}}
    objective: {percentile: 99, at_most: 1s, overrides: [{match: {method: GET}, at_most: 250ms}]}
```
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from sloagent.config.alerts_spec import AlertsSpec
from sloagent.settings import Duration, Settings

WHOLE_NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
"""Names stand in file names, metrics and commands: lower-case words joined by hyphens."""


def _written(value: object) -> object:
    """Numbers stay as they are written; `to_model` reads them in the unit that they need."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _in_english(value: object) -> object:
    return {"en": value} if isinstance(value, str) else value


def _tbd(value: object) -> object:
    if value == "tbd":
        return None
    if isinstance(value, dict):
        return value
    raise PydanticCustomError("objective", "an objective is a mapping, or the word tbd")


Quantity = Annotated[
    str,
    BeforeValidator(_written),
    WithJsonSchema({"type": ["string", "number"], "examples": ["1s", "99.9%", "8GiB", "0.5 cores"]}),
]
Name = Annotated[str, Field(pattern=WHOLE_NAME, max_length=63)]


class LocalizedText(Settings):
    """A text in English and perhaps in Chinese."""

    en: str = Field(min_length=1, description="In English.", examples=["API call latency"])
    zh: str = Field(default="", description="In Chinese; the English text stands in where it is missing.")


Text = Annotated[
    LocalizedText,
    BeforeValidator(_in_english),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["en"],
                    "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
                },
            ]
        }
    ),
]
"""A string, or `{en: …, zh: …}`."""

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""One name, or a list of them."""


class MetadataSpec(Settings):
    """What the set is called."""

    name: Name = Field(description="The set's name, unique among the loaded sets.", examples=["my-set"])
    title: Text | None = Field(default=None, description="The set's title for people; the name without one.")


class DefaultsSpec(Settings):
    """What holds for every SLO of the file that does not say otherwise."""

    interval: Duration = Field(default=60.0, description="How often an SLO is evaluated. 1m without it.")
    window: Duration = Field(default=300.0, description="The look-back of the SLI. 5m without it.")
    min_events: float = Field(
        default=0.0, ge=0, description="Fewer events in the window: inconclusive. Values have no events."
    )
    allow_partial: bool = Field(default=False, description="Judge answers that Prometheus marks as partial.")
    evaluate: Literal["raw", "recorded"] = Field(
        default="raw", description="recorded: read what exported rules have recorded, and not the metrics themselves."
    )
    alerts: AlertsSpec = Field(default=AlertsSpec(), description="By which rules they are watched.")


class LowerBoundSpec(Settings):
    """A histogram of a part of what is measured, so that the whole takes at least that long."""

    histogram: str = Field(
        description="The histogram's name without `_bucket`.", examples=["work_sync_workload_duration_seconds"]
    )
    where: str = Field(default="", description="Its own label matchers; those of the SLI do not carry over.")


class LatencySpec(Settings):
    """A histogram of durations."""

    histogram: Names = Field(
        min_length=1,
        max_length=10,
        description="The histogram's name without `_bucket`, or several: the first that answers is judged.",
        examples=["etcd_request_duration_seconds"],
    )
    where: str = Field(default="", description="Label matchers, as between the braces of a selector.")
    by: tuple[str, ...] = Field(
        default=(), max_length=30, description="The labels of the series; each series has its own verdict."
    )
    type: Literal["classic", "native"] = Field(default="classic", description="Which kind of Prometheus histogram.")
    lower_bound: tuple[LowerBoundSpec, ...] = Field(
        default=(),
        max_length=10,
        description="Asked, in this order, where no `histogram` answers: parts of what is measured. "
        "They can prove a failure and never a pass.",
    )


class RatioSpec(Settings):
    """Good or bad events over all events."""

    good: str | None = Field(default=None, description="PromQL: good events per second. One of good and bad.")
    bad: str | None = Field(default=None, description="PromQL: bad events per second. One of good and bad.")
    total: str = Field(
        description="PromQL: all events per second, by the same labels.",
        examples=["sum(rate(http_requests_total[$window]))"],
    )
    bad_absent: Literal["zero"] | None = Field(
        default=None,
        description="zero: no series of bad events means that none happened, and not that the query is mistyped.",
    )


class ValueSpec(Settings):
    """Any PromQL that gives a number per series."""

    query: str = Field(description="PromQL that gives a number per series.", examples=["sum(process_open_fds)"])
    unit: str = Field(
        default="",
        description="The base unit of the numbers: seconds, bytes, cores, ratio, a word such as goroutines, "
        "or one of them per second: bytes/s. Required with a limit.",
    )


class SLISpec(Settings):
    """What is measured: exactly one of the three."""

    latency: LatencySpec | None = Field(default=None, description="A histogram of durations.")
    ratio: RatioSpec | None = Field(default=None, description="Good or bad events over all events.")
    value: ValueSpec | None = Field(default=None, description="Any PromQL that gives a number per series.")


class OverrideSpec(Settings):
    """Another limit for the series whose labels equal all of `match`; the first override that matches applies."""

    match: dict[str, str] = Field(
        min_length=1,
        description="Labels and their values; an empty value is a missing label.",
        examples=["{verb: LIST}"],
    )
    at_most: Quantity | None = Field(default=None, description="The series' own upper limit.")
    at_least: Quantity | None = Field(default=None, description="The series' own lower limit.")
    warn_at: Quantity | None = Field(
        default=None, description="The series' own warn level; the general one does not carry over."
    )


class ObjectiveSpec(Settings):
    """What is promised of the SLI."""

    percentile: float | None = Field(
        default=None, description="Latency only: the percentile that is promised, above 0 and at most 100."
    )
    at_most: Quantity | None = Field(default=None, description="The upper limit, with its unit.")
    at_least: Quantity | None = Field(default=None, description="The lower limit, with its unit.")
    warn_at: Quantity | None = Field(
        default=None, description="On the good side of the limit; past it the outcome is warn."
    )
    grows_at_most: Quantity | None = Field(
        default=None, description="Value only: a leak limit over a run, such as 20MiB/h."
    )
    overrides: tuple[OverrideSpec, ...] = Field(
        default=(), max_length=1_000, description="Other limits for the series that match."
    )
    judge: Literal["windows", "whole_run", "worst_window"] = Field(
        default="windows", description="Which reading of a run decides. whole_run is refused for a value."
    )
    windows_at_least: Quantity = Field(
        default="99%", description="The share of good windows that meets the objective, with `judge: windows`."
    )


class _OrTbd:
    """Writes `tbd` into the JSON Schema in place of null."""

    @staticmethod
    def __get_pydantic_json_schema__(core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema["anyOf"] = [{"const": "tbd"} if part == {"type": "null"} else part for part in schema["anyOf"]]
        return schema


Objective = Annotated[ObjectiveSpec | None, BeforeValidator(_tbd), _OrTbd]
"""A mapping, or `tbd`: measured, never gates."""


class SLOSpec(Settings):
    """An SLI with its objective, named."""

    name: Name = Field(description="The SLO's name, unique in its set.", examples=["api-latency"])
    title: Text | None = Field(default=None, description="Its title for people; the name without one.")
    status: Literal["official", "wip"] = Field(default="official", description="How official the promise is.")
    section: str = Field(default="", description="Where the report puts it.")
    note: Text | None = Field(default=None, description="What a reader must know to read the numbers rightly.")
    sli: SLISpec = Field(
        description="What is measured.", examples=["{latency: {histogram: etcd_request_duration_seconds}}"]
    )
    objective: Objective = Field(
        description="What is promised of it, or tbd: measured, never gates.", examples=["{percentile: 99, at_most: 1s}"]
    )
    interval: Duration | None = Field(default=None, description="How often it is evaluated, in whole seconds.")
    window: Duration | None = Field(default=None, description="Its look-back, a whole multiple of the interval.")
    min_events: float | None = Field(
        default=None, ge=0, description="Fewer events in the window (rate × window): inconclusive."
    )
    allow_partial: bool | None = Field(default=None, description="Judge answers that Prometheus marks as partial.")
    evaluate: Literal["raw", "recorded"] | None = Field(
        default=None, description="What is read: the metrics themselves, or what exported rules have recorded of them."
    )
    alerts: AlertsSpec = Field(
        default=AlertsSpec(), description="By which rules it is watched, where they are not those of the defaults."
    )


class SLOSetSpec(Settings):
    """A file of SLOs."""

    apiVersion: Literal["sloagent/v1"] = Field(description="The format's version.", examples=["sloagent/v1"])  # noqa: N815
    kind: Literal["SLOSet"] = Field(description="What the file is.", examples=["SLOSet"])
    metadata: MetadataSpec = Field(description="What the set is called.", examples=["{name: my-set}"])
    parameters: dict[str, Quantity] = Field(
        default_factory=dict,
        description="Names with their defaults, written $name in queries, `where` and limits; "
        "the agent's file can set others.",
    )
    defaults: DefaultsSpec = Field(
        default=DefaultsSpec(), description="What holds for every SLO that does not say otherwise."
    )
    slos: tuple[SLOSpec, ...] = Field(
        min_length=1, description="The SLOs.", examples=["[{name: …, sli: …, objective: …}]"]
    )
