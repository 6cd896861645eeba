"""Control group beside test group, in one run."""

from __future__ import annotations

import dataclasses

from sloagent.model.record import Part, SLORecord, Stated
from sloagent.model.run import Phase
from sloagent.model.slo import Labels
from sloagent.model.tally import Tally
from sloagent.model.timerange import TimeRange
from sloagent.report.block_views import Prose, Tables
from sloagent.report.content import Report, content
from sloagent.report.definition import Definition
from tests.unit.report.built import counted, latencies, part, record, report_of, run_of
from tests.unit.report.sample import FSYNC, MEMORY, MUTATING, RUN, definition, minute
from tests.unit.report.showing import shown, texts

LIST, WATCH = ("verb", "LIST"), ("verb", "WATCH")


def by(control: dict[str, object], test: dict[str, object]) -> Definition:
    groups = {
        "control": {"title": {"en": "Direct"}} | control, "test": {"title": {"en": "Through the proxy"}} | test,
    }  # fmt: skip
    return Definition.model_validate(definition().model_dump() | {"groups": groups})


LABELS = by({"labels": {"group": "control"}}, {"labels": {"group": "test"}})
PHASES = by({"phase": "alone"}, {"phase": "loaded"})


def of_group(group: str, *pairs: tuple[str, str]) -> Labels:
    return tuple(sorted([("group", group), *pairs]))


def rows(of: Report) -> list[list[str]]:
    told, *blocks = shown(of, "groups")
    assert isinstance(told, Prose)
    (block,) = blocks
    assert isinstance(block, Tables)
    assert block.grids[0].columns[3:5] == ("Direct", "Through the proxy")
    return [row[:5] for row in texts(block.grids[0])]


def test_series_of_both_groups_belong_together_by_their_other_labels() -> None:
    one = counted(MUTATING, {
        of_group("control", LIST): latencies(), of_group("test", LIST): latencies(1.6),
        of_group("control", WATCH): latencies(1.6), of_group("test", WATCH): latencies(),
    })  # fmt: skip
    found = [row for row in rows(report_of(one, by=LABELS)) if row[0]]
    assert [(row[0], row[1]) for row in found] == [("worse", "LIST"), ("better", "WATCH")]
    assert found[0][3:] == ["100 ms (50–100 ms)", "168 ms (100–200 ms)"]


def test_a_group_without_numbers_was_not_run_and_is_never_a_zero() -> None:
    one = counted(MUTATING, {of_group("control", LIST): latencies()})
    found = rows(report_of(one, by=LABELS))
    assert [row[4] for row in found] == ["not run"] * 3
    assert found[0][3] == "100 ms (50–100 ms)"


def test_a_series_of_neither_group_is_compared_with_nothing() -> None:
    one = counted(MUTATING, {of_group("control"): latencies(), of_group("test"): latencies(), (LIST,): latencies()})
    assert [row[1] for row in rows(report_of(one, by=LABELS)) if row[0]] == ["the only series"]


def test_numbers_that_were_written_down_are_set_beside_each_other() -> None:
    stated = {of_group("control"): Stated({50.0: 0.0087, 99.0: 0.1}), of_group("test"): Stated()}
    found = rows(report_of(record(FSYNC, stated=stated), by=LABELS, written_by_hand=True))
    assert found == [
        ["cannot tell", "the only series", "P50", "8.7 ms", "not run"], ["", "", "P90", "—", "not run"],
        ["", "", "P99", "100 ms", "not run"],
    ]  # fmt: skip


def in_phases(control: float, test: float) -> Report:
    """A run with a phase for each group."""
    phases = tuple(
        Phase(name, TimeRange(minute(start), minute(start + 5))) for name, start in (("alone", 0), ("loaded", 5))
    )
    run = dataclasses.replace(RUN, phases=phases)
    one = counted(MUTATING, {(LIST,): latencies()})
    parts = tuple(part({}, whole={(LIST,): latencies(times)}) for times in (control, test))
    return content(run_of(dataclasses.replace(one, phases=parts), run=run), PHASES)


def test_phases_are_groups_too() -> None:
    found = rows(in_phases(1.0, 1.6))
    assert found[0] == ["worse", "LIST", "P50", "100 ms (50–100 ms)", "168 ms (100–200 ms)"]


def test_a_phase_that_the_run_does_not_have_was_not_run() -> None:
    report = in_phases(1.0, 1.6)
    run = dataclasses.replace(
        report.run, phases=(report.run.phases[0], dataclasses.replace(report.run.phases[1], name="x"))
    )
    other = content(dataclasses.replace(report.record, run=run), PHASES)
    assert [row[4] for row in rows(other)] == ["not run"] * 3


def test_groups_that_no_series_belongs_to_say_so_and_a_definition_without_groups_shows_nothing() -> None:
    one = counted(MUTATING, {(LIST,): latencies()})
    (told,) = shown(report_of(one, by=LABELS), "groups")
    assert isinstance(told, Prose)
    assert told.paragraphs[0].startswith("No SLO has a series of ")
    assert shown(report_of(one), "groups") == ()
    silent = SLORecord(MEMORY, Part(0, 0, Tally(), None))
    assert len(shown(report_of(counted(MUTATING, {of_group("test"): latencies()}), silent, by=LABELS), "groups")) == 2
