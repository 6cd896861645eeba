"""The page of promises: every test it names exists, every case has its row, every command can be typed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sloagent.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reliability.md").read_text()
TABLE = TEXT.partition("\n## The faults\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in TABLE.splitlines()
    if re.match(r"\| *\d+ \|", line)
]
TESTS = sorted(set(re.findall(r"`((?:tests/)?(?:e2e|unit|contract|acceptance)/[^`\s]+)`", TEXT)))
PROGRAMS = {"make", "sloagent", ".venv/bin/pytest", "promtool", "curl", "kill"}
"""What a line of a shell block may begin with."""


def functions(path: Path) -> set[str]:
    """The names of the tests in a file."""
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_fault_has_its_row_in_order() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 43))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_what_was_done_expected_and_seen_and_by_which_test(row: list[str]) -> None:
    _, fault, done, expected, seen, tests = row
    assert fault
    if done != "–":
        assert expected
        assert seen
        assert re.search(r"`(e2e|unit|contract)/", tests), "no test"


@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_is_named_exists(name: str) -> None:
    path, _, function = name.removeprefix("tests/").partition("::")
    file = ROOT / "tests" / path
    assert file.is_file()
    assert not function or re.sub(r"\[.*", "", function) in functions(file)


def test_many_tests_are_named() -> None:
    assert len(TESTS) > 40


def test_every_command_that_is_shown_can_be_typed() -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [
        line
        for block in re.findall(r"^```(?:console|sh)?\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]
    typed = lines + re.findall(r"`((?:make|sloagent) [^`]+)`", TEXT)
    assert typed
    for line in typed:
        program, *words = line.split()
        assert program in PROGRAMS, line
        if program == "make":
            assert words[0] in targets, line
        if program == "sloagent":
            assert words[0] in COMMANDS, line
        for path in re.findall(r"\btests/[\w/]+\.py", line):
            assert (ROOT / path).is_file(), line
