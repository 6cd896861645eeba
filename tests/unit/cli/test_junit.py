from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

from sloagent.cli.formats import Heading, junit
from tests.unit.report import golden
from tests.unit.report.sample import (
    FSYNC,
    HOSTILE,
    MEMORY,
    MUTATING,
    REGISTRATION,
    SEARCH,
    SLOS,
    WHOLE,
    WORK_SYNC,
    slot_at,
    slot_verdict,
    summary,
)

HEADING = Heading(("karmada",), "2.42.0", "http://127.0.0.1:9090", range=WHOLE)


def kinds(text: str) -> dict[str, str]:
    """Name of each test case to how it came out."""
    root = ET.fromstring(text)
    found = {}
    for case in root.iter("testcase"):
        tags = [child.tag for child in case if child.tag != "system-out"]
        found[case.get("name", "")] = tags[0] if tags else "passed"
    return found


def test_golden() -> None:
    golden.compare("check/junit.xml", junit.over_range(HEADING, [summary(of, WHOLE) for of in SLOS]))


def test_a_broken_promise_fails_an_unjudged_one_is_an_error_and_what_does_not_gate_is_skipped() -> None:
    slots = [slot_verdict(of, slot_at(14)) for of in (MUTATING, WORK_SYNC, SEARCH, FSYNC, REGISTRATION)]
    assert kinds(junit.at_slot(HEADING, slots)) == {
        "api-mutating-latency [POST deployments]": "failure",
        "api-mutating-latency [PATCH works]": "passed",
        "api-mutating-latency [PUT secrets]": "skipped",
        "work-sync-latency [success]": "error",
        "search-latency": "error",
        "etcd-wal-fsync [karmada-etcd]": "passed",
        "cluster-registration": "skipped",
    }


def test_a_promise_none_of_whose_series_gates_is_an_error_of_its_own() -> None:
    few = slot_verdict(MUTATING, slot_at(3))
    few = dataclasses.replace(few, verdicts=tuple(v for v in few.verdicts if not v.gates), outcome=few.outcome.NO_DATA)
    assert kinds(junit.at_slot(HEADING, [few])) == {
        "api-mutating-latency": "error", "api-mutating-latency [PUT secrets]": "skipped",
    }  # fmt: skip


def test_the_totals_are_those_of_the_cases() -> None:
    text = junit.over_range(HEADING, [summary(of, WHOLE) for of in SLOS])
    root = ET.fromstring(text)
    found = list(kinds(text).values())
    assert [int(root.get(name, "-1")) for name in ("tests", "failures", "errors", "skipped")] == [
        len(found), found.count("failure"), found.count("error"), found.count("skipped"),
    ]  # fmt: skip


def test_hostile_names_leave_the_document_well_formed() -> None:
    answers = {(("component", text),): 2.0**35 for text in HOSTILE.values()}
    text = junit.at_slot(HEADING, [slot_verdict(MEMORY, slot_at(3), answers)])
    assert text.isascii()
    assert len(kinds(text)) == len(HOSTILE)


def test_no_slo_at_all_is_an_empty_suite() -> None:
    assert ET.fromstring(junit.at_slot(HEADING, [])).get("tests") == "0"
