"""What is sent can be taken: names, values, links and times."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from sloagent.sinks.sanitising import (
    LONGEST_ANNOTATION,
    LONGEST_LABEL,
    clean_annotations,
    clean_labels,
    timestamp,
)

ANYTHING = st.text(st.characters(), max_size=30)


def test_names_are_rewritten_and_two_that_become_one_are_both_kept():
    labels = (("1st", "a"), ("a-b", "hyphen"), ("a.b", "dot"), ("a_b", "own"), ("", "x"), ("empty", ""))
    assert clean_labels(labels) == {"_1st": "a", "a_b": "own", "a_b_": "hyphen", "a_b__": "dot"}


def test_values_are_on_one_line_without_what_a_terminal_obeys():
    assert clean_labels((("a", "x\0y\x1b[2J\nz\ud800"),)) == {"a": "x\ufffdy\ufffd[2J z\ufffd"}
    assert clean_annotations((("a", "x\0\ny\r"),)) == {"a": "x\ufffd\ny\ufffd"}


def test_long_values_that_differ_at_their_end_stay_two():
    first, second = (clean_labels((("a", "x" * 5_000 + end),))["a"] for end in "12")
    assert first != second
    assert len(first) == LONGEST_LABEL - 1
    assert "…" in first
    assert clean_labels((("a", "x" * LONGEST_LABEL),)) == {"a": "x" * LONGEST_LABEL}
    assert len(clean_annotations((("a", "x" * 50_000),))["a"]) < LONGEST_ANNOTATION


@given(st.lists(st.tuples(ANYTHING, ANYTHING), max_size=6, unique_by=lambda pair: pair[0]))
def test_whatever_they_are_labels_can_be_sent_and_none_is_lost(labels: list[tuple[str, str]]):
    cleaned = clean_labels(tuple(labels))
    json.dumps(cleaned, ensure_ascii=False).encode()
    assert len(cleaned) == sum(bool(name and value) for name, value in labels)
    assert all(name.isascii() and name.isidentifier() for name in cleaned)
    assert clean_labels(tuple(cleaned.items())) == cleaned


def test_what_is_named_a_link_and_is_none_is_left_out():
    notes = (("runbook_url", "javascript:alert(1)"), ("dashboard", "x"), ("link", "https://a"), ("summary", "ftp://x"))
    assert clean_annotations(notes) == {"link": "https://a", "summary": "ftp://x"}


def test_times_have_milliseconds():
    assert timestamp(1_795_320_000.1239) == "2026-11-22T04:00:00.123Z"
