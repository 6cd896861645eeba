from __future__ import annotations

from math import inf

from sloagent.model.slo import Text
from sloagent.model.verdict import Quantile
from sloagent.report.charts.chart import Bar, Stage, Stages
from sloagent.report.charts.figure import figure
from sloagent.report.charts.stages import stages_of
from sloagent.report.content import concluded
from sloagent.report.words import Words
from tests.unit.report.charts.test_picture import texts
from tests.unit.report.sample import MUTATING, REGISTRATION, WORK_SYNC, slo_record


def bars(*found: tuple[float, float, float, float]) -> tuple[Bar, ...]:
    return tuple(Bar(percentile, Quantile(value, lower, upper)) for percentile, value, lower, upper in found)


STAGES = Stages(
    "stages", Text("Distribution", "资源分发"),
    (
        Stage(Text("Scheduling", "调度"), "", bars((50, 0.0005, 0.0, 0.001), (99, 0.012, 0.008, 0.016))),
        Stage(Text("Work", "工作负载"), "success", bars((99, 2.048, 2.048, inf)), 2.0, 99.0, bars((99, 0.9, 0.512, 1.024))),
        Stage(Text("Registration"), "", bars((50, 5.356, 5.356, 5.356))),
    ),
    "v1.14",
)  # fmt: skip


def test_each_percentile_is_told_by_its_bucket() -> None:
    words = texts(figure(STAGES, Words("en")).picture)
    assert "≤ 1 ms (first bucket)" in words
    assert "12 ms (8–16 ms)" in words
    assert "> 2.05 s (last bucket); was 900 ms (512 ms–1.02 s)" in words
    assert "5.356 s" in words


def test_a_stage_names_its_series_and_what_was_promised_of_it() -> None:
    assert "Work · success · P99 ≤ 2 s" in texts(figure(STAGES, Words("en")).picture)
    assert "工作负载 · success · P99 ≤ 2 s" in texts(figure(STAGES, Words("zh")).picture)


def test_the_baseline_is_named() -> None:
    assert figure(STAGES, Words("en")).notes[1] == "Grey below: the baseline v1.14."


def test_a_chart_of_stages_is_the_same_twice_and_has_nothing_to_move() -> None:
    assert figure(STAGES, Words("en")) == figure(STAGES, Words("en"))
    assert figure(STAGES, Words("en")).data == ""


def test_stages_are_the_worst_series_of_each_slo_with_something_measured() -> None:
    summaries = [concluded(slo_record(of), written_by_hand=False) for of in (MUTATING, REGISTRATION, WORK_SYNC)]
    made = stages_of(summaries, chart_id="stages", title=Text("All"))
    assert made is not None
    assert [(stage.name.en, stage.series) for stage in made.stages] == [
        ("Mutating API call latency", "POST deployments"),
        ("Mutating API call latency", "PATCH works"),
        ("Mutating API call latency", "PUT secrets"),
        ("Work written to the member", ""),
    ]
    assert [bar.percentile for bar in made.stages[0].bars] == [50.0, 90.0, 99.0]
    assert (made.stages[0].limit, made.stages[0].limited) == (1.0, 99.0)


def test_the_same_run_as_its_own_baseline_stands_below_itself() -> None:
    summaries = [concluded(slo_record(WORK_SYNC), written_by_hand=False)]
    made = stages_of(summaries, chart_id="stages", title=Text("All"), baseline=summaries, baseline_name="before")
    assert made is not None
    assert made.stages[0].baseline == made.stages[0].bars
    assert made.baseline == "before"


def test_without_anything_measured_there_are_no_stages() -> None:
    assert stages_of([], chart_id="stages", title=Text("All")) is None
