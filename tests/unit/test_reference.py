"""The reference pages hold what the code does: commands, metrics, endpoints, and the arithmetic of a verdict."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from pathlib import Path

import click
import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry

from scripts import make_reference
from sloagent.app.agent_settings import EvaluationSettings
from sloagent.app.run_data import document
from sloagent.app.telemetry import Telemetry
from sloagent.cli import COMMANDS, cli, main
from sloagent.evaluation import drift, wording
from sloagent.evaluation.budget import pairs_in_force
from sloagent.evaluation.judge import judge
from sloagent.evaluation.latency import judge_distribution
from sloagent.evaluation.quantiles import SLACK
from sloagent.evaluation.reasons import reason
from sloagent.evaluation.summary import LEAST_EVALUATED
from sloagent.model.alert_defaults import PERIOD_SECONDS
from sloagent.model.distribution import Distribution
from sloagent.model.pending import Pending
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.samples import Answer, Kind, Question, Refusal
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective, RatioSLI, Text, ValueSLI
from sloagent.model.standing import Standing
from sloagent.model.timerange import TimeRange, at
from sloagent.model.verdict import Cause, Outcome, Quantile, SlotVerdict
from sloagent.report.plain import slo_data, slot_data
from sloagent.sinks.metrics import MetricsSink
from sloagent.sinks.standing import StandingMetrics
from sloagent.web.endpoints import View, application
from tests.door import NO_RUNS, no_alerts

ROOT = Path(__file__).resolve().parents[2]
METRICS = (ROOT / "docs" / "metrics.md").read_text()
EVALUATION = (ROOT / "docs" / "evaluation.md").read_text()
HTTP = (ROOT / "docs" / "http.md").read_text()
TYPED = [
    ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md"),
    *(ROOT / "deploy").glob("*.md"),
]  # fmt: skip

SCHEDULING = SLO(
    "karmada", "scheduling", LatencySLI(("scheduling_seconds",), "", ("result",)),
    Objective(Limit(at_most=2.0), 99.0), 60, 300, title=Text("Scheduling"),
)  # fmt: skip


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a Markdown text in one language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [body for fence, body in fenced if fence == language]


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level = heading.split(" ", maxsplit=1)[0]
    body = text.split(f"\n{heading}\n", maxsplit=1)[1]
    return re.split(rf"^#{{2,{len(level)}}} ", body, maxsplit=1, flags=re.MULTILINE)[0]


# ---- commands ----------------------------------------------------------------------------------------------------


def test_the_page_of_the_commands_is_what_the_commands_say():
    if os.environ.get("SLOAGENT_GOLDEN"):
        make_reference.PAGE.write_text(make_reference.page(), encoding="utf-8")
    assert make_reference.PAGE.read_text(encoding="utf-8") == make_reference.page(), "make golden writes it anew"


def test_exit_codes_are_told_of_commands_that_exist():
    context = click.Context(cli)
    for name in make_reference.EXITS:
        first, *inner = name.split()
        command = cli.get_command(context, first)
        assert command is not None, name
        assert not inner or (isinstance(command, click.Group) and inner[0] in command.commands), name


def typed_commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line that begins with sloagent in a block of a document: (document, words after `sloagent`)."""
    for path in TYPED:
        text = path.read_text()
        for name, value in re.findall(r"^(\w+)=(\S+)", text, re.MULTILINE):
            text = text.replace(f'"${name}"', value)
        for block in [*blocks(text, "sh"), *blocks(text, "")]:
            for line in re.findall(r"^(sloagent .+)$", block.replace("\\\n", " "), re.MULTILINE):
                lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
                lexer.wordchars += "@:,"
                command: list[str] = []
                for word in [*lexer, ";"]:
                    if not set(word) <= set(";&|<>()"):
                        command.append(word)
                        continue
                    if command[:1] == ["sloagent"]:
                        yield path.name, command[1:]
                    command = []


@pytest.mark.parametrize(
    ("page", "words"), [pytest.param(*c, id=f"{c[0]}: {' '.join(c[1])}") for c in typed_commands()]
)
def test_what_a_document_types_is_accepted(page, words):
    assert page
    context: click.Context = cli.make_context("sloagent", list(words))
    command: click.Command = cli
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        context, command = found.make_context(name, rest, parent=context), found


