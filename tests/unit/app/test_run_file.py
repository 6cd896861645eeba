"""The run file: what goes in comes out, the same bytes for the same record, and a sentence for every file that is wrong."""

from __future__ import annotations

import gzip
import json
import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from sloagent.app import run_file, run_file_reading
from sloagent.errors import ConfigError, SloagentError
from sloagent.model.distribution import Distribution
from sloagent.model.facts import Collected, Component, Facts, Written
from sloagent.model.record import Absence, Line, Part, Peer, RunRecord, SLORecord, Stated
from sloagent.model.run import Phase, Run
from sloagent.model.slo import SLOSet, Text
from sloagent.model.tally import SeriesTally, Tally
from sloagent.model.timerange import TimeRange, at
from sloagent.model.verdict import Cause, Outcome, Verdict, WorstWindow
from tests.unit.app.run_records import HOUR, run_records
from tests.unit.store.strategies import LATENCY, VALUE, series

EXAMPLES = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PODS = series(resource="pods")
SPAN = TimeRange(at(HOUR), at(HOUR + 600))


def record(**changes: object) -> RunRecord:
    """A small record of one latency and one value."""
    verdict = Verdict(PODS, Outcome.FAIL, Cause.DECIDED, True, 12.5, 2.0)
    tally = Tally(10, series={PODS: SeriesTally(good=9, bad=1, worst=WorstWindow(HOUR + 60, verdict))})
    whole = {PODS: Distribution((1.0, math.inf), (9.0, 10.0))}
    latency = SLORecord(
        LATENCY, Part(10, 0, tally, whole), phases=(Part(5, 0, tally, whole),),
        slots=range(HOUR, HOUR + 600, 60), states=(Outcome.PASS,) * 8 + (Absence.MISSING,) * 2,
        lines=(Line(PODS, ((HOUR, verdict),), 10),),
    )  # fmt: skip
    value = SLORecord(VALUE, Part(10, 0, Tally(), None), means={PODS: (1.0, math.inf)})
    made = RunRecord(
        Run("soak", SPAN.start, SPAN.end, (), (Phase("all", SPAN),)), SPAN,
        (SLOSet("karmada", Text("Karmada"), (LATENCY, VALUE)),), (latency, value), Peer("p", "http://p", "2.42.0"),
        Facts(Collected((Component("etcd", up=1.0),))), configuration="slos: []\n", version="0.1.0",
    )  # fmt: skip
    return replace(made, **changes)


def changed(change: Callable[[dict], object], made: RunRecord | None = None) -> bytes:
    """The file of the record after a change to its JSON, by somebody who says that he did it."""
    content = json.loads(run_file.encode(made or record()))
    content["written_by_hand"] = True
    change(content)
    return json.dumps(content).encode()


def refusal(content: bytes, name: str = "x.json") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        run_file.decode(content, name)
    return caught.value


@given(made=run_records())
@EXAMPLES
def test_what_is_written_is_read_as_the_same(made):
    assert run_file.decode(run_file.encode(made), "x.json") == made


def test_the_order_in_which_things_were_found_changes_no_byte():
    many = {series(resource=f"r{n}"): SeriesTally(good=n) for n in range(20)}
    shuffled = dict(random.Random(7).sample(sorted(many.items()), len(many)))
    one, other = (
        record(slos=(SLORecord(LATENCY, Part(1, 0, Tally(refusals=refusals, series=rows), None)),))
        for rows, refusals in ((many, {"a": 1, "b": 2}), (shuffled, {"b": 2, "a": 1}))
    )
    assert run_file.encode(one) == run_file.encode(other)


def test_the_order_in_which_people_wrote_components_stays():
    flags = {"scheduler": (("qps", "200"),), "agent": (("qps", "40"),)}
    made = record(facts=Facts(written=Written(flags=flags)))
    assert list(run_file.decode(run_file.encode(made), "x.json").facts.written.flags) == ["scheduler", "agent"]


def test_what_json_lacks_is_a_word_and_comes_back():
    made = record(
        slos=(SLORecord(VALUE, Part(0, 0, Tally(), None), means={PODS: (math.nan, math.inf, -math.inf, -0.0, 5e-324)}),)
    )
    content = run_file.encode(made)
    assert b'"means":["NaN","+Inf","-Inf",-0.0,5e-324]' in content
    (back,) = run_file.decode(content, "x.json").slos[0].means.values()
    assert repr(back) == "(nan, inf, -inf, -0.0, 5e-324)"


