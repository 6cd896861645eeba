from __future__ import annotations

import re
import struct
from xml.etree import ElementTree as ET

import pytest

from sloagent.model.slo import Text
from sloagent.report.charts import palette
from sloagent.report.charts.chart import Chart, ChartLimit, Kind, Restart, Stretch
from sloagent.report.charts.figure import Figure, figure
from sloagent.report.charts.picture import png, without_glyphs
from sloagent.report.words import Words
from tests.unit.report.charts.made import at, chart, latencies, numbers
from tests.unit.report.sample import HOSTILE

ENGLISH, CHINESE = Words("en"), Words("zh")
SVG = "{http://www.w3.org/2000/svg}"


def full(**more: object) -> Chart:
    """A chart with everything that a chart can have, `more` in place of some of it."""
    given: dict[str, object] = {
        "limits": (ChartLimit(1.0), ChartLimit(30.0, lines=("LIST pods",))),
        "phases": (Stretch("quiet", at(0), at(12)), Stretch("etcd stalled", at(12), at(17))),
        "exclusions": (Stretch("planned restart", at(20), at(24)),),
        "restarts": (Restart("karmada-etcd", at(13)),),
    }
    lines = (
        latencies("POST deployments", [0.03, 0.04, 4.5, 4.6, None, 0.3]),
        latencies("LIST pods", [0.3, 0.2, 2.5, 3.5, 0.3, 0.3], 1),
        latencies("PUT secrets", [0.002] * 6, 2),
    )
    return chart(*lines, **(given | more))


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(svg).iter() if one.tag.removeprefix(SVG) == "text"]


def paths(svg: str, colour: str) -> list[str]:
    """The lines that are drawn in a colour."""
    found = (one for one in ET.fromstring(svg).iter() if one.tag.removeprefix(SVG) == "path")
    return [one.get("d", "") for one in found if one.get("stroke") == colour]


def bands(svg: str, colour: str) -> list[ET.Element]:
    found = (one for one in ET.fromstring(svg).iter() if one.tag.removeprefix(SVG) == "path")
    return [one for one in found if one.get("fill") == colour and one.get("fill-opacity") == "0.16"]


def test_the_same_chart_gives_the_same_bytes() -> None:
    assert figure(full(), ENGLISH) == figure(full(), ENGLISH)
    assert png(figure(full(), ENGLISH).picture) == png(figure(full(), ENGLISH).picture)


def test_everything_in_the_first_bucket_is_a_band_and_at_most_its_bound_and_no_line() -> None:
    flat = chart(*(latencies(f"P{p}", [0.00495 * p / 99] * 20, n) for n, p in enumerate((99, 90, 50))))
    made = figure(flat, ENGLISH)
    for colour in palette.LINES:
        assert paths(made.svg, colour) == []
    assert len(bands(made.svg, palette.LINES[0])) == 1
    assert "≤ 5 ms" in texts(made.picture)
    assert {"P99 ≤ 5 ms", "P90 ≤ 5 ms", "P50 ≤ 5 ms"} <= set(texts(made.picture))
    assert "4.95" not in made.picture + made.alt
    assert "≤ 5 ms (first bucket)" in made.alt


def test_a_gap_is_no_line() -> None:
    (line,) = paths(figure(chart(numbers("", [1.0, 2.0, None, 3.0, 4.0])), ENGLISH).svg, palette.LINES[0])
    assert line.count("M") == 2


def test_limit_phases_exclusions_and_restarts_are_named() -> None:
    words = texts(figure(full(), ENGLISH).picture)
    for expected in ("1 quiet", "2 etcd stalled", "excluded: planned restart", "karmada-etcd restarted", "limit 1 s"):
        assert expected in words, expected
    assert "↑ limit 30 s" in " ".join(words)


def test_a_chart_is_told_in_chinese() -> None:
    made = figure(full(), CHINESE)
    assert made.title == "变更类 API 调用时延"
    assert {"上限 1 s", "排除：planned restart", "karmada-etcd 重启"} <= set(texts(made.picture))
    assert not [word for word in texts(made.picture) if "limit" in word or "excluded" in word]


def test_a_name_for_which_there_is_no_room_becomes_the_number_of_its_phase() -> None:
    crowd = tuple(Stretch(f"phase number {n}", at(n), at(n + 1)) for n in range(28))
    words = texts(figure(full(phases=crowd, exclusions=(), restarts=()), ENGLISH).picture)
    assert [word for word in words if word.isdigit() and word != "0"] == [str(n) for n in range(1, 29)]
    assert "phase" not in " ".join(words)


def elements(svg: str) -> set[str]:
    return {one.tag.removeprefix(SVG) for one in ET.fromstring(svg).iter()}


