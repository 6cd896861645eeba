"""The shape of OpenSLO v1 documents: https://github.com/OpenSLO/OpenSLO, as of 2025.

Fields that sloagent cannot keep are in it too, so that `translating` can say why, and not only that they are unknown.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sloagent.config.slo_spec import Name
from sloagent.settings import Settings

VERSION = "openslo/v1"
LONGEST_DESCRIPTION = 1_050

Description = Annotated[str, Field(max_length=LONGEST_DESCRIPTION)]
Block = dict[str, Any]


class Metadata(Settings):
    """What every object has."""

    name: Name
    displayName: str = ""  # noqa: N815
    labels: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class ServiceSpec(Settings):
    """A service is a name for SLOs: the name of the set."""

    description: Description = ""


class DataSourceSpec(Settings):
    """Where metrics are."""

    description: Description = ""
    type: str = Field(examples=["Prometheus"])
    connectionDetails: Any = None  # noqa: N815


class MetricSource(Settings):
    """A query, and whom it is for."""

    metricSourceRef: str = ""  # noqa: N815
    type: str = ""
    spec: Block = Field(examples=["{query: …}"])


class Metric(Settings):
    """What is asked."""

    metricSource: MetricSource = Field(examples=["{type: Prometheus, spec: {query: …}}"])  # noqa: N815


class RatioMetric(Settings):
    """Good or bad events over all, or a share that is recorded already."""

    counter: bool = False
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    rawType: Literal["success", "failure"] | None = None  # noqa: N815
    raw: Metric | None = None


class SLISpec(Settings):
    """One of the two."""

    description: Description = ""
    thresholdMetric: Metric | None = None  # noqa: N815
    ratioMetric: RatioMetric | None = None  # noqa: N815


class Indicator(Settings):
    """An SLI inside an SLO."""

    metadata: Metadata | None = None
    spec: SLISpec = Field(examples=["{ratioMetric: …}"])


class TimeWindow(Settings):
    """Over which the error budget is reckoned."""

    duration: str = Field(examples=["30d"])
    isRolling: bool | None = None  # noqa: N815
    calendar: Any = None


class Objective(Settings):
    """What is promised."""

    displayName: str = ""  # noqa: N815
    op: Literal["lte", "gte", "lt", "gt"] | None = None
    value: float | None = None
    target: float | None = None
    targetPercent: float | None = None  # noqa: N815
    timeSliceTarget: float | None = None  # noqa: N815
    timeSliceWindow: str | int | float | None = None  # noqa: N815
    indicator: Any = None
    indicatorRef: Any = None  # noqa: N815
    compositeWeight: Any = None  # noqa: N815


class SLOSpec(Settings):
    """An SLI with what is promised of it."""

    description: Description = ""
    service: Name = Field(examples=["my-service"])
    indicator: Indicator | None = None
    indicatorRef: str | None = None  # noqa: N815
    timeWindow: tuple[TimeWindow, ...] = Field(default=(), max_length=1)  # noqa: N815
    budgetingMethod: Literal["Occurrences", "Timeslices", "RatioTimeslices"] = Field(  # noqa: N815
        examples=["Timeslices"]
    )
    objectives: tuple[Objective, ...] = Field(min_length=1, examples=["[{target: 0.99}]"])
    alertPolicies: Any = None  # noqa: N815


class Service(Settings):
    """A document of kind Service."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["Service"]
    metadata: Metadata = Field(examples=["{name: my-service}"])
    spec: ServiceSpec = ServiceSpec()


class DataSource(Settings):
    """A document of kind DataSource."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["DataSource"]
    metadata: Metadata = Field(examples=["{name: my-prometheus}"])
    spec: DataSourceSpec = Field(examples=["{type: Prometheus}"])


class SLI(Settings):
    """A document of kind SLI."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLI"]
    metadata: Metadata = Field(examples=["{name: my-indicator}"])
    spec: SLISpec = Field(examples=["{ratioMetric: …}"])


class SLO(Settings):
    """A document of kind SLO."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLO"]
    metadata: Metadata = Field(examples=["{name: my-slo}"])
    spec: SLOSpec = Field(examples=["{service: …, indicator: …, budgetingMethod: Timeslices, objectives: …}"])


KINDS: dict[str, type[Service | DataSource | SLI | SLO]] = {
    "Service": Service, "DataSource": DataSource, "SLI": SLI, "SLO": SLO,
}  # fmt: skip
ALERTING_KINDS = frozenset({"AlertPolicy", "AlertCondition", "AlertNotificationTarget"})
