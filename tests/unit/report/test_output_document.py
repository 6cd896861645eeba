"""docs/output.md names every field that comes out, and the sums that it promises hold."""

from __future__ import annotations

import json
import re

from sloagent.cli.formats import Heading
from sloagent.cli.formats import json as check_json
from sloagent.report.document import document
from tests.unit.report.sample import REPOSITORY, SLOS, WHOLE, recorded, report, summary

TEXT = (REPOSITORY / "docs" / "output.md").read_text()


def named(part: str) -> set[str]:
    """Every word that stands in code in a part of the document."""
    inline = re.sub(r"(?ms)^```.*?^```", "", part)
    return {word for code in re.findall(r"`([^`]+)`", inline) for word in re.findall(r"[a-z_]+", code)} | set(
        re.findall(r'"([a-z_]+)":', part)
    )


def keys(value: object, skip: frozenset[str]) -> set[str]:
    """Every field name in a JSON value, without what lies under names that are data."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= {key} | (set() if key in skip else keys(inner, skip))
    elif isinstance(value, list):
        for inner in value:
            found |= keys(inner, skip)
    return found


def test_every_field_of_check_is_documented() -> None:
    part = TEXT[TEXT.index("## `check --format json`") : TEXT.index("## `check --format junit`")]
    heading = Heading(("karmada",), "", "http://x", range=WHOLE)
    text = check_json.over_range(heading, [summary(of, WHOLE) for of in SLOS], recorded(SLOS[0], WHOLE))
    assert keys(json.loads(text), frozenset({"labels", "quantiles", "objective"})) <= named(part)


def test_every_field_of_the_report_is_documented() -> None:
    part = TEXT[TEXT.index("### `report.json`") :]
    skip = frozenset({"labels", "quantiles", "objective", "sli", "refusals", "refused", "warnings", "unused_overrides"})
    found = keys(document(report()), skip) - {"schema", "unit", "en", "zh", "name"}
    assert found <= named(part)


def test_a_phase_names_the_reading_that_it_was_judged_by() -> None:
    for result in document(report())["results"]:
        judge = result["objective"].get("judge", "windows")
        assert {phase["judged_by"] for phase in result["phases"]} == {judge}


def test_windows_add_up_as_the_document_says() -> None:
    for result in document(report())["results"]:
        for series in result["series"]:
            windows = series["windows"]
            parts = ("good", "bad", "undecided", "idle", "too_few", "measured", "excluded")
            assert windows["expected"] == sum(windows[part] for part in parts)
