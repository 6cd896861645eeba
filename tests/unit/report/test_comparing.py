"""A run beside its baseline: what belongs together, what was not run, and what a number that was written down can tell."""

from __future__ import annotations

import dataclasses

import pytest

from sloagent.model.comparison import Change, Why
from sloagent.model.record import RunRecord, SLORecord, Stated
from sloagent.model.samples import Events
from sloagent.model.slo import SLO, Labels, LatencySLI, Limit, LowerBound, Objective, ValueSLI
from sloagent.model.tally import SeriesTally
from sloagent.report.block_views import Tables
from sloagent.report.comparing import SLOComparison
from sloagent.report.content import Report
from sloagent.report.document import document
from tests.unit.report.built import counted, latencies, record, report_of, run_of
from tests.unit.report.sample import FSYNC, MEMORY, MUTATING, SCHEDULING
from tests.unit.report.showing import ENGLISH, markdown, shown, texts

POST: Labels = (("verb", "POST"),)
PUT: Labels = (("verb", "PUT"),)
PULL: Labels = (("mode", "pull"),)


def baseline(*records: SLORecord, **more: object) -> RunRecord:
    return run_of(*records, name="v1.14", **more)


def compared(now: SLORecord, before: SLORecord, **more: object) -> SLOComparison:
    (result,) = report_of(now, beside=baseline(before, **more)).results
    assert result.comparison is not None
    return result.comparison


def tables(of: Report) -> list[Tables]:
    return [block for block in shown(of, "comparison") if isinstance(block, Tables)]


def rows(now: SLORecord, before: SLORecord, **more: object) -> list[list[str]]:
    """The rows of the one SLO's table, without the column of differences."""
    _, details = tables(report_of(now, beside=baseline(before, **more)))
    assert details.grids[0].columns[:5] == ("Change", "Series", "Number", "Baseline", "This run")
    return [row[:5] for row in texts(details.grids[0])]


def test_what_is_slower_is_worse_and_what_is_not_is_not() -> None:
    slower = counted(MUTATING, {POST: latencies(1.6)})
    assert compared(slower, counted(MUTATING, {POST: latencies()})).change is Change.WORSE
    assert compared(counted(MUTATING, {POST: latencies()}), slower).change is Change.BETTER
    assert compared(slower, slower).change is not Change.WORSE


BOUNDED = dataclasses.replace(
    MUTATING, sli=LatencySLI(("whole_seconds",), "", ("verb",), lower_bounds=(LowerBound("part_seconds", ""),))
)
WHOLE, PART = ("whole_seconds",), ("part_seconds",)


def read_from(names: tuple[str, ...], times: float = 1.0) -> SLORecord:
    made = counted(BOUNDED, {POST: latencies(times)})
    return dataclasses.replace(made, whole=dataclasses.replace(made.whole, answered={POST: names}))


@pytest.mark.parametrize(
    ("before", "now"),
    [(WHOLE, PART), (PART, WHOLE), (WHOLE + PART, PART), (WHOLE + PART, WHOLE + PART)],
)
def test_a_part_of_what_is_measured_is_compared_with_nothing_but_itself(
    before: tuple[str, ...], now: tuple[str, ...]
) -> None:
    found = compared(read_from(now, 1.6), read_from(before))
    (series,) = found.series
    assert (found.change, series.overall.why) == (Change.CANNOT_TELL, Why.LOWER_BOUND)
    assert {moved.why for moved in series.numbers} == {Why.LOWER_BOUND}
    assert found.sentence(ENGLISH).endswith(
        "a lower bound beside what is not the same part: the two cannot be compared"
    )


def test_a_part_beside_itself_is_compared_and_the_sentence_says_of_what() -> None:
    found = compared(read_from(PART, 1.6), read_from(PART))
    assert found.change is Change.WORSE
    assert found.sentence(ENGLISH).endswith("; of part_seconds, a part of what is measured")
    assert "part_seconds" not in compared(read_from(WHOLE, 1.6), read_from(WHOLE)).sentence(ENGLISH)
    assert all(number.startswith("≥ ") for row in rows(read_from(PART, 1.6), read_from(PART)) for number in row[3:5])


def test_what_was_a_part_in_the_baseline_is_one_though_the_slo_does_not_say_so_any_more() -> None:
    now = counted(MUTATING, {POST: latencies(1.6)})
    assert compared(now, read_from(PART)).series[0].overall.why is Why.LOWER_BOUND


def test_a_part_that_only_one_of_two_runs_has_was_not_run_in_the_other() -> None:
    now = counted(BOUNDED, {PUT: latencies()})
    (first, second) = compared(now, read_from(PART)).series
    assert {first.overall.why, second.overall.why} == {Why.NOT_RUN}


