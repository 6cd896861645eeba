"""A slot's verdicts and SLOs as JSON-able values, for `check --format json` and the daemon's API alike.

Missing numbers are None, never 0 or NaN; an infinity, for which JSON has no word, is None too, and the reason says it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from math import isfinite

from sloagent.evaluation.reasons import reason
from sloagent.model.facts import Facts
from sloagent.model.pending import Pending
from sloagent.model.slo import SLO, Labels, LatencySLI, Limit, RatioSLI, ValueSLI
from sloagent.model.timerange import contiguous
from sloagent.model.verdict import Outcome, Share, SlotVerdict, Verdict
from sloagent.report.times import instant

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


def slot_data(slot: SlotVerdict) -> list[dict[str, JSON]]:
    """One verdict per series; an SLO without series has one verdict with no labels."""
    time: dict[str, JSON] = {"at": instant(slot.slot)}
    query = slot.question.query
    if not slot.verdicts:
        return [entry(slot.slo, (), time, slot.outcome, reason(slot.slo, slot), None, None, query)]
    return [entry(slot.slo, v.labels, time, v.outcome, reason(slot.slo, v), v, v.limit, query) for v in slot.verdicts]


def entry(
    slo: SLO,
    labels: Labels,
    time: dict[str, JSON],
    outcome: Outcome,
    sentence: str,
    numbers: Verdict | None,
    limit: Limit | None,
    query: str,
) -> dict[str, JSON]:
    """One verdict, as the contract writes it; `time` is `at`, or `from` and `to`."""
    value = numbers.value if numbers else None
    if value is not None and not isfinite(value) and "Inf" not in sentence:
        sentence = f"{sentence} (the value is {'+Inf' if value > 0 else '-Inf'})"
    names: dict[str, JSON] = dict(labels)
    return {
        "set": slo.set,
        "slo": slo.name,
        "labels": names,
        **time,
        "outcome": outcome.value,
        "reason": sentence,
        "unit": slo.unit,
        "value": number(value),
        "quantiles": quantiles(slo, numbers),
        "good_share": good_share(numbers),
        "events": number(numbers.events if numbers else None),
        "objective": objective(slo, limit),
        "query": query or None,
    } | lower_bound(numbers)


def lower_bound(verdict: Verdict | None) -> dict[str, JSON]:
    """The metric that was judged where it is only a part of what is measured; without one, nothing."""
    return {"lower_bound": verdict.lower_bound} if verdict is not None and verdict.lower_bound else {}


def number(value: float | None) -> float | None:
    """The number, or None where there is none or JSON has no word for it."""
    return value if value is not None and isfinite(value) else None


def quantiles(slo: SLO, verdict: Verdict | None) -> dict[str, JSON]:
    """By percentile, `{"value", "lower", "upper"}`; an open end (−∞ or +∞) is null. Empty unless latency with events.

    A lower bound is open above, whatever bucket it lies in.
    """
    if verdict is None or not verdict.quantiles:
        return {}
    return {
        f"{percentile:g}": None
        if quantile is None
        else {
            "value": number(quantile.value),
            "lower": number(quantile.lower),
            "upper": None if verdict.lower_bound else number(quantile.upper),
        }
        for percentile, quantile in zip(slo.quantiles, verdict.quantiles, strict=True)
    }


def good_share(verdict: Verdict | None) -> JSON:
    """`{"lower", "upper"}` of the share of good events, or null; by a lower bound all of them may have been bad."""
    if verdict is None or verdict.good_share is None:
        return None
    return share(replace(verdict.good_share, lower=0.0) if verdict.lower_bound else verdict.good_share)


def share(value: Share | None) -> JSON:
    """`{"lower", "upper"}`, or null."""
    return None if value is None else {"lower": number(value.lower), "upper": number(value.upper)}


def objective(slo: SLO, limit: Limit | None) -> dict[str, JSON]:
    """What was promised of this series, the fields that were written only; empty while it is TBD."""
    promise = slo.objective
    if promise is None:
        return {}
    applied = limit or promise.limit
    fields: dict[str, float | str | None] = {
        "percentile": promise.percentile,
        "at_most": applied.at_most,
        "at_least": applied.at_least,
        "warn_at": applied.warn_at,
        "grows_at_most": promise.grows_at_most,
        "judge": promise.gate.value,
        "windows_at_least": promise.windows_at_least,
    }
    return {name: value for name, value in fields.items() if value is not None}


def pending_data(pending: Pending) -> dict[str, JSON]:
    """What one SLO owes: how many slots, which, as stretches from and to (both included), and why."""
    return {
        "set": pending.slo.set,
        "slo": pending.slo.name,
        "count": len(pending.slots),
        "slots": stretches(contiguous(pending.slots, pending.slo.interval)),
        "reason": pending.reason or None,
    }


def facts_data(facts: Facts) -> dict[str, JSON]:
    """The facts about the test bed, as they are in the model."""
    return {name: _plain(value) for name, value in asdict(facts).items()}


def _plain(value: object) -> JSON:
    match value:
        case dict():
            return {str(name): _plain(inner) for name, inner in value.items()}
        case tuple() | list():
            return [_plain(inner) for inner in value]
        case bool() | int() | str() | None:
            return value
        case float():
            return number(value)
        case _:
            raise TypeError(f"{type(value).__name__} is not plain data")


def stretches(found: Iterable[tuple[int, int]]) -> list[JSON]:
    """First and last slots as `{"from", "to"}`, both included."""
    return [{"from": instant(first), "to": instant(last)} for first, last in found]


def slo_data(slo: SLO) -> dict[str, JSON]:
    """An SLO in force: what is asked and what is promised."""
    match slo.sli:
        case LatencySLI(histograms=histograms, where=where, by=by, lower_bounds=bounds):
            sli: dict[str, JSON] = {"histogram": list(histograms), "where": where, "by": list(by)}
            if bounds:
                sli["lower_bound"] = [{"histogram": one.histogram, "where": one.where} for one in bounds]
        case RatioSLI(counts=counts, events=events, total=total):
            sli = {counts: events, "total": total}
        case ValueSLI(query=query):
            sli = {"query": query}
    return {
        "set": slo.set,
        "slo": slo.name,
        "title": {"en": slo.title.en, "zh": slo.title.zh or None},
        "status": slo.status.value,
        "fingerprint": slo.fingerprint(),
        "sli": sli,
        "unit": slo.unit,
        "objective": objective(slo, None),
        "interval_seconds": slo.interval,
        "window_seconds": slo.window,
    }
