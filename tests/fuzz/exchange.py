"""What comes back on the connection to a Prometheus, byte for byte: an answer or a refusal, whatever it is."""

from __future__ import annotations

import gzip
import socket
import threading
from functools import cache
from random import Random

from sloagent.model.samples import Answer, Refusal
from sloagent.model.slo import SLO, LatencySLI
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests.fuzz import mutation
from tests.fuzz.answers import SLOT
from tests.fuzz.target import SEEDS, Target, expect

LATENCY = SLO("f", "latency", LatencySLI(("a",), "", ()), None, 60, 300)
"""Whose answers need no second question, about whether there is any history."""
BODY = (
    b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"le":"+Inf"},"value":[1795320000,"5"]}]}}'
)
LONGEST_BYTES = 65_536


class _Peer:
    """Listens on loopback, says the same bytes to everybody who asks, and closes."""

    def __init__(self) -> None:
        self.says = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, name="peer", daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection:
                try:
                    connection.recv(LONGEST_BYTES)
                    connection.sendall(self.says)
                except OSError:
                    pass  # the source did not want to hear it all


@cache
def _pair() -> tuple[PrometheusSource, _Peer]:
    peer = _Peer()
    settings = PrometheusSettings(url=f"http://127.0.0.1:{peer.port}", name="fuzzed", follow_redirects=False)
    return PrometheusSource(settings, timeout_seconds=5.0, max_response_bytes=LONGEST_BYTES), peer


def check(content: bytes) -> None:
    """Ask a Prometheus that answers with these bytes, and then one that answers as it should."""
    source, peer = _pair()
    peer.says = content
    found = source.at(LATENCY, SLOT)
    expect(isinstance(found, Answer | Refusal), f"{found} is no answer")
    if isinstance(found, Refusal):
        expect(found.message.isprintable(), f"a message that a terminal would obey: {found.message!r}")
        expect(len(found.message) < 4_000, f"a message of {len(found.message)} characters")
    source.version()
    peer.says = _answer(b"Connection: close")
    again = source.at(LATENCY, SLOT)
    expect(isinstance(again, Answer), f"the next answer is lost: {again}")


def _answer(*lines: bytes, body: bytes = BODY, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((status, *lines, b"Content-Length: %d" % len(body), b"", body))


@cache
def seeds() -> tuple[bytes, ...]:
    """Answers as peers send them."""
    packed = gzip.compress(BODY, mtime=0)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    recorded = [path.read_bytes() for path in sorted((SEEDS / "answers").glob("*.json"))[:4]]
    return (
        _answer(b"Date: Mon, 22 Nov 2026 04:00:01 GMT", b"Content-Type: application/json"),
        _answer(b"Content-Encoding: gzip", body=packed),
        _answer(b"Content-Encoding: deflate", body=packed),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 100 Continue\r\n\r\n" + _answer(),
        _answer(b"Location: http://127.0.0.1:1/api", status=b"HTTP/1.1 307 Temporary Redirect"),
        _answer(b"WWW-Authenticate: Basic", status=b"HTTP/1.1 401 Unauthorized", body=b"no"),
        _answer(
            status=b"HTTP/1.1 503 Service Unavailable", body=b'{"status":"error","errorType":"timeout","error":"x"}'
        ),
        _answer(status=b"HTTP/1.1 422 \xff", body=b'{"status":"error","errorType":"execution","error":"\\u001b[2J"}'),
        _answer(status=b"HTTP/1.1 204 No Content", body=b""),
        b"",
        *(_answer(body=body) for body in recorded),
    )


LINES = (
    *("Date: Mon, 01 Jan 0001 00:00:00 GMT", "Date: Fri, 31 Dec 9999 23:59:59 -2359", "Date: x", "Date: 1", "Date: "),
    *("Date: Mon, 22 Nov 2026 04:00:01", "Date: Mon, 22 Nov 2026 99:00:01 GMT", "Date: Mon, 22 Nov 99999 04:00:01 GMT"),
    *("Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 1, 2"),
    *("Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Content-Encoding: gzip", "Content-Encoding: br"),
    *("Content-Encoding: \x1b[2J", "Connection: close", "Location: //[", "Location: \xff", "Set-Cookie: a=b", ": x"),
    *("X: \xff\xfe", " folded", "no colon", "X: " + "a" * 9000, "Retry-After: -1", "Proxy-Connection: x", "Trailer: x"),
)
STATUS_LINES = (
    *(
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200",
        "HTTP/1.0 200 OK",
        "HTTP/2 200",
        "HTTP/1.1 99 x",
        "HTTP/1.1 1000 x",
        "ICY 200",
    ),
    *(
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 302 Found",
        "HTTP/1.1 500 \x1b[2J",
        "HTTP/1.1 429 x",
        "HTTP/1.1 101 Up",
        "",
    ),
)


def mutate(content: bytes, random: Random) -> bytes:
    """Another header or status, bytes changed, or the body cut off."""
    match random.randint(0, 5):
        case 0 | 1:
            head, _, rest = content.partition(b"\r\n")
            return b"\r\n".join((head, random.choice(LINES).encode("latin-1"), rest))
        case 2:
            _, _, rest = content.partition(b"\r\n")
            return random.choice(STATUS_LINES).encode("latin-1") + b"\r\n" + rest
        case 3:
            return content[: random.randint(0, len(content))]
        case _:
            return mutation.of_bytes(content, random)


TARGET = Target("exchange", check, mutate, seeds)
