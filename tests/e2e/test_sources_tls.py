"""TLS, mutual TLS, basic authentication and tokens against a real Prometheus, secrets rotated while we ask."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest

from sloagent.model.samples import Answer, Kind, Refusal
from sloagent.model.slo import ValueSLI
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests import faults
from tests.e2e import sources_data as data
from tests.e2e.sources_data import START, slo
from tests.prometheus import READY_SECONDS, blocks_from_openmetrics, free_port

AT = START + 900
VALUE = slo(ValueSLI("count(memory_bytes)", "ratio"))
PASSWORD = 'p"$`\\ässword'


@dataclass(frozen=True)
class Certificates:
    """A certificate authority, the server's certificate (for `prometheus.test`) and a client's."""

    directory: Path

    def path(self, name: str) -> Path:
        return self.directory / name


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = tmp_path_factory.mktemp("certificates")
    for authority in ("ca", "other-ca"):
        _openssl(made, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                 "-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-subj", f"/CN=the {authority}")  # fmt: skip
    for name, subject, authority in (
        ("server", "DNS:prometheus.test", "ca"), ("client", "DNS:client.test", "ca"), ("stranger", "DNS:x.test", "other-ca"),
    ):  # fmt: skip
        _openssl(made, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                 "-out", f"{name}.csr", "-subj", f"/CN={name}")  # fmt: skip
        (made / "extensions").write_text(f"subjectAltName={subject}\n")
        _openssl(made, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                 "-CAcreateserial", "-days", "30", "-out", f"{name}.pem", "-extfile", "extensions")  # fmt: skip
    return Certificates(made)


def _openssl(directory: Path, *arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Guarded:
    """A running Prometheus behind a `web.config.file`."""

    port: int
    web: Path

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


def guarded(directory: Path, web: str) -> Iterator[Guarded]:
    """Start one over the made-up data; it is ready when its log says so, because asking needs the secrets."""
    blocks_from_openmetrics(data.openmetrics(), directory / "tsdb")
    (directory / "web.yml").write_text(web)
    (directory / "empty.yml").write_text("")
    port = free_port()
    binary = shutil.which("prometheus")
    assert binary is not None
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binary, f"--config.file={directory / 'empty.yml'}", f"--storage.tsdb.path={directory / 'tsdb'}",
             "--storage.tsdb.retention.time=3650d", f"--web.listen-address=127.0.0.1:{port}",
             f"--web.config.file={directory / 'web.yml'}"],
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + READY_SECONDS
        while "Server is ready to receive web requests" not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield Guarded(port, directory / "web.yml")
    finally:
        process.terminate()
        process.wait(timeout=READY_SECONDS)


@pytest.fixture(scope="module")
def with_password(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    yield from guarded(tmp_path_factory.mktemp("basic"), _web(certificates, PASSWORD))


@pytest.fixture(scope="module")
def with_certificate(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    web = _tls(certificates) + (
        f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {certificates.path('ca.pem')}\n"
    )
    yield from guarded(tmp_path_factory.mktemp("mutual"), web)


def _tls(certificates: Certificates) -> str:
    cert, key = certificates.path("server.pem"), certificates.path("server.key")
    return f"tls_server_config:\n  cert_file: {cert}\n  key_file: {key}\n"


def _web(certificates: Certificates, password: str) -> str:
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    return f"{_tls(certificates)}basic_auth_users:\n  alice: {hashed}\n"


def ask(server: Guarded | str, certificates: Certificates, **settings: object) -> Answer | Refusal:
    """One question over a new connection, trusting the made authority under the server's name unless told otherwise."""
    tls = {"ca_file": certificates.path("ca.pem"), "server_name": "prometheus.test"} | settings.pop("tls_config", {})
    url = server if isinstance(server, str) else server.url
    made = PrometheusSource(PrometheusSettings(url=url, tls_config=tls, **settings), timeout_seconds=5)
    try:
        return made.at(VALUE, AT)
    finally:
        made.close()


def refused(found: Answer | Refusal, kind: Kind) -> str:
    assert isinstance(found, Refusal), found
    assert (found.kind, found.final) == (kind, False), found
    assert PASSWORD not in found.message
    return found.message


def test_a_password_opens_and_its_absence_or_a_wrong_one_does_not(with_password: Guarded, certificates: Certificates):
    assert isinstance(ask(with_password, certificates, basic_auth={"username": "alice", "password": PASSWORD}), Answer)
    assert "401 Unauthorized" in refused(ask(with_password, certificates), Kind.UNAUTHORIZED)
    wrong = ask(with_password, certificates, basic_auth={"username": "alice", "password": "guess"})
    assert "check basic_auth" in refused(wrong, Kind.UNAUTHORIZED)


def test_a_certificate_of_an_unknown_authority_is_not_trusted(with_password: Guarded, certificates: Certificates):
    found = ask(with_password, certificates, tls_config={"ca_file": certificates.path("other-ca.pem")})
    assert "TLS failed: unable to get local issuer certificate" in refused(found, Kind.TLS)
    found = ask(with_password, certificates, tls_config={"ca_file": None})
    assert "TLS failed: unable to get local issuer certificate" in refused(found, Kind.TLS)


