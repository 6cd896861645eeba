from __future__ import annotations

import dataclasses

from sloagent.model.run import Phase
from sloagent.model.timerange import TimeRange
from sloagent.report.content import content
from sloagent.report.document import document
from sloagent.report.phases import MOST_COLUMNS, phases
from sloagent.report.words import Words
from tests.unit.report.sample import (
    FSYNC,
    MEMORY,
    MUTATING,
    RUN,
    SET,
    WHOLE,
    curl,
    definition,
    evaluated,
    minute,
    report,
    summary,
)

ENGLISH = Words("en")


def test_a_phase_is_shown_by_its_windows() -> None:
    (block,) = phases(report(MUTATING), ENGLISH).blocks
    assert [cell.verdict.kind for cell in block.rows[0].cells] == ["pass", "pass", "fail", "pass", "pass"]
    assert [cell.short for cell in block.rows[0].cells] == ["5/5", "7/7", "0/5", "5/5", "4/4"]


def short_phases(count: int):
    """A run whose phases are too short for a window; their events are those of a window that was judged."""
    run = dataclasses.replace(
        RUN, phases=tuple(Phase(f"p{n}", TimeRange(minute(13), minute(13.5))) for n in range(count)), exclusions=()
    )
    inputs = []
    for slo in (MUTATING, FSYNC, MEMORY):
        stalled = summary(slo, TimeRange(minute(12), minute(15)))
        windows = dataclasses.replace(stalled.windows, expected=0)
        brief = dataclasses.replace(stalled, windows=windows)
        inputs.append(dataclasses.replace(evaluated(slo), phases=(brief,) * count))
    return content(run, WHOLE, [SET], inputs, definition(), version="", url="http://x", curl=curl)


def test_a_phase_too_short_for_a_window_is_judged_by_all_its_events_and_shows_the_bucket() -> None:
    shown = phases(short_phases(1), ENGLISH)
    assert shown.short
    (block,) = shown.blocks
    cells = {row.title: row.cells[0] for row in block.rows}
    assert (cells["Mutating API call latency"].verdict.kind, cells["Mutating API call latency"].short) == (
        "fail",
        "4–5 s",
    )
    assert cells["Mutating API call latency"].text.endswith("(4–5 s)")
    assert (cells["etcd WAL fsync"].verdict.kind, cells["etcd WAL fsync"].short) == ("pass", "1–2 ms")


def test_the_data_says_of_a_short_phase_what_the_page_says() -> None:
    run = short_phases(1)
    page = {row.title: row.cells[0].verdict.kind for block in phases(run, ENGLISH).blocks for row in block.rows}
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
    (block,) = phases(short_phases(1), ENGLISH).blocks
    assert "Component memory" not in [row.title for row in block.rows]


def test_many_phases_stand_in_blocks_and_none_is_lost() -> None:
    shown = phases(short_phases(2 * MOST_COLUMNS + 1), ENGLISH)
    assert [len(block.heads) for block in shown.blocks] == [MOST_COLUMNS, MOST_COLUMNS, 1]
    assert [head.number for block in shown.blocks for head in block.heads] == list(range(1, 2 * MOST_COLUMNS + 2))
    assert all(len(row.cells) == len(block.heads) for block in shown.blocks for row in block.rows)


def test_a_run_without_phases_has_no_blocks() -> None:
    bare = dataclasses.replace(RUN, phases=())
    one = dataclasses.replace(evaluated(FSYNC), phases=())
    none = content(bare, WHOLE, [SET], [one], definition(), version="", url="http://x", curl=curl)
    assert phases(none, ENGLISH).blocks == ()