def test_a_file_is_packed_by_its_name_and_unpacked_by_its_content(tmp_path):
    run_file.write(record(), tmp_path / "a.json")
    run_file.write(record(), tmp_path / "b.json.gz")
    assert (tmp_path / "b.json.gz").stat().st_size < (tmp_path / "a.json").stat().st_size
    assert run_file.read(tmp_path / "a.json") == run_file.read(tmp_path / "b.json.gz") == record()
    (tmp_path / "b.json.gz").rename(tmp_path / "c.json")
    assert run_file.read(tmp_path / "c.json") == record()
    run_file.write(record(), tmp_path / "d.json.gz")
    assert (tmp_path / "d.json.gz").read_bytes() == (tmp_path / "c.json").read_bytes()


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(SloagentError, match=r"a\.json cannot be written: is a directory"):
        run_file.write(record(), tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_changed_number_is_noticed_unless_somebody_stands_for_it():
    content = run_file.encode(record())
    forged = content.replace(b'"good":9', b'"good":10')
    assert forged != content
    refused = refusal(forged)
    assert "its content is not what was exported" in refused.message
    assert '"written_by_hand": true' in refused.hint
    owned = run_file.decode(
        changed(lambda file: file["slos"][0]["whole"]["tally"]["series"][0].update(good=10)), "x.json"
    )
    assert owned.written_by_hand
    assert owned.slos[0].whole.tally.series[PODS].good == 10


def test_another_writing_of_the_same_content_is_the_same():
    content = json.loads(run_file.encode(record()))
    written = json.dumps(dict(reversed(content.items())), indent=2).encode()
    assert run_file.decode(written, "x.json") == record()


def whole(file: dict) -> dict:
    return file["slos"][0]["whole"]


def counted(file: dict) -> dict:
    return whole(file)["whole"][0]


def states(*written: object) -> Callable[[dict], object]:
    return lambda file: file["slos"][0]["slots"].update(states=written)


def spec(file: dict) -> dict:
    return file["sets"][0]["slos"][0]


def component(file: dict) -> dict:
    return file["facts"]["collected"]["components"][0]


LONG_AGO = {"to": "2020-01-01T00:00:00Z"}


WRONG: dict[str, tuple[str, Callable[[dict], object]]] = {
    "slos[0].whole.tally.series[0].good: a whole number is needed here, and this is text":
        lambda file: whole(file)["tally"]["series"][0].update(good="many"),
    "slos[0].whole.tally.series[0].good: a whole number >= 0 is needed here":
        lambda file: whole(file)["tally"]["series"][0].update(good=-1),
    'slos[0].whole: unknown field "tallly"': lambda file: whole(file).update(tallly={}),
    'slos[0].whole: the field "tally" is missing': lambda file: whole(file).pop("tally"),
    'the field "peer" is missing': lambda file: file.pop("peer"),
    "schema: 'sloagent/run/v2' is not accepted here": lambda file: file.update(schema="sloagent/run/v2"),
    "run.from: the time has no zone": lambda file: file["run"].update({"from": "2026-11-22T05:40:00"}),
    "run.from: this is no time": lambda file: file["run"].update({"from": "noon"}),
    "run.from: a time is needed here, and this is a whole number": lambda file: file["run"].update({"from": 5}),
    "run: it ends before it begins": lambda file: file["run"].update(LONG_AGO),
    "run: a time lies before the year 1": lambda file: file["run"].update({"from": "0001-01-01T00:00:00+08:00"}),
    "run.phases[0]: it ends before it begins": lambda file: file["run"]["phases"][0].update(LONG_AGO),
    "span: it ends before it begins": lambda file: file["span"].update(LONG_AGO),
    "slos[0].phases: the run has 1 phases, and here are 2": lambda file: file["slos"][0]["phases"].append(whole(file)),
    'slos[0].slo: no SLO "karmada/nothing" stands in the sets': lambda file: file["slos"][0].update(slo="nothing"),
    "slos: an SLO stands there twice": lambda file: file["slos"].append(file["slos"][0]),
    "sets: two sets have one name": lambda file: file["sets"].append(file["sets"][0]),
    "sets[0].slos: two SLOs have one name": lambda file: file["sets"][0]["slos"].append(spec(file)),
    "sets[0].slos[0].window: a window of 50 s is no whole multiple": lambda file: spec(file).update(window=50),
    "sets[0].slos[0].sli: an SLI is one of latency, ratio and value": lambda file: spec(file).update(sli={}),
    "sets[0].slos[0].status: 'offical' is not accepted": lambda file: spec(file).update(status="offical"),
    "slos[0].whole.tally.series[0].numbers.total: this is not written as it should be":
        lambda file: whole(file)["tally"]["series"][0].update(numbers={"count": 1, "total": "1/0"}),
    "slos[0].whole.tally.series[0].numbers.total: no numbers have so large a mean":
        lambda file: whole(file)["tally"]["series"][0].update(numbers={"count": 1, "total": f"{10**400}/1"}),
    "bounds[0]: the bounds of a histogram ascend": lambda file: file["bounds"][0].reverse(),
    "slos[0].whole.whole[0].bounds: the file has 1 rows of bounds": lambda file: counted(file).update(bounds=1),
    "slos[0].whole.whole[0].counts: 2 bounds have 3 counts": lambda file: counted(file)["counts"].append(1),
    "slos[0].whole.whole[0].counts[0]: a number >= 0.0 is needed": lambda file: counted(file).update(counts=[-1, 1]),
    "slos[0].whole.whole[0]: counts without bounds": lambda file: counted(file).pop("bounds"),
    "slos[0].whole.whole[0]: it is a distribution or": lambda file: counted(file).update(part=1),
    "slos[0].whole.whole: two entries have the same labels": lambda file: whole(file)["whole"].append(counted(file)),
    "slos[0].whole.whole[0].labels: a label has no name": lambda file: counted(file).update(labels={"": "x"}),
    "slos[0].whole.tally.series[0].worst.verdict.quantiles: the SLO has 3 percentiles":
        lambda file: whole(file)["tally"]["series"][0]["worst"]["verdict"].update(quantiles=[[1, 0, 1]]),
    "slos[0].slots.states: there is no state \"fine\"": states(["fine", 1]),
    "slos: there are more than 10,000,000 slots": states(["pass", 2**31]),
    "slos[0].slots.states: 1 to 1,000,000 slots are expected": states(["pass", 2**20]),
    "slos[1].means[0].means[0]: 'many' is not accepted here":
        lambda file: file["slos"][1]["means"][0].update(means=["many"]),
    'facts.collected.components[0].upp: unknown field': lambda file: component(file).update(upp=1),
    'facts.collected.components[0]: the field "job" is missing': lambda file: component(file).pop("job"),
    "facts.collected.components[0].up: a number or nothing is needed here": lambda file: component(file).update(up="all"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_has_its_place_and_a_sentence(sentence):
    assert refusal(changed(WRONG[sentence])).message.startswith(f"x.json: {sentence}")


def test_what_is_no_json_has_line_and_column():
    assert refusal(b'{"sha256": 1,\n "run" 2}').message == "x.json:2:8: this is not JSON: expected ':'"
    assert refusal(run_file.encode(record())[:-100]).message.startswith("x.json:1:")
    assert "ends too early" in refusal(run_file.encode(record())[:-100]).message
    assert refusal(b"").message == "x.json:1:1: this is not JSON: the file ends too early"
    assert refusal(b"run: {}").hint == "a file that is written in YAML ends with .yaml"
    assert refusal(b"[]").message == "x.json: an object is needed here, and this is a list"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"sha256":"", "slos":['])
def test_brackets_without_end_are_refused(opening):
    assert "JSON" in (said := refusal(opening * 200_000).message) or "nested" in said or "list" in said


def test_what_cannot_be_unpacked_is_refused():
    packed = gzip.compress(run_file.encode(record()))
    assert "cut off" in refusal(packed[:-20]).message
    assert "behind its end" in refusal(packed + b"more").message
    assert "cannot be unpacked" in refusal(b"\x1f\x8bnothing").message


def test_a_bomb_is_refused_for_its_size(monkeypatch):
    monkeypatch.setattr(run_file, "LARGEST_BYTES", 2**20)
    assert "larger than 1 MiB" in refusal(gzip.compress(b" " * (2**20 + 1))).message
    assert "larger than 1 MiB" in refusal(b" " * (2**20 + 1)).message


def test_of_several_files_everything_that_is_wrong_is_told(tmp_path):
    (tmp_path / "a.json").write_bytes(run_file.encode(record())[:-100])
    (tmp_path / "b.yaml").write_text("schema: sloagent/run/v1\n")
    run_file.write(record(), tmp_path / "c.json")
    with pytest.raises(ConfigError) as caught:
        run_file.read_all([tmp_path / name for name in ("a.json", "b.yaml", "c.json", "d.json")])
    assert caught.value.message == "3 files are wrong; nothing was loaded."
    told = "\n".join(caught.value.problems)
    assert "a.json:1:" in told
    assert "b.yaml:1:1: the fields" in told
    assert "d.json: no such file or directory" in told
    assert run_file.read_all([tmp_path / "c.json"]) == [record()]


def test_as_many_states_as_can_be_are_what_a_file_may_claim():
    assert run_file_reading.MOST_STATES >= 100 * 7 * 1440


def test_stated_numbers_survive_without_any_window():
    stated = {series(mode="push"): Stated({50.0: 0.706, 99.0: 1.298}, count=3.0, errors=0.0, calls=5.0)}
    made = record(slos=(SLORecord(LATENCY, Part(0, 0, Tally(), None), stated=stated),), written_by_hand=True)
    assert run_file.decode(run_file.encode(made), "x.json") == made
