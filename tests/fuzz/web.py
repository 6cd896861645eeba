"""What strangers send to the daemon: valid answers or a closed connection, and the next one is served as ever."""

from __future__ import annotations

import base64
import itertools
import logging
import re
import select
import socket
import threading
import time
import zlib
from functools import cache
from pathlib import Path
from random import Random

from prometheus_client import CollectorRegistry, Gauge

from sloagent.app.runs_over_http import RunsOverHTTP
from sloagent.store.opening import IN_MEMORY, open_store
from sloagent.store.settings import StoreSettings
from sloagent.web.access import Access, Rules
from sloagent.web.endpoints import View, application
from sloagent.web.server import Server
from sloagent.web.settings import WebSettings
from sloagent.web.telemetry import WebTelemetry
from tests.door import no_alerts
from tests.fuzz import mutation
from tests.fuzz.target import SEEDS, Target, expect

LONGEST_WAIT_SECONDS = 10.0
QUIET_SECONDS = 0.01
"""A connection on which nothing more comes for so long waits for us, most likely; what is missed is not judged."""
MOST_THREADS = 16
MOST_FILES = 64
HASH = b"$2b$04$OED9YJBOC8wCHDr3N89MVOaLcSrktTE.j5ODC8WzbjGrdFVJ8qdkC"
"""bcrypt of the password "lukewarm", of which no seed knows."""
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [\x20-\x7e]*\r\n")
HEALTHY = b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
STATUSES = {100, 200, 201, 307, 400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 417, 429, 431, 501, 503, 505}
"""What may be answered; a 500 is an exception that nobody thought of."""


