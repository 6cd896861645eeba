"""Exported rules in a real promtool and a real Prometheus: they load, their tests pass, their alerts fire."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from sloagent.app import rule_files, rules_export
from sloagent.config.load import load_slo_files
from sloagent.sources.rules.rule import VERDICT
from tests.agent import SLOAGENT, AgentDirectory, wait_until
from tests.prometheus import scraping_itself
from tests.rules import promtool, slos_of

SETS = {"kubernetes": 22, "karmada": 45, "karmada-search": 11}
"""The shipped sets and how many SLOs each has."""


@pytest.fixture(scope="module", params=list(SETS))
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A shipped set and the directory into which the command wrote it."""
    target = tmp_path_factory.mktemp(request.param)
    words = [*SLOAGENT, "rules", "export", f"builtin:{request.param}", "-o", str(target)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{SETS[request.param]} SLOs compiled, 0 refused" in done.stderr
    return request.param, target


# ---- files ---------------------------------------------------------------------------------------------------------


def test_promtool_accepts_the_rules_of_every_shipped_set(exported: tuple[str, Path]) -> None:
    name, target = exported
    files = sorted(target.glob("*.rules.yaml"))
    assert len(files) == SETS[name]
    assert "duplicate" not in promtool("check", "rules", "--lint-fatal", *files)


def test_the_tests_that_come_with_the_rules_pass_and_every_slo_with_alerts_has_some(exported: tuple[str, Path]) -> None:
    _, target = exported
    alerting = {file.name.removesuffix(".yaml") for file in target.glob("*.rules.yaml") if "alert:" in file.read_text()}
    tests = sorted(target.glob("*.test.yaml"))
    assert {file.name.removesuffix(".test.yaml") for file in tests} == alerting
    if tests:
        assert promtool("test", "rules", *tests).count("SUCCESS") == len(tests)


OWN_TERMS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults:
  alerts:
    burn_rate: {period: 2h}
    labels: {team: 'a {{ $value }} "b"', verb: theirs}
    runbook: https://example.com/x
slos:
  - name: latency
    sli: {latency: {histogram: api_seconds, by: [verb]}}
    objective: {percentile: 99, at_most: 1s}
    alerts: {violated: {after: 300, over_after: 2, severity: page}, no_data: {after: 1}}
  - name: ratio
    sli: {ratio: {bad: 'sum(rate(bad_total[$window]))', total: 'sum(rate(all_total[$window]))'}}
    objective: {at_least: 99.9%}
    alerts: {violated: {enabled: false}, cannot_evaluate: {after: 1}, burn_rate: {period: 7d}}
  - name: value
    sli: {value: {query: depth, unit: items}}
    objective: {at_most: 5}
    alerts:
      burn_rate: {period: 30d, pairs: [{factor: 2, long: 30d, short: 90s, severity: info}]}
      no_data: {enabled: false}
  - name: watched-by-nobody
    sli: {value: {query: depth, unit: items}}
    objective: {at_most: 5}
    alerts: {violated: {enabled: false}, no_data: {enabled: false}, burn_rate: {enabled: false}}
"""


def test_rules_on_an_slo_s_own_terms_load_and_pass_their_tests(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN_TERMS)
    (slo_set,) = load_slo_files([str(tmp_path / "own.yaml")])
    rule_files.write(rules_export.export(slo_set.slos), "prometheus", tmp_path / "out")
    files, tests = sorted((tmp_path / "out").glob("*.rules.yaml")), sorted((tmp_path / "out").glob("*.test.yaml"))
    assert len(files) == 4
    assert "duplicate" not in promtool("check", "rules", "--lint-fatal", *files)
    assert [file.name.split(".")[1] for file in tests] == ["latency", "ratio", "value"]
    assert promtool("test", "rules", *tests).count("SUCCESS") == 3


@pytest.mark.parametrize(
    ("right", "wrong", "finds"),
    [
        (">= bool 0.989999999", ">= bool 0.1", VERDICT),
        ('le=~"1|1\\\\.0"', 'le=~"1"', VERDICT),
        ("unless sloagent:slo_good_share", "unless sloagent:slo_events", "SLOCannotBeJudged"),
        ("== 0", "== 2", "SLOViolated"),
        ("> 14.4 *", "> 1440 *", "SLOBurnsBudget"),
        ("absent(", "count(", "SLONoData"),
    ],
)
def test_the_generated_tests_find_a_rule_that_is_wrong(tmp_path: Path, right: str, wrong: str, finds: str) -> None:
    rule_files.write(rules_export.export([slos_of("karmada")["etcd-request-latency"]]), "prometheus", tmp_path)
    (rules,), (tests,) = tmp_path.glob("*.rules.yaml"), tmp_path.glob("*.test.yaml")
    assert right in rules.read_text()
    rules.write_text(rules.read_text().replace(right, wrong))
    done = subprocess.run(["promtool", "test", "rules", str(tests)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert re.search(rf'expr: ".*{finds}', done.stdout + done.stderr)


def test_the_objects_for_the_operator_hold_the_groups_of_the_rule_files(exported: tuple[str, Path]) -> None:
    name, target = exported
    words = [*SLOAGENT, "rules", "export", f"builtin:{name}", "--format", "prometheusrule"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    objects = list(yaml.safe_load_all(done.stdout))
    assert {(o["apiVersion"], o["kind"]) for o in objects} == {("monitoring.coreos.com/v1", "PrometheusRule")}
    groups = {group["name"]: group for o in objects for group in o["spec"]["groups"]}
    assert {o["metadata"]["name"] for o in objects} == set(groups)
    for file in target.glob("*.rules.yaml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            assert groups.pop(group["name"]) == group
    assert not groups
    assert max(len(json.dumps(o)) for o in objects) < 256 * 1024, "a ConfigMap takes it, and etcd does"


# ---- alerts over written records -----------------------------------------------------------------------------------


def test_an_alert_begins_with_the_third_failure_in_a_row_and_ends_with_the_third_evaluation_without(
    tmp_path: Path,
) -> None:
    firing = [minute in (5, 6, 7, 11) for minute in range(12)]
    own = '{set="karmada", slo="api-availability"}'
    fires = [{"labels": ALERT.format(name="SLOViolated", labels='severity="ticket"'), "value": 1}]
    tried(
        tmp_path,
        {f"sloagent:slo_pass{own}": "0 0 1 0 0 0 1 1 1 0 0 0", f"sloagent:slo_good_share{own}": "0.5x12"},
        promql_expr_test=[
            {
                "expr": 'ALERTS{alertname="SLOViolated", slo="api-availability", alertstate="firing"}',
                "eval_time": f"{minute}m",
                "exp_samples": fires if fired else [],
            }
            for minute, fired in enumerate(firing)
        ],
    )


@pytest.mark.parametrize(
    ("over_1h", "over_5m", "fires"), [(0.0143, 1.0, False), (1.0, 0.0143, False), (0.0145, 0.0145, True)]
)
def test_a_budget_of_a_thousandth_burns_too_fast_above_1_44_percent_over_both_windows(
    tmp_path: Path, over_1h: float, over_5m: float, fires: bool
) -> None:
    """Computed by hand: 14.4 times the budget of 0.1 %; at that rate 30 days of budget last 50 hours."""
    expected = {
        "exp_labels": {"severity": "page", "set": "karmada", "slo": "api-availability", "window": "1h"},
        "exp_annotations": {
            "summary": "karmada/api-availability burns its error budget too fast",
            "description": "API requests answered without a server error. Promised: at least 99.9 % good. 1.45% were bad "
            "over 1h, and as many over 5m: at 14.4 times the bearable rate the budget of 30 days lasts 2.1 days.",
            "runbook_url": "",
        },
    }
    own = 'set="karmada", slo="api-availability"'
    tried(
        tmp_path,
        {
            f'slo:sli_error:ratio_rate{window}{{{own}, sloth_window="{window}"}}': f"{share}x3"
            for window, share in (("1h", over_1h), ("5m", over_5m))
        },
        alert_rule_test=[{"eval_time": "1m", "alertname": "SLOBurnsBudget", "exp_alerts": [expected] if fires else []}],
    )


ALERT = 'ALERTS{{alertname="{name}", alertstate="firing", set="karmada", slo="api-availability", {labels}}}'


def tried(directory: Path, series: Mapping[str, str], **tests: list[dict]) -> None:
    """Run promtool's tests of the rules of one SLO over what they would have recorded."""
    slo = slos_of("karmada")["api-availability"]
    (directory / "rules.yaml").write_text(rule_files.prometheus(rules_export.export([slo])))
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    test = {"interval": "1m", "input_series": inputs, **tests}
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (directory / "test.yaml").write_text(yaml.safe_dump(document))
    promtool("test", "rules", directory / "test.yaml")


# ---- a running Prometheus -------------------------------------------------------------------------------------------

LIVE = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - name: at-a-bound
    sli: {latency: {histogram: prometheus_http_request_duration_seconds, by: [handler]}}
    objective: {percentile: 99, at_most: 1s}
  - name: inside
    sli: {latency: {histogram: prometheus_http_request_duration_seconds}}
    objective: {percentile: 99, at_most: 2s}
  - name: beyond
    sli: {latency: {histogram: prometheus_http_request_duration_seconds}}
    objective: {percentile: 99, at_most: 10m}
  - name: unseen
    sli: {latency: {histogram: nowhere_seconds}}
    objective: {percentile: 99, at_most: 2s}
  - name: too-few
    title: Prometheus {{ of }} two
    sli: {value: {query: 'sum by (job) (up)', unit: processes}}
    objective: {at_least: 2}
"""


def test_bounds_are_asked_of_prometheus_and_its_alerts_fire_with_their_values(tmp_path: Path) -> None:
    server = scraping_itself(tmp_path / "data")
    agent = AgentDirectory(tmp_path / "agent", server.url, slos={"own.yaml": LIVE}, extra="evaluation: {delay: 0s}\n")
    target = tmp_path / "rules"
    assert agent.command("rules", "export", "-o", str(target)).returncode == 0
    with server._config.open("a") as config:
        config.write(f"rule_files: ['{target}/*.rules.yaml']\nglobal: {{evaluation_interval: 1s}}\n")
    with server:

        def firing() -> dict[tuple[str, str], dict]:
            with urllib.request.urlopen(f"{server.url}/api/v1/alerts", timeout=5) as answer:
                alerts = json.load(answer)["data"]["alerts"]
            return {(a["labels"]["alertname"], a["labels"]["slo"]): a for a in alerts if a["state"] == "firing"}

        wanted = {
            ("SLOViolated", "too-few"), ("SLONoData", "unseen"), ("SLOCannotBeJudged", "inside"),
            ("SLOCannotBeJudged", "beyond"),
        }  # fmt: skip
        wait_until(lambda: set(firing()) >= wanted, 60, f"not all of {wanted}")
        alerts = firing()
        assert ("SLOViolated", "at-a-bound") not in alerts
        told = alerts["SLOViolated", "too-few"]
        assert told["labels"] == {
            "alertname": "SLOViolated", "severity": "ticket", "set": "own", "slo": "too-few", "job": "prometheus"
        }  # fmt: skip
        assert told["annotations"] == {
            "summary": "own/too-few is violated",
            "description": "Prometheus {{ of }} two. Promised: at least 2 processes. Measured: 1 processes, "
            "and no better in 3 evaluations in a row.",
            "runbook_url": "",
        }
        assert "2 s, is no bucket bound" in alerts["SLOCannotBeJudged", "inside"]["annotations"]["description"]
        done = agent.command("rules", "export", "--online", "-o", str(target))
        assert done.returncode == 0
        assert done.stderr.splitlines() == [
            "refused own/inside: 2 s is no bucket bound; promise one that is, next to it 1 s and 3 s",
            "refused own/beyond: 10 min lies beyond the last bucket bound, 2 min",
            "left out of own/at-a-bound, own/unseen, own/too-few: regressions: they are told beside a baseline run",
            (
                "left out of own/at-a-bound, own/unseen, own/too-few: that an alert stays while nobody can tell: by rules "
                "it ends when its data vanish"
            ),
            "not checked own/unseen: Prometheus has no series of it now",
            "3 SLOs compiled, 2 refused",
        ]
        refused = (target / "own.inside.rules.yaml").read_text()
        assert "# Refused, own/inside: 2 s is no bucket bound" in refused
        assert yaml.safe_load(refused) == {"groups": []}
        promtool("check", "rules", *target.glob("*.rules.yaml"))
        assert agent.command("rules", "export", "--online", "--strict").returncode == 3
    done = agent.command("rules", "export", "--online")
    assert done.returncode == 3
    assert "which bounds own/at-a-bound has could not be asked" in done.stderr
