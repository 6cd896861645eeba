"""How much the numbers rest on, in sentences and per SLO."""

from __future__ import annotations

import dataclasses

from sloagent.model.facts import Collected, Component, Facts
from sloagent.model.record import Absence, Part, SLORecord
from sloagent.model.tally import SeriesTally, Tally
from sloagent.model.timerange import at
from sloagent.model.verdict import Outcome
from sloagent.report.block_views import Prose, Tables
from sloagent.report.content import Report, content
from sloagent.report.quality import MOST_GAPS, quality
from tests.unit.report.built import record, report_of
from tests.unit.report.sample import (
    FSYNC,
    READ_ONLY,
    RUN,
    SCHEDULING,
    SEARCH,
    definition,
    made_of,
    minute,
    report,
    run_record,
    slo_record,
    slot_at,
)
from tests.unit.report.showing import ENGLISH, shown, texts

CALM = dataclasses.replace(RUN, exclusions=())


def findings(*records: SLORecord, **more: object) -> dict[str, list[str]]:
    found = quality(content(made_of(*records, **more), definition()), ENGLISH)
    return {row[0]: row[2].split("\n") for row in texts(found.table)}


def said(collected: Collected) -> tuple[str, ...]:
    run = dataclasses.replace(run_record(FSYNC, run=CALM), facts=Facts(collected))
    return quality(content(run, definition()), ENGLISH).sentences


def test_a_run_of_which_every_slot_was_evaluated_is_good_and_says_so() -> None:
    whole = record(FSYNC, {(): SeriesTally(good=60)})
    found = quality(report_of(whole), ENGLISH)
    assert found.good
    assert texts(found.table) == []
    (prose,) = shown(report_of(whole), "quality")
    assert prose == Prose((ENGLISH.say("quality_good"),))


def test_slos_of_which_there_is_nothing_to_say_are_counted_and_not_listed() -> None:
    calm = record(FSYNC, {(): SeriesTally(good=60)})
    told = quality(report_of(calm, dataclasses.replace(slo_record(SCHEDULING), phases=())), ENGLISH)
    assert [row[0] for row in texts(told.table)] == ["Scheduling success"]
    assert told.sentences[-1] == "Of 1 more SLOs every slot was evaluated, and there is nothing to say."


def test_a_slot_without_answer_a_refusal_and_a_warning_each_make_it_less_than_good() -> None:
    assert not quality(report(SCHEDULING), ENGLISH).good
    assert not quality(report(SEARCH), ENGLISH).good
    warned = dataclasses.replace(record(FSYNC, {(): SeriesTally(good=60)}), warnings={"PromQL info: …": 3})
    assert not quality(report_of(warned), ENGLISH).good


def test_slots_are_counted_and_what_became_of_the_others_is_told_with_its_times() -> None:
    lost = dataclasses.replace(slo_record(SCHEDULING), trouble="timeout: no answer within 20 s")
    assert findings(lost)["Scheduling success"] == [
        "2 slots without an answer: 05:48–05:49", "not answered: timeout: no answer within 20 s", "2 slots excluded",
    ]  # fmt: skip
    assert findings(slo_record(SEARCH))["Search latency"][0] == (
        "26 slots refused for good (execution): 05:40–06:03, 06:06–06:07"
    )


def test_what_matched_nothing_what_changed_its_name_and_what_was_warned_of_is_told() -> None:
    one = slo_record(READ_ONLY)
    tally = dataclasses.replace(one.whole.tally, histograms=("old_seconds", "new_seconds"))
    changed = dataclasses.replace(one, whole=dataclasses.replace(one.whole, tally=tally), warnings={"a": 1, "b": 20})
    found = findings(changed, run=CALM)["Read-only API call latency"]
    assert found[1:] == [
        "the metric changed its name: old_seconds → new_seconds", "the override for GTE matched nothing",
        "Prometheus warned in 20 slots: b", "Prometheus warned in 1 slots: a",
    ]  # fmt: skip


def test_gaps_beyond_the_fifth_are_counted() -> None:
    slots = range(slot_at(1), slot_at(29), 60)
    states = tuple(Absence.MISSING if n % 2 else Outcome.PASS for n in range(len(slots)))
    lost = SLORecord(FSYNC, Part(28, 0, Tally(recorded=14), None), slots=slots, states=states)
    (found,) = findings(lost)["etcd WAL fsync"][:1]
    assert found.startswith("14 slots without an answer: ")
    assert found.endswith(f"{14 - MOST_GAPS} more stretches")


def test_exclusions_are_told_with_their_reason() -> None:
    assert quality(report(FSYNC), ENGLISH).sentences == (
        "Excluded 2026-11-22 06:03–06:05 UTC: planned restart of Prometheus",
    )


def test_what_was_not_scraped_is_told_once_and_not_of_each_job_again() -> None:
    away, own = (slot_at(2), slot_at(4)), (slot_at(6), slot_at(7))
    found = said(
        Collected(gaps=(away,), components=(Component("etcd", gaps=(away, own)), Component("api", gaps=(away,))))
    )
    assert found == (
        "In these stretches nothing at all was scraped: 05:41–05:43.", "etcd was not scraped: 05:45–05:46.",
    )  # fmt: skip


def test_restarts_counter_resets_and_refused_facts_are_told() -> None:
    restarted = Component("etcd", started=(float(slot_at(3)), float(slot_at(9))), resets=4)
    found = said(Collected(components=(restarted,), resolution=55.0, refusals=(("up", "too many series"),)))
    assert found == (
        "Restarts of etcd: 2, at 2026-11-22 05:42, 2026-11-22 05:48.", "Counter resets of etcd: 4.",
        "Gaps between scrapes are told to within 55 s; in a long run shorter ones may have been missed.",
        "Prometheus did not answer “up”: too many series",
    )  # fmt: skip


def test_numbers_that_were_written_by_hand_have_no_slots_and_nothing_is_called_complete() -> None:
    def by_hand(run=CALM) -> Report:
        return content(
            made_of(SLORecord(FSYNC, Part(0, 0, Tally(), None)), run=run, written_by_hand=True), definition()
        )

    assert shown(by_hand(), "quality") == ()
    (prose,) = shown(by_hand(RUN), "quality")
    assert isinstance(prose, Prose)
    assert ENGLISH.say("quality_good") not in prose.paragraphs
    assert prose.paragraphs[0].startswith("Excluded")


def test_the_sentences_stand_above_the_table() -> None:
    prose, tables = shown(report(SCHEDULING), "quality")
    assert isinstance(prose, Prose)
    assert isinstance(tables, Tables)
    assert at(slot_at(0)) == minute(0)
