"""No secret is in anything that sloagent prints, serves, logs, stores or leaves behind, whoever repeats it to us."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.agent import SLOAGENT, AgentDirectory, wait_until
from tests.canaries import ECHOES, canary, files_below, found, repeat
from tests.door import Certificates, hashed
from tests.faults import FaultServer
from tests.prometheus import Prometheus, scraping_itself

SLOS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - name: up
    sli: {value: {query: 'max(up)', unit: ratio}}
    objective: {at_least: 100%}
    allow_partial: true
  - name: latency
    sli: {latency: {histogram: prometheus_http_request_duration_seconds, by: [handler]}}
    objective: {percentile: 99, at_most: 1s}
"""
FAST = "evaluation: {delay: 500ms, query_timeout: 1s}\n"
PLACES: dict[str, str] = {
    "password": "basic_auth: {username: reader, password: '%s'}",
    "password_file": "basic_auth: {username: reader, password_file: secret}",
    "password_env": "basic_auth: {username: reader, password_env: SECRET}",
    "credentials": "authorization: {credentials: '%s'}",
    "credentials_file": "authorization: {credentials_file: secret}",
    "credentials_env": "authorization: {type: Token, credentials_env: SECRET}",
}
HEADERS = "headers: {X-Api-Key: '%s', X-Other: '%s'}"
COMMANDS: dict[str, tuple[str, ...]] = {
    "validate": ("validate", "sloagent.yaml"),
    "config show": ("config", "show"),
    "check": ("check",),
    "check in JSON": ("check", "--format", "json", "--from", "-20s"),
    "check in JUnit": ("check", "--format", "junit", "--from", "-20s"),
    "check in Markdown": ("check", "--format", "markdown", "--from", "-20s"),
    "explain": ("explain", "up"),
    "backfill": ("backfill", "--from", "-20s"),
    "runs start": ("runs", "start", "soak"),
    "runs list": ("runs", "list"),
    "report": ("report", "--from", "-20s", "--lang", "en", "-o", "out"),
    "store dump": ("store", "dump"),
    "store check": ("store", "check"),
    "store backup": ("store", "backup", "copy.db"),
    "help": ("--help",),
    "help of run": ("run", "--help"),
}
FEW = ("config show", "check in JSON", "explain", "backfill")
ONE_AFTER_ANOTHER = ("check in JSON", "explain", "backfill", "report", "check")
"""The commands that are run while the peer repeats what it is sent."""


@dataclass
class Trial:
    """An agent whose secrets are canaries, and all that was heard of it."""

    agent: AgentDirectory
    canaries: dict[str, str]
    environment: dict[str, str]
    collected: dict[str, bytes] = field(default_factory=dict)
    also_secret: frozenset[str] = frozenset()

    def run(self, name: str, words: Sequence[str], *, heading: str = "") -> int:
        """Run a command and keep all that it says."""
        configured = [] if name.startswith(("validate", "help")) else ["-c", "sloagent.yaml"]
        done = subprocess.run(
            [*SLOAGENT, *words, *configured], capture_output=True, cwd=self.agent.directory, check=False,
            env=self.environment, timeout=120,
        )  # fmt: skip
        self.collected[f"{heading}{name}: stdout"] = done.stdout
        self.collected[f"{heading}{name}: stderr"] = done.stderr
        return done.returncode

    def leaks(self) -> list[str]:
        """What can be found in all that was heard, and in every file but those that are to hold the secrets."""
        kept = {"sloagent.yaml", "secret", "web.yml", "broken.yaml"} | self.also_secret
        self.collected |= files_below(self.agent.directory, but=lambda path: path.name in kept)
        return found(self.collected, self.canaries)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with scraping_itself(tmp_path_factory.mktemp("canary") / "data") as server:
        started = time.monotonic()
        wait_until(lambda: time.monotonic() - started > 8, what="a few scrapes")
        yield server


@pytest.fixture
def server(prometheus: Prometheus) -> Iterator[FaultServer]:
    with FaultServer(prometheus.url) as between:
        yield between


def trial(directory: Path, url: str, place: str, *, web: str = "") -> Trial:
    """An agent with a canary at this place, and others in its headers."""
    canaries = {place: canary(place), "X-Api-Key": canary("key"), "X-Other": canary("other")}
    agent = AgentDirectory(directory / "agent", url, slos={"own.yaml": SLOS})
    temporary = agent.directory / "temporary"
    temporary.mkdir()
    (agent.directory / "secret").write_text(canaries[place] + "\n")
    secret = PLACES[place] % canaries[place] if "%s" in PLACES[place] else PLACES[place]
    agent.configuration.write_text(
        f"prometheus:\n  url: {url}\n  {secret}\n  {HEADERS % (canaries['X-Api-Key'], canaries['X-Other'])}\n"
        f"slos: [own.yaml]\nweb: {{listen: '127.0.0.1:{agent.port}'{web}}}\n{FAST}"
    )
    environment = {
        **os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(temporary), "SECRET": canaries[place],
    }  # fmt: skip
    return Trial(agent, canaries, environment)