def test_a_certificate_for_another_name_is_not_trusted(with_password: Guarded, certificates: Certificates):
    found = ask(with_password, certificates, tls_config={"server_name": ""})
    assert "IP address mismatch" in refused(found, Kind.TLS)


def test_verification_can_be_given_up_explicitly(with_password: Guarded, certificates: Certificates):
    found = ask(
        with_password, certificates, basic_auth={"username": "alice", "password": PASSWORD},
        tls_config={"ca_file": None, "server_name": "", "insecure_skip_verify": True},
    )  # fmt: skip
    assert isinstance(found, Answer)


def test_a_client_certificate_opens_and_its_absence_or_a_strange_one_does_not(
    with_certificate: Guarded, certificates: Certificates
):
    def client(name: str) -> dict[str, Path]:
        return {"cert_file": certificates.path(f"{name}.pem"), "key_file": certificates.path(f"{name}.key")}

    assert isinstance(ask(with_certificate, certificates, tls_config=client("client")), Answer)
    for found in (
        ask(with_certificate, certificates),
        ask(with_certificate, certificates, tls_config=client("stranger")),
    ):
        # The peer's alert races with its reset of the connection, and whoever loses is not heard.
        assert isinstance(found, Refusal)
        assert not found.final
        assert (found.kind, "certificate" in found.message) in ((Kind.TLS, True), (Kind.PROTOCOL, False)), found
    missing = ask(with_certificate, certificates, tls_config=client("missing"))
    assert "missing.pem" in refused(missing, Kind.TLS)


def test_http_and_https_confused_are_told_apart(with_password: Guarded, certificates: Certificates):
    plain = ask(f"http://127.0.0.1:{with_password.port}", certificates)
    assert "Client sent an HTTP request to an HTTPS server" in refused(plain, Kind.PROTOCOL)
    with faults.failing(faults.answer(b"{}")) as server:
        refused(ask(server.url.replace("http:", "https:"), certificates), Kind.TLS)


def test_a_password_file_is_read_again_when_it_changes(tmp_path: Path, certificates: Certificates):
    secret = tmp_path / "password"
    secret.write_text("first\n")
    (tmp_path / "server").mkdir()
    for server in guarded(tmp_path / "server", _web(certificates, "first")):
        settings = PrometheusSettings(
            url=server.url, basic_auth={"username": "alice", "password_file": secret},
            tls_config={"ca_file": certificates.path("ca.pem"), "server_name": "prometheus.test"},
        )  # fmt: skip
        source = PrometheusSource(settings, timeout_seconds=5)
        first = source.at(VALUE, AT)
        assert isinstance(first, Answer)
        server.web.write_text(_web(certificates, "second"))
        refused(source.at(VALUE, AT), Kind.UNAUTHORIZED)
        secret.write_text("second\n")
        assert source.at(VALUE, AT) == first
        secret.unlink()
        assert f"the file {secret} cannot be read: No such file" in refused(source.at(VALUE, AT), Kind.UNAUTHORIZED)
        source.close()


def test_a_token_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    token = tmp_path / "token"
    token.write_text("from-a-file\n")
    monkeypatch.setenv("PROMETHEUS_TOKEN", "from-the-environment")
    with faults.failing(faults.answer(faults.vector(({}, "1"), time=AT))) as server:
        for place, header in (
            ({"credentials_file": token}, "Bearer from-a-file"),
            ({"credentials_env": "PROMETHEUS_TOKEN"}, "Bearer from-the-environment"),
            ({"type": "Token", "credentials": "inline"}, "Token inline"),
        ):
            source = PrometheusSource(PrometheusSettings(url=server.url, authorization=place))
            source.at(VALUE, AT)
            assert server.requests[-1].headers["authorization"] == header
            source.close()
        asked = len(server.requests)
        missing = PrometheusSettings(url=server.url, authorization={"credentials_env": "NOT_SET_ANYWHERE"})
        found = PrometheusSource(missing).at(VALUE, AT)
        assert "the environment variable NOT_SET_ANYWHERE is not set" in refused(found, Kind.UNAUTHORIZED)
        assert len(server.requests) == asked, "without its secret nothing is asked"


def test_the_curl_command_asks_with_the_same_secrets_and_shows_none(
    with_password: Guarded, certificates: Certificates, tmp_path: Path
):
    secret = tmp_path / "pass word"
    secret.write_text(PASSWORD + "\n", encoding="utf-8")
    tls = {"ca_file": certificates.path("ca.pem"), "server_name": "prometheus.test"}
    for place in ({"password_file": secret}, {"password_env": "PROMETHEUS_PASSWORD"}, {"password": PASSWORD}):
        settings = PrometheusSettings(
            url=with_password.url, basic_auth={"username": "alice", **place}, tls_config=tls
        )  # fmt: skip
        command = PrometheusSource(settings).curl("count(memory_bytes)", AT)
        assert PASSWORD not in command
        environment = {**os.environ, "PROMETHEUS_PASSWORD": PASSWORD, "PASSWORD": PASSWORD}
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, env=environment)
        assert re.search(r'"value":\[\d+,"2"\]', done.stdout), (command, done.stdout, done.stderr)