class _Said(logging.Handler):
    """What the server logs as an error: an exception of its own that nobody caught."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(self.format(record))


class Served:
    """A real server on loopback, open or with a password."""

    def __init__(self, *, guarded: bool) -> None:
        self.reloads = 0
        self.may_reload = False
        """Whether the last request could have asked for it; reloading goes on when the client has gone."""
        registry = CollectorRegistry()
        Gauge("things", "Things there are", ["of"], registry=registry).labels("é\n").set(3)
        telemetry = WebTelemetry(registry)
        self._store = open_store(StoreSettings(), IN_MEMORY)
        rules = Rules(users={b"ann": HASH}, knows_clients=True) if guarded else Rules()
        view = View(
            registry, lambda: "", lambda: [{"slo": "a"}], lambda: [{"name": "a"}], self._reload, lambda: [{"slo": "a"}],
            no_alerts, RunsOverHTTP(lambda: self._store),
        )  # fmt: skip
        settings = WebSettings(max_header=8192, max_body=4096)
        self.guarded = guarded
        self._server = Server(
            application(view), "127.0.0.1", 0, settings=settings, access=Access(lambda: rules, telemetry),
            telemetry=telemetry,
        )  # fmt: skip
        self._server.start()
        host, _, port = self._server.address.rpartition(":")
        self.address = host, int(port)

    def _reload(self) -> None:
        self.reloads += 1

    def exchange(self, content: bytes) -> bytes:
        """What is answered to these bytes, until the server closes or is quiet."""
        with socket.create_connection(self.address, LONGEST_WAIT_SECONDS) as connection:
            try:
                connection.sendall(content)
                answered = _read(connection, QUIET_SECONDS)
                connection.shutdown(socket.SHUT_WR)
                return answered + _read(connection, LONGEST_WAIT_SECONDS)
            except (BrokenPipeError, ConnectionResetError):
                return b""  # refused before we had said everything
            except OSError as error:
                if error.errno == 107:  # shutdown of what the server has closed already
                    return answered
                raise


def _read(connection: socket.socket, wait_seconds: float) -> bytes:
    """What comes until the end, or until nothing comes for so long."""
    pieces = []
    ends = time.monotonic() + LONGEST_WAIT_SECONDS
    while select.select([connection], [], [], wait_seconds)[0]:
        expect(time.monotonic() < ends, "an answer without end")
        piece = connection.recv(65_536)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
    expect(wait_seconds < LONGEST_WAIT_SECONDS, "the connection stays open though we have gone")
    return b"".join(pieces)


@cache
def _servers() -> tuple[tuple[Served, Served], _Said]:
    said = _Said()
    for name in ("uvicorn.error", "asyncio", "sloagent"):
        logging.getLogger(name).addHandler(said)
    before = threading.excepthook

    def uncaught(args: threading.ExceptHookArgs) -> None:
        said.lines.append(repr(args.exc_value))
        before(args)

    threading.excepthook = uncaught
    return (Served(guarded=False), Served(guarded=True)), said


def check(content: bytes) -> None:
    """Send the bytes to the open server or to the guarded one, then ask as any client would."""
    servers, said = _servers()
    server = servers[zlib.crc32(content) % 2]
    before = server.reloads
    answered = server.exchange(content)
    expect(not answered or STATUS_LINE.match(answered), f"no answer of HTTP: {answered[:80]!r}")
    statuses = _statuses(answered)
    for found in statuses:
        expect(found in STATUSES, f"answered {found}")
        expect(not server.guarded or found not in (200, 201, 307, 409), f"{found} without a password")
    if server.reloads > before:
        expect(not server.guarded, "reloaded without a password")
        if not server.may_reload:  # what was asked for before may be done now
            expect(b"POST" in content or b"PUT" in content, "reloaded by a GET")
            expect(statuses != [400], "reloaded by half a request")
    server.may_reload = b"POST" in content or b"PUT" in content
    expect(b"Traceback" not in answered, "a traceback for a stranger")
    alive = server.exchange(HEALTHY)
    expect(alive.startswith(b"HTTP/1.1 401 " if server.guarded else b"HTTP/1.1 200 "), f"then {alive[:60]!r}")
    logged, said.lines = said.lines, []
    expect(not logged, f"logged: {'; '.join(logged[:1])[-600:]}")
    threads, files = threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())
    expect(threads <= MOST_THREADS, f"{threads} threads")
    expect(files <= MOST_FILES, f"{files} open files")


def _statuses(answered: bytes) -> list[int]:
    """The status of each of the answers; a page of ours never begins a line like one."""
    return [int(status) for status in re.findall(rb"(?:^|(?<=\n))HTTP/1\.1 ([0-9]{3}) ", answered)]


@cache
def seeds() -> tuple[bytes, ...]:
    """Requests as clients write them."""
    return tuple(path.read_bytes() for path in sorted((SEEDS / "web").glob("*.http")))


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "G\0T", "", "PRI")
PATHS = (
    *("/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/api/v1/verdicts", "/api/v1/slos", "/api/v1/pending"),
    "/api/v1/alerts",
    *("/api/v1/runs", "/api/v1/runs/a", "/api/v1/runs/a/stop", "/api/v1/runs/a/phases", "/api/v1/runs/%2f/exclusions"),
    *(
        "/metrics/",
        "//metrics",
        "/../metrics",
        "/%2e%2e/etc/passwd",
        "/-/%72eload",
        "*",
        "http://a/metrics",
        "/\xff",
        "",
    ),
    *("/metrics?name[]=a", "/metrics?" + "a" * 9000, "/" + "%00" * 20, "/api/v1/slos#x", "/;x", "/-/reload?x=/metrics"),
)
VERSIONS = ("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "http/1.1", "", "HTTP/1.1 x")
NAMES = (
    *("Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept", "Authorization", "Origin", "Expect", "Range"),
    *("Sec-Fetch-Site", "Accept-Encoding", "Upgrade", "Sec-WebSocket-Key", "X-Forwarded-For", "Referer", "Cookie", "Te"),
    *("Content-Type", "Host ", " Host", "", "X" * 300, "A\0", "Content-length", "HTTP2-Settings", "Keep-Alive"),
)  # fmt: skip
VALUES = (
    *(
        "localhost",
        "127.0.0.1:1",
        "[::1]",
        "a@b",
        "[",
        "0",
        "5",
        "-1",
        "+5",
        "5, 5",
        "99999999999999999999",
        "0x5",
        "1e3",
    ),
    *("chunked", "gzip, chunked", "identity", "chunked, chunked", "close", "keep-alive", "upgrade", "h2c", "websocket"),
    *(
        "100-continue",
        "cross-site",
        "same-origin",
        "http://evil",
        "null",
        "*/*",
        "\xff",
        "\0",
        "a" * 9000,
        "",
        "bytes=0-",
    ),
    *(
        "application/openmetrics-text; version=1.0.0",
        "application/openmetrics-text;escaping=x;version=1.0.0;q=a",
        "q=0",
    ),
    *("text/plain;version=1.0.0;escaping=allow-utf-8", "Bearer x", "Basic", "Basic x", "Basic =", "Digest a", ","),
)

BODIES = (
    *('{"name": "a"}', '{"name": "a", "labels": {"b": "c"}, "at": "-1m"}', '{"from": "-1m", "reason": "x"}', "{}", ""),
    *('{"name": "\\ud800"}', '{"name": "\\u0000"}', '{"name": 5}', "[" * 4000, '{"name": ' + "1" * 4000 + "}"),
    *('{"name": "p", "from": "0001-01-01T00:00:00+08:00"}', '{"at": "-9999y"}', '{"at": "9999-12-31T23:59:59-08:00"}'),
    *("null", "5", '"a"', "{", '{"name": "a", "name": "b"}', '{"nmae": "a"}', "\xff"),
)  # fmt: skip


def made(random: Random) -> bytes:
    """One to three requests on one connection, of odd parts."""
    return b"".join(_request(random) for _ in range(random.choice((1, 1, 1, 2, 3))))


def _request(random: Random) -> bytes:
    line_end = random.choice(("\r\n",) * 8 + ("\n", "\r", "\r\n ", "\0\r\n"))
    method = random.choice(METHODS[:4]) if random.random() < 0.7 else random.choice(METHODS)
    lines = [f"{method} {random.choice(PATHS)} {VERSIONS[0] if random.random() < 0.8 else random.choice(VERSIONS)}"]
    if random.random() < 0.85:
        lines.append("Host: localhost")
    if random.random() < 0.5:
        lines.append("Connection: close")
    for _ in range(random.randint(0, 3)):
        lines.append(f"{random.choice(NAMES)}: {random.choice(VALUES)}")
    if random.random() < 0.3:
        shown = bytes(random.choice((0, 58, 58, 97, 110, 255, 10)) for _ in range(random.randint(0, 90)))
        shown = random.choice((b"ann:", b"", b"bob:")) + shown
        lines.append("Authorization: Basic " + base64.b64encode(shown).decode())
    body = ""
    match random.randint(0, 5):
        case 0:
            body = "x" * random.choice((1, 5, 4096, 5000))
            lines.append(f"Content-Length: {len(body) + random.choice((0, 0, 1, -1))}")
        case 2:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body := random.choice(BODIES))}"]
        case 1:
            lines.append("Transfer-Encoding: chunked")
            sizes = random.choice(("5", "5;a=b", "FFFFFFFFFFFFFFFFF", "-5", "5 ", "0005", "zz", ""))
            body = f"{sizes}\r\nhello\r\n" + random.choice(("0\r\n\r\n", "0\r\nA: b\r\n\r\n", "", "0\r\n"))
        case 3 if random.random() < 0.2:
            lines += [f"X-{number}: {'a' * 80}" for number in range(random.choice((50, 150)))]
        case _:
            pass
    text = line_end.join(itertools.chain(lines, ("", ""))) + body
    return text.encode("latin-1", "replace")


def mutate(content: bytes, random: Random) -> bytes:
    """A request made anew, or the same with bytes or whole lines changed."""
    sort = random.random()
    if sort < 0.4:
        return made(random)
    if sort < 0.7:
        return mutation.of_bytes(content, random)
    lines = content.split(b"\r\n")
    at = random.randrange(len(lines))
    lines[at:at] = [f"{random.choice(NAMES)}: {random.choice(VALUES)}".encode("latin-1")]
    return b"\r\n".join(lines)


TARGET = Target("web", check, mutate, seeds)
