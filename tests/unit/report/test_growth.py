"""What grows, as a table: judged from the minima of a run, as `evaluation.drift` has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from sloagent.model.record import SLORecord
from sloagent.model.slo import Limit, Objective
from sloagent.model.tally import SeriesTally
from sloagent.report.answer import answer
from sloagent.report.content import Report
from sloagent.report.growth import MOST_ROWS
from tests.unit.report.built import record, report_of
from tests.unit.report.sample import MEMORY, START
from tests.unit.report.showing import ENGLISH, shown, table, texts, told

GIB, MIB = 2.0**30, 2.0**20
LEAKING = dataclasses.replace(
    MEMORY, objective=Objective(Limit(at_most=8 * GIB, warn_at=6 * GIB), grows_at_most=20 * MIB / 3600)
)
HOURS = 6


def minima(of: Callable[[float], float]) -> tuple[tuple[int, float], ...]:
    """The least value of every two minutes, from a function of the hours since the beginning."""
    first = int(START.timestamp()) // 120 * 120
    return tuple((first + at, of(at / 3600)) for at in range(0, HOURS * 3600, 120))


def growing(mib_an_hour: float) -> SeriesTally:
    """Good windows of a memory of 2 GiB at the beginning that grows steadily."""
    return SeriesTally(good=HOURS * 60, minima=minima(lambda hour: 2 * GIB + mib_an_hour * MIB * hour))


def series(**rows: SeriesTally) -> SLORecord:
    return record(LEAKING, {(("component", name),): row for name, row in rows.items()})


def report(**rows: SeriesTally) -> Report:
    return report_of(series(**rows), hours=HOURS)


def rows(of: Report) -> list[list[str]]:
    (grid,) = table(of, "growth").grids
    return texts(grid)


def test_a_leak_is_told_with_its_slope_its_interval_and_when_it_reaches_the_limit() -> None:
    (row,) = rows(report(etcd=growing(40)))
    assert row[0] == "leak"
    assert row[2] == "etcd"
    assert row[3] == "40 MiB/h"
    assert row[4].startswith("40 MiB/h to 40 MiB/h")
    assert row[5] == "≤ +20 MiB/h"
    # 8 GiB less the 2 GiB and 240 MiB that it has reached, by 40 MiB/h: 147 h and a half.
    assert row[6] == "8 GiB in 6 d 3 h"


def test_what_grows_less_than_the_limit_is_no_leak_and_reaches_nothing() -> None:
    (row,) = rows(report(etcd=growing(19)))
    assert (row[0], row[3], row[6]) == ("no leak", "19 MiB/h", "—")


def test_a_step_is_no_leak() -> None:
    step = SeriesTally(good=HOURS * 60, minima=minima(lambda hour: 2 * GIB + (GIB if hour > 3 else 0.0)))
    (row,) = rows(report(etcd=step))
    assert row[0] == "no leak"


def test_what_grows_ever_slower_is_no_leak_however_sure_its_slope_is() -> None:
    slower = SeriesTally(good=HOURS * 60, minima=minima(lambda hour: 2 * GIB + MIB * (30 * hour + 300 * min(hour, 3))))
    of = report(etcd=slower)
    assert of.results[0].summary.series[0].growth.lower > 20 * MIB / 3600  # type: ignore[union-attr]
    (row,) = rows(of)
    assert row[0] == "no leak"


def test_a_run_that_is_too_short_is_not_judged_and_not_called_free_of_leaks() -> None:
    brief = SeriesTally(good=20, minima=minima(lambda hour: 2 * GIB + GIB * hour)[:10])
    (row,) = rows(report(etcd=brief))
    assert row[0] == "not judged"
    assert row[3] == ENGLISH.say("growth_unknown")
    assert row[6] == "—"


def test_a_leak_without_a_limit_of_the_value_reaches_none() -> None:
    slo = dataclasses.replace(LEAKING, objective=Objective(Limit(), grows_at_most=20 * MIB / 3600))
    (row,) = rows(report_of(record(slo, {(): growing(40)}), hours=HOURS))
    assert (row[0], row[2], row[6]) == ("leak", "the only series", "it has no limit")


def test_a_leak_whose_value_broke_its_limit_as_well_is_called_a_leak_too() -> None:
    both = dataclasses.replace(growing(40), good=0, bad=HOURS * 60)
    (row,) = rows(report(etcd=both))
    assert row[0] == "leak"


def test_leaks_stand_first_then_the_fastest_then_what_was_not_judged() -> None:
    brief = SeriesTally(good=20, minima=())
    found = rows(report(calm=growing(1), brief=brief, leak=growing(30), busy=growing(10), worse=growing(90)))
    assert [row[2] for row in found] == ["worse", "leak", "busy", "calm", "brief"]


def test_rows_beyond_the_fortieth_are_counted() -> None:
    many = {f"c{number}": growing(1) for number in range(MOST_ROWS + 3)}
    block = table(report(**many), "growth")
    assert len(block.grids[0].rows) == MOST_ROWS
    assert block.after == ("and 3 more series in report.json",)


def test_where_nothing_promises_anything_of_growth_there_is_no_table() -> None:
    assert shown(report_of(record(MEMORY, {(): SeriesTally(good=60)})), "growth") == ()


def test_a_leak_is_told_by_its_growth_wherever_it_is_told() -> None:
    """Its value kept its limit: to set the two beside each other would tell of a failure that was none."""
    leaking = report(etcd=growing(40))
    assert answer(leaking, ENGLISH) == "0 of 1 SLOs were met. Component memory failed."
    (offender,) = told(leaking).offenders
    assert offender.measured == "≤ 8 GiB, ≤ +20 MiB/h"
    assert offender.where == "etcd: grows by 40 MiB/h (40 MiB/h to 40 MiB/h), at most 20 MiB/h promised"
    (conclusion,) = shown(leaking, "conclusion")
    items = [item.text for statement in conclusion.statements for item in statement.items]
    assert items == [offender.where]
