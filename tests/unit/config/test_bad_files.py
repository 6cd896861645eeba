"""Each file in `bad/` has beside it the exact message that it gets; SLOAGENT_GOLDEN=1 writes them (read the diff)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sloagent.app.agent_settings import AgentSettings
from sloagent.config.load import load_agent, load_slo_files
from sloagent.errors import ConfigError

DATA = Path(__file__).resolve().parents[2] / "data"
BAD_SLO_FILES = sorted((DATA / "slo" / "bad").glob("*.yaml"))
BAD_AGENT_FILES = sorted((DATA / "agent" / "bad").glob("*.yaml"))


def message(error: ConfigError) -> str:
    return "\n\n".join([*error.problems, error.message]) + "\n"


def compare(path: Path, said: str) -> None:
    expected = path.with_suffix(".txt")
    if os.environ.get("SLOAGENT_GOLDEN"):
        expected.write_text(said)
    assert said == expected.read_text()


@pytest.mark.parametrize("path", BAD_SLO_FILES, ids=lambda path: path.stem)
def test_a_bad_slo_file_gets_its_message(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigError) as caught:
        load_slo_files([path.name])
    compare(path, message(caught.value))


@pytest.mark.parametrize("path", BAD_AGENT_FILES, ids=lambda path: path.stem)
def test_a_bad_agent_file_gets_its_message(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigError) as caught:
        load_agent(Path(path.name), AgentSettings)
    compare(path, message(caught.value))


def test_there_are_many_and_each_expected_message_has_its_file():
    for folder in (DATA / "slo" / "bad", DATA / "agent" / "bad"):
        assert {path.stem for path in folder.glob("*.yaml")} == {path.stem for path in folder.glob("*.txt")}
    assert len(BAD_SLO_FILES) + len(BAD_AGENT_FILES) >= 40


def test_no_message_shows_a_secret():
    said = "".join(path.read_text() for path in (DATA / "agent" / "bad").glob("*.txt"))
    assert "hunter2" not in said
    assert "12345" not in said
