"""The conclusion says nothing that is not in the verdicts, and says first what to look at first."""

from __future__ import annotations

import dataclasses

from sloagent.model.facts import Collected, Component, Facts, Written
from sloagent.model.record import SLORecord
from sloagent.model.run import Phase
from sloagent.model.slo import Limit, Objective, Status, Text
from sloagent.model.timerange import TimeRange
from sloagent.report.block_views import Prose, Statements
from sloagent.report.conclusion import MOST_ITEMS, conclusion, look_first
from sloagent.report.content import Report, content
from tests.unit.report.built import counted, latencies, report_of, run_of
from tests.unit.report.sample import (
    FSYNC,
    MEMORY,
    MUTATING,
    RUN,
    SEARCH,
    definition,
    made_of,
    minute,
    report,
    run_record,
    slo_record,
    slot_at,
)
from tests.unit.report.showing import ENGLISH, shown


def said(of: Report) -> list[str]:
    return [statement.text for statement in conclusion(of, ENGLISH)]


def items(of: Report, beginning: str) -> list[tuple[str, str]]:
    (found,) = [statement for statement in conclusion(of, ENGLISH) if statement.text.startswith(beginning)]
    return [(item.title, item.text) for item in found.items]


def failing(*names: str) -> list[SLORecord]:
    """Copies of the SLO that fails while etcd stalls."""
    one = slo_record(MUTATING)
    return [dataclasses.replace(one, slo=dataclasses.replace(MUTATING, name=n, title=Text(n))) for n in names]


def of(*records: SLORecord, **more: object) -> Report:
    return content(made_of(*records, **more), definition())


def test_every_promise_is_told_once_under_what_became_of_it() -> None:
    whole = report()
    told = said(whole)
    assert told[0].startswith("3 of 7 SLOs were met.")
    assert told[-4:] == [
        "Failed (1):", "Could not be decided (3):", "Met, but past the warn level (1):", "Met (2):",
    ]  # fmt: skip
    titles = [title for key in ("Failed", "Could", "Met, but", "Met (") for title, _ in items(whole, key)]
    assert sorted(titles) == sorted(result.slo.title.en for result in whole.results if result.gates)


def test_what_is_said_of_an_slo_are_its_own_numbers() -> None:
    whole = report()
    assert items(whole, "Failed") == [(
        "Mutating API call latency", "P99 ≤ 1 s; POST deployments; 21 of 26 windows good; worst 4.96 s (4–5 s) at 05:52",
    )]  # fmt: skip
    assert ("etcd WAL fsync", "1.95 ms (1–2 ms); P99 ≤ 20 ms") in items(whole, "Met (")
    undecided = dict(items(whole, "Could not be decided"))
    assert undecided["Search latency"] == "refused: execution ×26"
    assert undecided["Work written to the member"].startswith(
        "success: 21 of 26 windows good (99 % needed); 5 undecided"
    )


def test_look_first_at_the_phase_in_which_most_of_the_failures_lie() -> None:
    found = look_first(of(*failing("a", "b"), slo_record(FSYNC)), ENGLISH)
    assert found[0] == (
        "Look first at phase 3 etcd stalled (etcd's disk was throttled), 2026-11-22 05:51–05:56 UTC: "
        "2 of the 2 failed SLOs failed there."
    )
    assert found[1] == "First to fail: a, at 05:52 UTC."


def test_of_two_phases_with_as_many_failures_the_first_is_told() -> None:
    early = Phase("early", TimeRange(minute(12), minute(15)))
    late = Phase("late", TimeRange(minute(14), minute(17)))
    run = dataclasses.replace(RUN, phases=(early, late))
    stalled = slo_record(MUTATING).phases[2]
    both = [dataclasses.replace(one, phases=(stalled, stalled)) for one in failing("a", "b")]
    (found, *_) = look_first(of(*both, run=run), ENGLISH)
    assert found.startswith("Look first at phase 1 early, 2026")


def test_a_single_failure_makes_no_phase_suspicious() -> None:
    assert look_first(of(*failing("a")), ENGLISH) == ["First to fail: a, at 05:52 UTC."]


