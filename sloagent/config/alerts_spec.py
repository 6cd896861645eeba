"""The shape of an `alerts:` block as it is written; `to_alerts` turns it into what is meant.

```yaml
alerts:
  violated: {after: 3, severity: page}
  regression: {enabled: false}
  labels: {team: control-plane}
  runbook: https://runbooks.example.com/apiserver
```
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from sloagent.settings import Duration, Settings

SeverityName = Literal["page", "ticket", "info"]


def _written(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Share = Annotated[
    str, BeforeValidator(_written), WithJsonSchema({"type": ["string", "number"], "examples": ["5%", 0.05]})
]
"""A share as it is written: `5%` or `0.05`; `to_alerts` reads it."""


class RuleSpec(Settings):
    """What every rule can say."""

    enabled: bool | None = Field(default=None, description="false: not watched by this rule.")
    severity: SeverityName | None = Field(default=None, description="page, ticket or info.")


class RepeatedSpec(RuleSpec):
    """A rule that looks at single slots."""

    after: int | None = Field(default=None, ge=1, le=1_000, description="Told after so many evaluations in a row.")
    over_after: int | None = Field(default=None, ge=1, le=1_000, description="Over after so many in a row without it.")


class BurnPairSpec(Settings):
    """A burn rate that is told where it is exceeded over both windows."""

    factor: float = Field(gt=0, description="So many times the rate that uses up the budget in its period.")
    long: Duration = Field(gt=0, description="The long window, for a period of 30 days.")
    short: Duration = Field(gt=0, description="The short window: it ends the alert soon after it is over.")
    severity: SeverityName = Field(description="page, ticket or info.")


class BurnRateSpec(Settings):
    """The burn rates of the error budget; each pair has its severity."""

    enabled: bool | None = Field(default=None, description="false: not watched by this rule.")
    period: Duration | None = Field(
        default=None, ge=60, description="Over which the budget is reckoned, such as the length of a soak test."
    )
    pairs: tuple[BurnPairSpec, ...] | None = Field(
        default=None, min_length=1, max_length=20, description="Other pairs than those of Google's SRE Workbook."
    )


class RegressionSpec(RuleSpec):
    """The last minutes beside the baseline run."""

    window: Duration | None = Field(default=None, ge=60, description="The stretch that is compared.")
    tolerance: Share | None = Field(default=None, description="A change up to this does not matter.")
    confidence: Share | None = Field(default=None, description="One minus how often a run of the same thing is told.")
    noise: Share | None = Field(default=None, description="What two runs of the same thing differ by.")


class AlertsSpec(Settings):
    """By which rules an SLO is watched. What is left out is as in the defaults, and as sloagent has it."""

    violated: RepeatedSpec = Field(default=RepeatedSpec(), description="The promise is broken, series by series.")
    burn_rate: BurnRateSpec = Field(default=BurnRateSpec(), description="The error budget burns too fast.")
    regression: RegressionSpec = Field(default=RegressionSpec(), description="It is worse than in the baseline run.")
    leak: RuleSpec = Field(default=RuleSpec(), description="It grows beyond grows_at_most.")
    no_data: RepeatedSpec = Field(default=RepeatedSpec(), description="The query finds nothing.")
    cannot_evaluate: RepeatedSpec = Field(
        default=RepeatedSpec(), description="Nothing can be decided: refused, unanswered, an error, inconclusive."
    )
    labels: dict[str, str] = Field(default_factory=dict, max_length=30, description="Added to every alert.")
    runbook: str = Field(default="", max_length=2_000, description="A link (http or https) for whoever is told.")
