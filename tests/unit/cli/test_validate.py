from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sloagent.cli.validate import command
from sloagent.errors import ConfigError

DATA = Path(__file__).resolve().parents[2] / "data"
RULES = Path(__file__).resolve().parents[3] / "rules"


def validate(*arguments: object):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_well_written_files_are_counted():
    answer = validate(DATA / "slo" / "good" / "every-field.yaml")
    assert (answer.exit_code, answer.stdout) == (0, "4 SLOs in 1 file are well written.\n")


def test_a_directory_a_glob_and_a_shipped_name_are_read_once():
    answer = validate(RULES, f"{RULES}/k*.yaml", "builtin:karmada")
    assert answer.exit_code == 0
    assert f"in {len(list(RULES.glob('*.yaml')))} files are well written." in answer.stdout


def test_an_agent_file_is_read_with_the_sets_and_the_facts_it_names():
    answer = validate(DATA / "slo" / "good" / "every-field.yaml", DATA / "agent" / "good" / "every-field.yaml")
    assert answer.exit_code == 0
    assert "in 5 files are well written." in answer.stdout


def test_a_facts_file_is_one_file_without_slos():
    answer = validate(DATA / "facts" / "good" / "every-field.yaml")
    assert (answer.exit_code, answer.stdout) == (0, "1 file is well written.\n")


@pytest.mark.parametrize(
    "path", ["slo/bad/ratio-without-percent.yaml", "agent/bad/delay-without-unit.yaml", "slo/none.yaml"]
)
def test_problems_end_with_exit_code_2(path):
    answer = validate(DATA / path)
    assert isinstance(answer.exception, ConfigError)
    assert answer.exception.exit_code == 2
    assert answer.exception.message == "1 problem in 1 file; nothing was loaded."
    assert answer.stdout == ""


def test_problems_of_several_files_are_told_together():
    bad = DATA / "slo" / "bad"
    answer = validate(bad / "ratio-without-percent.yaml", bad / "no-percentile.yaml")
    assert (
        answer.exception.message == "3 problems in 2 files; nothing was loaded."
    )  # the third: both sets have one name


def test_json_holds_the_problems_and_no_secret():
    answer = validate("--format", "json", DATA / "agent" / "bad" / "secret-on-the-line-of-a-mistake.yaml")
    assert answer.exit_code == 2
    assert "hunter2" not in answer.stdout
    said = json.loads(answer.stdout)
    assert said["schema"] == "sloagent/validate/v1"
    assert [(problem["line"], problem["column"], problem["check"]) for problem in said["problems"]] == [
        (1, 95, "agent/field")
    ]


def test_json_of_well_written_files_has_no_problems():
    said = json.loads(validate("--format", "json", DATA / "slo" / "good" / "every-field.yaml").stdout)
    assert said == {"schema": "sloagent/validate/v1", "files": 1, "slos": 4, "problems": []}


def test_help_ends_with_an_example():
    assert validate("--help").stdout.rstrip().splitlines()[-1].strip().startswith("Example: sloagent validate")
