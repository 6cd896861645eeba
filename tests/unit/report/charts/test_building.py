from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from sloagent.model.facts import Collected, Component, Facts
from sloagent.model.record import Line, RunRecord, SLORecord
from sloagent.model.slo import Text
from sloagent.model.verdict import Outcome
from sloagent.report.charts.building import chart_of
from sloagent.report.charts.chart import Chart, ChartLimit, Kind, Stretch
from tests.unit.report.sample import FSYNC, MEMORY, MUTATING, READ_ONLY, SCHEDULING, START, made_of, slo_record, slot_at


def built(record: SLORecord, run: RunRecord | None = None, **more: object) -> Chart:
    made = chart_of(record, run or made_of(record), chart_id="c", **more)  # type: ignore[arg-type]
    assert made is not None
    return made


def later(record: SLORecord, minutes: int) -> RunRecord:
    """A run with this record, begun so much earlier."""
    run = made_of(record)
    begun = dataclasses.replace(run.run, start=START - timedelta(minutes=minutes), name="before")
    moved = tuple(
        Line(line.labels, tuple((slot - 60 * minutes, verdict) for slot, verdict in line.windows), line.seen)
        for line in record.lines
    )
    return dataclasses.replace(run, run=begun, slos=(dataclasses.replace(record, lines=moved),))


def test_of_several_series_the_promised_percentile_is_drawn() -> None:
    one = built(slo_record(MUTATING))
    assert [line.name for line in one.lines] == ["POST deployments", "PATCH works", "PUT secrets"]
    assert [line.colour for line in one.lines] == [0, 1, 2]
    (worst,) = {p.value for p in one.lines[0].points if p.slot == slot_at(14)}
    assert worst == pytest.approx(4.957, abs=0.01)


def test_of_an_only_series_all_percentiles_are_drawn_the_promised_one_first() -> None:
    assert [line.name for line in built(slo_record(FSYNC)).lines] == [f"P{p} karmada-etcd" for p in (99, 90, 50)]


def test_only_the_promised_percentile_passes_or_fails() -> None:
    promised, other, _ = built(slo_record(FSYNC)).lines
    assert {point.outcome for point in promised.points} == {Outcome.PASS}
    assert {point.outcome for point in other.points} == {Outcome.MEASURED}


def test_percentiles_can_be_chosen() -> None:
    names = [line.name for line in built(slo_record(MUTATING), percentiles=[50, 99]).lines]
    assert names[:3] == ["P50 POST deployments", "P99 POST deployments", "P50 PATCH works"]


def test_a_percentile_that_is_not_kept_is_refused_by_name() -> None:
    with pytest.raises(
        ValueError, match="api-mutating-latency keeps P50, P90, P99, and no P95 that a chart could show"
    ):
        built(slo_record(MUTATING), percentiles=[95])


def test_more_lines_than_people_can_tell_apart_are_counted_instead() -> None:
    record = slo_record(MUTATING)
    many = tuple(dataclasses.replace(record.lines[0], labels=(("resource", f"r{n}"),)) for n in range(20))
    one = built(dataclasses.replace(record, lines=many), series=51)
    assert len(one.lines) == 8
    assert one.more == 43


def test_limits_that_differ_name_the_series_that_they_hold_for() -> None:
    assert built(slo_record(MUTATING)).limits == (ChartLimit(1.0),)
    assert built(slo_record(READ_ONLY)).limits == (
        ChartLimit(30.0, lines=("LIST pods",)),
        ChartLimit(1.0, lines=("GET configmaps",)),
    )


def test_the_limit_is_that_of_the_promised_percentile() -> None:
    assert built(slo_record(FSYNC)).limits == (ChartLimit(0.02, lines=("P99 karmada-etcd",)),)


def test_a_level_that_warns_is_drawn_too() -> None:
    assert built(slo_record(MEMORY)).limits == (ChartLimit(8 * 2.0**30), ChartLimit(6 * 2.0**30, warns=True))


def test_a_stack_has_no_limit_since_each_part_has_its_own() -> None:
    assert built(slo_record(MEMORY), kind=Kind.STACKED).limits == ()