def test_series_belong_together_by_their_labels() -> None:
    now = counted(MUTATING, {POST: latencies(1.6), PUT: latencies()})
    before = counted(MUTATING, {PUT: latencies(), POST: latencies()})
    found = {one.labels: one.overall.change for one in compared(now, before).series}
    assert found[POST] is Change.WORSE
    assert found[PUT] is not Change.WORSE


def test_what_one_side_did_not_run_says_so_on_that_side_and_is_never_a_zero() -> None:
    now, before = counted(MUTATING, {POST: latencies()}), counted(MUTATING, {PUT: latencies()})
    assert [row[1:] for row in rows(now, before)] == [
        ["POST", "P50", "not run", "100 ms (50–100 ms)"], ["", "P90", "not run", "639 ms (600 ms–1 s)"],
        ["", "P99", "not run", "964 ms (600 ms–1 s)"], ["PUT", "P50", "100 ms (50–100 ms)", "not run"],
        ["", "P90", "639 ms (600 ms–1 s)", "not run"], ["", "P99", "964 ms (600 ms–1 s)", "not run"],
    ]  # fmt: skip
    assert compared(now, before).change is Change.CANNOT_TELL


def test_a_series_without_events_was_not_run_either() -> None:
    silent = counted(MUTATING, {POST: latencies(events=0.0)})
    assert [row[4] for row in rows(silent, counted(MUTATING, {POST: latencies()}))] == ["not run"] * 3


def test_a_series_that_was_not_run_does_not_speak_for_the_slo() -> None:
    now = counted(MUTATING, {POST: latencies(0.6), PUT: latencies()})
    before = counted(MUTATING, {POST: latencies()})
    comparison = compared(now, before)
    assert comparison.change is Change.BETTER
    assert [one.labels for one in comparison.series] == [POST, PUT]
    assert comparison.sentence(ENGLISH).startswith("POST: −")


def test_a_percentile_stands_with_its_bucket_on_both_sides() -> None:
    fast = counted(FSYNC, {(): latencies(0.0005)})  # all of it in the first bucket
    found = rows(fast, counted(FSYNC, {(): latencies()}))
    assert [row[4] for row in found] == ["≤ 5 ms (first bucket)"] * 3
    assert found[0][3] == "100 ms (50–100 ms)"
    hidden = compared(fast, fast)
    assert (hidden.change, hidden.series[0].overall.why) == (Change.CANNOT_TELL, Why.INSIDE_BUCKET)


def test_a_share_and_a_mean_are_compared_as_what_they_are() -> None:
    shares = rows(
        counted(SCHEDULING, {(): Events(300.0, 100_000.0)}), counted(SCHEDULING, {(): Events(100.0, 100_000.0)})
    )
    assert shares == [["worse", "the only series", "bad events", "0.1 %", "0.3 %"]]
    etcd = (("component", "etcd"),)

    def memory(size: float) -> SLORecord:
        return record(MEMORY, {etcd: SeriesTally(good=720)}, means={etcd: tuple(size + n for n in range(12))})

    assert rows(memory(2 * 2.0**30), memory(2.0**30)) == [["worse", "etcd", "Mean", "1 GiB", "2 GiB"]]


def test_of_a_value_that_should_be_large_a_fall_is_worse() -> None:
    slo = dataclasses.replace(MEMORY, objective=Objective(Limit(at_least=1.0)))

    def level(size: float) -> SLORecord:
        return record(slo, {(): SeriesTally(good=720)}, means={(): tuple(size + n / 100 for n in range(12))})

    assert compared(level(50.0), level(100.0)).change is Change.WORSE
    assert compared(level(100.0), level(50.0)).change is Change.BETTER


def test_what_is_stated_stands_beside_what_is_measured_and_how_sure_the_difference_is_cannot_be_told() -> None:
    published = record(MUTATING, stated={POST: Stated({50.0: 0.05, 99.0: 0.5})})
    measured = counted(MUTATING, {POST: latencies()})
    assert rows(measured, published, written_by_hand=True) == [
        ["cannot tell", "POST", "P50", "50 ms", "100 ms (50–100 ms)"],
        ["", "", "P90", "—", "639 ms (600 ms–1 s)"],
        ["", "", "P99", "500 ms", "964 ms (600 ms–1 s)"],
    ]  # fmt: skip
    comparison = compared(measured, published, written_by_hand=True)
    assert comparison.change is Change.CANNOT_TELL
    (series,) = comparison.series
    assert series.overall.why is Why.NO_DISTRIBUTION
    assert series.numbers[0].estimate is not None
    assert abs(series.numbers[0].estimate - 1.0) < 1e-9  # 50 ms before, 100 ms now
    assert series.numbers[1].why is Why.NOT_RUN


def test_the_promised_percentile_speaks_for_a_series_whose_numbers_were_written_down() -> None:
    slo = dataclasses.replace(MUTATING, objective=Objective(Limit(at_most=1.0), percentile=95.0))
    now, before = (record(slo, stated={POST: Stated({95.0: value, 99.0: 1.0})}) for value in (0.4, 0.2))
    (series,) = compared(now, before, written_by_hand=True).series
    assert series.overall.current == 0.4