def test_nothing_is_to_be_looked_at_where_nothing_failed() -> None:
    assert look_first(report(FSYNC, SEARCH), ENGLISH) == []


def test_what_restarted_while_slos_failed_is_named_and_what_restarted_later_is_not() -> None:
    facts = Facts(Collected(components=(
        Component("karmada-etcd", started=(float(slot_at(13)),)), Component("kubelet", started=(float(slot_at(27)),)),
    )))  # fmt: skip
    found = look_first(of(*failing("a"), facts=facts), ENGLISH)
    assert found[-1] == "Restarted while SLOs failed: karmada-etcd 2026-11-22 05:52."


def test_official_promises_are_named_among_others_that_failed() -> None:
    a, b, c = failing("a", "b", "c")
    wip = [dataclasses.replace(one, slo=dataclasses.replace(one.slo, status=Status.WIP)) for one in (a, b)]
    assert look_first(of(*wip, c), ENGLISH)[-1] == "Of the 3 that failed, 1 are official promises: c."
    assert not any("official" in text for text in look_first(of(a, b, c), ENGLISH))


def test_names_beyond_the_sixth_are_counted() -> None:
    official = failing(*(f"slo-{number}" for number in range(8)))
    (wip,) = failing("wip")
    wip = dataclasses.replace(wip, slo=dataclasses.replace(wip.slo, status=Status.WIP))
    assert look_first(of(*official, wip), ENGLISH)[-1] == (
        "Of the 9 that failed, 8 are official promises: slo-0; slo-1; slo-2; slo-3; slo-4; slo-5; 2 more."
    )


def test_items_beyond_the_twelfth_are_counted() -> None:
    many = of(*failing(*(f"slo-{number:02}" for number in range(MOST_ITEMS + 2))))
    (text,) = [text for text in said(many) if text.startswith("Failed")]
    assert text == "Failed (14): the first 12, 2 more above"
    assert len(items(many, "Failed")) == MOST_ITEMS


def test_nothing_is_said_of_a_baseline_where_there_is_none() -> None:
    assert not any("baseline" in text for text in said(report()))


def test_what_became_of_each_slo_since_the_baseline_is_counted_and_told() -> None:
    series = (("verb", "POST"),)
    slos = [dataclasses.replace(MUTATING, name=name, title=Text(name)) for name in ("slower", "faster", "equal", "new")]
    before = run_of(*(counted(slo, {series: latencies()}) for slo in slos[:3]), name="v1")
    now = [counted(slo, {series: latencies(times)}) for slo, times in zip(slos, (1.6, 0.6, 1.0, 1.0), strict=True)]
    both = report_of(*now, beside=before)
    assert said(both)[-3:] == [
        "Worse than the baseline (1):", "Better than the baseline (1):",
        "Cannot be told apart from the baseline, or not compared (2):",
    ]  # fmt: skip
    assert [title for title, _ in items(both, "Worse")] == ["slower"]
    assert items(both, "Worse")[0][1].startswith("POST: +")
    assert [title for title, _ in items(both, "Better")] == ["faster"]
    assert ("new", "the baseline has no such SLO") in items(both, "Cannot be told")


def test_a_promise_that_the_run_was_too_short_for_is_none_of_those_that_were_met() -> None:
    grows = slo_record(dataclasses.replace(MEMORY, objective=Objective(Limit(), grows_at_most=1000.0)))
    assert said(of(grows)) == ["Nothing that was promised can be judged yet: 1 SLOs measured."]


def test_what_people_conclude_stands_behind_what_the_verdicts_say_and_is_said_to_be_theirs() -> None:
    facts = Facts(written=Written(conclusion=Text("One.\n\nTwo,\nof two lines.")))
    blocks = shown(content(dataclasses.replace(run_record(FSYNC), facts=facts), definition()), "conclusion")
    assert isinstance(blocks[0], Statements)
    assert [block.paragraphs for block in blocks[1:] if isinstance(block, Prose)] == [
        (ENGLISH.say("people_conclude"),), ("One.", "Two,\nof two lines."),
    ]  # fmt: skip
    assert len(shown(report(FSYNC), "conclusion")) == 1
