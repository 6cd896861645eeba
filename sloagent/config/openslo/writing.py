"""Writes SLOs as OpenSLO v1 documents; what OpenSLO cannot say is refused, what only its annotations say is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sloagent import units
from sloagent.config.openslo import notes, numbers, queries
from sloagent.config.openslo.shape import LONGEST_DESCRIPTION, VERSION
from sloagent.model.alert_defaults import STANDARD_ALERTS
from sloagent.model.slo import SLO, Evaluate, Gate, LatencySLI, Objective, RatioSLI, Status, Text, ValueSLI

Block = dict[str, object]

PERIOD = "30d"
"""Of the error budget where the SLO leaves it to the agent: other tools want one."""


@dataclass(frozen=True, slots=True)
class Said:
    """An SLO as a document."""

    document: Block
    left_out: tuple[str, ...]
    """What of it OpenSLO does not say, in sentences."""


def service(name: str, title: Text) -> Block:
    """The document of a set."""
    metadata: Block = {"name": name}
    if title.en != name:
        metadata["displayName"] = title.en
    if title.zh:
        metadata["annotations"] = {notes.PREFIX + notes.TITLE_ZH: title.zh}
    return {"apiVersion": VERSION, "kind": "Service", "metadata": metadata, "spec": {}}


def refusal(slo: SLO) -> str:
    """Why OpenSLO cannot say what an SLO promises; empty where it can."""
    objective = slo.objective
    if objective is None:
        return "its objective is still to be determined, and OpenSLO has no SLO without a target"
    limit = objective.limit
    if limit.at_most is None and limit.at_least is None:
        return "it promises only how much it grows, and OpenSLO has no growth"
    if objective.overrides:
        return "some of its series have limits of their own, and OpenSLO has one for all series"
    if objective.gate is Gate.WORST_WINDOW:
        return "it promises every window, and a target of OpenSLO is below 100 %"
    if objective.gate is Gate.WINDOWS and objective.windows_at_least >= 1:
        return "it promises all windows, and a target of OpenSLO is below 100 %"
    if objective.gate is Gate.WINDOWS and numbers.shorthand(slo.interval) is None:
        return "its interval is no whole minutes, and a time slice of OpenSLO is"
    if isinstance(slo.sli, LatencySLI) and slo.sli.native:
        return "a native histogram has no bucket to count, and OpenSLO says a latency as a ratio of counts"
    if objective.gate is Gate.WHOLE_RUN and _share(slo, objective) >= 1:
        return "it promises all events, and a target of OpenSLO is below 100 %"
    return ""


def said(slo: SLO) -> Said:
    """An SLO that OpenSLO can say (see `refusal`) as a document of kind SLO."""
    objective = slo.objective
    assert objective is not None
    metadata: Block = {"name": slo.name}
    if slo.title.en != slo.name:
        metadata["displayName"] = slo.title.en
    metadata["annotations"] = {notes.PREFIX + name: text for name, text in _notes(slo, objective)}
    spec: Block = {"service": slo.set}
    if 0 < len(slo.note.en) <= LONGEST_DESCRIPTION:
        spec = {"description": slo.note.en, **spec}
    spec["indicator"] = {"metadata": {"name": slo.name}, "spec": _indicator(slo, objective)}
    spec["timeWindow"] = [{"duration": _period(slo) or PERIOD, "isRolling": True}]
    spec["budgetingMethod"] = "Timeslices" if objective.gate is Gate.WINDOWS else "Occurrences"
    spec["objectives"] = [_promise(slo, objective)]
    document: Block = {"apiVersion": VERSION, "kind": "SLO", "metadata": metadata, "spec": spec}
    return Said(document, tuple(_left_out(slo, objective)))


def _indicator(slo: SLO, objective: Objective) -> Block:
    match slo.sli:
        case LatencySLI() as sli:
            assert objective.limit.at_most is not None
            good, total = queries.of_latency(sli, objective.limit.at_most, slo.window)
            return {"ratioMetric": {"counter": False, "good": _metric(good), "total": _metric(total)}}
        case RatioSLI(counts=counts, events=events, total=total):
            sides = {counts: _metric(_written(events, slo)), "total": _metric(_written(total, slo))}
            return {"ratioMetric": {"counter": False, **sides}}
        case ValueSLI(query=query):
            return {"thresholdMetric": _metric(_written(query, slo))}


def _metric(query: str) -> Block:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def _written(query: str, slo: SLO) -> str:
    return queries.with_range(query, slo.window)


def _share(slo: SLO, objective: Objective) -> float:
    """The share of good events that is promised."""
    if isinstance(slo.sli, LatencySLI):
        return numbers.share(objective.percentile or 0.0)
    return objective.limit.at_least or 0.0


def _promise(slo: SLO, objective: Objective) -> Block:
    promise: Block = {}
    if isinstance(slo.sli, ValueSLI):
        at_most, at_least = objective.limit.at_most, objective.limit.at_least
        promise = {"op": "gte", "value": at_least} if at_most is None else {"op": "lte", "value": at_most}
    if objective.gate is Gate.WINDOWS:
        good = 1.0 if isinstance(slo.sli, ValueSLI) else _share(slo, objective)
        promise |= {"target": objective.windows_at_least, "timeSliceTarget": good}
        return promise | {"timeSliceWindow": numbers.shorthand(slo.interval)}
    return promise | {"target": _share(slo, objective)}


def _notes(slo: SLO, objective: Objective) -> Iterator[tuple[str, str]]:
    if objective.gate is not Gate.WINDOWS:
        yield "interval", units.written_duration(slo.interval)
    yield "window", units.written_duration(slo.window)
    yield from _notes_of_the_indicator(slo, objective)
    if objective.limit.warn_at is not None:
        yield "warn-at", numbers.quantity(objective.limit.warn_at, slo.unit)
    if objective.grows_at_most is not None:
        yield "grows-at-most", f"{numbers.quantity(objective.grows_at_most, slo.unit)}/s"
    if slo.min_events:
        yield "min-events", numbers.decimal(slo.min_events)
    if slo.allow_partial:
        yield "allow-partial", "true"
    if slo.evaluate is not Evaluate.RAW:
        yield "evaluate", slo.evaluate.value
    if slo.status is not Status.OFFICIAL:
        yield "status", slo.status.value
    words = {"section": slo.section, notes.TITLE_ZH: slo.title.zh}
    words[notes.NOTE_ZH] = slo.note.zh if 0 < len(slo.note.en) <= LONGEST_DESCRIPTION else ""
    yield from ((name, text) for name, text in words.items() if text)
    if _period(slo) is None:
        yield notes.BUDGET_PERIOD, notes.THE_AGENTS


def _notes_of_the_indicator(slo: SLO, objective: Objective) -> Iterator[tuple[str, str]]:
    match slo.sli:
        case LatencySLI(histograms=histograms, where=where, by=by):
            assert objective.limit.at_most is not None
            yield notes.LATENCY, ", ".join(histograms)
            yield from [("where", where)] if where else ()
            yield from [("by", ", ".join(by))] if by else ()
            yield "at-most", numbers.quantity(objective.limit.at_most, "seconds")
        case RatioSLI(bad_absent_is_zero=True):
            yield "bad-absent", "zero"
        case ValueSLI(unit=unit):
            yield "unit", unit


def _period(slo: SLO) -> str | None:
    """The period of the error budget; None where it is the agent's."""
    burning = slo.alerts.burn_rate
    return numbers.shorthand(burning.period) if burning is not None and burning.period is not None else None


