"""The sending side of the throughput probe: an HTTP server that answers with blocks of bytes, one every period.

`GET /blocks?size=BYTES&n=BLOCKS&period=MILLISECONDS`; `periodMS` is the same as `period`. One request a connection.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from sloagent.probes.throughput_settings import LARGEST_BLOCK_BYTES, LONGEST_SECONDS, MOST_BLOCKS, MOST_CONNECTIONS

MOST_SENDING = 4 * MOST_CONNECTIONS
LONGEST_HEAD_BYTES = 8 * 1024
HEAD_SECONDS = 10.0
"""For the TLS handshake and the request; also the longest that a receiver may leave a block untaken."""
CATCH_UP_SECONDS = 1.0
"""Of blocks that are late, so many seconds' are sent at once; what is later than that is not caught up with."""
_USAGE = "GET /blocks?size=BYTES&n=BLOCKS&period=MILLISECONDS"
_WORDS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class RefusedError(Exception):
    """A request that gets no blocks: the status and a sentence."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Blocks:
    """What was asked for: bytes a block, how many, seconds from one to the next."""

    size: int
    number: int
    period_seconds: float

    @classmethod
    def parse(cls, query: str) -> Blocks:
        """Read a query such as `size=131072&n=9536&period=1.048576`. Raises RefusedError."""
        pairs = parse_qsl(query, keep_blank_values=True)
        given = {"period" if name == "periodMS" else name: value for name, value in pairs}
        if set(given) - {"period"} != {"size", "n"} or len(given) != len(pairs):
            raise RefusedError(400, f"size and n are needed, period may be given, each once: {_USAGE}")
        size = _whole("size", given["size"], LARGEST_BLOCK_BYTES)
        number = _whole("n", given["n"], MOST_BLOCKS)
        period = given.get("period", "0")
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,20})?([eE]-[0-9]{1,2})?", period):
            raise RefusedError(
                400, "period must be a number of milliseconds such as 10 or 1.5; 0 is as fast as it goes"
            )
        if number * float(period) / 1000 > LONGEST_SECONDS:
            raise RefusedError(400, f"n blocks, one every period, must take at most {LONGEST_SECONDS:.0f} s")
        return cls(size, number, float(period) / 1000)


class BlockServer:
    """Listens from the moment it is made. `serve` blocks; `close` ends it from another thread or a signal handler."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Port 0 lets the system choose. Raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=MOST_SENDING)
        self.port: int = self._listening.getsockname()[1]
        self._tls = tls
        self._bytes = memoryview(os.urandom(LARGEST_BLOCK_BYTES))  # whatever compresses on the way must not look quick
        self._free = threading.BoundedSemaphore(MOST_SENDING)
        self._closed = threading.Event()

    def serve(self) -> None:
        """Answer until closed; what is being sent then goes on until the process ends."""
        while not self._closed.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                self._closed.wait(0.1)  # closed, or out of files: others are going to end
                continue
            if self._free.acquire(blocking=False):
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()
            else:
                connection.close()
        self._listening.close()

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)

    def _answer(self, plain: socket.socket) -> None:
        connection = plain
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.settimeout(HEAD_SECONDS)
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
            try:
                asked = _asked(_head(connection))
            except RefusedError as error:
                connection.sendall(_text(error.status, str(error)))
            else:
                connection.sendall(_text(200, f"sloagent sends blocks: {_USAGE}") if asked is None else _top(asked))
                if asked is not None:
                    self._send(connection, asked)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the receiver left, which is how a run ends
        finally:
            connection.close()
            self._free.release()

    def _send(self, connection: socket.socket, asked: Blocks) -> None:
        """Each block has its own time, counted from the first: what is late is caught up with, and nothing drifts."""
        block = self._bytes[: asked.size]
        due = time.monotonic()
        end = due + LONGEST_SECONDS + HEAD_SECONDS
        for _ in range(asked.number):
            now = time.monotonic()
            if now > end:
                return
            if asked.period_seconds:
                if due > now:
                    time.sleep(due - now)
                due = following(due, now, asked.period_seconds)
            connection.sendall(block)


def following(due: float, now: float, period_seconds: float) -> float:
    """When the block after this one is due: this one was due then, and it is now."""
    return max(due, now - CATCH_UP_SECONDS) + period_seconds


def _head(connection: socket.socket) -> str:
    """The request line. Raises RefusedError; OSError where the whole head does not come in time."""
    end = time.monotonic() + HEAD_SECONDS
    head = b""
    while b"\r\n\r\n" not in head:
        connection.settimeout(max(0.001, end - time.monotonic()))
        more = connection.recv(64 * 1024)
        if not more:
            raise ConnectionError("left")
        head += more
        if len(head) > LONGEST_HEAD_BYTES:
            raise RefusedError(400, f"a request has at most {LONGEST_HEAD_BYTES} bytes")
    connection.settimeout(HEAD_SECONDS)
    return head.partition(b"\r\n")[0].decode("latin-1")


def _asked(line: str) -> Blocks | None:
    """What a request line asks for; None for the page that says what there is. Raises RefusedError."""
    method, _, rest = line.partition(" ")
    place, _, version = rest.partition(" ")
    if not place.startswith("/") or not version.startswith("HTTP/1."):
        raise RefusedError(400, f"this is no HTTP/1 request: {_USAGE}")
    if method != "GET":
        raise RefusedError(405, f"only GET is answered: {_USAGE}")
    parts = urlsplit(place)
    if parts.path == "/":
        return None
    if not parts.path.endswith("/blocks"):
        raise RefusedError(404, f"there are only blocks: {_USAGE}")
    return Blocks.parse(parts.query)


def _whole(name: str, text: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text) or not 1 <= int(text) <= most:
        raise RefusedError(400, f"{name} must be a whole number from 1 to {most}")
    return int(text)


def _top(asked: Blocks) -> bytes:
    return _headed(200, "application/octet-stream", asked.size * asked.number)


def _text(status: int, sentence: str) -> bytes:
    body = f"{sentence}\n".encode()
    return _headed(status, "text/plain; charset=utf-8", len(body)) + body


def _headed(status: int, kind: str, length: int) -> bytes:
    return (
        f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
        "Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    ).encode("ascii")
