"""Ratio and value SLIs in PromQL."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.evaluation.quantiles import SLACK
from sloagent.model.slo import SLO, Limit, Objective, RatioSLI, ValueSLI
from sloagent.sources.promql import duration, enclosed, resolved
from sloagent.sources.rules.text import by_limit, number
from sloagent.sources.rules.text import enclosed as on_lines


@dataclass(frozen=True, slots=True)
class RatioExpressions:
    """The expressions of one ratio SLO."""

    slo: SLO
    sli: RatioSLI

    def events(self) -> str:
        """The events of each series in the window."""
        return f"{self._total(self.slo.window)} * {self.slo.window}"

    def good_share(self) -> str:
        """The share of good events. A side without the other is absent, unless its absence means zero."""
        counted = self._counted(self.slo.window)
        return counted if self.sli.counts == "good" else f"1 - {counted}"

    def bad_share(self, window: int) -> str:
        """The share of bad events; absent below `min_events`."""
        counted = self._counted(window)
        return self._enough(window, f"1 - {counted}" if self.sli.counts == "good" else counted)

    def verdict(self, objective: Objective) -> str:
        """The verdict of each series."""

        def under(limit: Limit) -> str:
            assert limit.at_least is not None  # a ratio is promised to be at least so large
            return f"{on_lines(self.good_share())}\n>= bool {number(limit.at_least - SLACK)}"

        return self._enough(self.slo.window, by_limit(objective, under))

    def _counted(self, window: int) -> str:
        part, total = enclosed(resolved(self.sli.events, duration(window))), self._total(window)
        if self.sli.counts == "good" or self.sli.bad_absent_is_zero:
            part = f"({part} or 0 * {total})"
        # The comparison leaves out what no division gives, and more of a part than of the total.
        return f"clamp_max(\n  {part}\n  /\n  {total}\n  <= {number(1 + SLACK)}, 1\n)"

    def _enough(self, window: int, expression: str) -> str:
        least = self.slo.min_events
        if not least:
            return expression
        return f"{on_lines(expression)}\nand {self._total(window)} * {window} >= {number(least)}"

    def _total(self, window: int) -> str:
        return enclosed(resolved(self.sli.total, duration(window)))


@dataclass(frozen=True, slots=True)
class ValueExpressions:
    """The expressions of one value SLO."""

    slo: SLO
    sli: ValueSLI

    def value(self) -> str:
        """The number of each series; NaN is left out."""
        query = enclosed(resolved(self.sli.query, duration(self.slo.window)))
        return f"{f'vector{query}' if is_scalar(query) else query} <= Inf"

    def verdict(self, objective: Objective) -> str:
        """The verdict of each series."""

        def under(limit: Limit) -> str:
            above = limit.at_most is not None
            border = limit.at_most if above else limit.at_least
            assert border is not None
            return f"({self.value()}) {'<=' if above else '>='} bool {number(border)}"

        return by_limit(objective, under)


def is_scalar(query: str) -> bool:
    """Whether a query gives one number instead of series."""
    import promql_parser

    def scalar(node: object) -> bool:
        match node:
            case promql_parser.NumberLiteral():
                return True
            case promql_parser.Call(func=function):
                return str(function.return_type) == "ValueType.Scalar"
            case promql_parser.ParenExpr(expr=inner) | promql_parser.UnaryExpr(expr=inner):
                return scalar(inner)
            case promql_parser.BinaryExpr(lhs=left, rhs=right):
                return scalar(left) and scalar(right)
            case _:
                return False

    try:
        return scalar(promql_parser.parse(query))
    except ValueError:
        return False
