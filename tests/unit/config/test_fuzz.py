"""Whatever a file holds: settings, or problems with a place inside it; never a traceback, never a hang."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sloagent.app.agent_settings import AgentSettings
from sloagent.config import structure
from sloagent.config.document import LINE_BREAK
from sloagent.config.findings import Findings
from sloagent.config.openslo import reading as openslo
from sloagent.config.problem import in_order, render
from sloagent.config.reader import parse
from sloagent.config.to_model import to_model

DATA = Path(__file__).resolve().parents[2] / "data"
SLO_FILE = (DATA / "slo" / "good" / "every-field.yaml").read_text()
OPENSLO_FILE = (DATA / "slo" / "good" / "openslo.yaml").read_text()
AGENT_FILE = (DATA / "agent" / "good" / "every-field.yaml").read_text()
SPLICES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [
            "null",
            "[]",
            "{}",
            "010",
            "1e999",
            "-",
            ": ",
            "\n",
            "\t",
            "&a ",
            "*a",
            "!!x ",
            "$",
            "${",
            "'",
            '"',
            "🙂",
            "\u2028",
            "---\n",
            "1",
            "tbd",
        ]
    ),
)
EDITS = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 12), SPLICES), min_size=1, max_size=3)


def edited(text: str, edits) -> str:
    for at, length, splice in edits:
        begin = at % (len(text) + 1)
        text = text[:begin] + splice + text[begin + length :]
    return text


def check_problems(document, problems) -> None:
    lines = LINE_BREAK.split(document.text)
    for problem in in_order(problems):
        assert problem.summary
        assert "pydantic" not in render(problem)
        assert 0 <= problem.line <= len(lines)
        if problem.line:
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


def read_as_slo_file(content: bytes) -> None:
    loaded = to_model(parse("a.yaml", content), {})
    assert (loaded.slo_set is None) == bool(loaded.problems)
    check_problems(loaded.document, loaded.problems)


def read_as_openslo_file(content: bytes) -> None:
    loaded = openslo.read(parse("a.yaml", content))
    assert (loaded.slo_set is None) == bool(loaded.problems)
    check_problems(loaded.document, loaded.problems)


def read_as_agent_file(content: bytes) -> None:
    document = parse("a.yaml", content)
    findings = Findings(document)
    found = structure.read(AgentSettings, document.value, findings, kind="agent", directory=Path("/etc"))
    assert found is not None or findings.problems
    check_problems(document, findings.problems)


relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(EDITS)
def test_an_edited_slo_file_is_read_or_told(edits):
    read_as_slo_file(edited(SLO_FILE, edits).encode("utf-8", "surrogatepass"))


@relaxed
@given(EDITS)
def test_an_edited_openslo_file_is_read_or_told(edits):
    read_as_openslo_file(edited(OPENSLO_FILE, edits).encode("utf-8", "surrogatepass"))


@relaxed
@given(EDITS)
def test_an_edited_agent_file_is_read_or_told(edits):
    read_as_agent_file(edited(AGENT_FILE, edits).encode("utf-8", "surrogatepass"))


@relaxed
@given(st.binary(max_size=200))
def test_random_bytes_are_told(content):
    read_as_slo_file(content)
    read_as_openslo_file(content)
    read_as_agent_file(content)


@pytest.mark.parametrize("path", sorted(DATA.glob("*/bad/*.yaml")), ids=lambda path: path.stem)
def test_every_bad_file_is_told_as_either_kind(path):
    read_as_slo_file(path.read_bytes())
    read_as_openslo_file(path.read_bytes())
    read_as_agent_file(path.read_bytes())
