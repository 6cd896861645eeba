"""Limits that were relaxed: what the same windows come out as under the limit that the SLO set declares."""

from __future__ import annotations

from dataclasses import replace

from sloagent.evaluation.latency import as_lower_bound
from sloagent.evaluation.numbers import is_kept
from sloagent.evaluation.roll_up import roll_up
from sloagent.evaluation.wording import promised_quantile
from sloagent.model.slo import SLO, LatencySLI, Limit, RatioSLI
from sloagent.model.verdict import Cause, Outcome, SlotVerdict, Verdict


def as_declared(slo: SLO) -> SLO | None:
    """The SLO under the limits that its set declares; None where nothing in force is more lenient than those.

    A parameter of the agent's file may put another limit in the place of the declared one, and an override may give
    some series a wider one.
    """
    objective = slo.objective
    if objective is None:
        return None
    limit = slo.declared if slo.declared is not None and is_more_lenient(objective.limit, slo.declared) else None
    general = limit or objective.limit
    kept = tuple(override for override in objective.overrides if not is_more_lenient(override.limit, general))
    if limit is None and kept == objective.overrides:
        return None
    return replace(slo, objective=replace(objective, limit=general, overrides=kept))


def is_more_lenient(one: Limit, other: Limit) -> bool:
    """Whether `one` lets something pass that `other` fails; limits on different sides are not compared."""
    if one.at_most is not None and other.at_most is not None:
        return one.at_most > other.at_most
    if one.at_least is not None and other.at_least is not None:
        return one.at_least < other.at_least
    return False


def judged_again(strict: SLO, slot: SlotVerdict) -> SlotVerdict:
    """A recorded slot under the limits of `strict`, from what is kept of it.

    A latency is decided by the bucket of its promised percentile: it lies above `lower` and not above `upper`, so a limit
    at or beyond one of them decides as exactly as the counts did, and a limit between them decides nothing.
    """
    verdicts = tuple(_again(strict, verdict) for verdict in slot.verdicts)
    outcome = roll_up([(verdict.outcome, verdict.gates) for verdict in verdicts]) if verdicts else slot.outcome
    return replace(slot, slo=strict, outcome=outcome, verdicts=verdicts)


def _again(strict: SLO, verdict: Verdict) -> Verdict:
    assert strict.objective is not None
    limit = strict.objective.limit_for(verdict.labels)
    if not verdict.gates or limit == verdict.limit or verdict.cause is Cause.FALLING_COUNTS:
        return replace(verdict, limit=limit) if verdict.limit is not None else verdict
    outcome = (
        _latency(strict, verdict, limit) if isinstance(strict.sli, LatencySLI) else _number(strict, verdict, limit)
    )
    if outcome is None:
        return verdict
    again = replace(verdict, outcome=outcome, limit=limit, good_share=None)
    return as_lower_bound(replace(again, cause=Cause.DECIDED), verdict.lower_bound) if verdict.lower_bound else again


def _latency(strict: SLO, verdict: Verdict, limit: Limit) -> Outcome | None:
    found = promised_quantile(strict, verdict)
    if found is None or limit.at_most is None:
        return None
    if found.upper <= limit.at_most:
        return Outcome.PASS
    return Outcome.FAIL if found.lower >= limit.at_most else Outcome.INCONCLUSIVE


def _number(strict: SLO, verdict: Verdict, limit: Limit) -> Outcome | None:
    kept = None if verdict.value is None else is_kept(limit, verdict.value, slack=isinstance(strict.sli, RatioSLI))
    if kept is None:
        return None
    return Outcome.PASS if kept else Outcome.FAIL