def test_documents_type_commands():
    assert {words[0] for _, words in typed_commands() if words} >= set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("chekc", 2), ("check --at yesterday", 2), ("check -c missing.yaml", 2), ("check --slo nothing", 2),
        ("explain", 2), ("explain nothing", 2), ("report --from -1h --format pdf", 2), ("runs show nothing", 2),
        ("validate missing.yaml", 2), ("backfill", 2), ("store dump -c missing.yaml", 2),
        ("check", 3), ("explain api-availability", 3), ("backfill --from -5m", 3), ("check --from -5m", 3),
        ("demo --prometheus no-such-program", 3), ("store check -c broken.yaml", 3), ("runs list -c broken.yaml", 3),
        ("check --slo component-cpu", 0), ("validate sloagent.yaml", 0), ("config show", 0), ("runs list", 0),
        ("report --from -2m --slo component-cpu", 0), ("store check", 0), ("init other.yaml", 0),
    ],
)  # fmt: skip
def test_an_exit_code_is_what_the_page_says(words, code, tmp_path, monkeypatch, capfd):
    """Prometheus does not answer here, so nothing passes and nothing fails; e2e tests have the other codes."""
    agent = "prometheus: {url: 'http://127.0.0.1:1'}\nslos: ['builtin:karmada']\nreport: {directory: out}\n"
    (tmp_path / "sloagent.yaml").write_text(agent)
    (tmp_path / "broken.yaml").write_text(agent + "store: {path: broken.db}\n")
    (tmp_path / "broken.db").write_text("this is no database, whatever its name says")
    monkeypatch.chdir(tmp_path)
    if words == "store check":
        run(monkeypatch, "runs start one")
    assert run(monkeypatch, words) == code, capfd.readouterr().err
    names = words.split()
    told = make_reference.EXITS.get(" ".join(names[:2])) or make_reference.EXITS.get(names[0], {})
    assert code in {0, 2} | set(told)


def run(monkeypatch: pytest.MonkeyPatch, words: str) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["sloagent", *words.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


# ---- metrics -----------------------------------------------------------------------------------------------------


def distribution(*counts: float) -> Distribution:
    return Distribution((0.5, 1.0, 2.0, inf), counts)


def exposed() -> dict[str, tuple[str, set[str]]]:
    """Name, type and labels of every family that the daemon exposes, once everything has happened."""
    telemetry, sink = Telemetry(), MetricsSink()
    telemetry.registry.register(sink)
    pairs = pairs_in_force(SCHEDULING, PERIOD_SECONDS)
    standing = Standing(SCHEDULING, pairs, {}, {(("result", "ok"),): {300: 0.5}}, {"soak": 0.9})
    telemetry.registry.register(StandingMetrics(lambda: [standing]))
    question = Question("q")
    with telemetry.query() as told:
        told(Refusal(question, Kind.TIMEOUT, "slow", final=False))
    telemetry.sink_failed("MetricsSink")
    telemetry.alerts.know("http://localhost:9093")
    memory = SLO("karmada", "memory", ValueSLI("x", "bytes"), Objective(Limit(at_most=2.0)), 60, 300)
    sink.tell([
        judge(SCHEDULING, 600, Answer(question, {(("result", "ok"),): distribution(1.0, 2.0, 3.0, 3.0)})),
        judge(memory, 600, Answer(question, {(): 1.0})),
    ])  # fmt: skip
    sink.keep([SCHEDULING, memory], lambda: [Pending(memory, (900, 960), "no answer")])
    found: dict[str, tuple[str, set[str]]] = {}
    for family in telemetry.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = (family.type, {label for sample in family.samples for label in sample.labels})
        assert family.samples or family.type == "counter", name
    return found


def documented() -> dict[str, tuple[str, set[str]]]:
    """Name, type and further labels of every metric that the page lists."""
    rows = [[cell.strip() for cell in line.split("|")] for line in METRICS.splitlines() if line[:12] == "| `sloagent_"]
    return {row[1].strip("`"): (row[2], set(re.findall(r"`(\w+)`", row[3]))) for row in rows}


def test_the_page_lists_every_metric_of_the_daemon_and_no_other():
    assert set(documented()) == set(exposed())


@pytest.mark.parametrize("name", sorted(exposed()))
def test_a_metric_has_the_type_and_the_labels_that_the_page_says(name):
    kind, labels = exposed()[name]
    assert documented()[name] == (kind, labels - {"set", "slo", "result"})


def test_the_page_names_every_kind_of_failure_and_every_outcome():
    rows = section(METRICS, "## The agent itself")
    assert {kind for kind in Kind if f"`{kind}`" not in rows} == set()
    assert {outcome for outcome in Outcome if f"`{outcome}`" not in METRICS} == set()


def test_the_page_says_what_becomes_of_a_slot_that_got_no_answer():
    """`final` refusals are recorded; which kinds are final, tests/e2e/test_sources_*.py see of real servers."""
    rows = re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \| (stays pending|is recorded as `error`) \|$", METRICS, re.MULTILINE
    )
    fates = {kind: fate for kinds, fate in rows for kind in re.findall(r"`(\w+)`", kinds)}
    assert set(fates) == {kind.value for kind in Kind}
    recorded = {kind for kind, fate in fates.items() if fate != "stays pending"}
    assert recorded == {"bad_data", "execution", "too_many_series", "too_large", "history_lost", "never_answered"}


