from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest

from sloagent.cli.formats import Heading
from sloagent.cli.formats import json as check_json
from tests.unit.report.sample import (
    FSYNC,
    HOSTILE,
    MEMORY,
    MUTATING,
    READ_ONLY,
    REGISTRATION,
    SCHEDULING,
    SEARCH,
    SLOS,
    WHOLE,
    WORK_SYNC,
    recorded,
    slot_at,
    slot_verdict,
    summary,
)

INF = float("inf")
FIELDS = ["set", "slo", "labels", "at", "outcome", "reason", "unit", "value", "quantiles", "good_share", "events",
          "objective", "query"]  # fmt: skip
HEADING = Heading(("karmada",), "2.42.0", "http://x", range=WHOLE, queries={("karmada", MUTATING.name): "sum(x)"})


def read(text: str) -> dict:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def one(slot) -> dict:
    (verdict,) = read(check_json.at_slot([slot]))["verdicts"]
    return verdict


def test_a_slot_has_exactly_the_fields_of_the_contract_and_the_counts_of_its_verdicts() -> None:
    document = read(check_json.at_slot([slot_verdict(of, slot_at(14)) for of in SLOS]))
    assert list(document) == ["schema", "summary", "verdicts"]
    assert document["schema"] == "sloagent/check/v1"
    assert all(list(verdict) == FIELDS for verdict in document["verdicts"])
    counted = Counter(verdict["outcome"] for verdict in document["verdicts"])
    assert {outcome: count for outcome, count in document["summary"].items() if count} == counted
    assert len(document["summary"]) == 7


def test_a_range_also_has_windows_and_the_worst_of_them() -> None:
    document = read(check_json.over_range(HEADING, [summary(of, WHOLE) for of in SLOS]))
    expected = [field for field in FIELDS if field != "at"]
    expected[3:3] = ["from", "to"]
    assert all(list(verdict) == [*expected, "windows", "worst"] for verdict in document["verdicts"])
    first = document["verdicts"][0]
    assert first["windows"] == {"good": 21, "evaluated": 26, "expected": 28}
    assert first["worst"] == {"at": "2026-11-22T05:52:00Z", "value": first["worst"]["value"]}
    assert first["query"] == "sum(x)"
    assert (first["from"], first["to"]) == ("2026-11-22T05:39:00Z", "2026-11-22T06:07:00Z")


def test_slots_follow_the_range_when_they_are_asked_for() -> None:
    slots = recorded(FSYNC, WHOLE)
    document = read(check_json.over_range(HEADING, [summary(FSYNC, WHOLE)], slots))
    assert ["at" in verdict for verdict in document["verdicts"]] == [False] + [True] * len(slots)


def test_an_slo_without_series_is_still_one_verdict() -> None:
    absent, refused = one(slot_verdict(REGISTRATION, slot_at(3))), one(slot_verdict(SEARCH, slot_at(3)))
    assert (absent["outcome"], absent["labels"], absent["value"], absent["quantiles"]) == ("no_data", {}, None, {})
    assert absent["objective"] == {}
    assert refused["outcome"] == "error"
    assert "duplicate series" in refused["reason"]
    (whole,) = read(check_json.over_range(HEADING, [summary(REGISTRATION, WHOLE)]))["verdicts"]
    assert whole["windows"] == {"good": 0, "evaluated": 26, "expected": 28}
    assert whole["worst"] is None


def test_open_ends_of_buckets_are_null() -> None:
    late = one(slot_verdict(WORK_SYNC, slot_at(14)))
    assert late["quantiles"]["99"] == {"value": 2.048, "lower": 2.048, "upper": None}
    assert late["good_share"]["upper"] == 1.0
    assert late["good_share"]["lower"] < 0.98


@pytest.mark.parametrize(("value", "word"), [(INF, "+"), (-INF, "-")])
def test_an_infinite_value_is_null_and_the_reason_says_it(value: float, word: str) -> None:
    verdict = one(slot_verdict(MEMORY, slot_at(3), {(): value}))
    assert verdict["value"] is None
    assert f"{word}∞" in verdict["reason"] or f"{word}Inf" in verdict["reason"]


def test_nan_is_no_data_with_a_null() -> None:
    verdict = one(slot_verdict(MEMORY, slot_at(3), {(): float("nan")}))
    assert (verdict["outcome"], verdict["value"]) == ("no_data", None)


def test_the_objective_is_that_of_the_series() -> None:
    verdicts = read(check_json.at_slot([slot_verdict(READ_ONLY, slot_at(3))]))["verdicts"]
    assert {v["labels"]["verb"]: v["objective"]["at_most"] for v in verdicts} == {"GET": 1.0, "LIST": 30.0}
    assert one(slot_verdict(SCHEDULING, slot_at(3)))["objective"]["at_least"] == 0.999


def test_names_are_kept_whole_and_the_text_fits_any_stream() -> None:
    text = check_json.at_slot([slot_verdict(MEMORY, slot_at(3), {(("c", t),): 1.0 for t in HOSTILE.values()})])
    assert text.isascii()
    assert "\x1b" not in text
    assert "\x00" not in text
    assert {verdict["labels"]["c"] for verdict in read(text)["verdicts"]} == set(HOSTILE.values())


def test_a_range_without_its_times_is_refused() -> None:
    with pytest.raises(ValueError, match="range"):
        check_json.over_range(dataclasses.replace(HEADING, range=None), [])
