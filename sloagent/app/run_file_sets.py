"""SLO sets in the shape of the run file, and back: complete, with titles, so that a report needs no SLO file."""

from __future__ import annotations

import math
from typing import Literal

from sloagent.app import run_file_promises as shape
from sloagent.app.run_file_mistake import MistakeError, at, each
from sloagent.model.slo import (
    SLI,
    SLO,
    UNTOLD,
    Labels,
    LatencySLI,
    Limit,
    LowerBound,
    Objective,
    Override,
    RatioSLI,
    SLOSet,
    Text,
    ValueSLI,
)

_SIDES: dict[str, Literal["good", "bad"]] = {"good": "good", "bad": "bad"}


def set_shape(slo_set: SLOSet) -> shape.SLOSet:
    """A set as it lies in the file."""
    return shape.SLOSet(slo_set.name, tuple(map(_slo_shape, slo_set.slos)), _text_shape(slo_set.title), slo_set.place)


def limit_shape(limit: Limit | None) -> shape.Limit | None:
    """A limit as it lies in the file."""
    return None if limit is None else _limit_shape(limit)


def read_set(written: shape.SLOSet) -> SLOSet:
    """The set that lies in the file. Raises MistakeError."""
    slos = each("slos", written.slos, lambda slo: _slo(written.name, slo))
    if len({slo.name for slo in slos}) < len(slos):
        raise MistakeError("two SLOs have one name", "slos")
    return SLOSet(written.name, _text(written.title), slos, written.place)


def read_limit(written: shape.Limit | None) -> Limit | None:
    """The limit that lies in the file."""
    return None if written is None else _limit(written)


def read_labels(written: shape.Labels) -> Labels:
    """Labels of a series. Raises MistakeError."""
    if not all(name and value for name, value in written.items()):
        raise MistakeError("a label has no name or no value", "labels")
    return tuple(sorted(written.items()))


def read_match(written: shape.Labels) -> Labels:
    """What an override matches: there an empty value stands for a missing label."""
    return tuple(sorted(written.items()))


def _text_shape(text: Text) -> shape.Text | None:
    return None if text == UNTOLD else shape.Text(text.en, text.zh)


def _text(written: shape.Text | None) -> Text:
    return UNTOLD if written is None else Text(written.en, written.zh)


def _limit_shape(limit: Limit) -> shape.Limit:
    assert all(map(math.isfinite, filter(None, (limit.at_most, limit.at_least, limit.warn_at)))), "a limit is finite"
    return shape.Limit(limit.at_most, limit.at_least, limit.warn_at)


def _limit(written: shape.Limit) -> Limit:
    return Limit(written.at_most, written.at_least, written.warn_at)


def _slo_shape(slo: SLO) -> shape.SLO:
    return shape.SLO(
        slo.name, slo.fingerprint(), _sli_shape(slo.sli), slo.interval, slo.window, slo.min_events,
        None if slo.objective is None else _objective_shape(slo.objective),
        _text_shape(slo.title), slo.status, slo.section, _text_shape(slo.note), slo.allow_partial,
        slo.place, limit_shape(slo.declared), slo.evaluate,
    )  # fmt: skip


def _slo(slo_set: str, written: shape.SLO) -> SLO:
    if written.window % written.interval:
        raise MistakeError(f"a window of {written.window} s is no whole multiple of {written.interval} s", "window")
    return SLO(
        slo_set, written.name, at("sli", _sli, written.sli),
        None if written.objective is None else _objective(written.objective),
        written.interval, written.window, _text(written.title), written.status, written.section, _text(written.note),
        written.min_events, written.allow_partial, written.place, read_limit(written.declared), written.evaluate,
    )  # fmt: skip


def _sli_shape(sli: SLI) -> shape.SLI:
    match sli:
        case LatencySLI():
            bounds = tuple(shape.LowerBound(bound.histogram, bound.where) for bound in sli.lower_bounds)
            return shape.SLI(latency=shape.Latency(sli.histograms, sli.where, sli.by, sli.native, bounds))
        case RatioSLI():
            return shape.SLI(ratio=shape.Ratio(_SIDES[sli.counts], sli.events, sli.total, sli.bad_absent_is_zero))
        case ValueSLI():
            return shape.SLI(value=shape.Value(sli.query, sli.unit))


def _sli(written: shape.SLI) -> SLI:
    match written.latency, written.ratio, written.value:
        case shape.Latency() as latency, None, None:
            bounds = tuple(LowerBound(bound.histogram, bound.where) for bound in latency.lower_bound)
            return LatencySLI(latency.histogram, latency.where, latency.by, latency.native, bounds)
        case None, shape.Ratio() as ratio, None:
            return RatioSLI(ratio.counts, ratio.events, ratio.total, ratio.bad_absent_is_zero)
        case None, None, shape.Value() as value:
            return ValueSLI(value.query, value.unit)
    raise MistakeError("an SLI is one of latency, ratio and value")


def _objective_shape(objective: Objective) -> shape.Objective:
    return shape.Objective(
        _limit_shape(objective.limit), objective.windows_at_least, objective.percentile,
        tuple(shape.Override(dict(one.match), _limit_shape(one.limit)) for one in objective.overrides),
        objective.grows_at_most, objective.gate,
    )  # fmt: skip


def _objective(written: shape.Objective) -> Objective:
    return Objective(
        _limit(written.limit), written.percentile,
        tuple(Override(read_match(override.match), _limit(override.limit)) for override in written.overrides),
        written.grows_at_most, written.judge, written.windows_at_least,
    )  # fmt: skip
