"""Texts from outside, whatever they hold, are shown in a report and do nothing there."""

from __future__ import annotations

import json
import re
import unicodedata
from html.parser import HTMLParser

import pytest

from sloagent.report.document import text_of
from sloagent.report.render import html, markdown
from tests.unit.report.sample import HOSTILE, TEMPLATES, hostile_report

VOID = {"meta", "br", "img", "link", "input"}


class Page(HTMLParser):
    """Tags, attributes and text, and whether the tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page() -> Page:
    parsed = Page()
    parsed.feed(html(hostile_report(), TEMPLATES))
    parsed.close()
    assert not parsed.open
    return parsed


def test_the_page_has_no_element_but_its_own_and_asks_nobody(page: Page) -> None:
    assert not {"script", "img", "iframe", "object", "link", "form"} & set(page.tags)
    assert page.tags.count("style") == 1
    names = {name for name, _ in page.attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "srcset", "style", "xlink:href")]
    assert {value.split(":")[0] for name, value in page.attributes if name == "href" and value} <= {"http"} | {
        value for name, value in page.attributes if name == "href" and value and value.startswith("#")
    }


def test_the_page_shows_what_was_there_and_nothing_invisible(page: Page) -> None:
    assert "<script>alert(1)</script>" in page.text
    assert "user\\u202egpj.exe\\u2066" in page.text
    assert "nul\\x00\\x1b[31mred\\x07" in page.text
    assert "half\\ud800" in page.text
    assert "{{ 7 * 7 }}{% raw %}" in page.text
    assert "(100,000 characters)" in page.text
    assert not [c for c in page.text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c != "\n"]


def test_the_page_allows_its_own_style_and_nothing_else(page: Page) -> None:
    policy = next(value for name, value in page.attributes if name == "content" and value and "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_an_endless_name_does_not_make_an_endless_report() -> None:
    report = hostile_report()
    assert len(html(report, TEMPLATES)) < 200_000
    assert len(markdown(report, TEMPLATES)) < 100_000


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head() -> None:
    text = re.sub(r"(?ms)^(`{3,})\w*$.*?^\1$", "", markdown(hostile_report(), TEMPLATES))
    cells = 0
    rows = 0
    for line in text.split("\n"):
        if not line.startswith("|"):
            cells = 0
            continue
        cells = cells or line.count("|")
        assert line.count("|") == cells, line
        rows += 1
    assert rows > len(HOSTILE)


def test_markdown_holds_no_element_link_or_code_but_its_own() -> None:
    text = markdown(hostile_report(), TEMPLATES)
    outside = re.sub(r"(?ms)^(`{3,})\w*$.*?^\1$", "", text)
    assert set(re.findall(r"<(/?[a-z]+)", outside.replace("](<http", "]("))) <= {
        "br", "details", "/details", "summary", "/summary",
    }  # fmt: skip
    assert not re.findall(r"(?<!\\)\]\((?!<?http://127)", outside)
    assert not re.findall(r"(?<!\\)`", outside)
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"]


def test_the_data_keeps_every_name_as_it_is_and_is_plain_ascii() -> None:
    text = text_of(hostile_report())
    assert text.isascii()
    names = {series["labels"]["component"] for series in json.loads(text)["results"][0]["series"]}
    assert names == set(HOSTILE.values())
