from __future__ import annotations

import dataclasses
import re

import pytest

from sloagent.cli.formats import Heading, table
from sloagent.cli.formats.terminal import Terminal, width_of
from sloagent.model.slo import Text
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import SlotVerdict
from tests.unit.report import golden
from tests.unit.report.sample import (
    FSYNC,
    HOSTILE,
    MEMORY,
    MUTATING,
    READ_ONLY,
    REGISTRATION,
    RUN,
    SLOS,
    WHOLE,
    minute,
    recorded,
    slot_at,
    slot_verdict,
    summary,
)

HEADING = Heading(("karmada",), "2.42.0", "http://127.0.0.1:9090", queries={})
RANGE = dataclasses.replace(HEADING, range=WHOLE)


def slots_at(number: float) -> list[SlotVerdict]:
    return [slot_verdict(of, slot_at(number)) for of in SLOS]


def test_golden_slot() -> None:
    golden.compare("check/slot.txt", table.at_slot(HEADING, slots_at(14), Terminal(160)))


def test_golden_range_with_slots() -> None:
    slots = recorded(MUTATING, TimeRange(minute(10), minute(14)))
    text = table.over_range(RANGE, [summary(of, WHOLE) for of in SLOS], Terminal(160), slots)
    golden.compare("check/range.txt", text)


def test_golden_narrow_and_ascii() -> None:
    text = table.over_range(RANGE, [summary(of, WHOLE) for of in SLOS], Terminal(80, "ascii"))
    assert text.isascii()
    golden.compare("check/narrow-ascii.txt", text)


@pytest.mark.parametrize("columns", [80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_but_the_command_to_copy(columns: int) -> None:
    text = table.at_slot(HEADING, slots_at(14), Terminal(columns))
    assert [line for line in text.split("\n") if width_of(line) > columns and not line.startswith("Why:")] == []
    assert "\nWhy:  sloagent explain -c sloagent.yaml api-mutating-latency --at 2026-11-22T05:53:00Z\n" in text


def test_the_worst_stands_first_and_the_counts_last() -> None:
    text = table.at_slot(HEADING, slots_at(14), Terminal(160))
    rows = [line for line in text.split("\n") if re.match(r"[✗✓!?·] [a-z]", line)]
    assert rows[0].split()[1] == "api-mutating-latency"
    assert rows[-1].startswith("· cluster-registration  TBD")
    assert "8 SLOs: 1 fail, 1 in error, 1 inconclusive, 4 pass, 1 without data (no objective yet)." in text


def test_where_all_is_well_there_is_nothing_to_explain() -> None:
    text = table.at_slot(HEADING, [slot_verdict(FSYNC, slot_at(3))], Terminal(160))
    assert "Why" not in text
    assert text.endswith("1 SLO: 1 pass.\n")


def test_without_slos_it_says_so_instead_of_showing_an_empty_table() -> None:
    assert table.at_slot(HEADING, [], Terminal(120)).endswith("0 SLOs: nothing to judge.\n")


def test_a_pending_slot_is_an_error_with_its_reason() -> None:
    slot = dataclasses.replace(slot_verdict(SLOS[-1], slot_at(3)), pending=True, detail="503 from Prometheus")
    text = table.at_slot(HEADING, [slot], Terminal(160))
    assert re.search(r"^! search-latency .* error", text, re.MULTILINE)
    assert "503 from Prometheus" in text


def test_colour_only_where_it_is_asked() -> None:
    assert "\x1b" not in table.at_slot(HEADING, slots_at(14), Terminal(120))
    painted = table.at_slot(HEADING, slots_at(14), Terminal(120, colour=True))
    assert "\x1b[31mfail\x1b[0m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == table.at_slot(HEADING, slots_at(14), Terminal(120))


def test_hostile_names_neither_steer_the_terminal_nor_break_its_columns() -> None:
    answers = {(("component", text),): 2.0**35 for text in HOSTILE.values()}
    for text in HOSTILE.values():
        labels = (("component", text),)
        slot = slot_verdict(MEMORY, slot_at(3), {labels: answers[labels]})
        shown = table.at_slot(HEADING, [slot], Terminal(120))
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
        row = next(line for line in shown.split("\n") if line.startswith("✗"))
        assert width_of(row) <= 120
        assert row.rstrip().split("  ")[-1] == "fail" or " fail  " in row


def test_wide_names_keep_the_columns_straight() -> None:
    wide = slot_verdict(MEMORY, slot_at(3), {(("component", "控制器🚀e\u0301"),): 2.0**35})
    plain = slot_verdict(FSYNC, slot_at(3))
    rows = [r for r in table.at_slot(HEADING, [wide, plain], Terminal(160)).split("\n") if r[:1] in ("✗", "✓")]
    starts = [width_of(rows[0][: rows[0].index("32 GiB")]), width_of(rows[1][: rows[1].index("1.95 ms")])]
    assert starts[0] == starts[1]


def test_a_warning_of_prometheus_a_changed_name_and_an_unused_override_are_told() -> None:
    warned = dataclasses.replace(slot_verdict(FSYNC, slot_at(3)), warnings=("store gateway is away",))
    assert "Prometheus warns: store gateway is away" in table.at_slot(HEADING, [warned], Terminal(200))
    changed = dataclasses.replace(summary(READ_ONLY, WHOLE), histograms=("new_seconds", "old_seconds"))
    text = table.over_range(RANGE, [changed], Terminal(300))
    assert "the metric's name changed: new_seconds, then old_seconds" in text
    assert "the override for GTE matched nothing" in text


def test_what_passes_shows_the_note_that_one_must_know() -> None:
    noted = dataclasses.replace(FSYNC, note=Text("cannot see a stalled etcd"))
    slot = dataclasses.replace(slot_verdict(FSYNC, slot_at(3)), slo=noted)
    assert "cannot see a stalled etcd" in table.at_slot(HEADING, [slot], Terminal(200))


def test_a_range_in_which_nothing_was_asked_yet_points_to_its_last_slot() -> None:
    nothing = summary(REGISTRATION, WHOLE)
    gating = dataclasses.replace(nothing, slo=dataclasses.replace(FSYNC, name="gates"))
    text = table.over_range(RANGE, [gating], Terminal(160))
    assert "Why:  sloagent explain -c sloagent.yaml gates --at 2026-11-22T06:07:00Z" in text


def test_the_command_is_quoted_for_a_shell() -> None:
    odd = dataclasses.replace(HEADING, config="my file.yaml")
    assert "-c 'my file.yaml' api-mutating-latency" in table.at_slot(odd, slots_at(14), Terminal(160))


def test_different_slots_and_days_are_told_in_the_head() -> None:
    two = [slot_verdict(FSYNC, slot_at(3)), slot_verdict(MUTATING, slot_at(4))]
    assert "2026-11-22 05:42:00–05:43:00 UTC · 2 SLOs" in table.at_slot(HEADING, two, Terminal(160))
    long = dataclasses.replace(HEADING, range=TimeRange(RUN.start, minute(60 * 48)), version="")
    head = table.over_range(long, [summary(FSYNC, WHOLE)], Terminal(160)).split("\n")[0]
    assert head == (
        "karmada · 2026-11-22 05:39 – 2026-11-24 05:39 UTC · 26 of 26 slots evaluated · "
        "Prometheus at http://127.0.0.1:9090"
    )
