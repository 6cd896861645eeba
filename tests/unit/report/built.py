"""Records of SLOs made from counts, where it does not matter which windows they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted
from sloagent.model.record import Part, Peer, RunRecord, SLORecord
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels, SLOSet, Text
from sloagent.model.tally import SeriesTally, Tally
from sloagent.model.timerange import TimeRange
from sloagent.report.content import Report, content
from sloagent.report.definition import Definition
from tests.unit.report.sample import BOUNDS, START, definition

DAY = 86_400
ONLY: Labels = ()


def part(rows: Mapping[Labels, SeriesTally], expected: int = 0, whole: Mapping[Labels, Counted] | None = None) -> Part:
    """A stretch in which every expected slot was recorded: as many as the first series has windows, if not said."""
    counts = next(iter(rows.values()), SeriesTally())
    recorded = expected or counts.good + counts.bad + counts.undecided + counts.measured
    return Part(recorded, 0, Tally(recorded=recorded, series=rows), whole)


def record(slo: SLO, rows: Mapping[Labels, SeriesTally] | None = None, **more: object) -> SLORecord:
    """An SLO whose windows came out so."""
    return SLORecord(slo, part(rows or {}), **more)  # type: ignore[arg-type]


def counted(slo: SLO, whole: Mapping[Labels, Counted]) -> SLORecord:
    """An SLO whose series counted this over the run, each in a hundred good windows."""
    return SLORecord(slo, part(dict.fromkeys(whole, SeriesTally(good=100)), whole=whole))


def run_of(*records: SLORecord, name: str = "now", hours: float = 1, **more: object) -> RunRecord:
    """A run that has these records."""
    end = START + timedelta(hours=hours)
    sets = (SLOSet("karmada", Text("Karmada control plane"), tuple(one.slo for one in records)),)
    run = more.pop("run", Run(name, START, end))
    return RunRecord(run, TimeRange(START, end), sets, records, Peer("prom", "http://127.0.0.1:9090", "2.42.0"), **more)  # type: ignore[arg-type]


def report_of(
    *records: SLORecord, beside: RunRecord | None = None, by: Definition | None = None, **more: object
) -> Report:
    """The report of such a run, perhaps beside a baseline."""
    return content(run_of(*records, **more), by or definition(), beside)


def latencies(times: float = 1.0, events: float = 20_000.0) -> Distribution:
    """Events spread evenly over the logarithm of 10 ms to 1 s, all of them so many times slower."""
    from math import log

    def below(bound: float) -> float:
        return min(1.0, max(0.0, log(bound / times / 0.01) / log(100))) if bound < BOUNDS[-1] else 1.0

    return Distribution(BOUNDS, tuple(events * below(bound) for bound in BOUNDS))
