"""The charts of the page in a real browser: what moves, what is told at the pointer, and what nothing may do."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect, sync_playwright

from sloagent.model.facts import Collected, Component, Facts
from sloagent.report.content import Report, content
from sloagent.report.definition import Definition
from sloagent.report.render import render
from tests.chromium import launched
from tests.unit.report.hostile import hostile_report
from tests.unit.report.sample import FSYNC, MEMORY, MUTATING, SCHEDULING, TEMPLATES, run_record, slot_at

CHARTS = [
    {"chart": {"slo": MUTATING.name}},
    {"chart": {"slo": MEMORY.name, "kind": "stacked"}},
    {"chart": {"slo": FSYNC.name}},
    {"chart": {"slo": SCHEDULING.name}},
    {"chart": {"kind": "stages", "slos": [MUTATING.name, FSYNC.name], "title": {"en": "Stages", "zh": "各阶段"}}},
]
DEFINITION = Definition.model_validate(
    {
        "apiVersion": "sloagent/v1", "kind": "ReportDefinition", "metadata": {"name": "charts"},
        "title": {"en": "Charts", "zh": "图表"},
        "sections": [{"name": "charts", "title": {"en": "Charts", "zh": "图表"}, "blocks": CHARTS}],
    }
)  # fmt: skip
LIGHT, DARK = "rgb(29, 79, 196)", "rgb(79, 134, 247)"
"""The first line's colour."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        started = launched(driver)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the constructed run as `report.html` and `report.zh.html`."""
    directory = tmp_path_factory.mktemp("report")
    restarted = Component("karmada-etcd", started=(float(slot_at(13)),))
    record = dataclasses.replace(run_record(), facts=Facts(Collected(components=(restarted,))))
    written(content(record, DEFINITION), directory)
    return directory


def written(report: Report, directory: Path) -> None:
    render(report, directory, ("html",), templates=TEMPLATES, languages=("en", "zh"))


@dataclasses.dataclass
class Seen:
    """A page and everything that must not happen in it."""

    page: Page
    said: list[str]
    """By its console, and what it failed with."""
    asked: list[str]
    """Addresses, other than its own."""

    def chart(self, number: int = 1) -> Locator:
        """The interactive part of the figure with this number, drawn."""
        figure = self.page.locator(f"#chart-{number}")
        figure.scroll_into_view_if_needed()
        self.page.locator(f"#chart-{number}.drawn .plot svg").wait_for()
        return figure

    def box(self, number: int = 1) -> FloatRect:
        """Where its plot with the axes is."""
        box = self.chart(number).locator(".plot").bounding_box()
        assert box is not None
        return box

    def point(self, minute: float, number: int = 1, *, y: float = 0.5) -> tuple[float, float]:
        """Where a minute of the run is, in a chart over all its 28 minutes."""
        box = self.box(number)
        left, right = 76, 24 if number == 3 else 104
        return box["x"] + left + (box["width"] - left - right) * minute / 28, box["y"] + box["height"] * y

    def tip(self) -> str:
        """What is told at the pointer."""
        shown = self.page.locator(".chart-tip.shown")
        shown.wait_for()
        return shown.inner_text()


