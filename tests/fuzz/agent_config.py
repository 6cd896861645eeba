"""The agent's file: settings that can be shown and read again, or problems with a place in one of the files."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from random import Random

import yaml

from sloagent.app.agent_settings import AgentSettings
from sloagent.config.effective import effective
from sloagent.config.load import Reading, raise_for
from sloagent.config.reader import parse
from sloagent.errors import ConfigError
from tests.fuzz import mutation
from tests.fuzz.slo_file import check_problems
from tests.fuzz.target import Target, expect

DATA = Path(__file__).resolve().parents[1] / "data"


@cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    """A directory with SLO files, in which the agent's file is said to lie."""
    made = tempfile.TemporaryDirectory(prefix="sloagent-fuzz-")
    for name, source in (("small.yaml", "agent/small.yaml"), ("bad-slo.yaml", "agent/bad-slo.yaml")):
        (Path(made.name) / name).write_bytes((DATA / source).read_bytes())
    return made


def check(content: bytes) -> None:
    """Read the file and the SLO files it names; what is in force must be shown such that it can be read again."""
    place = Path(_directory().name) / "sloagent.yaml"
    document = parse("sloagent.yaml", content)
    reading = Reading()
    settings = reading.take_agent(place, AgentSettings, document)
    own = [problem for problem in reading.problems if problem.path == document.path]
    check_problems(document, own)
    for problem in set(reading.problems) - set(own):
        expect(problem.line >= 0 and problem.summary, "a problem of an SLO file says nothing")
    if reading.problems:
        _refused(reading)
        return
    expect(settings is not None, "neither settings nor problems")
    assert settings is not None
    shown = effective(settings)
    told = yaml.safe_load(shown)
    expect(set(told) <= set(AgentSettings.model_fields), "what is shown has other blocks")
    again = Reading().take_agent(place, AgentSettings, parse("shown.yaml", shown.encode()))
    if "<hidden>" not in shown:
        expect(again == settings, f"what is shown is read as something else:\n{shown}")


def _refused(reading: Reading) -> None:
    try:
        raise_for(reading.problems)
    except ConfigError as error:
        expect(error.exit_code == 2 and error.problems, "a refusal without problems")
        return
    expect(False, "problems that refuse nothing")


@cache
def seeds() -> tuple[bytes, ...]:
    """The agent's files of the tests."""
    files = [path.read_bytes() for path in sorted((DATA / "agent").glob("*/*.yaml"))]
    full = (DATA / "agent" / "good" / "every-field.yaml").read_text()
    local = full.replace("../../slo/good/*.yaml", "small.yaml").replace(
        "every-field: {shop: 'job=\"other\"', limit: 300ms}", "{}"
    )
    return (
        *files,
        local.replace("parameters:\n  {}\n", "").encode(),
        b"prometheus: {url: http://a:9}\nslos: [small.yaml]\n",
    )


def mutate(content: bytes, random: Random) -> bytes:
    """The file with lines, names and values changed, sometimes bytes."""
    return mutation.of_bytes(content, random) if random.random() < 0.2 else mutation.of_yaml(content, random, seeds())


TARGET = Target("agent_config", check, mutate, seeds)
