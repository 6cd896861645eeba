from __future__ import annotations

import re

from sloagent.cli.formats import Heading, markdown
from tests.unit.report import golden
from tests.unit.report.sample import FSYNC, HOSTILE, MEMORY, SLOS, WHOLE, recorded, slot_at, slot_verdict, summary

HEADING = Heading(("karmada",), "2.42.0", "http://127.0.0.1:9090", range=WHOLE)


def test_golden() -> None:
    text = markdown.over_range(HEADING, [summary(of, WHOLE) for of in SLOS], recorded(FSYNC, WHOLE)[:3])
    golden.compare("check/range.md", text)


def test_one_row_per_slo_and_the_next_command() -> None:
    text = markdown.at_slot(HEADING, [slot_verdict(of, slot_at(14)) for of in SLOS])
    assert len(re.findall(r"^\| [❌⛔❔⚠✅➖📏]", text, re.MULTILINE)) == len(SLOS)
    assert "```sh\nsloagent explain -c sloagent.yaml api-mutating-latency --at 2026-11-22T05:53:00Z\n```" in text


def test_hostile_names_break_no_row_and_open_no_element() -> None:
    for name in HOSTILE.values():
        text = markdown.at_slot(HEADING, [slot_verdict(MEMORY, slot_at(3), {(("c", name),): 2.0**35})])
        rows = [line for line in text.split("\n") if line.startswith("|")]
        assert len(rows) == 3
        assert len({row.count("|") for row in rows}) == 1
        assert set(re.findall(r"<(\w+)", text)) <= {"br"}
        assert not re.search(r"(?<!\\)\]\(", text)
