from __future__ import annotations

import re

import yaml
from click.testing import CliRunner

from sloagent.app.agent_settings import AgentSettings
from sloagent.cli.config import command
from sloagent.config.load import load_settings
from sloagent.errors import ConfigError

AGENT = """\
prometheus:
  url: http://localhost:9090
  basic_auth: {username: sloagent, password: hunter2}
  headers: {X-Scope-OrgID: hunter2}
slos: [builtin:karmada]
evaluation: {delay: 1m30s, max_response: 4MiB}
"""


def show(path):
    return CliRunner().invoke(command, ["show", "-c", str(path)])


def test_what_is_shown_is_whole_has_units_and_hides_secrets(tmp_path):
    file = tmp_path / "sloagent.yaml"
    file.write_text(AGENT)
    answer = show(file)
    assert answer.exit_code == 0
    assert "hunter2" not in answer.stdout
    shown = yaml.safe_load(answer.stdout)
    assert shown["evaluation"]["delay"] == "1m30s"
    assert shown["evaluation"]["catch_up"] == "1d"
    assert shown["evaluation"]["max_response"] == "4MiB"
    assert shown["prometheus"]["basic_auth"] == {"username": "sloagent", "password": "<hidden>"}
    assert shown["prometheus"]["headers"] == {"X-Scope-OrgID": "<hidden>"}
    assert re.search(r"^# set karmada: \d+ SLOs, from .*karmada.yaml$", answer.stdout, re.MULTILINE)


def test_what_is_shown_is_the_same_configuration_when_it_is_read_again(tmp_path):
    file, again = tmp_path / "sloagent.yaml", tmp_path / "again.yaml"
    file.write_text("prometheus: {url: http://localhost:9090}\nslos: [builtin:karmada]\nstore: {full_rows: 1h30m}\n")
    again.write_text(show(file).stdout)
    assert load_settings(again, AgentSettings) == load_settings(file, AgentSettings)


def test_a_wrong_configuration_is_not_shown(tmp_path):
    file = tmp_path / "sloagent.yaml"
    file.write_text("slos: []\n")
    answer = show(file)
    assert isinstance(answer.exception, ConfigError)
    assert answer.stdout == ""