def test_a_canary_is_found_wherever_it_is_planted(tmp_path: Path):
    secret = canary("planted")
    token = base64.b64encode(f"reader:{secret}".encode())
    for leak in (
        secret.encode(), b"..." + token + b"...", token[2:], secret[:10].encode(), secret[9:].encode(),
        urllib.parse.quote(secret).encode(), b'{"a": "' + secret.encode() + b'"}',
    ):  # fmt: skip
        assert found({"a file": b"before\x00" + leak + b"\xffafter"}, {"planted": secret}), leak
    assert not found({"a file": b"nothing of it"}, {"planted": secret})
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "store.db-wal").write_bytes(b"\x00" + secret.encode())
    assert found(files_below(tmp_path, but=lambda _: False), {"planted": secret})


@pytest.mark.parametrize("place", PLACES)
def test_no_command_shows_a_secret(server: FaultServer, tmp_path: Path, place: str):
    tried = trial(tmp_path, server.url, place)
    names = COMMANDS if place in ("password", "credentials_file") else FEW
    codes = {name: tried.run(name, COMMANDS[name]) for name in names}
    assert set(codes.values()) <= {0, 1, 3}, codes
    assert codes["explain"] == codes["backfill"] == codes.get("report", 0) == 0, tried.collected
    assert any(tried.canaries["X-Api-Key"] == request.headers.get("x-api-key") for request in server.requests)
    assert any(_sent(request.headers.get("authorization", ""), tried.canaries[place]) for request in server.requests)
    assert tried.leaks() == []


def _sent(header: str, secret: str) -> bool:
    kind, _, rest = header.partition(" ")
    return rest == secret if kind != "Basic" else base64.b64decode(rest).decode() == f"reader:{secret}"


def test_a_peer_that_repeats_what_it_is_sent_puts_it_nowhere(server: FaultServer, tmp_path: Path):
    tried = trial(tmp_path, server.url, "credentials_env")
    for number, way in enumerate(ECHOES):
        repeat(server, way)
        asked = len(server.requests)
        name = ONE_AFTER_ANOTHER[number % len(ONE_AFTER_ANOTHER)]
        tried.run(name, COMMANDS[name], heading=f"{way}, ")
        assert len(server.requests) > asked, way
    said = b"".join(tried.collected.values())
    assert said.count(b"<secret>") >= len(ECHOES) // 2, "what was repeated was told, without the secret"
    assert tried.leaks() == []


def test_a_daemon_says_serves_stores_and_leaves_no_secret(server: FaultServer, tmp_path: Path):
    certificates = Certificates(tmp_path / "agent")
    certificates.authority()
    certificates.sign("server")
    tried = trial(tmp_path, server.url, "password_file", web=", config_file: web.yml")
    password = canary("web")
    hash_of_it = hashed(password)
    (tried.agent.directory / "web.yml").write_text(
        "tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
        f"basic_auth_users: {{anna: '{hash_of_it}'}}\n"
    )
    key = "".join((tried.agent.directory / "server.key").read_text().splitlines()[1:-1])
    tried.canaries |= {"web password": password, "web hash": hash_of_it, "TLS key": key[8:40]}
    tried.also_secret = frozenset({"server.key", "ca.key"})
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=certificates.trusting()))

    def ask(path: str, *, method: str = "GET", password: str = password, name: str = "") -> int:
        question = urllib.request.Request(f"https://127.0.0.1:{tried.agent.port}{path}", method=method)
        question.add_header("Authorization", "Basic " + base64.b64encode(f"anna:{password}".encode()).decode())
        try:
            with opener.open(question, timeout=10) as answer:
                code, heard = answer.status, str(answer.headers).encode() + answer.read()
        except urllib.error.HTTPError as error:
            code, heard = error.code, str(error.headers).encode() + error.read()
        tried.collected[f"{name} {method} {path}"] = heard
        return code

    log = tried.agent.directory / "daemon.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*SLOAGENT, "run", "-c", "sloagent.yaml", "--log.level", "debug"], stdout=stream, stderr=stream,
            cwd=tried.agent.directory, env=tried.environment,
        )  # fmt: skip
    try:
        wait_until(lambda: "listening on" in log.read_text() or process.poll() is not None, what="the daemon")
        assert process.poll() is None, log.read_text()
        # What it was given in its environment is there by nature; what stands on its command line is for everybody.
        tried.collected["the list of processes"] = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        wait_until(lambda: ask("/api/v1/verdicts") == 200 and b"up" in tried.collected[" GET /api/v1/verdicts"])
        for way in ECHOES:
            repeat(server, way)
            asked = len(server.requests)
            wait_until(lambda asked=asked: len(server.requests) > asked + 2, what=way)
            for path in ("/metrics", "/api/v1/verdicts", "/api/v1/slos"):
                assert ask(path, name=way) == 200
        assert ask("/metrics", password=password + "!") == 401
        for path in ("/", "/nothing", "/%2e%2e/sloagent.yaml", "/api/v1/verdicts?x=1", "/-/ready", "/-/healthy"):
            ask(path, name="healed")
        server.heal()
        before = tried.agent.configuration.read_text()
        for name, text in _broken(before, tried.canaries["password_file"]).items():
            tried.agent.configuration.write_text(text)
            assert ask("/-/reload", method="POST", name=name) == 400, (name, tried.collected)
            process.send_signal(signal.SIGHUP)
            assert ask("/api/v1/slos", name=name) == 200
        tried.agent.configuration.write_text(before)
        assert ask("/-/reload", method="POST", name="mended") == 200
        (tried.agent.directory / "web.yml").write_text(
            f"basic_auth_users: {{anna: '{hash_of_it}', bert: '{password}'}}\nwrong: 1"
        )
        ask("/metrics", name="with a wrong web file")
        process.kill()
    finally:
        process.kill()
        process.wait()
    tried.run("store check", COMMANDS["store check"], heading="afterwards, ")
    tried.run("store dump", COMMANDS["store dump"], heading="afterwards, ")
    said = b"".join(tried.collected.values())
    assert b"<secret>" in said
    assert b"basic_auth" in said, "the broken files were told"
    tried.leaks()
    assert any(name.endswith("-wal") for name in tried.collected), "killed, it leaves its log of the store"
    assert tried.leaks() == []


