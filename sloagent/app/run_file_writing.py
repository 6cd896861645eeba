"""A record of a run in the shape of the run file. The same record always gives the same shape."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

from sloagent.app import run_file_shape as shape
from sloagent.app.run_file_facts import facts_shape
from sloagent.app.run_file_promises import Number
from sloagent.app.run_file_sets import limit_shape, set_shape
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted
from sloagent.model.record import Line, Part, RunRecord, SLORecord, State, Stated
from sloagent.model.run import Run
from sloagent.model.slo import Labels
from sloagent.model.tally import Numbers, SeriesTally, Tally
from sloagent.model.verdict import Verdict, WorstWindow


def file_shape(record: RunRecord) -> shape.File:
    """The file of a record, without its hash."""
    bounds = _Bounds()
    slos = tuple(_slo(slo, bounds) for slo in record.slos)
    return shape.File(
        schema=shape.SCHEMA,
        run=_run(record.run),
        span=shape.Span(record.span.start, record.span.end),
        peer=shape.Peer(record.peer.name, record.peer.url, record.peer.version),
        sets=tuple(map(set_shape, record.sets)),
        slos=slos,
        version=record.version,
        written_by_hand=record.written_by_hand,
        bounds=tuple(tuple(map(_number, row)) for row in bounds.rows),
        facts=facts_shape(record.facts),
        configuration=record.configuration,
    )


class _Bounds:
    """The bounds of histograms, each row once: hundreds of distributions share them."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []
        self._places: dict[bytes, int] = {}

    def place(self, bounds: tuple[float, ...]) -> int:
        # By their bytes: -0.0 equals 0.0.
        key = struct.pack(f"<{len(bounds)}d", *bounds)
        if key not in self._places:
            self._places[key] = len(self.rows)
            self.rows.append(bounds)
        return self._places[key]


def _number(value: float) -> Number:
    """What JSON lacks is a word."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _or_none(value: float | None) -> Number | None:
    return None if value is None else _number(value)


def _run(run: Run) -> shape.Run:
    return shape.Run(
        run.name, run.start, run.end, dict(run.labels),
        tuple(shape.Phase(p.name, p.range.start, p.range.end, p.note) for p in run.phases),
        tuple(shape.Exclusion(e.range.start, e.range.end, e.reason) for e in run.exclusions),
    )  # fmt: skip


def _slo(record: SLORecord, bounds: _Bounds) -> shape.SLORecord:
    asked = record.asked
    return shape.SLORecord(
        set=record.slo.set,
        slo=record.slo.name,
        whole=_part(record.whole, bounds),
        phases=tuple(_part(part, bounds) for part in record.phases),
        days=tuple(shape.Day(day.start, _part(day.part, bounds)) for day in record.days),
        slots=_slots(record.slots, record.states),
        refused=dict(sorted(record.refused.items())),
        warnings=dict(sorted(record.warnings.items())),
        asked=None if asked is None else shape.Asked(asked.slot, asked.query, asked.curl, asked.said),
        lines=tuple(map(_line, record.lines)),
        means=tuple(
            shape.Means(dict(labels), tuple(map(_number, row))) for labels, row in sorted(record.means.items())
        ),
        under_declared=None if record.under_declared is None else _part(record.under_declared, bounds),
        stated=tuple(_stated(labels, stated) for labels, stated in sorted(record.stated.items())),
        trouble=record.trouble,
    )


def _part(part: Part, bounds: _Bounds) -> shape.Part:
    return shape.Part(part.expected, part.excluded, _tally(part.tally), _whole(part, bounds))


def _tally(tally: Tally) -> shape.Tally:
    return shape.Tally(
        tally.recorded, tally.refused, dict(sorted(tally.refusals.items())), tally.histograms,
        tuple(map(dict, sorted(tally.overrides_used))),
        tuple(_series(labels, row) for labels, row in sorted(tally.series.items())),
    )  # fmt: skip


def _series(labels: Labels, row: SeriesTally) -> shape.Series:
    return shape.Series(
        dict(labels), row.good, row.warned, row.bad, row.undecided, row.idle, row.too_few, row.measured,
        None if row.worst is None else _worst(labels, row.worst),
        tuple((start, _number(least)) for start, least in row.minima),
        None if row.numbers is None else _numbers(row.numbers),
    )  # fmt: skip


def _numbers(numbers: Numbers) -> shape.Numbers:
    total = f"{numbers.total.numerator}/{numbers.total.denominator}"
    return shape.Numbers(numbers.count, total, _or_none(numbers.least), _or_none(numbers.greatest))


def _worst(labels: Labels, worst: WorstWindow) -> shape.Worst:
    assert worst.verdict.labels == labels, "the worst window of a series is its own"
    return shape.Worst(worst.slot, _verdict(worst.verdict))


def _verdict(verdict: Verdict) -> shape.Verdict:
    share = verdict.good_share
    return shape.Verdict(
        verdict.outcome, verdict.cause, verdict.gates, _or_none(verdict.events), _or_none(verdict.value),
        tuple(None if q is None else (_number(q.value), _number(q.lower), _number(q.upper)) for q in verdict.quantiles),
        None if share is None else (_number(share.lower), _number(share.upper)),
        limit_shape(verdict.limit), verdict.overridden, verdict.detail, verdict.lower_bound,
    )  # fmt: skip


def _whole(part: Part, bounds: _Bounds) -> tuple[shape.Counted, ...] | None:
    if part.whole is None:
        return None
    return tuple(
        _counted(labels, counted, part.answered.get(labels, ()), bounds)
        for labels, counted in sorted(part.whole.items())
    )


def _counted(labels: Labels, counted: Counted, answered: tuple[str, ...], bounds: _Bounds) -> shape.Counted:
    if isinstance(counted, Distribution):
        return shape.Counted(dict(labels), bounds.place(counted.bounds), counted.counts, answered=answered)
    return shape.Counted(dict(labels), part=_or_none(counted.part), total=_or_none(counted.total))


def _slots(slots: range, states: Iterable[State]) -> shape.Slots | None:
    rows: list[tuple[str, int]] = []
    for state in states:
        if rows and rows[-1][0] == state:
            rows[-1] = (state, rows[-1][1] + 1)
        else:
            rows.append((state, 1))
    assert sum(length for _, length in rows) == len(slots), "every expected slot has a state"
    return shape.Slots(slots[0], slots.step, tuple(rows)) if slots else None


def _line(line: Line) -> shape.Line:
    assert all(verdict.labels == line.labels for _, verdict in line.windows), "a line is of one series"
    return shape.Line(dict(line.labels), tuple((slot, _verdict(verdict)) for slot, verdict in line.windows), line.seen)


def _stated(labels: Labels, stated: Stated) -> shape.Stated:
    return shape.Stated(
        dict(labels), tuple((percent, _number(value)) for percent, value in sorted(stated.percentiles.items())),
        _or_none(stated.value), _or_none(stated.count), _or_none(stated.calls), _or_none(stated.errors),
        _or_none(stated.minimum), _or_none(stated.mean), _or_none(stated.deviation), _or_none(stated.maximum),
    )  # fmt: skip
