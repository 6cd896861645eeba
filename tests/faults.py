"""A server that fails on purpose, on real sockets: alone, or as a proxy in front of a real Prometheus.

    with FaultServer(prometheus.url) as server:          # passes everything on
        server.fail(status(503, b"..."), times=2)        # the next two questions
        server.fail(drip(), when=lambda r: r.path.endswith("query_range"))
        server.heal()
        server.refuse()                                  # nobody listens any more, until server.listen()

A fault is a function of the exchange; it says whether the connection may carry another question.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """A question as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    connection: int
    """Which connection it came over, counted from 1."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def form(self) -> dict[str, str]:
        """The fields of the body and of the query string."""
        text = self.body.decode("latin-1") + "&" + urlsplit(self.target).query
        return {name: values[0] for name, values in parse_qs(text).items()}


@dataclass(frozen=True)
class Exchange:
    """One question and the connection to answer on."""

    socket: socket.socket
    request: Request
    server: FaultServer

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait(self, seconds: float) -> bool:
        """Wait; true when the server is being closed."""
        return self.server.over.wait(seconds)


Fault = Callable[[Exchange], bool]


class FaultServer:
    """Listens on a loopback port that stays the same; answers by the fault in force, else by `upstream`."""

    def __init__(self, upstream: str = "") -> None:
        self.upstream = upstream
        self.requests: list[Request] = []
        self.connections = 0
        self.over = threading.Event()
        self._fault: Fault = forward if upstream else status(404, b"no upstream")
        self._whole: Fault = self._fault
        self._times: int | None = None
        self._when: Callable[[Request], bool] = lambda _request: True
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.port = 0
        self._listener: socket.socket | None = None
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(
        self, fault: Fault, *, times: int | None = None, when: Callable[[Request], bool] = lambda _request: True
    ) -> None:
        """Answer so from now on, or only the next `times` questions, and only those for which `when` holds."""
        with self._lock:
            self._fault, self._times, self._when = fault, times, when

    def heal(self) -> None:
        """Answer as if nothing had happened."""
        self.fail(self._whole)

    def refuse(self) -> None:
        """Refuse connections and cut those that are open."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # A blocked accept() holds the port open until it returns.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.drop_connections()

    def drop_connections(self) -> None:
        """Cut every open connection, as a restart does."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def listen(self) -> None:
        """Accept connections, after `refuse` on the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._spawn(self._accept, listener)

    def close(self) -> None:
        """End everything that is still going on. Idempotent."""
        self.over.set()
        self.refuse()
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), "a connection of the fault server does not end"

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _spawn(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                self.connections += 1
                number = self.connections
            self._spawn(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as reader:
            try:
                if reader.peek(1)[:1] == b"\x16":  # the beginning of TLS
                    connection.sendall(_head(400, "Content-Length: 0"))
                    return
                while (request := _read_request(reader, number)) is not None:
                    self.requests.append(request)
                    if not self._chosen(request)(Exchange(connection, request, self)):
                        break
            finally:
                with self._lock:
                    self._open.discard(connection)

    def _chosen(self, request: Request) -> Fault:
        with self._lock:
            if not self._when(request) or self._times == 0:
                return self._whole
            if self._times is not None:
                self._times -= 1
            return self._fault


def _read_request(reader: object, number: int) -> Request | None:
    line = reader.readline(65_536).decode("latin-1").strip()
    if line.count(" ") != 2:
        return None  # the end, or not HTTP at all
    method, target, _ = line.split(" ")
    headers: dict[str, str] = {}
    while header := reader.readline(65_536).decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body, number)


def _head(code: int, *headers: str) -> bytes:
    reason = http.client.responses.get(code, "Unknown")
    return "\r\n".join([f"HTTP/1.1 {code} {reason}", *headers, "", ""]).encode("latin-1")


def status(code: int, body: bytes, *headers: str, kind: str = "application/json") -> Fault:
    """A complete answer with this status and body."""

    def fault(exchange: Exchange) -> bool:
        length = f"Content-Length: {len(body)}"
        exchange.send(_head(code, f"Content-Type: {kind}", length, *headers) + body)
        return True

    return fault


def error(code: int, error_type: str, words: str, *headers: str) -> Fault:
    """An error as Prometheus's API states it."""
    document = {"status": "error", "errorType": error_type, "error": words}
    return status(code, json.dumps(document).encode(), *headers)


def answer(body: bytes, *headers: str) -> Fault:
    """Status 200 with this body."""
    return status(200, body, *headers)


def vector(*series: tuple[dict[str, str], str], time: float = 0, warnings: tuple[str, ...] = ()) -> bytes:
    """The body of an instant answer: labels and a number as text for each series."""
    result = [{"metric": labels, "value": [time, number]} for labels, number in series]
    document: dict[str, object] = {"status": "success", "data": {"resultType": "vector", "result": result}}
    if warnings:
        document["warnings"] = list(warnings)
    return json.dumps(document).encode()


def forward(exchange: Exchange) -> bool:
    """Whatever the upstream answers."""
    return forward_with()(exchange)


def forward_with(change: Callable[[bytes], bytes] = lambda body: body, *headers: str) -> Fault:
    """What the upstream answers, its body changed; its Date is kept unless one is given."""

    def fault(exchange: Exchange) -> bool:
        request = exchange.request
        parts = urlsplit(exchange.server.upstream)
        upstream = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            upstream.request(
                request.method, request.target, request.body,
                {k: v for k, v in request.headers.items() if k not in ("host", "content-length", "connection")},
            )  # fmt: skip
            reply = upstream.getresponse()
            body = change(reply.read())
        finally:
            upstream.close()
        own = [h.partition(":")[0].lower() for h in headers]
        kept = [
            f"{n}: {v}" for n, v in reply.getheaders() if n.lower() in ("content-type", "date") and n.lower() not in own
        ]
        exchange.send(_head(reply.status, *kept, *headers, f"Content-Length: {len(body)}") + body)
        return True

    return fault


def dated(clock: Callable[[], float]) -> Fault:
    """What the upstream answers, said at another time: a Prometheus whose clock is `clock`, seconds since the epoch."""

    def fault(exchange: Exchange) -> bool:
        return forward_with(lambda body: body, f"Date: {formatdate(clock(), usegmt=True)}")(exchange)

    return fault


def with_warnings(*warnings: str, key: str = "warnings") -> Fault:
    """The upstream's answer with these warnings, as a partial answer carries them."""
    return forward_with(lambda body: json.dumps({**json.loads(body), key: list(warnings)}).encode())


def delay(seconds: float, then: Fault) -> Fault:
    """Silence first."""
    return lambda exchange: False if exchange.wait(seconds) else then(exchange)


def silence() -> Fault:
    """Never an answer."""
    return lambda exchange: not exchange.wait(600)


def drip(body: bytes = b" " * 100_000, seconds: float = 0.02) -> Fault:
    """The head at once, then the body byte by byte: no single read ever takes long."""

    def fault(exchange: Exchange) -> bool:
        exchange.send(_head(200, "Content-Type: application/json", f"Content-Length: {len(body)}"))
        return _drip(exchange, body, seconds)

    return fault


def header_drip(seconds: float = 0.02) -> Fault:
    """A head that comes byte by byte."""
    head = _head(200, *(f"X-{n}: {'y' * 1000}" for n in range(50)))
    return lambda exchange: _drip(exchange, head, seconds)


def _drip(exchange: Exchange, data: bytes, seconds: float) -> bool:
    for position in range(len(data)):
        if exchange.wait(seconds):
            return False
        exchange.send(data[position : position + 1])
    return True


def truncated_length(body: bytes) -> Fault:
    """Half of a body whose whole length was announced."""

    def fault(exchange: Exchange) -> bool:
        exchange.send(_head(200, f"Content-Length: {len(body)}") + body[: len(body) // 2])
        return False

    return fault


def truncated_chunked(body: bytes) -> Fault:
    """A chunk, and no last chunk."""

    def fault(exchange: Exchange) -> bool:
        half = body[: len(body) // 2]
        exchange.send(_head(200, "Transfer-Encoding: chunked") + f"{len(half):x}\r\n".encode() + half + b"\r\n")
        return False

    return fault


def reset(body: bytes = b"") -> Fault:
    """The connection is reset: before any answer, or in the middle of this body."""

    def fault(exchange: Exchange) -> bool:
        if body:
            exchange.send(_head(200, f"Content-Length: {len(body)}") + body[: len(body) // 2])
            exchange.wait(0.05)  # the bytes have to be read before the reset throws them away
        exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.socket.close()
        return False

    return fault


def hang_up() -> Fault:
    """The connection is closed without a word."""
    return lambda _exchange: False


def once_per_connection(then: Fault) -> Fault:
    """Hangs up on a second question over the same connection, as a peer does whose idle time-out has just passed."""
    answered: set[int] = set()

    def fault(exchange: Exchange) -> bool:
        if exchange.request.connection in answered:
            return False
        answered.add(exchange.request.connection)
        return then(exchange)

    return fault


def html() -> Fault:
    """A login page, with status 200."""
    return status(200, b"<!DOCTYPE html>\n<html><title>Sign in</title></html>", kind="text/html")


def nested(depth: int = 200_000, before: bytes = b"") -> Fault:
    """Brackets in brackets."""
    return answer(before + b"[" * depth)


def gzip_bomb(mebibytes: int = 1024) -> Fault:
    """Spaces, compressed a thousandfold, though identity was asked for. It has no end: nobody should get that far."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # A flushed block stands for itself, so that one can be written many times over.
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    head = gzip.compress(b"")[:10]
    return answer(head + block * mebibytes, "Content-Encoding: gzip")


def gzipped(body: bytes) -> Fault:
    """An honest answer, compressed though identity was asked for."""
    return answer(gzip.compress(body), "Content-Encoding: gzip")


def endless(code: int = 200, piece: bytes = b" " * 65_536) -> Fault:
    """A body without an end, as fast as it is read."""

    def fault(exchange: Exchange) -> bool:
        exchange.send(_head(code, "Transfer-Encoding: chunked"))
        while not exchange.server.over.is_set():
            exchange.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        return False

    return fault


def redirect(target: str, code: int = 302) -> Fault:
    """The answer is said to be elsewhere."""
    return status(code, b"", f"Location: {target}")


@contextlib.contextmanager
def failing(fault: Fault) -> Iterator[FaultServer]:
    """A server of its own that answers every question so."""
    with FaultServer() as server:
        server.fail(fault)
        yield server
