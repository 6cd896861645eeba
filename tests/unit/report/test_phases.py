from __future__ import annotations

import dataclasses

from sloagent.model.record import SLORecord
from sloagent.model.run import Phase
from sloagent.model.timerange import TimeRange
from sloagent.report.content import Report, content
from sloagent.report.document import document
from sloagent.report.grid import Cell
from sloagent.report.phases import MOST_COLUMNS, phase_grids, phase_list, some_are_short
from tests.unit.report.sample import (
    FSYNC,
    MEMORY,
    MUTATING,
    RUN,
    definition,
    made_of,
    minute,
    part,
    report,
    slo_record,
)
from tests.unit.report.showing import ENGLISH, table


def test_a_phase_is_shown_by_its_windows() -> None:
    (grid,) = phase_grids(report(MUTATING), ENGLISH)
    assert [cell.verdict for cell in grid.rows[0][1:]] == ["pass", "pass", "fail", "pass", "pass"]
    assert [cell.sub for cell in grid.rows[0][1:]] == ["5/5", "7/7", "0/5", "5/5", "4/4"]


def short_phases(count: int) -> Report:
    """A run whose phases are too short for a window; their events are those of a window that was judged."""
    run = dataclasses.replace(
        RUN, phases=tuple(Phase(f"p{n}", TimeRange(minute(13), minute(13.5))) for n in range(count)), exclusions=()
    )

    def one(slo) -> SLORecord:
        stalled = part(slo, TimeRange(minute(12), minute(15)))
        brief = dataclasses.replace(
            stalled, expected=0, tally=dataclasses.replace(stalled.tally, recorded=0, series={})
        )
        return dataclasses.replace(slo_record(slo), phases=(brief,) * count)

    return content(made_of(*map(one, (MUTATING, FSYNC, MEMORY)), run=run), definition())


def cells(of: Report) -> dict[str, Cell]:
    """What the first phase shows, by the title of the SLO."""
    return {row[0].text: row[1] for grid in phase_grids(of, ENGLISH)[:1] for row in grid.rows}


def test_a_phase_too_short_for_a_window_is_judged_by_all_its_events_and_shows_the_bucket() -> None:
    brief = short_phases(1)
    assert some_are_short(brief)
    assert not some_are_short(report(MUTATING))
    shown = cells(brief)
    mutating, fsync = shown["Mutating API call latency"], shown["etcd WAL fsync"]
    assert (mutating.verdict, mutating.sub) == ("fail", "4–5 s")
    assert mutating.title.endswith("(4–5 s)")
    assert (fsync.verdict, fsync.sub) == ("pass", "1–2 ms")


def test_the_data_says_of_a_short_phase_what_the_page_says() -> None:
    run = short_phases(1)
    page = {title: cell.verdict for title, cell in cells(run).items()}
    told = {result["slo"]: (result["title"]["en"], result["phases"][0]) for result in document(run)["results"]}
    for name in ("api-mutating-latency", "etcd-wal-fsync"):
        title, phase = told[name]
        assert phase["judged_by"] == "whole_run"
        assert (
            phase["outcome"] == page[title] == phase["series"][0]["outcome"] == phase["series"][0]["whole"]["outcome"]
        )
        assert phase["reason"] == phase["series"][0]["reason"]
        assert "% within" in phase["reason"]["en"]
    assert told["api-mutating-latency"][1]["outcome"] == "fail"
    assert told["component-memory"][1]["judged_by"] is None


def test_what_has_nothing_to_say_about_any_phase_of_a_block_has_no_row_in_it() -> None:
    assert set(cells(short_phases(1))) == {"Mutating API call latency", "etcd WAL fsync"}


def test_many_phases_stand_in_tables_and_none_is_lost() -> None:
    grids = phase_grids(short_phases(2 * MOST_COLUMNS + 1), ENGLISH)
    assert [len(grid.columns) - 1 for grid in grids] == [MOST_COLUMNS, MOST_COLUMNS, 1]
    heads = [head for grid in grids for head in grid.columns[1:]]
    assert heads == [f"{number} p{number - 1}" for number in range(1, 2 * MOST_COLUMNS + 2)]


def test_when_a_phase_was_and_what_was_done_in_it_stands_below() -> None:
    found = phase_list(report(FSYNC), ENGLISH)
    assert found is not None
    assert [cell.text for cell in found.rows[1]] == ["2 create", "2026-11-22 05:44–05:51 UTC", "600 Deployments"]
    block = table(report(FSYNC), "phases")
    assert block.grids[-1] == found
    assert block.before == ()
    assert table(short_phases(1), "phases").before == (ENGLISH.say("phases_short"),)


def test_a_run_without_phases_has_no_tables() -> None:
    bare = dataclasses.replace(RUN, phases=())
    none = content(made_of(dataclasses.replace(slo_record(FSYNC), phases=()), run=bare), definition())
    assert phase_grids(none, ENGLISH) == ()
    assert phase_list(none, ENGLISH) is None


def test_a_phase_of_which_every_window_is_excluded_is_judged_by_its_events() -> None:
    stalled = part(MUTATING, TimeRange(minute(12), minute(15)))
    tally = dataclasses.replace(stalled.tally, recorded=0, series={})
    phase = dataclasses.replace(stalled, excluded=stalled.expected, tally=tally)
    run = dataclasses.replace(RUN, phases=(Phase("stall", TimeRange(minute(12), minute(15))),))
    record = made_of(dataclasses.replace(slo_record(MUTATING), phases=(phase,)), run=run)
    (grid,) = phase_grids(content(record, definition()), ENGLISH)
    assert (grid.rows[0][1].verdict, grid.rows[0][1].sub) == ("fail", "4–5 s")
