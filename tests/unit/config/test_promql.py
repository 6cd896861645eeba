from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.config.promql import (
    check_brackets,
    check_events,
    check_histogram,
    check_label,
    check_query,
    check_where,
    without_comments,
)

GOOD = [
    "up", "1", "sum by (job) (rate(x_total[$window]))", 'label_replace(up, "a", "$1", "b", "(.*)")', "max(up) # why",
    "rate(x[5m] offset 1h)", 'x{a="@ end()"}', "(up > bool 0) * on (job) group_left x", "x{a=~`\\d+`}", "up @ 1700000000",
    "max_over_time(rate(x[$window])[1h:1m])", " + ".join(["up"] * 400),
]  # fmt: skip


@pytest.mark.parametrize("query", GOOD)
def test_a_good_query_is_accepted(query):
    assert check_query(query, 300) is None


@pytest.mark.parametrize(
    ("query", "check"),
    [
        ("", "promql/syntax"), ("  ", "promql/syntax"), ("sum(", "promql/syntax"), ("nosuch(up)", "promql/syntax"),
        ("rate(up)", "promql/syntax"),
        ('x{a=~"("}', "promql/syntax"), ('x{a="b}', "promql/syntax"), ("x{a=`\\``}", "promql/syntax"),
        ("up @ start()", "promql/at"),
        ("up @END ( )", "promql/at"), ("x[5m]", "promql/type"), ("x[5m:1m]", "promql/type"), ('"text"', "promql/type"),
        ("(" * 20_000 + "up" + ")" * 20_000, "promql/size"),
        ("(" * 201 + "up" + ")" * 201, "promql/size"), ("-" * 501 + "1", "promql/size"),
        ("^".join(["a"] * 8000), "promql/size"), (" or ".join(["a"] * 3000), "promql/size"), ("a" * 16_385, "promql/size"),
    ],
)  # fmt: skip
def test_a_bad_query_is_refused(query, check):
    assert check_query(query, 300).check == check


def test_the_longest_accepted_chains_fit_into_half_the_usual_stack_of_a_thread():
    code = (
        "import threading\n"
        "from sloagent.config.promql import check_query\n"
        "queries = ['-' * 500 + 'a', '^'.join(['a'] * 501), '+'.join(['a'] * 501),\n"
        "           '(' * 200 + '-' * 500 + 'a' + ')' * 200,\n"
        "           'abs(' * 200 + '^-'.join(['a'] * 250) + ')' * 200]\n"
        "threading.stack_size(4 * 1024 * 1024)\n"
        "results = []\n"
        "thread = threading.Thread(target=lambda: results.extend(check_query(query, 300) for query in queries))\n"
        "thread.start(); thread.join()\n"
        "assert results == [None] * 5, results\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "where", ["", 'a="b"', "a='b', c=~\"x|y\",", "a!=`}`", 'a="} or up{"', ' a = "b" ,\n c !~ "d" ']
)
def test_matchers_are_accepted(where):
    assert check_where(where, 300) is None


@pytest.mark.parametrize(
    "where",
    [
        '{a="b"}', 'a="b"} or up{', "a=b", 'a="b" c="d"', 'a="b" or c="d"', "# x", 'a="b"#', ',a="b"', 'a="b",,', 'le="1"',
        '__name__="x"',
        'a="b', "a", 'a=="b"', 'a="b"} @ end() or x{c="d"', '"a"="b"', 'a=~"("',
    ],
)  # fmt: skip
def test_what_is_no_list_of_matchers_is_refused(where):
    assert check_where(where, 300) is not None


@given(st.text(st.sampled_from(list("ab,=\"'`{}()[]#~!\\ @or\n")), max_size=40))
def test_accepted_matchers_never_leave_their_braces(where):
    if check_where(where, 300) is None:
        code = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`', "", where)
        assert not set(code) & set("{}()[]#@")
        assert check_query(f"sum by (le) (rate(x_bucket{{{where}}}[$window]))", 300) is None


@given(st.text(max_size=200))
def test_any_text_is_judged(query):
    check_query(query, 300)
    check_where(query, 300)


@pytest.mark.parametrize(
    "text", ['"\\' * 8000, "'" + '"\\' * 8000, "(" * 16_000, '="a",' * 3000, "{" * 8000 + '"' * 8000, "`'\"" * 5000]
)
def test_no_text_takes_long(text):
    started = time.process_time()
    check_query(text, 300)
    check_where(text, 300)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("query", "check"),
    [
        ("sum(increase(x[$window]))", "promql/rate"),
        ("sum(rate(x[5m]))", "promql/window"),
        ("delta(x[$window])", "promql/rate"),
    ],
)
def test_a_side_of_a_ratio_counts_per_second_of_the_window(query, check):
    assert [complaint.check for complaint in check_events(query)] == [check]


@pytest.mark.parametrize("query", ["sum(rate(x[$window]))", "job:errors:rate5m", 'x{a="increase(5m)[5m]"}'])
def test_a_side_of_a_ratio_may_be_a_recording_rule(query):
    assert check_events(query) == []


def test_names_of_histograms_and_labels():
    assert check_histogram("a:b_seconds") is None
    assert [check_histogram(name).hint for name in ("a_bucket", "a_count", "a_sum")] == [
        "drop _bucket: a", "drop _count: a", "drop _sum: a",
    ]  # fmt: skip
    assert check_histogram('a{b="c"}') is not None
    assert check_label("verb") is None
    assert all(check_label(label) is not None for label in ("le", "__name__", "a-b", "", "1a"))


def test_comments_are_taken_out_and_hashes_in_texts_stay():
    assert without_comments('sum(x{a="#1"}) # every one\n  # and all') == 'sum(x{a="#1"})'


def test_of_a_query_with_unknown_parameters_only_the_brackets_are_told():
    assert check_brackets('sum(rate(x{${shop}, a="{("}[$window]))') == []
    assert [complaint.hint for complaint in check_brackets("sum(x{$shop)")] == ['count the brackets: 1 "{" and 0 "}"']
