"""docs/output.md names every field that comes out, and the sums that it promises hold."""

from __future__ import annotations

import dataclasses
import json
import re

from sloagent.cli.formats import Heading
from sloagent.cli.formats import json as check_json
from sloagent.evaluation.summary import summary_of
from sloagent.model.slo import Limit, Objective
from sloagent.model.tally import SeriesTally
from sloagent.report.content import Report, content
from sloagent.report.document import document
from sloagent.report.plain import facts_data
from tests.unit.report.built import record
from tests.unit.report.hostile import hostile_definition, hostile_facts, hostile_record
from tests.unit.report.sample import MEMORY, READ_ONLY, REPOSITORY, SLOS, WHOLE, part, recorded, report, slo_record

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


def everything() -> Report:
    """A report in which no field is missing: facts, a baseline, stated numbers, a relaxed limit, phases, refusals."""
    one = slo_record(READ_ONLY)
    relaxed = dataclasses.replace(one, under_declared=one.whole, phases=one.phases[:1])
    run = hostile_record()
    promise = Objective(Limit(at_most=1.0), grows_at_most=1e-9)
    leak = SeriesTally(good=60, minima=tuple((120 * n, 1e-3 * n) for n in range(60)))
    leaking = record(dataclasses.replace(MEMORY, name="leak", objective=promise), {(): leak})
    run = dataclasses.replace(run, slos=(*run.slos, relaxed, leaking), facts=hostile_facts())
    return content(run, hostile_definition(), hostile_record(slower=1.5))


def test_every_field_of_check_is_documented() -> None:
    documented = TEXT[TEXT.index("## `check --format json`") : TEXT.index("## `check --format junit`")]
    heading = Heading(("karmada",), "", "http://x", range=WHOLE)
    summaries = [summary_of(of, part(of, WHOLE)) for of in SLOS]
    text = check_json.over_range(heading, summaries, recorded(SLOS[0], WHOLE))
    assert keys(json.loads(text), frozenset({"labels", "quantiles", "objective"})) <= named(documented)


def test_every_field_of_the_report_is_documented() -> None:
    documented = TEXT[TEXT.index("### `report.json`") :]
    skip = frozenset({
        "labels", "quantiles", "objective", "sli", "refusals", "refused", "warnings", "unused_overrides", "percentiles",
        "numbers", "flags",
    })  # fmt: skip
    data = document(everything())
    found = keys(data, skip) | keys(facts_data(hostile_facts()), frozenset({"flags"}))
    (moved,) = [result for result in data["results"] if result["slo"] == "etcd-wal-fsync"]
    found |= keys(moved["comparison"]["series"][0]["numbers"]["99"], frozenset())
    assert {"relative_change", "under_declared_limit", "machines", "mean", "sustained"} <= found
    assert found - {"schema", "unit", "en", "zh", "name"} - named(documented) == set()


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
