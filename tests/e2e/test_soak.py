"""The soak in small: a day of generated history with kills, outages, wrong clocks, reloads and two agents on one store."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.soak.plan import QUICK
from tests.soak.soak import soak

SEED = 20250601


def test_whatever_happens_to_the_daemon_its_store_and_report_are_those_of_an_undisturbed_one(tmp_path: Path) -> None:
    findings = soak(QUICK, SEED, tmp_path / "soak", tmp_path / "cache", lambda words: print(words, file=sys.stderr))
    print(findings.text())
    assert findings.wrong == []
