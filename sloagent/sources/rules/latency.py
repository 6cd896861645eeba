"""A latency SLI in PromQL: shares of exact bucket counts at a bound, never a percentile that is compared."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sloagent.evaluation.quantiles import SLACK
from sloagent.model.bucket import bound_matcher
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective
from sloagent.sources.promql import duration
from sloagent.sources.rules.text import by_limit, enclosed, indented, number


@dataclass(frozen=True, slots=True)
class Histogram:
    """One histogram of an SLI, and what PromQL counts in it."""

    name: str
    where: str
    by: tuple[str, ...]
    native: bool
    partial: bool = False
    """A lower bound: it measures a part, so it proves a failure and never a pass."""

    def present(self, window: int) -> str:
        """Any series where the histogram answers."""
        return f"rate({self._selector('')}[{duration(window)}])"

    def total(self, window: int) -> str:
        """All events, per second."""
        return f"histogram_count({self._summed(window)})" if self.native else self._summed(window, 'le="+Inf"')

    def share(self, window: int, bound: float) -> str:
        """The share of events at or below a bound; absent where no bucket has it."""
        if self.native:
            return f"histogram_fraction(-Inf, {number(bound)}, {self._summed(window)})"
        return f"{self._summed(window, bound_matcher(bound))}\n/\n{self.total(window)}"

    def verdict(self, window: int, bound: float, promised: float) -> str:
        """1 where the promised share lies within the bound, 0 where it does not; absent where the counts do not tell.

        `rate` extrapolates each bucket by itself, so counts can fall from bound to bound. The share is at least the
        lesser of the two counts over the greatest of all, and both readings must agree.
        """
        promise = number(promised - SLACK)
        if self.native:
            return f"{self.share(window, bound)} >= bool {promise}"
        within, total = self._summed(window, bound_matcher(bound)), self.total(window)
        most = f"max by ({', '.join(self.by)}) ({self._summed(window, '', 'le')})"
        least = f"({within} < {total} or {total})\n/\n{most}\n>= bool {promise}"
        plain = f"{self.share(window, bound)}\n>= bool {promise}"
        return f"{enclosed(least)}\n==\n{enclosed(plain)}"

    def percentile(self, window: int, percentile: float) -> str:
        """The percentile as Prometheus interpolates it: to look at, not to judge by."""
        summed = self._summed(window) if self.native else self._summed(window, "", "le")
        return f"histogram_quantile({number(percentile / 100)}, {summed})"

    def _summed(self, window: int, matcher: str = "", *also: str) -> str:
        labels = ", ".join((*also, *self.by))
        return f"sum by ({labels}) (rate({self._selector(matcher)}[{duration(window)}]))"

    def _selector(self, matcher: str) -> str:
        matchers = ", ".join(part for part in (matcher, self.where.strip().rstrip(",")) if part)
        return f"{self.name if self.native else self.name + '_bucket'}{{{matchers}}}"


def histograms(sli: LatencySLI) -> tuple[Histogram, ...]:
    """The histograms of an SLI in the order in which they are asked, lower bounds last."""
    return (
        *(Histogram(name, sli.where, sli.by, sli.native) for name in sli.histograms),
        *(Histogram(bound.histogram, bound.where, sli.by, sli.native, partial=True) for bound in sli.lower_bounds),
    )


def is_edge(bound: float) -> bool:
    """Whether a native histogram has a bucket that ends here at every resolution: at powers of two."""
    return math.frexp(bound)[0] == 0.5


@dataclass(frozen=True, slots=True)
class LatencyExpressions:
    """The expressions of one latency SLO."""

    slo: SLO
    histograms: tuple[Histogram, ...]

    def events(self) -> str:
        """The events of each series in the window."""
        window = self.slo.window
        return self._first(lambda one: f"{one.total(window)} * {window}")

    def good_share(self, objective: Objective) -> str:
        """The share of events within the limit; absent where the limit is no bound."""
        window = self.slo.window
        # The comparison leaves out what no division gives: a window without events.
        return self._each(objective, lambda one, at: f"{one.share(window, at)}\n>= 0")

    def verdict(self, objective: Objective) -> str:
        """The verdict of each series."""
        window, promised = self.slo.window, _promised(objective)

        def one(histogram: Histogram, at: float) -> str:
            found = f"{enclosed(histogram.verdict(window, at, promised))}\nand {self._enough(histogram, window)}"
            return f"{enclosed(found)}\n== 0" if histogram.partial else found

        return self._each(objective, one)

    def bad_share(self, objective: Objective, window: int) -> str:
        """The share of events beyond the limit, of what measures the whole; absent below `min_events`."""
        whole = LatencyExpressions(self.slo, tuple(one for one in self.histograms if not one.partial))

        def one(histogram: Histogram, at: float) -> str:
            bad = f"clamp_min(\n{indented(f'1 -{chr(10)}{histogram.share(window, at)},{chr(10)}0')}\n)"
            return f"{bad}\nand {self._enough(histogram, window)}"

        return whole._each(objective, one)

    def percentile(self, percentile: float) -> str:
        """A percentile of each series that has events."""
        window = self.slo.window
        # NaN, which is what no events have, is no number at most Inf.
        return self._first(lambda one: f"{one.percentile(window, percentile)} <= Inf")

    def _enough(self, one: Histogram, window: int) -> str:
        least = self.slo.min_events
        return f"{one.total(window)} * {window} >= {number(least)}" if least else f"{one.total(window)} > 0"

    def _each(self, objective: Objective, expression: Callable[[Histogram, float], str]) -> str:
        def under(limit: Limit) -> str:
            at = limit.at_most
            assert at is not None  # a latency is promised to be at most so large
            return self._first(lambda one: expression(one, at))

        return by_limit(objective, under)

    def _first(self, expression: Callable[[Histogram], str]) -> str:
        """The expression of the first histogram that answers at all: a name that does not is no part of it."""
        parts, before = [], ""
        for one in self.histograms:
            found = expression(one)
            parts.append(f"{enclosed(found)}{before}" if before else found)
            before += f"\nunless on () {one.present(self.slo.window)}"
        return parts[0] if len(parts) == 1 else "\nor\n".join(enclosed(part) for part in parts)


def _promised(objective: Objective) -> float:
    assert objective.percentile is not None
    return objective.percentile / 100
