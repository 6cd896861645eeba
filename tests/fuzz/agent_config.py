"""The agent's file: settings that can be shown and read again, or problems with a place in one of the files."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from random import Random

import yaml

from sloagent.app.agent_settings import AgentSettings
from sloagent.config.effective import effective
from sloagent.config.findings import Findings
from sloagent.config.load import Reading, raise_for
from sloagent.config.reader import parse
from sloagent.config.structure import read
from sloagent.errors import ConfigError
from sloagent.web.web_file import WebFile
from tests.fuzz import mutation
from tests.fuzz.slo_file import check_problems
from tests.fuzz.target import Target, expect

DATA = Path(__file__).resolve().parents[1] / "data"

WEB_FILE = b"""tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: true
  curve_preferences: [X25519]
http_server_config:
  http2: false
  headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=1}
basic_auth_users:
  ann: $2b$04$OED9YJBOC8wCHDr3N89MVOaLcSrktTE.j5ODC8WzbjGrdFVJ8qdkC
"""
TIMES = b"""prometheus: {url: http://a:9}
slos: [small.yaml]
evaluation: {delay: 1250ms, catch_up: 1d2h3m4s5ms, query_timeout: 90s, max_response: 65537B}
store: {retention: 90d}
"""


@cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    """A directory with SLO files, in which the agent's file is said to lie."""
    made = tempfile.TemporaryDirectory(prefix="sloagent-fuzz-")
    beside = (
        ("small.yaml", "agent/small.yaml"), ("bad-slo.yaml", "agent/bad-slo.yaml"),
        ("facts.yaml", "facts/good/every-field.yaml"), ("load.yaml", "facts/good/load.yaml"),
    )  # fmt: skip
    for name, source in beside:
        (Path(made.name) / name).write_bytes((DATA / source).read_bytes())
    return made


def check(content: bytes) -> None:
    """Read it as a web file, and as an agent's with the SLO files it names; what is in force can be shown and read."""
    _read_as_web_file(content)
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


def _read_as_web_file(content: bytes) -> None:
    document = parse("web.yml", content)
    if document.value is None:
        return  # its reader says that it holds nothing, where there are no problems
    findings = Findings(document)
    file = read(WebFile, document.value, findings, kind="agent", directory=Path(_directory().name))
    check_problems(document, findings.problems)
    if file is not None and not findings.problems:
        for user, hashed in file.basic_auth_users.items():
            expect(user and ":" not in user and hashed.get_secret_value().startswith("$2"), "a user nobody can be")
            expect(hashed.get_secret_value() not in repr(file), "a hash in plain sight")


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
        "../../facts/good/every-field.yaml", "facts.yaml"
    )
    local = local.replace("every-field: {shop: 'job=\"other\"', limit: 300ms}", "{}")
    return (
        WEB_FILE,
        TIMES,
        *files,
        local.replace("parameters:\n  {}\n", "").encode(),
        b"prometheus: {url: http://a:9}\nslos: [small.yaml]\n",
    )


def mutate(content: bytes, random: Random) -> bytes:
    """The file with lines, names and values changed, sometimes bytes."""
    return mutation.of_bytes(content, random) if random.random() < 0.2 else mutation.of_yaml(content, random, seeds())


TARGET = Target("agent_config", check, mutate, seeds)
