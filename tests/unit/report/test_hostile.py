"""Texts from outside, whatever they hold, are shown in a report and do nothing there."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import unicodedata
from collections import Counter
from html.parser import HTMLParser

import pytest

from sloagent.model.slo import Text, ValueSLI
from sloagent.report.content import content
from sloagent.report.document import text_of
from tests.unit.report import showing
from tests.unit.report.hostile import hostile_report
from tests.unit.report.sample import HOSTILE, MEMORY, definition, made_of, slo_record
from tests.unit.report.showing import markdown, summary, told

VOID = {"meta", "br", "img", "link", "input"}
LANGUAGES = ("en", "zh")


class Page(HTMLParser):
    """Tags, attributes, scripts and text, and whether the tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        """Those that would run."""
        self.data: list[str] = []
        """What they may read."""
        self.text = ""
        self.size = 0
        self._kind = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self._kind = dict(attrs).get("type") or "code"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            (self.scripts if self._kind == "code" else self.data).append(data)
        else:
            self.text += data

    def all(self, name: str) -> list[str]:
        return [value or "" for key, value in self.attributes if key == name]


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request: pytest.FixtureRequest) -> Page:
    parsed = Page()
    content = showing.page(hostile_report(), request.param)
    parsed.feed(content)
    parsed.size = len(content)
    parsed.close()
    assert not parsed.open
    return parsed


@pytest.fixture(scope="module", params=LANGUAGES)
def text(request: pytest.FixtureRequest) -> str:
    return markdown(hostile_report(), request.param)


def test_the_page_has_no_element_but_its_own_and_asks_nobody(page: Page) -> None:
    assert not {"img", "iframe", "object", "link", "form", "embed", "base", "audio", "video"} & set(page.tags)
    assert page.tags.count("style") == 1
    names = {name for name, _ in page.attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "srcset", "style", "xlink:href")]
    assert {link.split(":")[0] for link in page.all("href") if not link.startswith("#")} <= {"http"}


def test_every_script_of_the_page_is_its_own_and_what_it_reads_cannot_end_it(page: Page) -> None:
    (policy,) = [content for content in page.all("content") if "default-src" in content]
    for script in page.scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy.partition("script-src")[2].partition(";")[0]
    for data in page.data:
        json.loads(data)
        assert "<" not in data


def test_the_page_allows_its_own_style_and_scripts_and_nothing_else(page: Page) -> None:
    (policy,) = [content for content in page.all("content") if "default-src" in content]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    directives = [part.split() for part in policy.split(";")]
    for name, *values in directives:
        if name in ("style-src", "script-src"):
            assert all(value.startswith("'sha256-") for value in values)
        else:
            assert values == ["'none'"], name


def test_every_place_of_the_page_is_named_once_and_every_link_in_it_leads_to_one(page: Page) -> None:
    names = Counter(page.all("id"))
    assert [name for name, count in names.items() if count > 1] == []
    assert {link[1:] for link in page.all("href") if link.startswith("#")} <= names.keys()
    referred = {name for value in page.all("clip-path") for name in re.findall(r"url\(#(.+?)\)", value)}
    assert referred <= names.keys()


def test_the_page_shows_what_was_there_and_nothing_invisible(page: Page) -> None:
    assert "<script>alert(1)</script>" in page.text
    assert "user\\u202egpj.exe\\u2066" in page.text
    assert "nul\\x00\\x1b[31mred\\x07" in page.text
    assert "half\\ud800" in page.text
    assert "{{ 7 * 7 }}{% raw %}" in page.text
    assert "(100,000 characters)" in page.text
    assert not [c for c in page.text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c != "\n"]
    told = "".join(value or "" for _, value in page.attributes)
    assert not [c for c in told if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c != "\n"]


def test_what_the_report_holds_is_hostile_everywhere(page: Page) -> None:
    """Else the tests above show little: facts, comparison, groups, records, phases, titles."""
    marker = "</script></style></pre></details><img src=x onerror=alert(1)>"
    assert page.text.count(marker) > 60


def test_an_endless_name_does_not_make_an_endless_report(page: Page, text: str) -> None:
    assert page.size - sum(map(len, page.scripts)) < 400_000
    assert len(text) < 150_000


def without_code(text: str) -> str:
    """The Markdown without its fenced blocks."""
    return re.sub(r"(?ms)^(`{3,})\w*$.*?^\1$", "", text)


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head(text: str) -> None:
    cells = rows = tables = 0
    for line in without_code(text + summary(hostile_report())).split("\n"):
        if not line.startswith("|"):
            cells = 0
            continue
        tables += not cells
        cells = cells or line.count("|")
        assert line.count("|") == cells, line
        rows += 1
    assert tables > 20
    assert rows > 10 * len(HOSTILE)


def test_markdown_holds_no_element_link_or_code_but_its_own(text: str) -> None:
    outside = without_code(text)
    assert set(re.findall(r"<(/?[a-z]+)", outside.replace("](<http", "]("))) <= {
        "br", "details", "/details", "summary", "/summary",
    }  # fmt: skip
    assert outside.count("<details>") == outside.count("</details>")
    assert not re.findall(r"(?<!\\)\]\((?!<?http://127|assets/chart-)", outside)
    assert not re.findall(r"(?<!\\)`", outside)
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"]


def test_no_line_of_a_text_from_outside_becomes_a_heading_or_a_list(text: str) -> None:
    outside = without_code(text)
    assert not [line for line in outside.split("\n") if re.match(r"\s*#+ (three|one|two)", line)]
    headings = re.findall(r"(?m)^(#+ .*)$", outside)
    assert all(re.match(r"#{1,3} ", heading) for heading in headings)


def test_a_unit_and_a_title_from_a_foreign_file_are_text_to_a_chart_too() -> None:
    """A control character would end the whole process: what draws the charts aborts over it."""
    bad = HOSTILE["nul"] + HOSTILE["surrogate"] + HOSTILE["closing"]
    slo = dataclasses.replace(MEMORY, sli=ValueSLI("x", bad), title=Text(bad), name="odd")
    made = content(made_of(dataclasses.replace(slo_record(MEMORY), slo=slo)), definition())
    assert told(made).picture is not None
    shown = showing.page(made)
    assert "</script></style>" not in shown.replace("</script>\n", "")
    assert "\x1b" not in shown


def test_the_data_keeps_every_name_as_it_is_and_is_plain_ascii() -> None:
    told = text_of(hostile_report())
    assert told.isascii()
    names = {series["labels"]["component"] for series in json.loads(told)["results"][0]["series"]}
    assert names == set(HOSTILE.values())
