"""Runs the tests of the fault table in docs/reliability.md, and prints for each case what was done, expected and seen.

The table is read from the document, so that both say the same. Ends with 1 where a case has failed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import textwrap
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "reliability.md"
WIDTH = 118


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table."""

    number: int
    fault: str
    done: str
    expected: str
    tests: tuple[str, ...]
    """`tests/…/test_x.py` or `tests/…/test_x.py::test_name`; none where another part of the project has the case."""


def cases(text: str) -> Iterator[Case]:
    """The rows of the fault table, in its order."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 6 and cells[0].isdigit():
            tests = tuple(f"tests/{name}" for name in re.findall(r"`((?:e2e|unit|contract)/[^`]+)`", cells[5]))
            yield Case(int(cells[0]), *cells[1:4], tests)


def outcomes(report: Path) -> Counter[tuple[str, str]]:
    """How often each (test, outcome) occurred; a test is `tests/…/test_x.py::test_name` without its parameters."""
    counted: Counter[tuple[str, str]] = Counter()
    for found in ET.parse(report).iter("testcase"):
        file = found.get("classname", "").replace(".", "/") + ".py"
        name = re.sub(r"\[.*", "", found.get("name", ""), flags=re.DOTALL)
        bad = found.find("failure") is not None or found.find("error") is not None
        counted[f"{file}::{name}", "failed" if bad else "passed"] += 1
    return counted


def seen_of(case: Case, counted: Counter[tuple[str, str]]) -> dict[str, int]:
    """How many of a case's tests passed and failed, and how many of those that it names did not run at all."""

    def times(wanted: str, outcome: str) -> int:
        return sum(n for (test, how), n in counted.items() if how == outcome and f"{test}::".startswith(f"{wanted}::"))

    seen = {outcome: sum(times(wanted, outcome) for wanted in case.tests) for outcome in ("passed", "failed")}
    absent = sum(times(wanted, "passed") + times(wanted, "failed") == 0 for wanted in case.tests)
    return seen | {"absent": absent}


def main() -> int:
    """Run and print; 1 where a case failed or none of its tests ran."""
    table = list(cases(DOCUMENT.read_text()))
    tests = sorted({test for case in table for test in case.tests})
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "junit.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "--quiet", f"--junit-xml={report}", *tests, *sys.argv[1:]],
            cwd=ROOT, check=False, stdout=sys.stderr,
        )  # fmt: skip
        counted = outcomes(report)
    bad = 0
    for case in table:
        seen = seen_of(case, counted)
        good = seen["failed"] == seen["absent"] == 0
        bad += not good
        words = (
            f"{seen['passed']} tests passed, {seen['failed']} failed, {seen['absent']} did not run"
            if case.tests
            else case.expected
        )
        for head, body in (
            (f"{case.number:>2} {case.fault}", ""), ("   done:     ", case.done), ("   expected: ", case.expected),
            ("   seen:     ", words),
        ):  # fmt: skip
            print(textwrap.fill(head + body, WIDTH, subsequent_indent=" " * 13))
    print(f"\n{len(table)} cases, {bad} of them not as expected")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
