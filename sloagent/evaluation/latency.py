"""A distribution held against "percentile p at most T": decided from exact counts, never by interpolation."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from sloagent.evaluation.quantiles import SLACK, quantile_of, raised, reaches, share_of
from sloagent.model.distribution import Distribution
from sloagent.model.slo import SLO, Labels
from sloagent.model.verdict import Cause, Outcome, Share, Verdict

Counts = tuple[float, ...]


def judge_distribution(
    slo: SLO, percentiles: tuple[float, ...], labels: Labels, distribution: Distribution, scale: float
) -> Verdict:
    """The verdict of one series of a latency SLI. `scale` turns its counts into events.

    Pass if F(lo) ≥ p, fail if F(hi) < p, else inconclusive, where lo and hi are the bounds next to the limit. What
    passes warns unless the counts show that the warn level was kept, too.
    """
    objective = slo.objective
    bounds, counts = distribution.bounds, distribution.counts
    if not isfinite(sum(counts)) or min(counts) < 0 or isfinite(bounds[-1]):
        return Verdict(labels, Outcome.ERROR, Cause.MALFORMED, objective is not None, detail=_fault(distribution))
    above = raised(counts)
    limit = objective.limit_for(labels) if objective else None
    overridden = objective is not None and limit is not objective.limit
    if above[-1] == 0:
        return Verdict(
            labels, Outcome.NO_DATA, Cause.NO_EVENTS, gates=False, events=0.0, limit=limit, overridden=overridden
        )
    quantiles = tuple([quantile_of(bounds, above, percentile) for percentile in percentiles])
    percentile = objective.percentile if objective else None
    shown = quantiles[percentiles.index(slo.main_percentile)]
    share: Share | None = None
    gates = False
    outcome, cause = Outcome.MEASURED, Cause.NO_OBJECTIVE
    events = counts[-1] * scale
    if limit is not None and limit.at_most is not None and percentile is not None:
        promised = percentile / 100
        outcome, cause, share = _decide(bounds, counts, above, limit.at_most, promised)
        if events < slo.min_events:
            outcome, cause = Outcome.INCONCLUSIVE, Cause.TOO_FEW_EVENTS
        else:
            gates = True
            if outcome is Outcome.PASS and limit.warn_at is not None:
                at_low, _ = share_of(bounds, counts, above, limit.warn_at)
                if not reaches(at_low.lower, promised):
                    outcome = Outcome.WARN
    return Verdict(
        labels, outcome, cause, gates,
        events=events, value=shown.value if shown else None, quantiles=quantiles, good_share=share,
        limit=limit, overridden=overridden,
    )  # fmt: skip


def as_lower_bound(verdict: Verdict, histogram: str) -> Verdict:
    """The verdict of what takes at least as long as was judged: a failure stays one, a pass proves nothing.

    `histogram` is the metric that was judged; empty where it is what is measured, and the verdict stands.
    """
    if not histogram or verdict.outcome in (Outcome.ERROR, Outcome.NO_DATA):
        return verdict
    if verdict.outcome in (Outcome.PASS, Outcome.WARN):
        return replace(verdict, outcome=Outcome.INCONCLUSIVE, cause=Cause.LOWER_BOUND, lower_bound=histogram)
    return replace(verdict, lower_bound=histogram)


def _decide(
    bounds: Counts, counts: Counts, above: Counts, at_most: float, promised: float
) -> tuple[Outcome, Cause, Share]:
    at_low, at_high = share_of(bounds, counts, above, at_most)
    share = Share(at_low.lower, at_high.upper)
    if reaches(share.lower, promised):
        return Outcome.PASS, _decided(at_low), share
    if not reaches(share.upper, promised):
        return Outcome.FAIL, _decided(at_high), share
    if reaches(at_low.upper, promised) or not reaches(at_high.lower, promised):
        # Without the fall, at_low (or at_high) would be one number and would decide, this way or the other.
        return Outcome.INCONCLUSIVE, Cause.FALLING_COUNTS, share
    beyond = len(bounds) == 1 or at_most > bounds[-2]
    return Outcome.INCONCLUSIVE, Cause.LIMIT_BEYOND_LAST_BUCKET if beyond else Cause.LIMIT_INSIDE_BUCKET, share


def _decided(at_bound: Share) -> Cause:
    """A share at one bound is an interval only where counts fall."""
    fall = at_bound.upper - at_bound.lower > SLACK
    return Cause.DECIDED_DESPITE_FALL if fall else Cause.DECIDED


def _fault(distribution: Distribution) -> str:
    if isfinite(distribution.bounds[-1]):
        return "the bucket +Inf is missing"
    for bound, count in zip(distribution.bounds, distribution.counts, strict=True):
        if not (isfinite(count) and count >= 0):
            return f"the count of the bucket le={bound:g} is {count:g}"
    return "the counts are too large to be added"
