from __future__ import annotations

import pytest

from sloagent.config.discretion import without_secrets
from sloagent.config.problem import Problem, closest, count_line, in_order, render, spelling_hint


def problem(**parts) -> Problem:
    return Problem(
        **{"path": "a.yaml", "line": 9, "column": 27, "check": "objective/ratio", "summary": "wrong", **parts}
    )


def test_a_problem_reads_like_this():
    found = problem(
        summary="a ratio of 99.9 would mean 9,990 %", where='slo "scheduling-success"', hint="write 99.9% or 0.999",
        length=4, source="    objective: {at_least: 99.9}",
    )  # fmt: skip
    assert render(found) == (
        "a.yaml:9:27: a ratio of 99.9 would mean 9,990 % (objective/ratio)\n"
        '  slo "scheduling-success"\n'
        "   9 |     objective: {at_least: 99.9}\n"
        "     |                           ^^^^\n"
        "  hint: write 99.9% or 0.999"
    )


def test_a_problem_of_a_whole_file_has_no_line():
    assert render(problem(line=0, column=0, source="x")) == "a.yaml: wrong (objective/ratio)"


def test_the_caret_stands_below_its_token_behind_wide_characters_and_tabs():
    shown = render(problem(column=12, source="\t控制面: {a: 1}", length=1)).splitlines()
    assert shown[1] == "   9 | →控制面: {a: 1}"
    assert shown[2] == "     | " + " " * 14 + "^"


def test_of_a_long_line_the_part_around_the_caret_is_shown():
    source = "x" * 5000 + "WRONG" + "y" * 5000
    shown = render(problem(column=5001, source=source, length=5)).splitlines()
    assert len(shown[1]) < 130
    assert shown[1][shown[2].index("^") :].startswith("WRONG")


def test_a_terminal_cannot_be_steered():
    shown = render(problem(summary="\x1b[2J\u202e", source="a: \x1b[31m", column=4, where="\x07"))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\u001b" in shown


@pytest.mark.parametrize(
    "line",
    [
        "  password: hunter2", 'password: "hunter2"', "{username: a, password: hunter2, x: 1}", "  credentials: hunter2",
        "  bearer_token: hunter2", "  X-Api-Key: hunter2", "headers: {Authorization: Bearer hunter2}", "url: http://me:hunter2@host:9090/",
        '"password" : hunter2', "client_secret: hunter2",
    ],
)  # fmt: skip
def test_a_line_that_is_shown_hides_its_secret(line):
    assert "hunter2" not in without_secrets(line)
    for column in (1, len(line) - 2):
        assert "hunter2" not in render(problem(source=line, column=column, length=3))


@pytest.mark.parametrize("line", ["  password_file: /run/secret", "authorization: {", "  token_env: TOKEN"])
def test_a_line_without_a_secret_is_shown_as_it_is(line):
    assert without_secrets(line) == line


def test_problems_are_ordered_and_each_is_told_once():
    first, second, other = problem(line=2, summary="b"), problem(line=2, summary="a"), problem(line=1)
    ordered = in_order([first, second, other, first, problem(path="A.yaml")])
    assert ordered == (problem(path="A.yaml"), other, first, second)


def test_the_closing_line_counts():
    assert count_line([problem()]) == "1 problem in 1 file; nothing was loaded."
    assert count_line([problem(), problem(path="b"), problem(line=1)]) == "3 problems in 2 files; nothing was loaded."


def test_the_nearest_spelling_is_found_whatever_the_case():
    assert closest("histgram", ["histogram", "where"]) == "histogram"
    assert closest("atMost", ["at_most", "at_least"]) == "at_most"
    assert closest("xyz", ["histogram"]) == ""
    assert spelling_hint("xyz", ["b", "a"], what="there are") == "there are a, b"