def test_a_stated_value_stands_beside_a_measured_mean() -> None:
    stated = record(MEMORY, stated={(): Stated(value=266 * 2.0**20)})
    measured = record(MEMORY, {(): SeriesTally(good=720)}, means={(): (133 * 2.0**20,) * 12})
    assert rows(measured, stated, written_by_hand=True) == [
        ["cannot tell", "the only series", "Mean", "266 MiB", "133 MiB"],
    ]  # fmt: skip


def test_an_slo_that_was_changed_is_compared_and_said_to_be_changed() -> None:
    other = dataclasses.replace(MUTATING, objective=Objective(Limit(at_most=2.0), percentile=99.0))
    now, before = counted(MUTATING, {POST: latencies()}), counted(other, {POST: latencies()})
    assert compared(now, before).changed
    assert ENGLISH.say("slo_changed") in markdown(report_of(now, beside=baseline(before)))
    assert not compared(now, counted(dataclasses.replace(MUTATING, note=MUTATING.title), {POST: latencies()})).changed


def test_numbers_that_were_written_down_are_changed_only_if_the_promise_is() -> None:
    """A hand-written run names no query: that it is another tells nothing."""
    by_hand = dataclasses.replace(MUTATING, sli=LatencySLI((), "", ("verb",)))
    now = counted(MUTATING, {POST: latencies()})
    assert not compared(now, record(by_hand, stated={POST: Stated({99.0: 1.0})}), written_by_hand=True).changed
    other = dataclasses.replace(by_hand, objective=Objective(Limit(at_most=2.0), percentile=99.0))
    assert compared(now, record(other, stated={POST: Stated({99.0: 1.0})}), written_by_hand=True).changed


def test_an_slo_that_the_baseline_lacks_or_did_not_run_says_so() -> None:
    other = record(dataclasses.replace(MUTATING, name="other"), {POST: SeriesTally(good=5)})
    (overview,) = tables(report_of(counted(MUTATING, {POST: latencies()}), beside=baseline(other)))
    (row,) = texts(overview.grids[0])
    assert (row[0], row[3], row[4]) == ("cannot tell", "not run", "the baseline has no such SLO")
    empty = baseline(record(MUTATING), written_by_hand=True)
    overview, _ = tables(report_of(counted(MUTATING, {POST: latencies()}), beside=empty))
    assert texts(overview.grids[0])[0][3] == "not run"


def test_an_slo_that_only_the_baseline_has_is_named() -> None:
    both = counted(MUTATING, {POST: latencies()})
    found = report_of(both, beside=baseline(both, counted(FSYNC, {(): latencies()})))
    assert tables(found)[0].after == ("The baseline has these SLOs, and this run does not: etcd WAL fsync.",)
    assert tables(report_of(both, beside=baseline(both)))[0].after == ()


def test_the_worst_stand_first_and_both_verdicts_beside_each_other() -> None:
    slos: list[SLO] = [dataclasses.replace(MUTATING, name=name) for name in ("faster", "slower")]
    before = baseline(*(counted(slo, {POST: latencies()}) for slo in slos))
    found = report_of(counted(slos[0], {POST: latencies(0.5)}), counted(slos[1], {POST: latencies(2.0)}), beside=before)
    overview = texts(tables(found)[0].grids[0])
    assert [row[0] for row in overview] == ["worse", "better"]
    assert [row[2:4] for row in overview] == [["pass", "pass"]] * 2


def test_without_a_baseline_nothing_is_compared() -> None:
    alone = report_of(counted(MUTATING, {POST: latencies()}))
    assert shown(alone, "comparison") == ()
    assert alone.results[0].comparison is None
    assert document(alone)["baseline"] is None


def test_the_data_has_null_where_a_side_was_not_run() -> None:
    now, before = counted(MUTATING, {POST: latencies()}), counted(MUTATING, {PUT: latencies()})
    told = document(report_of(now, beside=baseline(before)))
    (result,) = told["results"]
    assert told["baseline"]["name"] == "v1.14"
    found = {one["labels"]["verb"]: one["numbers"]["99"] for one in result["comparison"]["series"]}
    assert found["POST"]["baseline"] is None
    assert found["PUT"]["current"] is None
    assert found["PUT"]["why"] == "not_run"


def test_other_kinds_of_one_name_cannot_be_compared() -> None:
    value = dataclasses.replace(MUTATING, sli=ValueSLI("x", "seconds"), objective=Objective(Limit(at_most=1.0)))
    now = counted(MUTATING, {PULL: latencies()})
    comparison = compared(now, record(value, {PULL: SeriesTally(good=5)}, means={PULL: (1.0,) * 12}))
    assert comparison.change is Change.CANNOT_TELL
    assert comparison.changed
