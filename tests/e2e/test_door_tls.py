"""The daemon behind TLS and passwords: certificates and users that change while it runs, and are wrong while it runs."""

from __future__ import annotations

import base64
import http.client
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent import SLOAGENT, UP_EVERY_SECOND, AgentDirectory, wait_until
from tests.door import Certificates, Heard, connected, hashed, is_closed, request, say

ANNA = "Authorization: Basic " + base64.b64encode(b"anna:secret").decode()
BERT = "Authorization: Basic " + base64.b64encode(b"bert:secret").decode()
HEALTHY = request("GET /-/healthy")


class Guarded:
    """A daemon with a web file, and nothing behind its Prometheus: the door does not need it."""

    def __init__(self, directory: Path, web: str) -> None:
        self.directory = directory
        self.certificates = Certificates(directory)
        self.certificates.authority()
        self.certificates.sign("server")
        self.web = directory / "web.yml"
        self.write(web)
        self.agent = AgentDirectory(directory, "http://127.0.0.1:1", slos={"own.yaml": UP_EVERY_SECOND})
        self.address = f"127.0.0.1:{self.agent.port}"
        self.log = directory / "daemon.log"

    def write(self, web: str) -> None:
        """Move a whole new web file into place."""
        (self.directory / "web.new").write_text(web)
        (self.directory / "web.new").rename(self.web)

    def ask(self, text: str = HEALTHY, *, shows: str = "") -> Heard:
        return say(self.address, text, self.certificates.trusting(shows=shows))

    def metric(self, name: str) -> float:
        page = self.ask(request("GET /metrics", ANNA)).body
        return float(next(line for line in page.splitlines() if line.startswith(name)).split()[-1])

    def __enter__(self) -> Guarded:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*SLOAGENT, "run", "-c", str(self.agent.configuration), "--web.config.file", str(self.web)],
                stdout=log, stderr=log, cwd=self.directory,
            )  # fmt: skip
        wait_until(lambda: "listening on" in self.log.read_text() or self.process.poll() is not None, 30, "the daemon")
        assert self.process.poll() is None, self.log.read_text()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
USERS = f"basic_auth_users:\n  anna: {hashed('secret')}\n"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with Guarded(tmp_path, TLS + USERS) as daemon:
        yield daemon


def serial(connection: object) -> str:
    assert isinstance(connection, ssl.SSLSocket)
    certificate = connection.getpeercert()
    assert certificate is not None
    return str(certificate["serialNumber"])


def test_a_certificate_is_changed_under_way_and_nobody_is_cut_off(guarded: Guarded) -> None:
    trusting = guarded.certificates.trusting()
    with connected(guarded.address, trusting) as old:
        first = serial(old)
        guarded.certificates.sign("server")
        with connected(guarded.address, trusting) as new:
            assert serial(new) != first
            for connection in (old, new):
                connection.sendall(request("GET /-/healthy", ANNA).encode())
                assert Heard(connection).status == 200
    wait_until(lambda: "web configuration and certificates read again" in guarded.log.read_text(), 5, "the log line")


def test_a_wrong_file_changes_nothing_and_says_so_and_a_right_one_is_taken_by_itself(guarded: Guarded) -> None:
    assert guarded.metric("sloagent_web_config_last_reload_successful") == 1
    guarded.write(TLS + "basic_auth_users:\n  anna: secret\n")
    assert guarded.ask(request("GET /-/healthy", ANNA)).status == 200
    assert guarded.metric("sloagent_web_config_last_reload_successful") == 0
    guarded.write("")
    assert guarded.ask(request("GET /-/healthy")).status == 401, "an empty file opens nothing"
    (guarded.directory / "server.key").unlink()
    guarded.web.unlink()
    assert guarded.ask(request("GET /-/healthy", ANNA)).status == 200
    failures = guarded.metric("sloagent_web_config_reload_failures_total")
    assert failures >= 1
    said = guarded.log.read_text()
    assert "web.yml:5:9: this is no bcrypt hash" in said
    assert "secret" not in said
    assert "$2" not in said
    guarded.certificates.sign("server")
    guarded.write(TLS + USERS.replace("anna", "bert"))
    wait_until(lambda: guarded.ask(request("GET /-/healthy", BERT)).status == 200, 10, "the new user")
    assert guarded.ask(request("GET /-/healthy", ANNA)).status == 401


def test_a_removed_user_is_refused_on_an_open_connection(guarded: Guarded) -> None:
    with connected(guarded.address, guarded.certificates.trusting()) as connection:
        for web, status in ((TLS + USERS, 200), (TLS + USERS.replace("anna", "bert"), 401), (TLS + USERS, 200)):
            guarded.write(web)
            connection.sendall(request("GET /-/healthy", ANNA).encode())
            assert Heard(connection).status == status


