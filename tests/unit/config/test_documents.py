"""The pages and schemas about the files say what the code does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from sloagent.app.agent_settings import AgentSettings
from sloagent.config import facts
from sloagent.config.facts_spec import FactsSpec
from sloagent.config.reader import parse
from sloagent.config.run_spec import RunFileSpec
from sloagent.config.schema import json_schema
from sloagent.config.shape import fields
from sloagent.config.slo_spec import SLOSetSpec
from sloagent.config.to_model import to_model
from sloagent.evaluation.consistency import check_scale

ROOT = Path(__file__).resolve().parents[3]
CHECKS = ROOT / "docs" / "checks"
REFERENCE = (ROOT / "docs" / "configuration.md").read_text()
SCHEMAS = {
    "agent-schema.json": (AgentSettings, "sloagent: the agent's file"),
    "facts-schema.json": (FactsSpec, "sloagent: a facts file"),
    "run-schema.json": (RunFileSpec, "sloagent: a run file that somebody writes"),
    "slo-schema.json": (SLOSetSpec, "sloagent: an SLO file"),
}
STEMS = ("agent", "facts", "file", "objective", "openslo", "parameter", "promql", "run", "sli", "slo", "time", "yaml")


def ids_in_the_code() -> set[str]:
    text = "".join(path.read_text() for path in (ROOT / "sloagent" / "config").rglob("*.py"))
    return set(re.findall(rf'"((?:{"|".join(STEMS)})/[a-z-]+)"', text))


def ids_in_the_messages() -> set[str]:
    messages = (ROOT / "tests" / "data").glob("*/bad/*.txt")
    return set(re.findall(r"\(([a-z]+/[a-z-]+)\)$", "".join(path.read_text() for path in messages), re.MULTILINE))


def test_every_problem_id_has_a_page_and_every_page_an_id():
    pages = {path.read_text().splitlines()[0].removeprefix("# ") for path in CHECKS.glob("*.md")}
    assert pages == ids_in_the_code() | ids_in_the_messages()


def test_nearly_every_problem_id_has_a_bad_file_with_its_message():
    without = ids_in_the_code() - ids_in_the_messages()
    # Two files; a file of more than 10 MB, or with hundreds of problems; a thousand files.
    assert without <= {"slo/duplicate-set", "yaml/size", "file/problems", "file/number"}


@pytest.mark.parametrize("page", sorted(CHECKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_page_has_its_parts(page):
    text = page.read_text()
    name = text.splitlines()[0].removeprefix("# ")
    assert page.stem == name.replace("/", "-")
    wrong, right = re.findall(r"```text\n(.*?)\n```", text, re.DOTALL)
    assert wrong != right
    assert text.index("Wrong:") < text.index("Right:") < text.index("Why: ")


@pytest.mark.parametrize("settings", [AgentSettings, SLOSetSpec], ids=["agent", "slo"])
def test_every_field_stands_in_the_reference_with_its_default(settings):
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.*?) \|", REFERENCE, re.MULTILINE))
    for name, field in fields(settings):
        assert name in rows, f"docs/configuration.md has no row for {name}"
        assert (rows[name] == "required") == field.is_required(), name


def test_the_reference_names_no_field_that_does_not_exist():
    known = {name for settings in (AgentSettings, SLOSetSpec) for name, _ in fields(settings)}
    assert set(re.findall(r"^\| `([a-zA-Z_.\[\]<>]+)` \| ", REFERENCE, re.MULTILINE)) - known == {
        "latency",
        "ratio",
        "value",
    }


def test_every_field_of_a_facts_file_stands_on_its_page_and_no_other():
    page = (ROOT / "docs" / "facts.md").read_text()
    rows = dict(re.findall(r"^\| `([a-zA-Z_.\[\]<>]+)` \| (.*?) \|", page, re.MULTILINE))
    known = dict(fields(FactsSpec))
    assert set(rows) == set(known)
    assert {name for name, default in rows.items() if default == "required"} == {
        name for name, field in known.items() if field.is_required()
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_that_of_the_code(name):
    path = ROOT / "docs" / name
    if os.environ.get("SLOAGENT_GOLDEN"):
        path.write_text(json_schema(*SCHEMAS[name]))
    assert path.read_text() == json_schema(*SCHEMAS[name])


def test_the_example_of_the_facts_page_is_well_written():
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "facts.md").read_text(), re.DOTALL)
    found, problems = facts.written(
        parse("facts.yaml", example.encode()), ROOT / "reports" / "examples" / "karmada-1.3"
    )
    assert problems == ()
    assert all(check.holds for check in check_scale(found.scale))


def test_the_example_of_the_reference_is_well_written():
    examples = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    agent, slos = examples
    AgentSettings.model_validate(yaml.safe_load(agent))
    assert to_model(parse("example.yaml", slos.encode()), {}).problems == ()