def opened(browser: Browser, path: Path, **options: object) -> Seen:
    """A page in a context of its own, watched from before it is loaded."""
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))  # type: ignore[arg-type]
    page = context.new_page()
    seen = Seen(page, [], [])
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("dialog", lambda dialog: seen.said.append(f"dialog {dialog.message}"))
    page.on("request", lambda request: seen.asked.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    return seen


@pytest.fixture
def seen(browser: Browser, pages: Path) -> Iterator[Seen]:
    """The English page; whatever a test does to it, nothing is refused, fails or is asked for."""
    opened_page = opened(browser, pages / "report.html")
    yield opened_page
    assert opened_page.said == []
    assert opened_page.asked == []
    opened_page.page.context.close()


def drawn_lines(chart: Locator) -> list[str]:
    """The colours of the lines that the chart shows."""
    found: list[str] = chart.locator(".plot path[stroke]").evaluate_all(
        "paths => paths.filter(path => path.getAttribute('d')?.includes('L')).map(path => path.getAttribute('stroke'))"
    )
    return sorted(set(found))


def times(chart: Locator) -> list[str]:
    """The labels of the axis of time."""
    texts = chart.locator(".plot text").all_text_contents()
    return sorted(text for text in texts if re.fullmatch(r"\d\d:\d\d(:\d\d)?", text))


def numbers(chart: Locator) -> list[str]:
    """The labels of the axis of values."""
    texts = chart.locator(".plot text").all_text_contents()
    return sorted(text for text in texts if re.fullmatch(r"[\d.]+ \w+", text))


# ---- drawing -----------------------------------------------------------------------------------------------------


def test_every_chart_that_moves_takes_the_place_of_its_picture(seen: Seen) -> None:
    for number in range(1, 6):
        chart = seen.chart(number)
        assert chart.locator(".static").is_hidden()
        assert chart.locator(".plot svg").is_visible()
    stages = seen.page.locator("#chart-6")
    assert stages.locator(".static svg").is_visible()


def test_a_chart_is_drawn_only_when_it_comes_near(seen: Seen) -> None:
    seen.page.set_viewport_size({"width": 1280, "height": 300})
    seen.page.reload()
    seen.chart(1)
    assert seen.page.locator("#chart-5.drawn").count() == 0
    seen.chart(5)


def test_taking_the_place_of_the_picture_moves_nothing_below(browser: Browser, pages: Path) -> None:
    still = opened(browser, pages / "report.html", java_script_enabled=False)
    moving = opened(browser, pages / "report.html")
    for number in range(1, 6):
        moving.chart(number)
    for figure in ("#chart-2", "#chart-4", "#chart-6"):
        at = [
            one.page.locator(figure).evaluate("f => f.getBoundingClientRect().top + scrollY") for one in (still, moving)
        ]
        assert abs(at[0] - at[1]) < 12, figure


def test_without_scripts_the_pictures_stay(browser: Browser, pages: Path) -> None:
    seen = opened(browser, pages / "report.html", java_script_enabled=False)
    for number in range(1, 7):
        assert seen.page.locator(f"#chart-{number} .static svg").is_visible()
    assert seen.page.locator("#chart-2 .chart-legend li").first.inner_text() == "POST deployments"
    assert seen.page.locator(".chart-tools").count() == 0


def test_on_paper_the_pictures_stand_in_light_colours(browser: Browser, pages: Path) -> None:
    seen = opened(browser, pages / "report.html", color_scheme="dark")
    chart = seen.chart(2)
    seen.page.emulate_media(media="print")
    assert chart.locator(".static svg").is_visible()
    assert chart.locator(".live").is_hidden()
    assert chart.locator(".chart-tools").is_hidden()
    line = chart.locator('.static path[stroke="#1d4fc4"]').first
    assert line.evaluate("path => getComputedStyle(path).stroke") == LIGHT


@pytest.mark.parametrize(("scheme", "colour"), [("light", LIGHT), ("dark", DARK)])
@pytest.mark.parametrize("scripts", [True, False])
def test_charts_have_the_colours_that_the_reader_asked_for(
    browser: Browser, pages: Path, scheme: str, colour: str, scripts: bool
) -> None:
    seen = opened(browser, pages / "report.html", color_scheme=scheme, java_script_enabled=scripts)
    part = ".plot" if scripts else ".static"
    chart = seen.chart(2) if scripts else seen.page.locator("#chart-2")
    line = chart.locator(f'{part} path[stroke="#1d4fc4"]').first
    assert line.evaluate("path => getComputedStyle(path).stroke") == colour
    assert seen.said == []


def test_a_chart_fills_a_phone_and_nothing_sticks_out_of_the_page(browser: Browser, pages: Path) -> None:
    seen = opened(browser, pages / "report.zh.html", viewport={"width": 390, "height": 844})
    for number in range(1, 6):
        assert seen.box(number)["width"] <= 390 - 2 * 16
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 390
    assert seen.said == []


def test_a_chart_follows_the_width_of_its_window(seen: Seen) -> None:
    picture = seen.chart(2).locator(".plot svg")
    expect(picture).to_have_attribute("width", "1040")
    seen.page.set_viewport_size({"width": 900, "height": 900})
    expect(picture).to_have_attribute("width", "836")


# ---- the pointer -------------------------------------------------------------------------------------------------


def test_the_exact_value_is_told_at_the_pointer(seen: Seen) -> None:
    seen.page.mouse.move(*seen.point(14, 2, y=0.3))
    told = seen.tip()
    worst = run_record(MUTATING).slos[0].lines[0]
    value = dict(worst.windows)[slot_at(14)].value
    assert "2026-11-22 05:53 UTC · 3 etcd stalled" in told
    assert f"exactly {value!r} seconds" in told
    assert re.search(r"POST deployments\s+4\.\d+ s4–5 s\s+fail", told)
    assert re.search(r"PATCH works\s+\d+(\.\d+)? ?\w+", told)


def test_in_a_gap_nothing_is_told_of_the_line_that_has_one(seen: Seen) -> None:
    seen.page.mouse.move(*seen.point(24.6, 5))
    assert re.search(r"06:0[36] UTC", seen.tip())


def test_restarts_and_exclusions_are_told_at_the_pointer(seen: Seen) -> None:
    seen.page.mouse.move(*seen.point(13, 2))
    assert "karmada-etcd restarted" in seen.tip()
    seen.page.mouse.move(*seen.point(24.2, 2))
    seen.page.mouse.move(5, 5)
    seen.page.locator(".chart-tip").wait_for(state="hidden")


def test_the_tip_is_in_the_language_of_the_report(browser: Browser, pages: Path) -> None:
    seen = opened(browser, pages / "report.zh.html")
    seen.page.mouse.move(*seen.point(14, 2, y=0.3))
    told = seen.tip()
    assert "精确值" in told
    assert "不达标" in told
    assert seen.page.locator("#chart-2 .chart-title").inner_text() == "变更类 API 调用时延"
    assert "上限 1 s" in seen.page.locator("#chart-2 .plot").inner_text()


# ---- zoom --------------------------------------------------------------------------------------------------------


def drag(seen: Seen, begin: float, end: float, number: int = 2) -> None:
    seen.page.mouse.move(*seen.point(begin, number))
    seen.page.mouse.down()
    seen.page.mouse.move(*seen.point(end, number), steps=4)
    seen.page.mouse.up()


def test_dragging_zooms_all_charts_and_a_double_click_shows_everything_again(seen: Seen) -> None:
    before = [times(seen.chart(number)) for number in (2, 3)]
    drag(seen, 11, 18)
    seen.page.locator("#chart-3.zoomed").wait_for()
    after = [times(seen.chart(number)) for number in (2, 3)]
    assert after[0] == after[1] != before[0]
    assert all("05:50" <= time <= "05:58" for time in after[0]), after
    seen.page.mouse.dblclick(*seen.point(5, 3))
    seen.page.locator("#chart-2:not(.zoomed)").wait_for()
    seen.page.locator("#chart-3:not(.zoomed)").wait_for()
    assert [times(seen.chart(number)) for number in (2, 3)] == before


def test_a_chart_that_is_drawn_later_shows_what_the_others_show(seen: Seen) -> None:
    seen.page.set_viewport_size({"width": 1280, "height": 300})
    seen.page.reload()
    drag(seen, 11, 18)
    seen.page.locator("#chart-2.zoomed").wait_for()
    assert seen.page.locator("#chart-5.drawn").count() == 0
    seen.chart(5)
    seen.page.locator("#chart-5.zoomed").wait_for()
    assert all("05:50" <= time <= "05:58" for time in times(seen.chart(5)))


def test_one_chart_can_be_zoomed_alone(seen: Seen) -> None:
    drag(seen, 5, 25)
    seen.page.locator("#chart-3.zoomed").wait_for()
    chart = seen.chart(2)
    chart.get_by_text("all charts together").click()
    drag(seen, 11, 18)
    expect(chart.locator(".plot")).to_contain_text("05:53")
    assert "05:53" not in times(seen.chart(3))
    chart.get_by_role("button", name="Show all").click()
    seen.page.locator("#chart-2:not(.zoomed)").wait_for()
    assert seen.page.locator("#chart-3.zoomed").count() == 1


def test_ctrl_and_the_wheel_zoom_while_the_wheel_alone_scrolls_the_page(seen: Seen) -> None:
    chart = seen.chart(2)
    before = times(chart)
    seen.page.evaluate("addEventListener('scroll', () => { document.body.dataset.scrolled = 'yes'; })")
    seen.page.mouse.move(*seen.point(14, 2))
    seen.page.mouse.wheel(0, 120)
    expect(seen.page.locator("body")).to_have_attribute("data-scrolled", "yes")
    assert times(chart) == before
    seen.page.mouse.move(*seen.point(14, 2))
    seen.page.keyboard.down("Control")
    seen.page.mouse.wheel(0, -600)
    seen.page.keyboard.up("Control")
    seen.page.locator("#chart-2.zoomed").wait_for()
    assert len(set(times(chart)) - set(before)) > 0


def test_the_keyboard_zooms_and_moves_a_chart(seen: Seen) -> None:
    seen.chart(2).locator(".live").focus()
    seen.page.keyboard.press("+")
    seen.page.locator("#chart-2.zoomed").wait_for()
    closer = times(seen.chart(2))
    seen.page.keyboard.press("ArrowRight")
    seen.page.keyboard.press("ArrowRight")
    expect(seen.chart(2).locator(".plot")).not_to_contain_text(closer[0])
    seen.page.keyboard.press("Escape")
    seen.page.locator("#chart-2:not(.zoomed)").wait_for()


# ---- the legend --------------------------------------------------------------------------------------------------


def test_a_click_on_a_name_takes_its_line_away_and_brings_it_back(seen: Seen) -> None:
    chart = seen.chart(2)
    lines, scale = drawn_lines(chart), numbers(chart)
    assert "#1d4fc4" in lines
    button = chart.get_by_role("button", name="POST deployments")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert "#1d4fc4" not in drawn_lines(chart)
    assert numbers(chart) != scale  # what is left is no longer pressed flat
    seen.page.mouse.move(*seen.point(14, 2))
    assert "POST deployments" not in seen.tip()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert drawn_lines(chart) == lines
    assert numbers(chart) == scale


def test_shift_and_a_click_leave_one_line_alone(seen: Seen) -> None:
    chart = seen.chart(4)
    chart.get_by_role("button", name="P90 karmada-etcd").click(modifiers=["Shift"])
    assert len(drawn_lines(chart)) <= 1
    pressed = chart.locator('.chart-legend button[aria-pressed="true"]').all_inner_texts()
    assert [text.split()[0] for text in pressed] == ["P90"]


# ---- what nothing may do -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["with its policy", "without it"])
def test_hostile_names_do_nothing_in_charts(browser: Browser, tmp_path: Path, policy: str) -> None:
    written(hostile_report(), tmp_path)
    path = tmp_path / "report.html"
    if policy == "without it":
        page = path.read_text()
        path.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page))
        assert path.read_text() != page
    seen = opened(browser, path)
    figures = seen.page.locator("figure.chart")
    assert figures.count() > 0
    for place in range(figures.count()):
        figure = figures.nth(place)
        figure.scroll_into_view_if_needed()
        if seen.page.locator(f'script[data-chart="{figure.get_attribute("id")}"]').count():
            figure.locator(".plot svg").wait_for()
            box = figure.locator(".plot").bounding_box()
            assert box is not None
            seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            assert "</script>" in seen.tip()
    assert seen.page.locator("img, iframe, object").count() == 0
    assert (
        seen.page.evaluate("document.querySelectorAll('script').length") == seen.page.locator("body > script").count()
    )
    assert seen.said == []
    assert seen.asked == []
