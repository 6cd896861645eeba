"""The documents say what is so: links lead somewhere, commands exist, examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sloagent.app.wiring import load
from sloagent.cli import COMMANDS
from sloagent.config.load import load_settings
from sloagent.report.definition import Definition

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
README = (ROOT / "README.md").read_text()
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
GOLDEN = ROOT / "tests" / "data" / "golden"


def blocks(text: str, language: str = "") -> list[str]:
    """The fenced blocks of a Markdown text in one language."""
    return [
        body for fence, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL) if fence == language
    ]


def anchors(text: str) -> set[str]:
    """The anchors that the headings of a Markdown text make."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    text = document.read_text()
    outside_code = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", outside_code):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (document.parent / path).resolve() if path else document
        assert aim.exists(), target
        assert not anchor or anchor in anchors(aim.read_text()), target


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_parts_and_fits_a_page(decision):
    text = decision.read_text()
    number, title = re.match(r"# (\d+)\. (.+)", text).groups()
    assert decision.name.startswith(f"{int(number):04}-")
    assert title
    assert {"context", "decision", "consequences"} <= anchors(text)
    assert re.search(r"^Status: (accepted|superseded by \[\d+\]\(.+\))$", text, re.MULTILINE)
    assert len(text.splitlines()) <= 60


def test_the_decisions_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_every_command_is_named_in_the_readme_and_none_that_does_not_exist():
    named = set(re.findall(r"\bsloagent ([a-z]+)\b", "\n".join([*blocks(README), *re.findall(r"`([^`\n]+)`", README)])))
    assert {name for name in named if name not in COMMANDS} == set()
    spoken_of = "".join(path.read_text() for path in DOCUMENTS)
    assert [name for name in COMMANDS if f"sloagent {name}" not in spoken_of and f"`{name}`" not in spoken_of] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_typed_exists(document):
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    typed = re.findall(r"(?:^|`|\n)make ([a-z0-9-]+)", document.read_text())
    assert set(typed) <= targets


def test_the_first_configuration_of_the_readme_loads(tmp_path):
    for block in blocks(README, "yaml"):
        name = re.match(r"# (\S+)\n", block).group(1)
        (tmp_path / name).write_text(block)
    settings, sets = load(tmp_path / "sloagent.yaml")
    assert settings.prometheus.url == "http://localhost:9090"
    assert {slo_set.name for slo_set in sets} == {"kubernetes", "mine"}


def test_the_report_definition_of_the_handbook_loads(tmp_path):
    (example,) = [
        text for text in blocks((ROOT / "docs" / "report.md").read_text(), "yaml") if "ReportDefinition" in text
    ]
    file = tmp_path / "ours.yaml"
    file.write_text(example)
    assert load_settings(file, Definition).title.en == "Our platform, release test"


def test_the_architecture_page_knows_every_room():
    text = (ROOT / "docs" / "architecture.md").read_text()
    package = ROOT / "sloagent"
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    rooms |= {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    assert {room for room in rooms if f"`{room}`" not in text} == set()


def test_the_architecture_page_names_files_that_exist():
    text = (ROOT / "docs" / "architecture.md").read_text()
    for name in re.findall(r"`((?:\w+/)+\w*(?:\.\w+)?)`", text):
        assert (ROOT / name).exists() or (ROOT / "sloagent" / name).exists() or name == "sloagent/_shipped/", name


def test_the_glossary_defines_every_outcome():
    from sloagent.model.verdict import Outcome

    text = (ROOT / "docs" / "glossary.md").read_text()
    assert [outcome for outcome in Outcome if f"`{outcome}`" not in text] == []
