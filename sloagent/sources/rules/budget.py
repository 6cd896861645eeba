"""The error budget of an SLO as Sloth records it, so that dashboards made for Sloth show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.evaluation.budget import pairs_in_force
from sloagent.model.alert import BurnPair
from sloagent.model.alert_defaults import DAY, MINUTE, PERIOD_SECONDS
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective, Override, RatioSLI, ValueSLI
from sloagent.sources.promql import duration
from sloagent.sources.rules.rule import ERROR_RATIO, WINDOW_LABEL, Record, selector, shared_labels
from sloagent.sources.rules.text import by_limit, number

BASE_WINDOW = 5 * MINUTE
"""Over these windows the ratio of a whole period is averaged, and the current burn rate is told, as by Sloth."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be bad of an SLO: a share of its events, or of a value's windows."""

    slo: SLO
    objective: Objective
    bad_share: Callable[[int], str]
    """The expression of the bad share over so many seconds."""

    def promised(self, limit: Limit) -> float:
        """The share that is promised to be good."""
        match self.slo.sli:
            case LatencySLI():
                return round((self.objective.percentile or 0.0) / 100, 14)  # 0.999, not 0.9990000000000001
            case RatioSLI():
                return limit.at_least or 0.0
            case ValueSLI():
                return self.objective.windows_at_least

    def by_share(self, expression: Callable[[str], str]) -> str:
        """An expression of the promised share, for each series under its own."""
        if not self._own():
            return expression(number(self.promised(self.objective.limit)))
        return by_limit(self.objective, lambda limit: expression(number(self.promised(limit))))

    @property
    def period(self) -> int:
        """Over how many seconds the budget is reckoned: what the SLO says, or 30 days."""
        burning = self.slo.alerts.burn_rate
        return (burning.period if burning is not None else None) or PERIOD_SECONDS

    def pairs(self) -> Iterator[BurnPair | str]:
        """The pairs of windows whose burn rate can be reached and told; of the others what they are and why not."""
        burning = self.slo.alerts.burn_rate
        if burning is None:
            return
        budgets = [1 - self.promised(limit) for limit in self._limits()]
        if min(budgets) <= 0:
            yield "burn rates: a promise of 100 % leaves no budget to burn"
            return
        for pair in burning.pairs:
            if pair.factor * min(budgets) >= 1:
                yield f"{_name(pair)}: a budget of {wording.percent(min(budgets))} cannot burn so fast"
        for pair in pairs_in_force(self.slo, PERIOD_SECONDS):
            if isinstance(self.slo.sli, ValueSLI) and pair.short < 2 * self.slo.interval:
                yield f"{_name(pair)}: {duration(pair.short)} hold no two evaluations"
            else:
                yield pair

    def records(self, pairs: tuple[BurnPair, ...]) -> Iterator[Record]:
        """Error ratios over each window and the period, the objective, the budget and its burn rates."""
        labels, chosen = shared_labels(self.slo), selector(self.slo)
        windows = {BASE_WINDOW, *(pair.short for pair in pairs), *(pair.long for pair in pairs)}
        for window in sorted(windows):
            name = duration(window)
            yield Record(ERROR_RATIO + name, self.bad_share(window), (*labels, (WINDOW_LABEL, name)))
        base, period = ERROR_RATIO + duration(BASE_WINDOW), duration(self.period)
        if self.period not in windows:
            average = f"avg_over_time({base}{chosen}[{period}])"
            yield Record(ERROR_RATIO + period, average, (*labels, (WINDOW_LABEL, period)))
        general = number(self.promised(self.objective.limit))
        yield from self._objective(general, labels)
        for override in self._own():
            if all(value for _, value in override.match):
                yield from self._objective(number(self.promised(override.limit)), (*labels, *override.match))
        yield Record("slo:time_period:days", f"vector({number(self.period / DAY)})", labels)
        if max(self.promised(limit) for limit in self._limits()) < 1:
            for metric, ratio in (("current", base), ("period", ERROR_RATIO + period)):
                burnt = self.by_share(lambda share, ratio=ratio: f"{ratio}{chosen} / (1 - {share})")  # type: ignore[misc]
                yield Record(f"slo:{metric}_burn_rate:ratio", burnt, labels)
            remaining = f"1 - slo:period_burn_rate:ratio{chosen}"
            yield Record("slo:period_error_budget_remaining:ratio", remaining, labels)
        percent = f"{self.promised(self.objective.limit) * 100:.12g}"
        yield Record("sloth_slo_info", "vector(1)", (*labels, ("sloth_mode", "sloagent"), ("sloth_objective", percent)))

    def _objective(self, share: str, labels: tuple[tuple[str, str], ...]) -> Iterator[Record]:
        yield Record("slo:objective:ratio", f"vector({share})", labels)
        yield Record("slo:error_budget:ratio", f"vector(1 - {share})", labels)

    def _own(self) -> tuple[Override, ...]:
        """The overrides that promise another share: those of a ratio."""
        return self.objective.overrides if isinstance(self.slo.sli, RatioSLI) else ()

    def _limits(self) -> tuple[Limit, ...]:
        return (self.objective.limit, *(override.limit for override in self._own()))


def _name(pair: BurnPair) -> str:
    return f"the burn rate {number(pair.factor)} over {duration(pair.long)}"
