"""Numbers that somebody wrote down, held against what is promised. They have no distribution and no windows."""

from __future__ import annotations

from collections.abc import Mapping

from sloagent.evaluation.numbers import is_kept
from sloagent.evaluation.roll_up import roll_up
from sloagent.model.record import Stated
from sloagent.model.slo import SLO, Labels, LatencySLI, Limit, RatioSLI
from sloagent.model.verdict import Cause, Outcome, Quantile, RangeSummary, RangeVerdict, Verdict, Windows

NO_WINDOWS = Windows(0, 0, 0, 0, 0, 0, 0, 0, 0)
_WORST_FIRST = (Outcome.FAIL, Outcome.PASS, Outcome.MEASURED, Outcome.NO_DATA)


def summarise_stated(slo: SLO, stated: Mapping[Labels, Stated]) -> RangeSummary:
    """One SLO by its stated numbers, series worst first; `no_data` (not run) where nothing is stated of it.

    A stated percentile or value passes at its limit. One that the promise needs and nobody stated is `no_data`.
    """
    rows = [_series(slo, labels, one) for labels, one in sorted(stated.items())]
    rows.sort(key=lambda row: (_WORST_FIRST.index(row.outcome), -((row.whole.value if row.whole else None) or 0.0)))
    outcome = roll_up([(row.outcome, row.gates) for row in rows]) if rows else Outcome.NO_DATA
    return RangeSummary(slo, outcome, Cause.STATED if rows else Cause.NOT_RUN, NO_WINDOWS, tuple(rows))


def _series(slo: SLO, labels: Labels, stated: Stated) -> RangeVerdict:
    limit = slo.objective.limit_for(labels) if slo.objective else None
    value = _value(slo, stated)
    quantiles = tuple(_exact(stated.percentiles.get(percentile)) for percentile in slo.quantiles)
    if value is None:
        told = stated != Stated()
        outcome = Outcome.MEASURED if told and slo.objective is None else Outcome.NO_DATA
        cause = Cause.STATED if told else Cause.NOT_RUN
    else:
        outcome, cause = _against(slo, limit, value), Cause.STATED
    gates = outcome in (Outcome.PASS, Outcome.FAIL)
    overridden = slo.objective is not None and limit is not slo.objective.limit
    whole = Verdict(
        labels, outcome, cause, gates, events=stated.count, value=value, quantiles=quantiles, limit=limit,
        overridden=overridden,
    )  # fmt: skip
    return RangeVerdict(labels, outcome, cause, gates, NO_WINDOWS, None, whole, None, None, limit, overridden)


def _value(slo: SLO, stated: Stated) -> float | None:
    return stated.percentiles.get(slo.main_percentile) if isinstance(slo.sli, LatencySLI) else stated.value


def _exact(value: float | None) -> Quantile | None:
    """A percentile that is known without a bucket."""
    return None if value is None else Quantile(value, value, value)


def _against(slo: SLO, limit: Limit | None, value: float) -> Outcome:
    kept = None if limit is None else is_kept(limit, value, slack=isinstance(slo.sli, RatioSLI))
    if kept is None:
        return Outcome.MEASURED
    return Outcome.PASS if kept else Outcome.FAIL