def _broken(text: str, secret: str) -> Mapping[str, str]:
    inline = text.replace("password_file: secret", f"password: '{secret}'")
    return {
        "a wrong field": inline.replace("username: reader,", "username: reader, wrong: 1,"),
        "its name misspelt": inline.replace("password:", "pasword:"),
        "an open quote": inline.replace(f"'{secret}'", f"'{secret}"),
        "two of them": inline.replace("username: reader,", "username: reader, password_file: x,"),
        "in the address": text.replace("http://", f"http://reader:{secret}@"),
        "in the proxy": text.replace("  headers:", f"  proxy_url: http://reader:{secret}@127.0.0.1:1\n  headers:"),
        "in the store's address": f"{text}store: {{url: 'postgresql://reader:{secret}@127.0.0.1/x'}}\n",
        "in no YAML": inline.replace("slos:", "\tslos:"),
    }


@pytest.mark.parametrize("key", ["of another kind", "that is none"])
def test_a_key_that_cannot_be_used_is_not_shown(server: FaultServer, tmp_path: Path, key: str):
    tried = trial(tmp_path, server.url.replace("http:", "https:"), "credentials_file")
    made = Certificates(tmp_path / "agent")
    made.authority()
    made.authority("other")
    secret = canary("key")
    if key == "that is none":
        (made.directory / "other.key").write_text(f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n")
    content = (made.directory / "other.key").read_text().splitlines()[1]
    tried.canaries["TLS key"] = content[8:]
    tried.also_secret = frozenset({"other.key", "ca.key"})
    text = tried.agent.configuration.read_text()
    tried.agent.configuration.write_text(
        text.replace("  headers:", "  tls_config: {cert_file: ca.pem, key_file: other.key}\n  headers:")
    )
    assert tried.run("check", COMMANDS["check"]) == 3
    assert b"tls" in b"".join(tried.collected.values()).lower()
    tried.run("explain", COMMANDS["explain"])
    tried.run("config show", COMMANDS["config show"])
    assert tried.leaks() == []


def test_the_password_of_a_database_is_shown_nowhere(server: FaultServer, tmp_path: Path):
    tried = trial(tmp_path, server.url, "credentials_file")
    tried.canaries["store"] = canary("store")
    (tried.agent.directory / "store-secret").write_text(tried.canaries["store"])
    tried.also_secret = frozenset({"store-secret"})
    text = tried.agent.configuration.read_text()
    for number, place in enumerate(("password_file: store-secret", "password_env: STORE_SECRET")):
        tried.environment["STORE_SECRET"] = tried.canaries["store"]
        tried.agent.configuration.write_text(
            f"{text}store: {{url: 'postgresql://reader@127.0.0.1:1/x', {place}, timeout: 1s}}\n"
        )
        for name in ("config show", "backfill", "store dump"):
            code = tried.run(name, COMMANDS[name], heading=f"{number}, ")
            assert code == (0 if name == "config show" else 3), (name, tried.collected)
    assert tried.leaks() == []
