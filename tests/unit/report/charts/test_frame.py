from __future__ import annotations

import pytest

from sloagent.report.charts.chart import Chart, ChartLimit, ChartLine, Kind
from sloagent.report.charts.drawing import around, drawing_of
from sloagent.report.charts.frame import Frame, frame_of
from sloagent.report.charts.rows import bands
from sloagent.report.words import Words
from tests.unit.report.charts.made import chart, latencies, numbers

ENGLISH = Words("en")


def frame(*lines: ChartLine, **more: object) -> Frame:
    one = chart(*lines, **more)
    return frame_of(one, bands(one))


def limits(one: Chart) -> list[dict[str, object]]:
    return around(drawing_of(one, 960), ENGLISH)["limits"]


@pytest.mark.parametrize(
    ("unit", "value", "counted_in"),
    [
        ("seconds", 0.25, "ms"), ("seconds", 4.4, "s"), ("seconds", 0.0002, "µs"), ("seconds", 400.0, "min"),
        ("bytes", 5.4 * 2**30, "GiB"), ("cores", 0.5, "cores"), ("ratio", 0.3, "%"), ("requests/s", 1200.0, "requests/s"),
    ],
)  # fmt: skip
def test_a_chart_counts_in_the_unit_that_people_would_use(unit: str, value: float, counted_in: str) -> None:
    made = frame(numbers("", [value / 2, value]), unit=unit)
    assert made.unit == counted_in
    assert made.top * made.factor == pytest.approx(value * 1.06)


def test_a_long_unit_stands_above_the_axis_instead_of_at_every_number() -> None:
    assert frame(numbers("", [1200.0]), unit="requests/s").tick_unit == ""
    assert frame(numbers("", [1200.0]), unit="requests/s").unit_above
    assert frame(numbers("", [0.25])).tick_unit == " ms"


def test_the_axis_begins_at_zero() -> None:
    assert frame(numbers("", [5.4, 6.3])).bottom == 0.0
    assert frame(numbers("", [-2.0, 6.3])).bottom < -2.0


def test_shares_of_good_events_are_shown_by_their_distance_from_all_of_them() -> None:
    made = frame(numbers("", [0.9985, 1.0]), unit="ratio", share_of_good=True, limits=(ChartLimit(0.999),))
    assert 99.8 < made.bottom < 99.85
    assert 100.0 < made.top < 100.05


def test_where_all_events_were_good_the_limit_is_still_in_sight() -> None:
    made = frame(numbers("", [1.0, 1.0]), unit="ratio", share_of_good=True, limits=(ChartLimit(0.95),))
    assert made.bottom < 95.0


def test_a_limit_that_is_near_is_part_of_the_scale() -> None:
    made = frame(latencies("", [0.5]), limits=(ChartLimit(1.0),))
    assert made.top * made.factor > 1.0


def test_a_limit_far_above_does_not_press_the_data_flat_but_is_told_at_the_edge() -> None:
    one = chart(latencies("", [0.3, 0.35]), limits=(ChartLimit(30.0),))
    made = frame_of(one, bands(one))
    assert made.top * made.factor < 1.0
    (row,) = limits(one)
    assert row["value"] > made.top
    assert row["above"] == "↑ limit 30 s\nabove"


def test_two_limits_beyond_the_scale_are_told_below_each_other() -> None:
    one = chart(latencies("", [0.3]), limits=(ChartLimit(30.0), ChartLimit(60.0, lines=("LIST pods",))))
    assert [row["place"] for row in limits(one)] == [0, 1]
    assert limits(one)[1]["above"] == "↑ limit 60 s\nLIST pods"


def test_a_limit_of_some_series_names_them() -> None:
    one = chart(latencies("", [0.9]), limits=(ChartLimit(1.0, lines=("a", "b")), ChartLimit(0.8, warns=True)))
    assert [row["label"] for row in limits(one)] == ["limit 1 s\n2 series", "warn 800 ms"]


def test_the_bucket_of_the_first_line_is_in_sight_unless_it_makes_the_line_flat() -> None:
    assert frame(latencies("", [0.45])).top > 600
    assert frame(latencies("", [5.5])).top < 10


def test_where_everything_is_in_the_first_bucket_its_bound_is_in_sight() -> None:
    made = frame(latencies("", [0.002, 0.004]))
    assert made.unit == "ms"
    assert 5 < made.top < 10


def test_the_last_bound_is_in_sight_where_something_lies_beyond_it() -> None:
    assert 10 < frame(latencies("", [0.3, 30.0])).top < 15


def test_a_stack_reaches_to_its_greatest_total() -> None:
    made = frame(numbers("a", [1.0, 4.0]), numbers("b", [2.0, 1.0], 1), unit="cores", kind=Kind.STACKED)
    assert made.top == pytest.approx(5.0 * 1.06)


def test_values_that_are_all_zero_have_an_axis() -> None:
    assert frame(numbers("", [0.0, 0.0]), unit="cores").top == 1.0


def test_a_row_for_names_is_there_only_where_there_are_names() -> None:
    assert frame(numbers("", [1.0])).head == 10
