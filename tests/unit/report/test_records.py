"""The record of a load test, as the published plan of a capacity test of karmada-search's proxy has it."""

from __future__ import annotations

import dataclasses

from sloagent.model.record import SLORecord, Stated
from sloagent.model.slo import SLO, Labels, LatencySLI, ValueSLI
from tests.unit.report.built import record, report_of
from tests.unit.report.sample import REGISTRATION
from tests.unit.report.showing import shown, table, texts

CONTROL, TEST = (("group", "control"),), (("group", "test"),)
LIST = Stated(
    {50.0: 0.0087}, count=24_340, calls=24_350, errors=0, minimum=0.0017, mean=0.0123, deviation=0.0246, maximum=0.7073
)
UPDATE = Stated(
    {50.0: 0.2281}, count=294, calls=343, errors=40, minimum=0.2043, mean=0.2366, deviation=0.0385, maximum=0.4904
)


def case(name: str, stated: dict[Labels, Stated]) -> SLORecord:
    slo = dataclasses.replace(
        REGISTRATION, name=name.lower().replace(" ", "-"), title=dataclasses.replace(REGISTRATION.title, en=name, zh=""),
        sli=LatencySLI((), "", ("group",)),
    )  # fmt: skip
    return record(slo, stated=stated)


def rows(*records: SLORecord) -> list[list[str]]:
    (grid,) = table(report_of(*records, written_by_hand=True), "records").grids
    assert grid.columns == ("Test case", "Series", "N", "Min", "Median", "Mean", "StdDev", "Max", "Errors")
    return texts(grid)


def test_the_published_record_comes_out_as_it_was_printed() -> None:
    published = {CONTROL: LIST, TEST: Stated()}
    found = rows(case("List pods", published), case("Update pod", {CONTROL: UPDATE, TEST: Stated()}))
    assert found[0] == [
        "List pods", "control", "24,340", "1.7 ms", "8.7 ms", "12.3 ms", "24.6 ms", "707 ms", "0/24,350 (0 %)",
    ]  # fmt: skip
    assert found[2] == [
        "Update pod", "control", "294", "204 ms", "228 ms", "237 ms", "38.5 ms", "490 ms", "40/343 (11.7 %)",
    ]  # fmt: skip


def test_all_digits_of_a_number_stand_behind_it() -> None:
    (grid,) = table(report_of(case("List pods", {CONTROL: LIST}), written_by_hand=True), "records").grids
    assert grid.rows[0][7].exact == "0.7073 seconds"


def test_a_group_without_numbers_was_not_run_and_is_never_a_zero() -> None:
    found = rows(case("List pods", {CONTROL: LIST, TEST: Stated()}))
    assert found[1] == ["List pods", "test", *["not run"] * 7]


def test_a_series_that_a_case_does_not_name_was_not_run_in_it() -> None:
    found = rows(case("List pods", {CONTROL: LIST, TEST: LIST}), case("Update pod", {CONTROL: UPDATE}))
    assert found[3] == ["Update pod", "test", *["not run"] * 7]


def test_a_case_that_nobody_ran_has_its_rows() -> None:
    found = rows(
        case("List pods", {CONTROL: LIST, TEST: Stated()}), case("Get pod", {CONTROL: Stated(), TEST: Stated()}),
        case("Watch", {}),
    )  # fmt: skip
    assert [row[0:3] for row in found[2:]] == [
        ["Get pod", "control", "not run"], ["Get pod", "test", "not run"],
        ["Watch", "control", "not run"], ["Watch", "test", "not run"],
    ]  # fmt: skip


def test_what_a_record_leaves_out_is_a_dash() -> None:
    (row,) = rows(case("List pods", {CONTROL: Stated(mean=0.5, errors=3)}))
    assert row[2:] == ["—", "—", "—", "500 ms", "—", "—", "3"]


def test_percentiles_alone_are_no_record() -> None:
    only = case("List pods", {CONTROL: Stated({50.0: 0.1, 99.0: 0.2})})
    assert shown(report_of(only, written_by_hand=True), "records") == ()


def test_a_value_is_no_test_case() -> None:
    cpu = SLO("karmada", "cpu", ValueSLI("", "cores"), None, 60, 300)
    found = rows(case("List pods", {CONTROL: LIST}), record(cpu, stated={TEST: Stated()}))
    assert {row[0] for row in found} == {"List pods"}