def attributes(svg: str) -> set[str]:
    return {name for one in ET.fromstring(svg).iter() for name in one.attrib}


def test_a_picture_holds_shapes_and_texts_and_nothing_that_acts_or_refers_elsewhere() -> None:
    made = figure(full(), ENGLISH)
    for svg in (made.svg, made.picture):
        assert elements(svg) <= {"svg", "g", "path", "line", "rect", "text", "tspan", "defs", "clipPath"}
        assert not {name for name in attributes(svg) if name.startswith("on") or name in ("style", "class", "href")}
        assert set(re.findall(r"url\(([^)]*)\)", svg)) <= {f"#{i}" for i in re.findall(r'id="([^"]*)"', svg)}
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_no_two_charts_of_a_page_share_an_id() -> None:
    one, other = figure(full(), ENGLISH).svg, figure(full(id="two"), ENGLISH).svg
    names = re.findall(r' id="([^"]*)"', one + other)
    assert len(names) == len(set(names)) > 2


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_are_text(kind: str) -> None:
    bad = HOSTILE[kind]
    lines = latencies(bad, [0.3, 4.0]), latencies(bad, [0.3, 4.0], 1)
    one = full(
        title=Text(bad), lines=lines, limits=(ChartLimit(1.0, lines=(bad,)),), phases=(Stretch(bad, at(0), at(28)),),
        exclusions=(Stretch(bad, at(2), at(20)),), restarts=(Restart(bad, at(21)),), baseline=bad,
    )  # fmt: skip
    made = figure(one, ENGLISH)
    for svg in (made.svg, made.picture):
        assert elements(svg) <= {"svg", "g", "path", "line", "rect", "text", "tspan", "defs", "clipPath"}
        assert len(svg) < 20_000
        for text in texts(svg):
            assert not [character for character in text if ord(character) < 32 or character in "\u202e\u2066"], text
    assert not re.search(r"[<>&\u2028\u2029]", made.data)
    assert len(made.legend) + sum(len(note) for note in made.notes) < 5_000
    assert "<img" not in made.legend
    assert "<script" not in made.legend


def test_a_stack_is_areas() -> None:
    made = figure(
        chart(numbers("a", [1.0, 2.0]), numbers("b", [2.0, 1.0], 1), kind=Kind.STACKED, unit="cores"), ENGLISH
    )
    assert paths(made.svg, palette.LINES[0]) == []
    assert f'fill="{palette.LINES[0]}"' in made.svg
    assert f'fill="{palette.LINES[1]}"' in made.svg


def test_every_colour_of_a_picture_has_its_dark_counterpart() -> None:
    made = figure(full(), ENGLISH)
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', made.svg + made.legend))
    assert len(used) > 6
    for colour in used:
        assert f'[fill="{colour}"]{{fill:#' in palette.dark_rules()


def test_a_file_of_its_own_has_paper_and_a_legend() -> None:
    made = figure(full(), ENGLISH)
    assert f'fill="{palette.PAPER}"' in made.picture
    assert f'fill="{palette.PAPER}"' not in made.svg
    assert "POST deployments" in texts(made.picture)
    assert "POST deployments" not in texts(made.svg)


def test_the_legend_of_a_file_goes_on_in_a_further_row() -> None:
    many = chart(*(numbers(f"a component with a long name {n}", [1.0, 2.0], n) for n in range(8)))
    picture = ET.fromstring(figure(many, ENGLISH).picture)
    width = float(picture.get("width", "0"))
    for text in picture.iter(f"{SVG}text"):
        if "component" in (text.text or ""):
            assert float(text.get("x", "0")) + 6 * len(text.text or "") < width
    assert float(picture.get("height", "0")) > 258 + 40


def dimensions(content: bytes) -> tuple[int, int]:
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_a_png_is_the_picture_twice_as_large() -> None:
    made: Figure = figure(full(), ENGLISH)
    width, height = dimensions(png(made.picture))
    size = ET.fromstring(made.picture).attrib
    assert (width, height) == (2 * int(size["width"]), 2 * int(size["height"]))


def test_characters_that_no_font_of_the_machine_has_are_told() -> None:
    assert without_glyphs(figure(full(), ENGLISH).picture) == ""
    assert without_glyphs(figure(full(title=Text("x"), lines=(numbers("𒀀 and 𒀁", [1.0]),)), ENGLISH).picture) == "𒀀𒀁"


def test_notes_say_what_was_left_out_moved_and_thinned() -> None:
    thin = figure(full(windows=30_240, step=1200, more=43, baseline="v1.14"), ENGLISH)
    assert thin.notes == (
        "Of 30,240 windows, the least and the greatest value of each 20 min are drawn.",
        "Dashed: the baseline v1.14, moved so that both begin together.",
    )
    assert "43 more in the table" in thin.legend
