from __future__ import annotations

import dataclasses
import re

import pytest

from sloagent.cli.explaining import explain, history
from sloagent.cli.formats.terminal import Terminal, width_of
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Events
from sloagent.model.slo import SLO
from tests.unit.report import golden
from tests.unit.report.sample import (
    FSYNC,
    HOSTILE,
    INF,
    MEMORY,
    MUTATING,
    READ_ONLY,
    REGISTRATION,
    SCHEDULING,
    SEARCH,
    SLOS,
    WORK_SYNC,
    curl,
    question,
    slot_at,
    slot_verdict,
    spread,
)


def text_of(of: SLO, number: float = 14, terminal: Terminal | None = None, **more: object) -> str:
    slot = slot_verdict(of, slot_at(number), **more)  # type: ignore[arg-type]
    return explain(slot, terminal or Terminal(110), curl=curl(question(of).query, slot.slot))


@pytest.mark.parametrize("of", SLOS, ids=lambda of: of.name)
def test_golden(of: SLO) -> None:
    recorded = [slot_verdict(of, slot_at(number)) for number in range(2, 15)]
    command = curl(question(of).query, slot_at(14))
    text = explain(slot_verdict(of, slot_at(14)), Terminal(110), curl=command, history=history(recorded))
    golden.compare(f"explain/{of.name}.txt", text)


def test_the_arithmetic_of_a_latency_is_all_there() -> None:
    text = text_of(MUTATING)
    assert "promised    99 % of events within 1 s" in text
    assert "61.2 % of 103 events within 1 s   (exact: 1 s is a bucket bound)" in text
    assert re.search(r"600 ms–1 s +█+ +8 +◀ limit$", text, re.MULTILINE)
    assert "P99         4.96 s (4–5 s)   (Prometheus's histogram_quantile says 4.9571)" in text


def test_the_bars_count_every_event_once() -> None:
    counts = [
        float(number)
        for number in re.findall(
            r"^ +(?:(?:≤|>) )?[\d.]+(?: m?s)?(?:–[\d.]+ m?s| m?s)? +[█▌▏]* +(\d+)(?:   .*)?$",
            text_of(MUTATING).split("PATCH")[0],
            re.MULTILINE,
        )
    ]
    assert sum(counts) == 103


def test_a_limit_inside_a_bucket_or_beyond_the_last_is_said() -> None:
    assert "20 ms lies inside the bucket from 16 ms to 32 ms" in text_of(FSYNC)
    assert re.search(r"16–32 ms +0 +◀ limit 20 ms inside", text_of(FSYNC))
    assert "5 s lies beyond the last bound, 2.048 s" in text_of(WORK_SYNC)
    assert re.search(r"> 2.05 s +█ +4 +◀ limit 5 s inside", text_of(WORK_SYNC))
    inside_first = text_of(FSYNC, answers={(): spread({0.1: 5.0}, (0.1, 0.2, INF))})
    assert "20 ms lies inside the first bucket, ≤ 100 ms" in inside_first
    only_infinity = text_of(FSYNC, answers={(): Distribution((INF,), (5.0,))})
    assert "beyond the last bound, any bound" in only_infinity


def test_counts_that_fall_are_said_to_be_an_interval() -> None:
    falling = Distribution((0.01, 0.02, 0.04, INF), (10.0, 9.9, 10.0, 10.0))
    assert "counts fall from bound to bound" in text_of(FSYNC, answers={(): falling})


def test_a_histogram_of_many_buckets_is_joined_and_still_counts_every_event() -> None:
    bounds = (*[0.001 * 1.1**n for n in range(100)], INF)
    wide = Distribution(bounds, tuple(float(n + 1) for n in range(101)))
    text = text_of(FSYNC, answers={(): wide})
    bars = re.findall(r"^ +(?:(?:≤|>) )?[\d.]+\S*(?: \w+–\S+)? m?s  .*?  +([\d,]+)(?:   .*)?$", text, re.MULTILINE)
    assert len(bars) <= 24
    assert "◀ limit" in text
    assert sum(float(bar.replace(",", "")) for bar in bars) == pytest.approx(101 * 60, rel=0.01)


def test_an_slo_of_each_kind_is_explained() -> None:
    assert "99.999 % of 3,600 events good   (0.02 bad)" in text_of(SCHEDULING)
    assert "promised    ≤ 8 GiB, warns at 6 GiB" in text_of(MEMORY)
    assert "(an override for this series)" in text_of(READ_ONLY)
    assert "promised    TBD" in text_of(REGISTRATION)
    measured = text_of(REGISTRATION, answers={(("mode", "push"),): spread({1.0: 30.0})})
    assert "nothing yet (TBD): measured, never gates" in measured
    assert "measured    30 events" in measured


def test_a_ratio_that_cannot_be_says_so() -> None:
    assert "more than all of 60 events" in text_of(SCHEDULING, answers={(): Events(2.0, 1.0)})
    assert "measured    0 events" in text_of(SCHEDULING, answers={(): Events(0.0, 0.0)})
    assert "measured    nothing" in text_of(SCHEDULING, answers={(): Events(1.0, None)})


def test_a_refusal_is_explained_in_prometheus_own_words_and_a_pending_one_says_what_happens_next() -> None:
    text = text_of(SEARCH)
    assert "found duplicate series for the match group" in text
    assert "ERROR" in text.split("\n")[0]
    pending = dataclasses.replace(slot_verdict(SEARCH, slot_at(3)), pending=True)
    assert "asked again until it is answered" in explain(pending, Terminal(110), curl="curl")


def test_only_the_worst_series_are_shown_and_the_others_counted() -> None:
    answers = {(("resource", f"kind-{n:02}"), ("verb", "POST")): spread({3.0: 20.0 + n}) for n in range(15)}
    text = text_of(MUTATING, answers=answers)
    assert text.count("kind-") == 3
    assert "and 12 more series: 12 fail" in text


def test_the_query_and_the_command_are_there_to_be_copied() -> None:
    narrow = text_of(MUTATING, terminal=Terminal(60))
    assert f"asked       {question(MUTATING).query}\n" in narrow
    assert curl(question(MUTATING).query, slot_at(14)) in narrow
    many_lines = dataclasses.replace(slot_verdict(MEMORY, slot_at(3)), question=type(question(MEMORY))("max(\n  x\n)"))
    assert "asked       max(\n  x\n)\n" in explain(many_lines, Terminal(80), curl="curl 'max(\n  x\n)'")
    assert "again       curl 'max(\n  x\n)'\n" in explain(many_lines, Terminal(80), curl="curl 'max(\n  x\n)'")


def test_other_lines_keep_to_the_terminal() -> None:
    for line in text_of(WORK_SYNC, terminal=Terminal(70)).split("\n"):
        assert width_of(line) <= 70 or line.lstrip().startswith(("asked", "again"))


def test_ascii_and_hostile_names() -> None:
    assert text_of(MUTATING, terminal=Terminal(110, "ascii")).isascii()
    answers = {(("component", text),): 2.0**35 for text in HOSTILE.values()}
    slot = slot_verdict(MEMORY, slot_at(3), answers)
    text = explain(slot, Terminal(110), curl="curl", at_most_series=len(HOSTILE))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_history_says_since_when() -> None:
    slots = [slot_verdict(MUTATING, slot_at(number)) for number in range(2, 16)]
    assert history(slots) == "passed 05:41–05:51, fails since 05:52"
    assert history(slots[:12]) == "passed 05:41–05:51, fails at 05:52"
    assert history([]) == ""
    back_and_forth = [slots[0], slots[-1]] * 4
    assert history(back_and_forth).startswith("…, ")
