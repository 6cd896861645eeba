"""The first screen: what a newcomer must see without scrolling."""

from __future__ import annotations

import dataclasses

from sloagent.model.record import Part, SLORecord
from sloagent.model.slo import Status, Text
from sloagent.model.tally import Tally
from sloagent.report.content import Report, content
from sloagent.report.overview import MOST_OFFENDERS, offenders, pictured, ranked
from tests.unit.report.sample import (
    FSYNC,
    MEMORY,
    MUTATING,
    REGISTRATION,
    SCHEDULING,
    SEARCH,
    WORK_SYNC,
    definition,
    made_of,
    report,
    slo_record,
)
from tests.unit.report.showing import ENGLISH, page, told


def failing(name: str, status: Status = Status.OFFICIAL) -> SLORecord:
    slo = dataclasses.replace(MUTATING, name=name, title=Text(name), status=status)
    return dataclasses.replace(slo_record(MUTATING), slo=slo)


def of(*records: SLORecord) -> Report:
    return content(made_of(*records), definition())


def test_official_failures_stand_first_then_other_failures_then_what_stayed_open() -> None:
    mixed = of(failing("wip", Status.WIP), slo_record(SEARCH), failing("official"), slo_record(WORK_SYNC))
    assert [result.slo.name for result in ranked(mixed)] == ["official", "wip", "search-latency", "work-sync-latency"]


def test_what_failed_is_told_with_what_was_measured_in_place_of_what_was_promised() -> None:
    (offender,) = offenders(report(MUTATING), ENGLISH)
    assert offender.measured == "4.96 s (4–5 s) instead of P99 ≤ 1 s"
    assert offender.where == "POST deployments · 21 of 26 windows good · worst at 05:52"


def test_what_is_undecided_is_not_told_as_broken() -> None:
    found = {one.title: one for one in offenders(report(SEARCH, WORK_SYNC, SCHEDULING), ENGLISH)}
    assert {one.measured for one in found.values()} == {"P99 ≤ 1 s", "P99 ≤ 5 s", "≥ 99.9 %"}
    assert not any("instead of" in one.measured + one.where for one in found.values())
    assert found["Work written to the member"].where.startswith(
        "success: 21 of 26 windows good (99 % needed); 5 undecided"
    )
    assert found["Search latency"].where == "refused: execution ×26"


def test_what_passes_warns_or_promises_nothing_is_no_offender() -> None:
    assert offenders(report(FSYNC, MEMORY, REGISTRATION), ENGLISH) == ()


def test_of_many_offenders_the_first_are_shown_and_the_others_counted() -> None:
    many = of(*(failing(f"slo-{number}") for number in range(MOST_OFFENDERS + 3)))
    assert len(told(many).offenders) == MOST_OFFENDERS
    assert told(many).more_offenders == 3
    assert "and 3 more under" in page(many)


def test_the_picture_is_that_of_the_worst_that_has_one() -> None:
    assert pictured(report()).slo is MUTATING  # type: ignore[union-attr]
    undrawn = dataclasses.replace(slo_record(MUTATING), lines=())
    assert pictured(of(undrawn, slo_record(FSYNC))).slo is FSYNC  # type: ignore[union-attr]
    assert pictured(of(SLORecord(FSYNC, Part(0, 0, Tally(), None)))) is None


def test_nothing_is_wrong_where_nothing_failed_and_the_page_shows_no_list_of_offenders() -> None:
    calm = report(FSYNC)
    assert told(calm).offenders == ()
    assert ENGLISH.say("worst_offenders") not in page(calm)
