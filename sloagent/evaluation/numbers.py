"""A ratio's two sides, or a plain number, held against a limit."""

from __future__ import annotations

import operator
from math import isfinite, isnan

from sloagent.evaluation.quantiles import SLACK, reaches
from sloagent.model.samples import Events
from sloagent.model.slo import SLO, Labels, Limit, RatioSLI
from sloagent.model.verdict import Cause, Outcome, Share, Verdict


def judge_ratio(slo: SLO, labels: Labels, sample: Events, scale: float) -> Verdict:
    """The verdict of one series of a ratio SLI; its value is the share of good events. `scale` makes events of rates."""
    sli = slo.sli
    assert isinstance(sli, RatioSLI)
    limit, overridden = _limit(slo, labels)
    promised = slo.objective is not None
    part, total = sample.part, sample.total
    for name, side in (("total", total), (sli.counts, part)):
        if side is not None and not (isfinite(side) and side >= 0):
            detail = f"{name} is {side:g}, which is no count of events"
            return Verdict(labels, Outcome.ERROR, Cause.MALFORMED, promised, detail=detail)
    if total is None:
        if part is None:
            return Verdict(labels, Outcome.NO_DATA, Cause.NO_SERIES, False, limit=limit, overridden=overridden)
        return Verdict(labels, Outcome.ERROR, Cause.TOTAL_ABSENT, promised, limit=limit, overridden=overridden)
    events = total * scale
    if part is not None and part - total > SLACK * total:
        value = part / total if total else None
        return Verdict(labels, Outcome.ERROR, Cause.PART_EXCEEDS_TOTAL, promised, events, value,
                       limit=limit, overridden=overridden)  # fmt: skip
    if total == 0:
        return Verdict(labels, Outcome.NO_DATA, Cause.NO_EVENTS, False, 0.0, limit=limit, overridden=overridden)
    if part is None and sli.counts == "bad" and not sli.bad_absent_is_zero:
        return Verdict(labels, Outcome.NO_DATA, Cause.BAD_ABSENT, False, events, limit=limit, overridden=overridden)
    counted = min(part or 0.0, total)
    good = (counted if sli.counts == "good" else total - counted) / total
    outcome, cause, gates = _against(limit, good, slack=True)
    if gates and events < slo.min_events:
        outcome, cause, gates = Outcome.INCONCLUSIVE, Cause.TOO_FEW_EVENTS, False
    return Verdict(labels, outcome, cause, gates, events, good,
                   good_share=Share(good, good), limit=limit, overridden=overridden)  # fmt: skip


def judge_number(slo: SLO, labels: Labels, value: float) -> Verdict:
    """The verdict of one series of a value SLI. NaN is no data; infinities compare."""
    limit, overridden = _limit(slo, labels)
    if isnan(value):
        return Verdict(labels, Outcome.NO_DATA, Cause.NOT_A_NUMBER, False, limit=limit, overridden=overridden)
    outcome, cause, gates = _against(limit, value, slack=False)
    return Verdict(labels, outcome, cause, gates, value=value, limit=limit, overridden=overridden)


def is_kept(limit: Limit, value: float, *, slack: bool) -> bool | None:
    """Whether a number keeps a limit, its border included, without the warn level; None where only growth is limited.

    `slack` is for shares, whose arithmetic may be off in the last digits.
    """
    above = _at_least if slack else operator.ge
    if limit.at_most is not None:
        return above(limit.at_most, value)
    return None if limit.at_least is None else above(value, limit.at_least)


def _limit(slo: SLO, labels: Labels) -> tuple[Limit | None, bool]:
    if slo.objective is None:
        return None, False
    limit = slo.objective.limit_for(labels)
    return limit, limit is not slo.objective.limit


def _against(limit: Limit | None, value: float, *, slack: bool) -> tuple[Outcome, Cause, bool]:
    """(outcome, cause, gates). A promise about growth alone says nothing about one window: it is measured."""
    if limit is None or (limit.at_most is None and limit.at_least is None):
        return Outcome.MEASURED, Cause.NO_OBJECTIVE, False
    if not is_kept(limit, value, slack=slack):
        return Outcome.FAIL, Cause.DECIDED, True
    above, warn_at = _at_least if slack else operator.ge, limit.warn_at
    calm = warn_at is None or (above(warn_at, value) if limit.at_most is not None else above(value, warn_at))
    return (Outcome.PASS if calm else Outcome.WARN), Cause.DECIDED, True


def _at_least(one: float, other: float) -> bool:
    return reaches(one, other)
