from __future__ import annotations

import base64
import json
import struct
from typing import Any

from sloagent.model.verdict import Outcome
from sloagent.report.charts.chart import ChartLine, Kind, Point
from sloagent.report.charts.figure import figure
from sloagent.report.words import Words
from tests.unit.report.charts.made import at, chart, latencies, numbers

ENGLISH = Words("en")


def data(*lines: ChartLine, language: str = "en", **more: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(figure(chart(*lines, **more), Words(language)).data)
    return found


def values(line: dict[str, Any]) -> tuple[float, ...]:
    packed = base64.b64decode(line["values"])
    return struct.unpack(f"<{len(packed) // 8}d", packed)


def slots(line: dict[str, Any]) -> list[int]:
    first, unit, steps = line["at"]
    found = [first]
    for step in [1] * (steps - 1) if isinstance(steps, int) else steps:
        found.append(found[-1] + step * unit)
    return found


def test_values_are_carried_exactly_and_in_base_units() -> None:
    measured = [0.1 + 0.2, 1 / 3, 6442450944.25, 5e-324]
    (line,) = data(numbers("", measured, 0), unit="bytes")["lines"]
    assert values(line) == tuple(measured)


def test_what_has_no_value_is_no_number() -> None:
    (line,) = data(numbers("", [1.0, None]))["lines"]
    assert values(line)[1] != values(line)[1]


def test_times_are_carried_exactly_even_or_uneven() -> None:
    uneven = ChartLine("", tuple(Point(at(m), 1.0, Outcome.PASS) for m in (1, 2, 5, 25)), 0)
    single = ChartLine("", (Point(at(3), 1.0, Outcome.PASS),), 0)
    found = data(numbers("", [1.0, 2.0, 3.0]), uneven, single)["lines"]
    assert [slots(line) for line in found] == [[at(1), at(2), at(3)], [at(m) for m in (1, 2, 5, 25)], [at(3)]]


def test_each_window_tells_its_bucket_and_its_outcome() -> None:
    found = data(latencies("", [0.03, 0.002, 30.0, None]))
    (line,) = found["lines"]
    words = [found["buckets"][ord(letter) - 49] if letter != "0" else "" for letter in line["inside"]]
    assert words == ["25–50 ms", "≤ 5 ms (first bucket)", "> 10 s (last bucket)", ""]
    assert [found["outcomes"][ord(letter) - 48] for letter in line["outcomes"]] == [
        ["pass", "pass"], ["pass", "pass"], ["fail", "fail"], ["no-data", "no data"],
    ]  # fmt: skip


def test_what_is_said_at_the_pointer_is_in_the_language_of_the_report() -> None:
    found = data(latencies("", [0.002]), language="zh")
    assert found["buckets"] == ["≤ 5 ms （首个桶）"]
    assert found["words"]["reset"] == "显示全部"


def test_the_rows_of_a_set_say_their_keys_once() -> None:
    found = data(latencies("", [0.03, 0.2]))["rows"]["bands"]
    assert found["keys"] == ["at", "until", "line", "low", "high"]
    assert len(found["rows"]) == 2


def test_the_specification_of_the_page_has_no_rows_and_no_address() -> None:
    spec = data(latencies("", [0.03, 0.2]))["spec"]
    assert [one for one in spec["data"] if "url" in one] == []
    assert {one["name"] for one in spec["data"] if "values" not in one and "source" not in one} == {
        "shades", "bands", "points", "restarts", "limits", "edges", "names",
    }  # fmt: skip


def test_a_week_of_a_chart_takes_few_bytes() -> None:
    week = [numbers(f"series {n}", [1 / (n + k + 3) for k in range(500)], n) for n in range(8)]
    assert len(figure(chart(*week, minutes=500, kind=Kind.LINES), ENGLISH).data) < 75_000
