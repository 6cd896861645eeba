"""An SLO as the store keeps it: all that its fingerprint covers, as JSON for people, and back into an SLO for rolling up."""

from __future__ import annotations

import json
from typing import NotRequired, TypedDict, cast

from sloagent.model.slo import (
    SLI,
    SLO,
    Evaluate,
    Gate,
    LatencySLI,
    Limit,
    LowerBound,
    Objective,
    Override,
    RatioSLI,
    ValueSLI,
)


class _Limit(TypedDict):
    at_most: float | None
    at_least: float | None
    warn_at: float | None


class _Override(TypedDict):
    match: list[list[str]]
    limit: _Limit


class _Objective(TypedDict):
    limit: _Limit
    percentile: float | None
    overrides: list[_Override]
    grows_at_most: float | None
    gate: str
    windows_at_least: float


class _LowerBound(TypedDict):
    histogram: str
    where: str


class _Latency(TypedDict):
    histograms: list[str]
    where: str
    by: list[str]
    native: bool
    lower_bounds: NotRequired[list[_LowerBound]]


class _Ratio(TypedDict):
    counts: str
    events: str
    total: str
    bad_absent_is_zero: bool


class _Value(TypedDict):
    query: str
    unit: str


class Spec(TypedDict):
    """The JSON object."""

    kind: str
    sli: dict[str, object]
    objective: _Objective | None
    interval: int
    window: int
    min_events: float
    allow_partial: bool
    evaluate: NotRequired[str]


def spec_text(slo: SLO) -> str:
    """Canonical JSON: no title, no place, so that equal fingerprints have equal texts."""
    return json.dumps(slo.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def slo_from(slo_set: str, name: str, text: str) -> SLO:
    """The SLO without titles. Its fingerprint is that of the SLO it was made from."""
    spec = cast("Spec", json.loads(text))
    return SLO(
        set=slo_set,
        name=name,
        sli=_sli(spec["kind"], spec["sli"]),
        objective=_objective(spec["objective"]) if spec["objective"] else None,
        interval=spec["interval"],
        window=spec["window"],
        min_events=spec["min_events"],
        allow_partial=spec["allow_partial"],
        evaluate=Evaluate(spec.get("evaluate", Evaluate.RAW)),
    )


def _sli(kind: str, content: dict[str, object]) -> SLI:
    match kind:
        case "LatencySLI":
            latency = cast("_Latency", content)
            return LatencySLI(
                tuple(latency["histograms"]), latency["where"], tuple(latency["by"]), latency["native"],
                tuple(LowerBound(**bound) for bound in latency.get("lower_bounds", ())),
            )  # fmt: skip
        case "RatioSLI":
            return RatioSLI(**cast("_Ratio", content))
        case _:
            return ValueSLI(**cast("_Value", content))


def _objective(content: _Objective) -> Objective:
    overrides = tuple(
        Override(tuple((label, value) for label, value in override["match"]), Limit(**override["limit"]))
        for override in content["overrides"]
    )
    return Objective(
        limit=Limit(**content["limit"]),
        percentile=content["percentile"],
        overrides=overrides,
        grows_at_most=content["grows_at_most"],
        gate=Gate(content["gate"]),
        windows_at_least=content["windows_at_least"],
    )