def test_plain_http_and_old_tls_get_no_answer(guarded: Guarded) -> None:
    with connected(guarded.address) as plain:
        plain.sendall(HEALTHY.encode())
        assert is_closed(plain)
    done = subprocess.run(
        ["openssl", "s_client", "-connect", guarded.address, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        input=b"", capture_output=True, check=False,
    )  # fmt: skip
    assert b"Cipher is (NONE)" in done.stdout, done.stdout
    assert guarded.ask(request("GET /-/healthy", ANNA)).status == 200
    assert "Traceback" not in guarded.log.read_text()


def test_only_the_configured_version_and_suites_are_spoken(tmp_path: Path) -> None:
    suite = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
    with Guarded(tmp_path, TLS + f"  max_version: TLS12\n  cipher_suites: [{suite}]\n") as daemon:
        with connected(daemon.address, daemon.certificates.trusting()) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            assert connection.version() == "TLSv1.2"
            assert (connection.cipher() or ("",))[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"
        daemon.write(TLS + "  cipher_suites: [TLS_AES_128_GCM_SHA256]\n")
        with connected(daemon.address, daemon.certificates.trusting()) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            assert connection.version() == "TLSv1.3"
        older = daemon.certificates.trusting()
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError), connected(daemon.address, older):
            pass


@pytest.fixture(scope="module")
def mutual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    web = TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
    with Guarded(tmp_path_factory.mktemp("mutual"), web) as daemon:
        made = daemon.certificates
        made.authority("other")
        made.sign("prometheus", "URI:spiffe://soak/prometheus, DNS:prometheus.soak, IP:2001:db8::1")
        made.sign("colleague", "DNS:colleague.soak")
        made.sign("stranger", "DNS:prometheus.soak", by="other")
        yield daemon


def is_let_in(daemon: Guarded, shows: str) -> bool:
    try:
        return daemon.ask(shows=shows).status == 200
    except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
        return False  # in TLS 1.3 the client hears of the refusal only when it asks


def test_only_clients_with_a_certificate_of_ours_are_let_in(mutual: Guarded) -> None:
    assert is_let_in(mutual, "prometheus")
    assert is_let_in(mutual, "colleague")
    assert not is_let_in(mutual, "stranger")
    assert not is_let_in(mutual, "")


@pytest.mark.parametrize("name", ["spiffe://soak/prometheus", "prometheus.soak", "2001:db8::1"])
def test_of_those_only_the_allowed_names(mutual: Guarded, name: str) -> None:
    before = mutual.web.read_text()
    try:
        mutual.write(before + f"  client_allowed_sans: ['{name}', nobody]\n")
        assert is_let_in(mutual, "prometheus")
        assert not is_let_in(mutual, "colleague")
        mutual.write(before + "  client_allowed_sans: [soak]\n")
        assert not is_let_in(mutual, "prometheus")
    finally:
        mutual.write(before)
    assert is_let_in(mutual, "colleague")


def test_who_may_show_a_certificate_must_show_a_good_one(mutual: Guarded) -> None:
    before = mutual.web.read_text()
    try:
        mutual.write(before.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"))
        assert is_let_in(mutual, "")
        assert is_let_in(mutual, "colleague")
        assert not is_let_in(mutual, "stranger")
    finally:
        mutual.write(before)


def test_a_daemon_does_not_start_with_a_wrong_web_file(tmp_path: Path) -> None:
    agent = AgentDirectory(tmp_path, "http://127.0.0.1:1", slos={"own.yaml": UP_EVERY_SECOND})
    (tmp_path / "web.yml").write_text("basic_auth_users: {anna: secret}\ntls: {}\n")
    agent.write("http://127.0.0.1:1", ["own.yaml"])
    agent.configuration.write_text(agent.configuration.read_text().replace("web: {", "web: {config_file: web.yml, "))
    done = agent.command("run")
    assert done.returncode == 2
    assert 'web.yml:2:1: unknown field "tls" (agent/field)' in done.stderr
    assert "web.yml:1:26: this is no bcrypt hash (agent/value)" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_who_listens_wider_without_asking_who_comes_is_warned(tmp_path: Path) -> None:
    agent = AgentDirectory(tmp_path, "http://127.0.0.1:1", slos={"own.yaml": UP_EVERY_SECOND})
    Certificates(tmp_path).authority()
    Certificates(tmp_path).sign("server")
    (tmp_path / "users.yml").write_text(USERS)
    (tmp_path / "tls.yml").write_text(TLS)
    for options, warned in (
        (["--web.listen-address", f"0.0.0.0:{agent.port}"], True),
        (["--web.listen-address", f"0.0.0.0:{agent.port}", "--web.config", "tls.yml"], True),
        (["--web.listen-address", f"0.0.0.0:{agent.port}", "--web.config", "users.yml"], False),
        ([], False),
    ):
        log = tmp_path / "daemon.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*SLOAGENT, "run", "-c", str(agent.configuration), *options], stdout=output, stderr=output, cwd=tmp_path
            )
        try:
            wait_until(lambda log=log: "; listening on http" in log.read_text(), 30, "the daemon")
        finally:
            process.kill()
            process.wait()
        assert ("without asking anybody who they are" in log.read_text()) == warned, options
        assert ("without TLS" in log.read_text()) == ("users.yml" in options), options
