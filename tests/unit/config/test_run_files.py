"""Run files that people write: the numbers as written, and every mistake at once with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from sloagent.config.reader import parse
from sloagent.config.run_spec import RunFileSpec
from sloagent.config.shape import fields
from sloagent.config.to_record import to_record
from sloagent.errors import ConfigError
from sloagent.model.facts import Quantity
from sloagent.model.record import RunRecord, Stated
from sloagent.model.slo import LatencySLI, Limit, Status, Text, ValueSLI
from sloagent.model.timerange import TimeRange, at
from tests.unit.config.test_bad_files import DATA, compare, message
from tests.unit.store.strategies import series

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "run-file.md").read_text()
EXAMPLES = ROOT / "reports" / "examples"
BAD = sorted((DATA / "run" / "bad").glob("*.yaml"))
HEAD = "schema: sloagent/run/v1\nwritten_by_hand: true\n"
RUN = "run: {name: x, from: 2022-09-01T08:00:00+08:00, to: 2022-09-02T00:00:00Z}\n"


def read(text: str) -> RunRecord:
    return to_record(parse("x.yaml", text.encode()))


def shipped(name: str) -> dict[str, dict[str, Stated]]:
    """The numbers of a file that ships, by SLO and by the values of the labels."""
    path = EXAMPLES / name / "run.yaml"
    record = to_record(parse(str(path), path.read_bytes()))
    return {
        one.slo.name: {" ".join(value for _, value in labels): stated for labels, stated in one.stated.items()}
        for one in record.slos
    }


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_run_file_gets_its_message(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigError) as caught:
        to_record(parse(path.name, path.read_bytes()))
    compare(path, message(caught.value))


def test_a_run_file_becomes_a_record():
    record = read(
        f"{HEAD}{RUN}sets: {{shop: {{title: {{en: Shop, zh: 商店}}}}}}\n"
        "facts: {scale: {clusters: 100}}\n"
        "slos:\n"
        "- {name: a, set: shop, title: A, status: wip, section: s, note: n, objective: {percentile: 95, at_most: 2s},\n"
        "   series: [{labels: {mode: push, verb: ''}, p50: 1ms, p999: 1.5s, count: 3, errors: 0, calls: 4},\n"
        "            {labels: {mode: pull}}]}\n"
        "- {name: b, unit: bytes, objective: {at_most: 8GiB, warn_at: 6GiB}, series: [{value: 266MiB, min: 1KiB}]}\n"
        "- {name: c, objective: tbd}\n"
    )
    assert record.written_by_hand
    assert (record.run.name, record.run.start, record.run.end) == ("x", at(1_661_990_400), at(1_662_076_800))
    assert record.span == TimeRange(at(1_661_990_400), at(1_662_076_800))
    assert record.facts.written.scale == (Quantity("clusters", 100.0),)
    assert [(one.name, one.title, [slo.name for slo in one.slos]) for one in record.sets] == [
        ("shop", Text("Shop", "商店"), ["a"]), ("stated", Text("stated"), ["b", "c"]),
    ]  # fmt: skip
    a, b, c = record.slos
    assert (a.slo.sli, a.slo.status, a.slo.section, a.slo.note) == (
        LatencySLI((), "", ("mode", "verb")), Status.WIP, "s", Text("n")
    )  # fmt: skip
    assert a.slo.objective.percentile == 95.0
    assert a.stated == {
        series(mode="push"): Stated({50.0: 0.001, 99.9: 1.5}, count=3.0, calls=4.0, errors=0.0),
        series(mode="pull"): Stated(),
    }
    assert (b.slo.sli, b.slo.objective.limit) == (ValueSLI("", "bytes"), Limit(at_most=8 * 2**30, warn_at=6 * 2**30))
    assert b.stated == {(): Stated(value=266 * 2**20, minimum=1024.0)}
    assert (c.slo.objective, c.stated, c.whole.expected, c.states) == (None, {}, 0, ())


def test_where_a_file_lies_does_not_change_its_record():
    text = f"{HEAD}{RUN}slos: [{{name: a, objective: tbd}}]\n".encode()
    assert to_record(parse("here/x.yaml", text)) == to_record(parse("/there/x.yaml", text))


@pytest.mark.parametrize(
    "written", ["p50: 5ms, p99: 4ms", "min: 5ms, p50: 4ms", "p90: 5ms, max: 4ms", "p50: 2s, p99: 3ms"]
)
def test_percentiles_that_fall_are_a_mistake(written):
    with pytest.raises(ConfigError, match="1 problem") as caught:
        read(f"{HEAD}{RUN}slos: [{{name: a, objective: tbd, series: [{{{written}}}]}}]\n")
    assert " is below " in caught.value.problems[0]


def test_json_is_read_like_yaml():
    text = '{"schema": "sloagent/run/v1", "written_by_hand": true, "run": {"name": "x", "from": "2022-09-01T00:00:00Z",'
    text += '"to": "2022-09-02T00:00:00Z"}, "slos": [{"name": "a", "objective": "tbd", "series": [{"p50": "5ms"}]}]}'
    assert read(text).slos[0].stated == {(): Stated({50.0: 0.005})}


def test_the_published_karmada_report_ships_with_all_its_numbers():
    found = shipped("karmada-1.3")
    published = {
        ("cluster-registration", "push"): (5.356, 6.125, 6.904),
        ("cluster-schedule", ""): (0.012, 0.015, 0.032),
        ("resource-distribution", "push"): (0.706, 0.899, 1.298),
        ("resource-distribution", "pull"): (0.612, 0.881, 0.989),
    }
    for (slo, labels), numbers in published.items():
        assert tuple(found[slo][labels].percentiles.values()) == numbers
    assert found["component-cpu"]["karmada-agent"].value == 0.04
    assert found["component-memory"]["karmada-agent"].value == 266 * 2**20
    assert {slo for slo, stated in found.items() if not stated} == {
        f"api-{name}-latency" for name in ("mutating", "readonly-resource", "readonly-namespace", "readonly-cluster")
    }


def test_the_published_proxy_test_ships_with_its_record_and_its_empty_cells():
    found = shipped("proxy-capacity")
    assert found["list-pods"]["control"] == Stated(
        {50.0: 0.0087},
        count=24340.0,
        calls=24350.0,
        errors=0.0,
        minimum=0.0017,
        mean=0.0123,
        deviation=0.0246,
        maximum=0.7073,
    )
    assert found["update-pod"]["control"] == Stated(
        {50.0: 0.2281},
        count=294.0,
        calls=343.0,
        errors=40.0,
        minimum=0.2043,
        mean=0.2366,
        deviation=0.0385,
        maximum=0.4904,
    )
    empty = {(slo, group) for slo, groups in found.items() for group, stated in groups.items() if stated == Stated()}
    assert empty == {("get-pod", "control"), *((slo, "test") for slo in found)}


def test_the_page_names_every_field_with_its_default_and_its_example_loads():
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.*?) \|", PAGE.split("## Exported")[0], re.MULTILINE))
    inner = re.compile(r"\.(en|zh)$|^facts\.|objective\.")
    known = {name: field for name, field in fields(RunFileSpec) if not inner.search(name)}
    assert set(rows) == set(known)
    assert {name for name, default in rows.items() if default == "required"} == {
        name for name, field in known.items() if field.is_required()
    }
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(read(example).slos) == 4


def test_the_page_names_every_field_of_an_exported_file():
    import inspect

    import msgspec

    from sloagent.app import run_file_promises, run_file_shape

    text = PAGE.split("## Exported")[1]
    blocks = {
        one for module in (run_file_promises, run_file_shape) for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, msgspec.Struct)
    }  # fmt: skip
    names = {field.encode_name for block in blocks for field in msgspec.structs.fields(block)} - {"en", "zh"}
    assert len(names) > 80
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_the_bad_files_and_the_shipped_ones_are_yaml_for_other_readers_too():
    for path in [*EXAMPLES.glob("*/run.yaml")]:
        assert yaml.safe_load(path.read_text())["schema"] == "sloagent/run/v1"
