"""What knocks at the daemon's door: raw requests over real sockets, certificates made by openssl, hashes made by bcrypt."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import bcrypt
from prometheus_client import CollectorRegistry, Gauge

from sloagent.app.runs_over_http import RunsOverHTTP
from sloagent.errors import StoreError
from sloagent.store import Store
from sloagent.store.opening import IN_MEMORY, open_store
from sloagent.store.settings import StoreSettings
from sloagent.web.access import Access, Rules
from sloagent.web.endpoints import View, application
from sloagent.web.server import Server
from sloagent.web.settings import WebSettings
from sloagent.web.telemetry import WebTelemetry

CHEAP = 4
"""The lowest cost of bcrypt: tests check passwords, not the time it takes."""


class Certificates:
    """A directory of authorities and of certificates that they signed, each `NAME.pem` with its `NAME.key`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)

    def authority(self, name: str = "ca") -> Path:
        """Make an authority."""
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                      "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN=the {name}")  # fmt: skip
        return self.directory / f"{name}.pem"

    def sign(self, name: str, names: str = "IP:127.0.0.1", *, by: str = "ca") -> Path:
        """Make a certificate, or another of the same name, for these alternative names."""
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                      "-out", f"{name}.csr", "-subj", f"/CN={name}")  # fmt: skip
        (self.directory / "extensions").write_text(f"subjectAltName={names}\n")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
                      "-CAcreateserial", "-days", "30", "-out", f"{name}.pem", "-extfile", "extensions")  # fmt: skip
        return self.directory / f"{name}.pem"

    def trusting(self, *, shows: str = "") -> ssl.SSLContext:
        """A client that trusts our authority, and shows one of the certificates if asked."""
        context = ssl.create_default_context(cafile=self.directory / "ca.pem")
        if shows:
            context.load_cert_chain(self.directory / f"{shows}.pem", self.directory / f"{shows}.key")
        return context

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def hashed(password: str) -> str:
    """The hash of a password as a web file holds it."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(CHEAP)).decode()


@contextmanager
def connected(address: str, tls: ssl.SSLContext | None = None, timeout: float = 10.0) -> Iterator[socket.socket]:
    """A connection to host:port."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout) as plain:
        if tls is None:
            yield plain
        else:
            with tls.wrap_socket(plain, server_hostname=host) as wrapped:
                yield wrapped


class Heard:
    """An answer: status, headers, body."""

    def __init__(self, connection: socket.socket) -> None:
        with closing(http.client.HTTPResponse(connection)) as answer:
            answer.begin()
            self.status = answer.status
            self.headers = answer.headers
            self.body = answer.read().decode()


def say(address: str, text: str | bytes, tls: ssl.SSLContext | None = None, timeout: float = 10.0) -> Heard:
    """Send these bytes, then hear the answer."""
    with connected(address, tls, timeout) as connection:
        connection.sendall(text.encode() if isinstance(text, str) else text)
        return Heard(connection)


def request(line: str, *headers: str) -> str:
    """A request without a body, to be sent as it is."""
    return "\r\n".join([f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""])


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other side closes; an answer that comes first is thrown away. Waits as long as its timeout."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    return True


def without_store() -> Store:
    """A store that cannot be opened: for tests that are about something else."""
    raise StoreError("this test has no store")


def no_alerts() -> tuple[list[object], list[object]]:
    """What a view says that knows every SLO, and of no alert."""
    return [], []


NO_RUNS = RunsOverHTTP(without_store)


class Served:
    """A door before a small application, with rules that the test can change."""

    def __init__(self, settings: WebSettings | None = None, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.reloads = 0
        self._store: Store | None = None
        self.registry = CollectorRegistry()
        Gauge("things", "Things there are", registry=self.registry).set(3)
        self.telemetry = WebTelemetry(self.registry)
        view = View(
            self.registry, str, lambda: [{"slo": "a"}], list, self._reload, list, no_alerts, RunsOverHTTP(self._opened)
        )
        access = Access(lambda: self.rules, self.telemetry)
        self.server = Server(
            application(view), "127.0.0.1", 0, settings=settings, access=access, telemetry=self.telemetry
        )

    def _reload(self) -> None:
        self.reloads += 1

    def _opened(self) -> Store:
        if self._store is None:
            self._store = open_store(StoreSettings(), IN_MEMORY)
        return self._store

    @property
    def address(self) -> str:
        """host:port."""
        return self.server.address

    def counted(self, name: str, **labels: str) -> float:
        """A sample of our own metrics."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def __enter__(self) -> Served:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        if self._store is not None:
            self._store.close()
