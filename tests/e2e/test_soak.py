"""The soak in small: a day of generated history with kills, outages, wrong clocks, reloads and two agents on one store."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.soak import comparison
from tests.soak.plan import QUICK
from tests.soak.soak import soak

SEED = 20250601


def test_whatever_happens_to_the_daemon_its_store_and_report_are_those_of_an_undisturbed_one(tmp_path: Path) -> None:
    findings = soak(QUICK, SEED, tmp_path / "soak", tmp_path / "cache", lambda words: print(words, file=sys.stderr))
    print(findings.text())
    assert findings.wrong == []


def row(kind: str, **fields: object) -> str:
    return json.dumps({"kind": kind, "slo": "up", **fields}, separators=(",", ":"))


def test_the_soak_notices_slots_that_are_lost_given_up_twice_or_unexpected(tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    lines = [
        row("roll_up", first=0, slots=[0, 60], refusals={}),
        row("slot", slot=60, refusal=None),
        row("slot", slot=180, refusal="never_answered"),
        row("slot", slot=240, refusal=None),
    ]
    dump.write_text("\n".join(lines) + "\n")
    slots = comparison.slots(dump, {"up": range(0, 181, 60)})
    assert (slots.expected, slots.recorded) == (4, 3)
    assert slots.lost == ["up 120", "up 180 never_answered"]
    assert slots.duplicated == ["up 60"]
    assert slots.unexpected == ["up 240"]
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(lines[1:]) + "\n")
    assert comparison.differences(dump, other, most=1) == [f"- {lines[0]}", f"+ {lines[1]}"]
