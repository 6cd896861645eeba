"""The test bed as tables: what was collected, what was written down, and whether the two agree."""

from __future__ import annotations

import dataclasses

from sloagent.model.facts import (
    NO_FACTS,
    Attachment,
    Collected,
    Component,
    Facts,
    Machine,
    Quantity,
    Tool,
    Written,
)
from sloagent.model.slo import Text
from sloagent.report.block_views import Attachments, Prose
from sloagent.report.content import Report, content
from tests.unit.report.sample import FSYNC, definition, run_record, slot_at
from tests.unit.report.showing import markdown, shown, table, texts

ETCD = Component("karmada-etcd", "etcd", ("3.5.9",), "bdbbde998b7e41b2", "go1.19.9", 3, 0.9995, (slot_at(13) + 0.5,))
FLAGS = {"karmada-apiserver": (("max-requests-inflight", "2000"), ("profiling", ""))}


def of(collected: Collected | None = None, beside: Facts | None = None, **written: object) -> Report:
    facts = Facts(collected or Collected(), Written(**written))  # type: ignore[arg-type]
    record = dataclasses.replace(run_record(FSYNC), facts=facts)
    earlier = dataclasses.replace(run_record(FSYNC), facts=beside) if beside is not None else None
    return content(record, definition(), earlier)


def rows(report: Report, name: str) -> list[list[str]]:
    (grid,) = table(report, name).grids
    return texts(grid)


def test_a_component_is_told_with_its_version_and_what_became_of_it() -> None:
    silent = Component("node", versions=("1.2", "1.3"))
    assert rows(of(Collected(components=(ETCD, silent))), "components") == [
        ["karmada-etcd", "3.5.9 (bdbbde998b7e · go1.19.9)", "3", "99.95 %", "1 (2026-11-22 05:52)"],
        ["node", "1.2, 1.3", "0", "—", "none"],
    ]  # fmt: skip


def test_a_machine_is_told_with_what_is_known_of_it() -> None:
    machines = (
        Machine("node-1", 64.0, 512 * 2.0**30, "Debian 12", (("/dev/sda1", 2.0**40), ("/dev/sdb", 2.0**30))),
        Machine("node-2"),
    )  # fmt: skip
    assert rows(of(Collected(machines=machines)), "machines") == [
        ["node-1", "64", "512 GiB", "/dev/sda1 1 TiB\n/dev/sdb 1 GiB", "Debian 12"],
        ["node-2", "—", "—", "—", "—"],
    ]


def test_numbers_of_the_scale_that_agree_are_said_to_and_those_that_do_not_are_said_to_be_wrong() -> None:
    def scale(pods: float) -> tuple[Quantity, ...]:
        per = Quantity("pods_per_cluster", 20_000.0, Text("Pods per cluster", "每集群 Pod 数"))
        return (Quantity("clusters", 100.0), per, Quantity("pods", pods))

    right = table(of(scale=scale(2_000_000.0)), "scale")
    assert texts(right.grids[0]) == [["clusters", "100"], ["Pods per cluster", "20,000"], ["pods", "2,000,000"]]
    assert right.after == ("clusters × pods_per_cluster = pods holds: 100 × 20,000 = 2,000,000.",)
    wrong = table(of(scale=scale(200_000.0)), "scale")
    assert wrong.after == (
        "clusters × pods_per_cluster = pods does not hold: 100 × 20,000 is not 200,000. One of these numbers is wrong.",
    )
    assert table(of(scale=scale(1.0)), "scale", "zh").grids[0].rows[1][0].text == "每集群 Pod 数"


def test_flags_are_listed_by_component() -> None:
    assert rows(of(flags=FLAGS), "flags") == [["karmada-apiserver", "--max-requests-inflight=2000\n--profiling"]]


def test_flags_that_differ_from_the_baselines_are_told_beside_them() -> None:
    before = {"karmada-apiserver": (("max-requests-inflight", "1000"), ("v", "4")), "karmada-etcd": (("quota", "8G"),)}
    found = rows(of(beside=Facts(written=Written(flags=before)), flags=FLAGS), "flags")
    assert found == [
        [
            "karmada-apiserver", "--max-requests-inflight=2000\n--profiling",
            "--max-requests-inflight: 1000 → 2000\n--profiling: not set → \n--v: 4 → not set",
        ],
        ["karmada-etcd", "—", "written down for one of the two runs only"],
    ]  # fmt: skip


def test_flags_that_do_not_differ_are_said_to_be_unchanged_and_those_nobody_wrote_down_not() -> None:
    same = Facts(written=Written(flags=FLAGS))
    assert rows(of(beside=same, flags=FLAGS), "flags")[0][2] == "unchanged"
    other = Facts(written=Written(flags={"karmada-etcd": (("quota", "8G"),)}))
    assert rows(of(beside=other, flags=FLAGS), "flags")[0][2] == "written down for one of the two runs only"
    assert len(rows(of(beside=NO_FACTS, flags=FLAGS), "flags")[0]) == 2


def test_a_version_that_was_written_down_and_is_not_what_ran_is_told() -> None:
    collected = Collected(components=(ETCD,))
    assert table(of(collected, software=(("etcd", "3.5.9"),)), "software").after == ()
    (said,) = table(of(collected, software=(("etcd", "3.4.0"),)), "software").after
    assert "3.4.0" in said
    assert "karmada-etcd 3.5.9" in said


def test_hardware_of_one_line_is_a_table_and_of_several_lines_folded_as_it_was_written() -> None:
    report = of(hardware=(("Memory", "512 GB"), ("CPU", "CPU(s):  64\nModel name:  Xeon\n")))
    tables, folded = shown(report, "hardware")
    assert texts(tables.grids[0]) == [["Memory", "512 GB"]]
    assert isinstance(folded, Attachments)
    assert folded.texts == (("CPU", "CPU(s):  64\nModel name:  Xeon\n"),)
    assert (folded.heading, tables.heading) == ("", "Hardware")
    (alone,) = shown(of(hardware=(("CPU", "a\nb"),)), "hardware")
    assert alone.heading == "Hardware"


def test_the_load_is_folded_and_the_tools_are_listed() -> None:
    report = of(load=(Attachment("load.yaml", "qps: 5\n"),), tools=(Tool("clusterloader2", Text("load")), Tool("kind")))
    (load,) = shown(report, "load")
    assert load.texts == (("load.yaml", "qps: 5\n"),)
    assert rows(report, "tools") == [["clusterloader2", "load"], ["kind", "—"]]


def test_prose_keeps_its_paragraphs_and_its_lines() -> None:
    report = of(topology=Text("One node.\n\n- member1\n- member2"), background=Text("Why.", "为何。"))
    (prose,) = shown(report, "topology")
    assert isinstance(prose, Prose)
    assert prose.paragraphs == ("One node.", "- member1\n- member2")
    assert "\\- member1<br>\\- member2" in markdown(report)
    assert shown(report, "background", "zh")[0].paragraphs == ("为何。",)


def test_of_what_nobody_knows_there_is_no_table() -> None:
    names = (
        "background",
        "tools",
        "topology",
        "components",
        "machines",
        "software",
        "hardware",
        "flags",
        "scale",
        "load",
    )
    assert [name for name in names if shown(of(), name)] == []