def rules() -> dict:
    (block,) = blocks(METRICS, "yaml")
    return yaml.safe_load(block)


def questions() -> list[str]:
    return blocks(METRICS, "promql") + [rule["expr"] for group in rules()["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("query", questions())
def test_a_query_of_the_page_parses_and_asks_for_metrics_and_labels_that_exist(query):
    promql_parser.parse(query)
    known = exposed()
    for name, labels in re.findall(r"(sloagent_\w+)(?:\{([^}]*)\})?", query):
        family = name.removesuffix("_bucket")
        assert family in known, name
        assert set(re.findall(r"(\w+)=", labels)) <= known[family][1], name


ALERTING = {
    "SLOFails": ('sloagent_slo_outcome{set="a", slo="b", verb="GET", outcome="fail"}', "1", "0"),
    "SLOWithoutVerdict": ('sloagent_slo_outcome{set="a", slo="b", outcome="no_data"}', "1", "0"),
    "SLONotEvaluated": ('sloagent_slo_evaluated_slot_timestamp_seconds{set="a", slo="b"}', "0", "0+60"),
}


def test_the_alerts_of_the_page_fire_when_they_should_and_only_then(tmp_path):
    """Half an hour of each series, bad and good, in promtool's notation."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules()))
    named = {rule["alert"] for group in rules()["groups"] for rule in group["rules"]}
    assert named == set(ALERTING)
    tests = []
    for alert, (series, bad, good) in ALERTING.items():
        for values, fires in ((bad, True), (good, False)):
            tests.append({
                "interval": "1m",
                "input_series": [{"series": series, "values": f"{values}x30"}],
                "promql_expr_test": [{
                    "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)',
                    "eval_time": "30m",
                    "exp_samples": [{"labels": "{}", "value": 1 if fires else 0}],
                }],
            })  # fmt: skip
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ---- HTTP --------------------------------------------------------------------------------------------------------


def test_the_page_lists_every_endpoint_with_its_methods():
    app = application(View(CollectorRegistry(), str, list, list, lambda: None, list, no_alerts, NO_RUNS))
    served = {route.path.replace(":path}", "}"): set(route.methods) - {"HEAD"} for route in app.routes}
    rows = re.findall(r"^\| `(/[^`]*)` \| ([A-Z, ]+) \|", HTTP, re.MULTILINE)
    assert {path: set(methods.split(", ")) for path, methods in rows} == served


def examples() -> dict[str, dict]:
    return {(example := json.loads(block))["schema"]: example for block in blocks(HTTP, "json")}


def test_the_examples_of_the_page_have_the_fields_that_are_answered():
    slot = judge(SCHEDULING, 600, Answer(Question("q"), {(): distribution(1.0, 2.0, 3.0, 3.0)}))
    (shown,) = examples()["sloagent/verdicts/v1"]["verdicts"]
    (answered,) = slot_data(slot)
    assert list(shown) == list(answered)
    assert [list(q) for q in shown["quantiles"].values()] == [list(q) for q in answered["quantiles"].values()]
    assert list(shown["objective"]) == list(answered["objective"])
    (shown,) = examples()["sloagent/slos/v1"]["slos"]
    assert list(shown) == list(slo_data(SCHEDULING))
    assert list(shown["sli"]) == list(slo_data(SCHEDULING)["sli"])


def test_the_example_of_a_run_has_the_fields_that_are_answered():
    span = TimeRange(at(0), at(60))
    run = Run("soak", at(0), None, (("mode", "push"),), (Phase("create", span),), (Exclusion(span, "chaos"),))
    (answered,) = document([(run, False)])["runs"]
    (shown,) = examples()["sloagent/runs/v1"]["runs"]
    assert list(shown) == list(answered)
    for part in ("phases", "exclusions"):
        assert [list(one) for one in shown[part]] == [list(one) for one in answered[part]]


def test_the_page_names_every_field_of_an_slo():
    table = section(HTTP, "## `/api/v1/slos`")
    for sli in (SCHEDULING.sli, RatioSLI("bad", "x", "y"), RatioSLI("good", "x", "y"), ValueSLI("x", "bytes")):
        slo = SLO("a", "b", sli, Objective(Limit(1.0, 1.0, 1.0), 99.0, grows_at_most=1.0), 60, 300)
        data = slo_data(slo)
        names = {*data, *data["sli"], *data["objective"]} - {"set", "slo", "unit"}
        assert {name for name in names if f"`{name}`" not in table} == set()


def test_the_page_says_how_a_pending_slot_reads():
    pending = judge(SCHEDULING, 600, Refusal(Question("q"), Kind.TIMEOUT, "slow", final=False))
    assert isinstance(pending, SlotVerdict)
    assert reason(SCHEDULING, pending).startswith("no answer yet")
    assert "`no answer yet`" in HTTP


# ---- how a verdict is reached --------------------------------------------------------------------------------------


def counted(heading: str) -> Distribution:
    """The table of bounds and counts under a heading, as a distribution."""
    rows = re.findall(r"^\| ([\d.]+|\+Inf) \| ([\d.]+) \|$", section(EVALUATION, heading), re.MULTILINE)
    return Distribution(tuple(float(bound) for bound, _ in rows), tuple(float(count) for _, count in rows))


def test_the_worked_example_comes_out_as_written():
    text = section(EVALUATION, "### A worked example")
    verdict = judge_distribution(SCHEDULING, (99.0,), (), counted("### A worked example"), 1.0)
    (quantile,) = verdict.quantiles
    assert (verdict.outcome, verdict.cause) == (Outcome.INCONCLUSIVE, Cause.LIMIT_INSIDE_BUCKET)
    for number in (f"{verdict.good_share.lower:.2%}", f"{verdict.good_share.upper:.2%}", f"{quantile.value:.4f} s"):
        assert f"**{number.replace('%', ' %')}**" in text
    assert "`1.9 s (1.02–2.05 s)`" in text
    assert wording.percentile(quantile, "seconds") == "1.9 s (1.02–2.05 s)"


def test_the_example_of_falling_counts_comes_out_as_written():
    text = section(EVALUATION, "### Counts that fall")
    second = replace(SCHEDULING, objective=Objective(Limit(at_most=1.0), 99.0))
    verdict = judge_distribution(second, (99.0,), (), counted("### Counts that fall"), 1.0)
    assert (verdict.outcome, verdict.cause) == (Outcome.INCONCLUSIVE, Cause.FALLING_COUNTS)
    assert f"**{100 * verdict.good_share.lower:.2f} %**" in text
    assert f"**{100 * verdict.good_share.upper:.0f} %**" in text


@pytest.mark.parametrize(
    ("quantile", "shown"),
    [
        (Quantile(0.0495, 0.0, 0.05), "≤ 50 ms (first bucket)"),
        (Quantile(2.04, 2.0, 3.0), "2.04 s (2–3 s)"),
        (Quantile(2.048, 2.048, inf), "> 2.05 s (last bucket)"),
    ],
)
def test_a_percentile_is_shown_as_the_page_shows_it(quantile, shown):
    assert wording.percentile(quantile, "seconds") == shown
    assert f"| `{shown}` |" in EVALUATION


def test_the_defaults_that_the_page_states_are_those_of_the_code():
    settings = EvaluationSettings()
    assert (settings.delay, settings.catch_up) == (30, 24 * 3600)
    assert Objective(Limit()).windows_at_least == 0.99
    assert (LEAST_EVALUATED, SLACK) == (0.9, 1e-9)
    assert (drift.LEAST_SPAN_SECONDS, drift.LEAST_WINDOWS, drift.STRETCH_SECONDS) == (3600, 30, 120)
    for stated in ("30 s", "24 h", "99 %", "90 %", "1e-9", "an hour or 30 windows", "two-minute"):
        assert stated in EVALUATION


# ---- the index -----------------------------------------------------------------------------------------------------


def test_every_page_is_in_the_index_and_how_tos_are_short():
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")} - {Path("README.md")}
    listed = {path for path in pages if f"]({path.as_posix()})" in index}
    assert {str(path) for path in pages - listed if path.parts[0] not in ("checks", "adr")} == set()
    for folder in ("checks", "adr"):
        assert f"]({folder}/)" in index
    for path in (ROOT / "docs" / "how-to").glob("*.md"):
        assert len(path.read_text().splitlines()) < 60, path.name
