from __future__ import annotations

from math import inf

from sloagent.model.verdict import Outcome
from sloagent.report.charts.chart import ChartLine, Kind, Point
from sloagent.report.charts.drawing import drawing_of, points
from sloagent.report.charts.rows import EVERY, Band, bands, edges, marks
from tests.unit.report.charts.made import at, chart, latencies, latency, numbers


def drawn(*lines: ChartLine, **more: object) -> list[tuple[int, float | None]]:
    """(minute, value) of the rows of the first line, None where it is broken."""
    rows = points(drawing_of(chart(*lines, **more), 960))
    factor = drawing_of(chart(*lines, **more), 960).frame.factor
    return [
        ((int(row["at"]) // 1000 - at(0)) // 60, None if row["value"] is None else round(row["value"] * factor, 6))
        for row in rows
        if row["line"] == 0
    ]


# ---- gaps --------------------------------------------------------------------------------------------------------


def test_a_window_without_a_value_breaks_the_line_and_is_no_zero() -> None:
    assert drawn(numbers("", [1.0, 2.0, None, 4.0, 5.0])) == [
        (1, 1.0),
        (2, 2.0),
        (3, None),
        (4, None),
        (4, 4.0),
        (5, 5.0),
    ]


def test_a_window_that_is_missing_breaks_the_line() -> None:
    line = numbers("", [1.0, 2.0, 3.0, 4.0, 5.0])
    there = ChartLine(line.name, tuple(p for p in line.points if p.slot != at(3)), 0)
    assert drawn(there) == [(1, 1.0), (2, 2.0), (4, None), (4, 4.0), (5, 5.0)]


def test_points_further_apart_than_one_and_a_half_steps_are_not_joined() -> None:
    near = ChartLine("", (Point(at(1), 1.0, Outcome.PASS), Point(at(2.5), 2.0, Outcome.PASS)), 0)
    far = ChartLine("", (Point(at(1), 1.0, Outcome.PASS), Point(at(2.5) + 1, 2.0, Outcome.PASS)), 0)
    assert [mark.begins for mark in marks(near, 60)] == [False, False]
    assert [mark.begins for mark in marks(far, 60)] == [False, True]


def test_a_thinned_line_breaks_where_columns_are_missing() -> None:
    line = ChartLine("", tuple(Point(at(minute), 1.0, Outcome.PASS) for minute in (0, 15, 22, 60, 75)), 0)
    assert [mark.begins for mark in marks(line, 20 * 60)] == [False, False, False, True, False]


def test_a_window_between_two_gaps_is_a_dot() -> None:
    line = numbers("", [1.0, None, 3.0, None, 5.0, 6.0])
    assert [mark.alone for mark in marks(line, 60)] == [True, True, True, True, False, False]
    rows = points(drawing_of(chart(line), 960))
    assert [row["at"] for row in rows if row.get("alone")] == [at(1) * 1000, at(3) * 1000]


def test_an_infinite_value_breaks_the_line() -> None:
    assert drawn(numbers("", [1.0, inf, 3.0])) == [(1, 1.0), (2, None), (3, None), (3, 3.0)]


def test_an_area_ends_where_its_line_breaks() -> None:
    rows = points(drawing_of(chart(numbers("", [1.0, 2.0, None, 4.0]), kind=Kind.STACKED), 960))
    assert [row["part"] for row in rows if row["value"] is not None] == ["0 0", "0 0", "0 2"]


def test_the_first_line_is_drawn_last_so_that_it_lies_above_the_others() -> None:
    rows = points(drawing_of(chart(numbers("a", [1.0]), numbers("b", [2.0], 1)), 960))
    assert [row["line"] for row in rows] == [1, 0]


# ---- buckets -----------------------------------------------------------------------------------------------------


def test_neighbouring_windows_in_one_bucket_are_one_band() -> None:
    found = bands(chart(latencies("", [0.03, 0.04, 0.15])))
    assert found == (
        Band(0, at(0.5), at(2.5), 0.025, 0.05, edge=False),
        Band(0, at(2.5), at(3.5), 0.1, 0.2, edge=False),
    )


def test_a_band_ends_half_a_step_before_a_gap() -> None:
    line = ChartLine("", (latency(1, 0.03), latency(2, 0.03), latency(5, 0.03)), 0)
    assert [(band.start, band.end) for band in bands(chart(line))] == [(at(0.5), at(2.5)), (at(4.5), at(5.5))]


def test_in_the_first_bucket_there_is_a_band_from_zero_and_no_line() -> None:
    line = latencies("", [0.002, 0.00495, 0.001])
    assert bands(chart(line)) == (Band(0, at(0.5), at(3.5), 0.0, 0.005, edge=True),)
    assert [value for _, value in drawn(line) if value is not None] == []


def test_in_the_last_bucket_there_is_a_band_without_an_end_and_no_line() -> None:
    line = latencies("", [0.3, 30.0, 30.0])
    assert bands(chart(line))[1] == Band(0, at(1.5), at(3.5), 10.0, inf, edge=True)
    assert [value for _, value in drawn(line) if value is not None] == [0.3]


def test_a_line_that_enters_the_first_bucket_ends_there_instead_of_falling_to_a_number() -> None:
    assert drawn(latencies("", [0.03, 0.004, 0.03])) == [(1, 0.03), (2, None), (3, None), (3, 0.03)]


def test_of_further_lines_only_the_first_and_the_last_bucket_are_bands_united_where_they_are_the_same() -> None:
    found = bands(
        chart(latencies("worst", [0.3]), latencies("b", [0.002, 0.3, 0.002], 1), latencies("c", [0.3, 0.001], 2))
    )
    assert [band for band in found if band.line == EVERY] == [Band(EVERY, at(0.5), at(3.5), 0.0, 0.005, edge=True)]
    assert [band.line for band in found] == [0, EVERY]


def test_a_number_that_somebody_stated_has_no_band() -> None:
    assert bands(chart(ChartLine("", (Point(at(1), 5.3, Outcome.PASS, 5.3, 5.3),), 0))) == ()


def test_a_value_without_buckets_has_no_band() -> None:
    assert bands(chart(numbers("", [1.0, 2.0]))) == ()


def test_of_thinned_windows_a_band_holds_the_least_and_the_greatest_of_a_column() -> None:
    line = ChartLine("", (latency(1, 0.03), latency(12, 0.3), latency(25, 0.03), latency(31, 0.04)), 0)
    found = bands(chart(line, minutes=40, step=20 * 60, windows=40))
    assert found == (
        Band(0, at(0), at(20), 0.025, 0.4, edge=False),
        Band(0, at(20), at(40), 0.025, 0.05, edge=False),
    )


def test_what_is_known_is_said_once_for_each_bound_where_it_holds_longest() -> None:
    line = latencies("", [0.002, 0.3, 0.002, 0.002, 0.3, 30.0])
    assert [(band.start, band.low, band.high) for band in edges(bands(chart(line)))] == [
        (at(2.5), 0.0, 0.005),
        (at(5.5), 10.0, inf),
    ]
