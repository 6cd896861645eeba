from __future__ import annotations

import unicodedata

import pytest

from sloagent.report.escaping import LONGEST, markdown, visible
from sloagent.report.verdicts import stacked, unbroken
from tests.unit.report.sample import HOSTILE


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_invisible_is_left_and_it_is_one_line_that_can_be_encoded(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    shown.encode()


def test_what_was_invisible_is_spelled_out() -> None:
    assert visible("a\nb\tc\x00\x1b\u202e\U000e0041") == r"a\nb\tc\x00\x1b\u202e\U000e0041"


def test_what_people_write_stays_as_it_is() -> None:
    text = "变更类 API — é e\u0301 ≤ 1 s 🚀"
    assert visible(text) == text


def test_an_endless_text_is_cut_and_says_how_long_it_was() -> None:
    shown = visible("x" * 100_000)
    assert shown == "x" * LONGEST + "… (100,000 characters)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a&#124;b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("`x`", r"\`x\`"),
        ("[a](b)", r"\[a\](b)"),
        ("*_~#", r"\*\_\~\#"),
        ("@maintainers", "&#64;maintainers"),
        ("one\ntwo", r"one\\ntwo"),
        ("- item", r"\- item"),
        ("  + item", r"\+ item"),
        ("1. item", r"1\. item"),
        ("12) item", r"12\) item"),
        ("1.5 s", "1.5 s"),
        ("P99 ≤ 1 s", "P99 ≤ 1 s"),
    ],
)
def test_markdown_shows_the_text_and_reads_nothing_into_it(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_a_number_and_its_unit_stay_on_one_line_and_words_do_not() -> None:
    assert unbroken("97.8 % within 2 s, 5 series") == "97.8\u00a0% within 2\u00a0s, 5 series"


def test_a_number_and_its_bucket_stand_one_above_the_other() -> None:
    assert stacked("4.41 s (4–5 s)") == ("4.41 s", "4–5 s")
    assert stacked("≤ 5 ms （首个桶）") == ("≤ 5 ms", "首个桶")
    assert stacked("97.8 %") == ("97.8 %", "")
