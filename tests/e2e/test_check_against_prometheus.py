"""The commands as a user types them, against a real Prometheus over the shipped recording."""

from __future__ import annotations

import itertools
import json
import shlex
import subprocess
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from sloagent.app import demo_data
from tests.agent import AgentDirectory
from tests.faults import FaultServer
from tests.prometheus import Prometheus

TROUBLE, QUIET = "2026-11-22T05:56:00Z", "2026-11-22T05:42:00Z"
FROM, TO = "2026-11-22T05:50:00Z", "2026-11-22T06:00:00Z"
SLOTS = 11
SLOS = 45
FAILS, PASSES, OPEN, SILENT, PROMISES_NOTHING = (
    "api-mutating-latency", "scheduling-success", "distribution-queue-wait", "api-readonly-namespace-latency",
    "component-cpu",
)  # fmt: skip
QUESTIONS = {"/api/v1/query", "/api/v1/query_range"}
OUTCOMES = {"pass", "warn", "fail", "inconclusive", "no_data", "error", "measured"}
ALWAYS = {
    "set", "slo", "labels", "outcome", "reason", "unit", "value", "quantiles", "good_share", "events", "objective",
    "query",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultServer]:
    """A proxy that changes nothing and counts, in front of Prometheus over the recording."""
    data = tmp_path_factory.mktemp("recording") / "data"
    demo_data.unpack(data)
    with Prometheus(data) as prometheus, FaultServer(prometheus.url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set here, because readline, which pytest loads, tells child processes of 80 columns behind Python's back.
    monkeypatch.setenv("COLUMNS", "200")


def agent_in(directory: Path, server: FaultServer) -> AgentDirectory:
    agent = AgentDirectory(directory, server.url, slos={})
    agent.write(server.url, ["builtin:karmada"])
    return agent


@pytest.fixture(scope="module")
def agent(server: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> AgentDirectory:
    """One directory for all tests that do not count questions; its store fills as they go."""
    return agent_in(tmp_path_factory.mktemp("agent"), server)


def asked(server: FaultServer) -> int:
    return sum(request.path in QUESTIONS for request in server.requests)


def loaded(done: subprocess.CompletedProcess[str]) -> dict:
    """The document on standard output; NaN and Infinity, which are no JSON, are refused."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    document = json.loads(done.stdout, parse_constant=refuse)
    assert document["schema"] == "sloagent/check/v1"
    counted = Counter(entry["outcome"] for entry in document["verdicts"])
    assert set(document["summary"]) == OUTCOMES
    assert document["summary"] == {outcome: counted[outcome] for outcome in OUTCOMES}
    for entry in document["verdicts"]:
        _check_entry(entry)
    return document


def _check_entry(entry: dict) -> None:
    """The shape that the contract promises of every verdict."""
    over_range = "from" in entry
    expected = ALWAYS | ({"from", "to", "windows", "worst"} if over_range else {"at"})
    assert set(entry) - {"lower_bound"} == expected, entry
    assert ("lower_bound" in entry) == (entry["slo"] == "distribution-latency"), "no probe ran"
    assert entry["outcome"] in OUTCOMES
    assert entry["set"] == "karmada"
    assert all(isinstance(value, str) and value for value in entry["labels"].values())
    assert entry["reason"], entry
    assert entry["unit"]
    assert "$" not in entry["query"], "as sent, nothing left to fill in"
    for name in ("value", "events"):
        assert entry[name] is None or isinstance(entry[name], float | int), entry
    if entry["outcome"] == "no_data":
        assert entry["value"] is None, "nothing is never 0"
    for percentile, quantile in entry["quantiles"].items():
        assert 0 < float(percentile) <= 100
        assert set(quantile) == {"value", "lower", "upper"}
        assert quantile["lower"] is None or quantile["lower"] <= quantile["value"]
        assert quantile["upper"] is None or quantile["value"] <= quantile["upper"]
    if entry["quantiles"]:
        assert {"50", "90", "99"} <= set(entry["quantiles"])
        promised = f"{entry['objective'].get('percentile', 99):g}"
        assert entry["value"] == entry["quantiles"][promised]["value"]
        assert entry["events"] > 0
    if entry["good_share"] is not None:
        assert 0 <= entry["good_share"]["lower"] <= entry["good_share"]["upper"] <= 1
    if over_range:
        windows = entry["windows"]
        assert set(windows) == {"good", "evaluated", "expected"}
        assert 0 <= windows["good"] <= windows["evaluated"] <= windows["expected"] == SLOTS
        assert entry["worst"] is None or set(entry["worst"]) - {"lower_bound"} == {"at", "value"}


# ---- One slot -------------------------------------------------------------------------------------------------------


def test_the_table_of_one_slot_names_what_failed_and_what_to_type_next(agent: AgentDirectory):
    done = agent.command("check", "--at", TROUBLE)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"karmada · 2026-11-22 05:56:00 UTC · {SLOS} SLOs · Prometheus 2.")
    (row,) = (line for line in lines if line.startswith(f"✗ {FAILS} "))
    assert "P99 ≤ 1 s" in row
    assert row.rstrip().partition("  fail")[1]
    assert sum(line[:1] in "✗?!✓·~" for line in lines if line) == SLOS, "one line per SLO"
    assert lines[-1] == f"Why:  sloagent explain -c sloagent.yaml {FAILS} --at {TROUBLE}"


@pytest.mark.parametrize(
    ("names", "at", "code"),
    [
        ([PASSES], TROUBLE, 0),
        ([PROMISES_NOTHING], TROUBLE, 0),
        ([PASSES, PROMISES_NOTHING], TROUBLE, 0),
        ([FAILS], TROUBLE, 1),
        ([PASSES, FAILS], TROUBLE, 1),
        ([OPEN], TROUBLE, 3),
        ([PASSES, OPEN], TROUBLE, 3),
        ([OPEN, FAILS], TROUBLE, 1),
        ([SILENT], QUIET, 3),
        ([SILENT, PASSES], QUIET, 3),
        (["api-mutating-latencies"], TROUBLE, 2),
    ],
)
def test_the_exit_code_is_that_of_the_worst_gating_slo(agent: AgentDirectory, names: list[str], at: str, code: int):
    chosen = [word for name in names for word in ("--slo", name)]
    assert agent.command("check", "--at", at, *chosen).returncode == code


def test_json_of_one_slot_holds_every_field_of_the_contract(agent: AgentDirectory):
    done = agent.command("check", "--at", TROUBLE, "--format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    document = loaded(done)
    assert {entry["at"] for entry in document["verdicts"]} == {TROUBLE}
    assert len({entry["slo"] for entry in document["verdicts"]}) == SLOS
    silent = [e for e in document["verdicts"] if e["slo"] == FAILS and e["outcome"] == "no_data"]
    assert silent
    assert all((e["quantiles"], e["good_share"], e["events"]) == ({}, None, 0.0) for e in silent), "no call was counted"
    last_bucket = [q for e in document["verdicts"] for q in e["quantiles"].values() if q["upper"] is None]
    assert last_bucket, "the recording has a percentile beyond the last bound"


def test_an_slo_without_series_is_one_verdict_that_says_so(tmp_path: Path, server: FaultServer):
    agent = AgentDirectory(tmp_path, server.url, slos={})
    agent.write(server.url, ["builtin:karmada"], "parameters: {karmada: {apiserver: 'job=\"karmada-apisrever\"'}}\n")
    done = agent.command("check", "--at", TROUBLE, "--slo", FAILS, "--format", "json")
    (entry,) = loaded(done)["verdicts"]
    assert (done.returncode, entry["labels"], entry["outcome"]) == (3, {}, "no_data")
    assert entry["reason"].startswith("no such series in these windows")


def test_a_time_before_the_first_sample_is_an_error_never_no_data(agent: AgentDirectory):
    done = agent.command("check", "--at", "2026-11-22T05:30:00Z", "--slo", PASSES, "--format", "json")
    (entry,) = loaded(done)["verdicts"]
    assert (done.returncode, entry["outcome"]) == (3, "error")
    assert "no sample at or before 2026-11-22 05:30:00 UTC" in entry["reason"]


# ---- A range --------------------------------------------------------------------------------------------------------


def test_json_of_a_range_and_of_each_of_its_slots(agent: AgentDirectory):
    done = agent.command("check", "--from", FROM, "--to", TO, "--slots", "--format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    verdicts = loaded(done)["verdicts"]
    ranges = [entry for entry in verdicts if "from" in entry]
    slots = [entry for entry in verdicts if "at" in entry]
    assert verdicts == [*ranges, *slots]
    assert {(entry["from"], entry["to"]) for entry in ranges} == {(FROM, TO)}
    assert {entry["slo"] for entry in ranges} == {entry["slo"] for entry in slots}
    known = {(entry["slo"], tuple(entry["labels"].items())) for entry in ranges}
    assert {(entry["slo"], tuple(entry["labels"].items())) for entry in slots} == known
    for entry in ranges:
        own = [e for e in slots if (e["slo"], e["labels"]) == (entry["slo"], entry["labels"])]
        assert len(own) <= SLOTS
        assert entry["windows"]["good"] == sum(e["outcome"] in ("pass", "warn") for e in own)
        if entry["worst"] is not None:
            (worst,) = (e for e in own if e["at"] == entry["worst"]["at"])
            assert entry["worst"]["value"] == worst["value"]


def test_the_table_of_a_range_counts_good_windows(agent: AgentDirectory):
    done = agent.command("check", "--from", FROM, "--to", TO, "--slots", "--slo", FAILS)
    assert done.returncode == 1
    assert f" {SLOTS} of {SLOTS} slots evaluated " in done.stdout.splitlines()[0]
    (row,) = (line for line in done.stdout.splitlines() if line.startswith(f"✗ {FAILS} "))
    assert f" of {SLOTS} " in row
    assert sum(line.startswith(("✗ 2026-11-22 ", "✓ 2026-11-22 ")) for line in done.stdout.splitlines()) == SLOTS


@pytest.mark.parametrize("when", [("--at", TROUBLE), ("--from", FROM, "--to", TO)], ids=["slot", "range"])
def test_junit_is_what_a_ci_server_reads(agent: AgentDirectory, when: tuple[str, ...]):
    done = agent.command("check", *when, "--format", "junit")
    assert (done.returncode, done.stderr) == (1, "")
    root = ET.fromstring(done.stdout)
    assert root.tag == "testsuites"
    (suite,) = root
    cases = list(suite)
    found = Counter(inner.tag for case in cases for inner in case)
    totals = {"tests": len(cases), "failures": found["failure"], "errors": found["error"], "skipped": found["skipped"]}
    for element in (root, suite):
        assert {name: int(element.get(name, "-1")) for name in totals} == totals
    assert min(totals.values()) > 0, "the recording has something of each"
    assert len({case.get("name") for case in cases}) == len(cases)
    document = loaded(agent.command("check", *when, "--format", "json"))
    failed = sum(entry["outcome"] == "fail" for entry in document["verdicts"])
    assert found["failure"] == failed
    green = [case for case in cases if case.find("system-out") is not None]
    assert len(green) == sum(document["summary"][outcome] for outcome in ("pass", "warn"))


@pytest.mark.parametrize("when", [("--at", TROUBLE), ("--from", FROM, "--to", TO)], ids=["slot", "range"])
def test_markdown_is_a_whole_table(agent: AgentDirectory, when: tuple[str, ...]):
    done = agent.command("check", *when, "--format", "markdown")
    assert (done.returncode, done.stderr) == (1, "")
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert len(rows) == SLOS + 2
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1


# ---- Why ------------------------------------------------------------------------------------------------------------


def test_explain_shows_the_arithmetic_and_a_question_that_gives_the_same_again(
    agent: AgentDirectory, server: FaultServer
):
    done = agent.command("explain", FAILS, "--at", TROUBLE)
    assert (done.returncode, done.stderr) == (1, "")
    said = {
        line[2:14].strip(): line[14:] for line in done.stdout.splitlines() if line.startswith("  ") and line[2:3] > " "
    }
    words = shlex.split(said["again"])
    assert words[:2] == ["curl", "-s"]
    form = dict(word.split("=", 1) for flag, word in itertools.pairwise(words) if flag == "--data-urlencode")
    assert form["query"] == said["asked"]
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(words[2], body, timeout=10) as reply:
        series = json.load(reply)["data"]["result"]
    (entry, *_) = (e for e in loaded(agent.command("check", "--at", TROUBLE, "--slo", FAILS, "--format", "json"))["verdicts"]
                   if e["outcome"] == "fail")  # fmt: skip
    own = {float(s["metric"].pop("le")): float(s["value"][1]) for s in series
           if {k: v for k, v in s["metric"].items() if v and k != "le"} == entry["labels"]}  # fmt: skip
    assert own[float("inf")] * 300 == pytest.approx(entry["events"])
    assert own[1.0] / own[float("inf")] == entry["good_share"]["lower"]


@pytest.mark.parametrize(("name", "at", "code"), [(PASSES, TROUBLE, 0), (OPEN, TROUBLE, 3), (SILENT, QUIET, 3)])
def test_explain_exits_as_check_does(agent: AgentDirectory, name: str, at: str, code: int):
    done = agent.command("explain", name, "--at", at)
    assert (done.returncode, done.stderr) == (code, "")


def test_explain_goes_on_without_the_store_where_that_cannot_be_read(tmp_path: Path, server: FaultServer):
    agent = agent_in(tmp_path / "own", server)
    (agent.directory / "sloagent.db").write_bytes(b"no database at all" * 100)
    done = agent.command("explain", PASSES, "--at", TROUBLE)
    assert done.returncode == 0
    assert "the hour before is left out: " in done.stderr
    assert "asked" in done.stdout


# ---- What is remembered is not asked again --------------------------------------------------------------------------


def test_backfill_and_a_range_check_leave_the_same_store_and_ask_nothing_twice(tmp_path: Path, server: FaultServer):
    filled, checked = agent_in(tmp_path / "filled", server), agent_in(tmp_path / "checked", server)
    before = asked(server)
    done = filled.command("backfill", "--from", FROM, "--to", TO)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{SLOS * SLOTS} slots recorded, 0 were there already, 0 stay pending")
    first = asked(server) - before
    assert first > SLOS

    before = asked(server)
    again = filled.command("backfill", "--from", FROM, "--to", TO)
    assert again.returncode == 0
    assert again.stdout.startswith(f"0 slots recorded, {SLOS * SLOTS} were there already, 0 stay pending")
    judged = filled.command("check", "--from", FROM, "--to", TO, "--format", "json")
    assert asked(server) == before, "everything was remembered"

    fresh = checked.command("check", "--from", FROM, "--to", TO, "--format", "json")
    assert asked(server) - before == first, "check asks as backfill does"
    assert (fresh.returncode, fresh.stdout) == (judged.returncode, judged.stdout)
    dump = filled.dump()
    assert dump.count('"kind":"slot"') == SLOS * SLOTS
    assert dump == checked.dump()


def test_a_longer_range_asks_only_for_what_is_missing(tmp_path: Path, server: FaultServer):
    agent = agent_in(tmp_path / "grown", server)
    only = ("--slo", PROMISES_NOTHING)
    agent.command("backfill", "--from", FROM, "--to", TO, *only)
    before = len(server.requests)
    done = agent.command("check", "--from", FROM, "--to", "2026-11-22T06:03:00Z", *only)
    assert done.returncode == 0
    forms = [request.form for request in server.requests[before:] if request.path in QUESTIONS]
    assert [(form["start"], form["end"]) for form in forms] == [("1795327260", "1795327380")]


def test_a_run_is_gated_without_its_exclusions(server: FaultServer, tmp_path: Path) -> None:
    """What `report --run` shows is what `check --run` gates on."""
    agent = agent_in(tmp_path, server)
    quiet = ("--from", "2026-11-22T05:54:00Z", "--to", "2026-11-22T06:05:00Z")
    for words in (
        ("start", "soak", "--at", "2026-11-22T05:45:00Z"),
        ("stop", "soak", "--at", "2026-11-22T06:10:00Z"),
    ):
        assert agent.command("runs", *words).returncode == 0
    assert agent.command("check", "--run", "soak", "--slo", FAILS).returncode == 1
    assert agent.command("runs", "exclude", "soak", *quiet, "--reason", "faults made on purpose").returncode == 0
    done = agent.command("check", "--run", "soak", "--slo", FAILS, "--format", "json")
    assert done.returncode == 0, done.stdout
    windows = json.loads(done.stdout)["verdicts"][0]["windows"]
    assert windows["evaluated"] < windows["expected"] == 21
    both = agent.command("check", "--run", "soak", "--at", "2026-11-22T06:00:00Z")
    assert (both.returncode, "--at, --from/--to and --run exclude each other" in both.stderr) == (2, True)


def test_a_stretch_of_more_slots_than_can_be_judged_at_once_is_refused(agent: AgentDirectory, server: FaultServer):
    before = asked(server)
    done = agent.command("check", "--from", "1970-01-01T00:00:00Z", "--to", TO)
    assert done.returncode == 2
    assert "slots since 1970-01-01; at most 1,000,000 can be judged at once" in done.stderr
    assert asked(server) == before