def _has_alerts_of_its_own(slo: SLO) -> bool:
    """Whether it is watched otherwise than by the rules of every SLO, but for the period, which OpenSLO says."""
    burning = slo.alerts.burn_rate
    plain = replace(burning, period=None) if burning is not None and _period(slo) is not None else burning
    return replace(slo.alerts, burn_rate=plain) != STANDARD_ALERTS


def _left_out(slo: SLO, objective: Objective) -> Iterator[str]:
    if isinstance(slo.sli, LatencySLI) and slo.sli.lower_bounds:
        yield "its lower bounds, which prove a failure and never a pass: elsewhere it has no data without its histogram"
    if len(slo.note.en) > LONGEST_DESCRIPTION:
        yield f"its note: a description has at most {LONGEST_DESCRIPTION:,} characters"
    if _has_alerts_of_its_own(slo):
        yield "how it is watched: OpenSLO has other alerts"
    only_noted = {
        "how many events a window must have": bool(slo.min_events),
        "that no bad events are none": isinstance(slo.sli, RatioSLI) and slo.sli.bad_absent_is_zero,
        "the warn level": objective.limit.warn_at is not None,
        "how much it may grow": objective.grows_at_most is not None,
    }
    if said_apart := [what for what, is_so in only_noted.items() if is_so]:
        yield f"what only annotations say, and others do not read: {', '.join(said_apart)}"
