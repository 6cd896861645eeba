"""The rules by which Prometheus watches sloagent, in a real promtool: they hold what their page says."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from sloagent.model.alert import Severity
from sloagent.units import duration
from tests.rules import promtool

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "sloagent.rules.yaml"
TESTS = RULES.with_name("sloagent.rules.test.yaml")
PAGE = (ROOT / "docs" / "watching.md").read_text()
(GROUP,) = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = {rule["alert"]: rule for rule in GROUP["rules"]}
SCRAPE, TIMEOUT = 60, 10
"""Of a Prometheus that says nothing of it, in seconds."""
LEFT = 4 * 60 - 60 - 5
"""Until an alert ends that was told a whole `resend` and a round before sloagent died."""


def test_promtool_takes_the_rules_and_their_tests_pass() -> None:
    promtool("check", "rules", RULES)
    promtool("test", "rules", TESTS)


def test_every_alert_is_tested_where_it_fires_and_where_it_is_silent() -> None:
    seen: dict[str, set[bool]] = defaultdict(set)
    for test in yaml.safe_load(TESTS.read_text())["tests"]:
        for check in test["alert_rule_test"]:
            seen[check["alertname"]].add(bool(check["exp_alerts"]))
    assert seen == {name: {True, False} for name in ALERTS}


def test_a_dead_agent_is_told_before_its_own_alerts_end() -> None:
    waits = duration(GROUP["interval"]) + duration(ALERTS["SloagentDown"]["for"])
    assert SCRAPE + TIMEOUT + waits == 145
    assert SCRAPE + TIMEOUT + waits + 30 <= LEFT, "an Alertmanager that waits for the group tells it in time, too"
    assert f"{SCRAPE + TIMEOUT + waits:.0f} s" in PAGE
    assert f"{LEFT} s are left" in PAGE
    assert f"{LEFT} s are left" in RULES.read_text()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_severity_and_a_page_that_says_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    severity = Severity(rule["labels"]["severity"])
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert (path, anchor) == ("docs/watching.md", name.lower())
    assert f"\n### {name}\n" in PAGE
    assert f"| `{name}` | {severity.value} |" in PAGE


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_asks_for_metrics_that_there_are(name: str) -> None:
    documented = set(re.findall(r"^\| `(sloagent_\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    asked = set(re.findall(r"sloagent_\w+", ALERTS[name]["expr"]))
    assert asked <= documented
    assert asked or name == "SloagentDown"


def test_the_command_of_the_page_makes_a_prometheus_rule_of_them() -> None:
    (command,) = re.findall(
        r"^```bash\n(.*?)^```", (ROOT / "deploy" / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    made = subprocess.run(
        ["bash", "-euc", command.replace("kubectl apply -f -", "cat")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    manifest = yaml.safe_load(made.stdout)
    assert manifest["kind"] == "PrometheusRule"
    assert manifest["spec"] == yaml.safe_load(RULES.read_text())


def test_the_prometheus_of_the_demo_loads_them_and_scrapes_the_job_that_they_ask_for() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    assert (ROOT / "deploy" / compose["configs"]["rules"]["file"]).resolve() == RULES
    (mounted,) = (one for one in compose["services"]["prometheus"]["configs"] if one["source"] == "rules")
    configuration = yaml.safe_load(compose["configs"]["prometheus"]["content"])
    assert configuration["rule_files"] == [Path(mounted["target"]).name]
    jobs = {job["job_name"] for job in configuration["scrape_configs"]}
    assert set(re.findall(r'job="(\w+)"', ALERTS["SloagentDown"]["expr"])) == jobs