def test_excluded_and_missing_windows_are_gaps() -> None:
    slots = [point.slot for point in built(slo_record(SCHEDULING)).lines[0].points]
    assert slot_at(8) in slots
    assert {slot_at(9), slot_at(10), slot_at(25), slot_at(26)}.isdisjoint(slots)


def test_phases_and_exclusions_of_the_run_are_shown() -> None:
    one = built(slo_record(MUTATING))
    assert one.phases[2] == Stretch("etcd stalled", slot_at(12), slot_at(17))
    assert one.exclusions == (Stretch("planned restart of Prometheus", slot_at(24), slot_at(26)),)


def test_processes_that_started_within_the_run_are_marked() -> None:
    record = slo_record(MUTATING)
    components = (
        Component("karmada-etcd", started=(slot_at(13) + 0.5, slot_at(500))),
        Component("karmada-apiserver", started=(slot_at(-5), slot_at(12))),
    )
    one = built(record, made_of(record, facts=Facts(Collected(components=components))))
    assert [(restart.component, restart.at) for restart in one.restarts] == [
        ("karmada-apiserver", slot_at(12)),
        ("karmada-etcd", slot_at(13) + 0.5),
    ]


def test_the_baseline_is_moved_so_that_both_begin_together() -> None:
    record = slo_record(MUTATING)
    one = built(record, baseline=later(record, 600))
    dashed = [line for line in one.lines if line.baseline]
    assert [line.name for line in dashed] == ["POST deployments", "PATCH works", "PUT secrets"]
    assert dashed[0].points == one.lines[0].points
    assert dashed[0].colour == one.lines[0].colour
    assert one.baseline == "before"


def test_with_many_lines_the_baseline_is_drawn_of_the_worst_only() -> None:
    record = slo_record(MUTATING)
    many = dataclasses.replace(
        record, lines=tuple(dataclasses.replace(record.lines[0], labels=(("resource", f"r{n}"),)) for n in range(6))
    )
    assert [line.name for line in built(many, baseline=later(many, 60)).lines if line.baseline] == ["r0"]


def test_a_baseline_without_such_a_series_is_not_spoken_of() -> None:
    assert built(slo_record(MUTATING), baseline=later(slo_record(READ_ONLY), 60)).baseline is None


def thinned(record: SLORecord, every: int) -> SLORecord:
    lines = tuple(dataclasses.replace(line, windows=line.windows[::every]) for line in record.lines)
    return dataclasses.replace(record, lines=lines)


def test_thinned_windows_stand_for_wider_columns_and_it_is_said_how_many_there_were() -> None:
    assert built(slo_record(MEMORY)).windows == 0
    one = built(thinned(slo_record(MEMORY), 3))
    assert one.step == 6 * 60
    assert one.windows == 2 * len(slo_record(MEMORY).lines[0].windows)


def test_parts_of_a_stack_that_were_thinned_apart_stand_at_the_same_times() -> None:
    record = slo_record(MEMORY)
    apart = dataclasses.replace(
        record,
        lines=tuple(dataclasses.replace(line, windows=line.windows[n::4]) for n, line in enumerate(record.lines)),
    )
    one = built(apart, kind=Kind.STACKED)
    first, second = ({point.slot for point in line.points} for line in one.lines)
    assert first == second
    whole = {slot: verdict.value for slot, verdict in record.lines[0].windows}
    assert max(p.value or 0 for p in one.lines[0].points) == max(whole[slot] for slot, _ in apart.lines[0].windows)


def test_without_anything_measured_there_is_no_chart() -> None:
    record = slo_record(MUTATING)
    assert chart_of(dataclasses.replace(record, lines=()), made_of(record), chart_id="c") is None


def test_an_slo_without_a_title_is_called_by_its_name() -> None:
    record = dataclasses.replace(slo_record(MUTATING), slo=dataclasses.replace(MUTATING, title=Text("")))
    assert built(record).title == Text("api-mutating-latency")
    assert built(record, title=Text("Ours", "我们的")).title == Text("Ours", "我们的")
