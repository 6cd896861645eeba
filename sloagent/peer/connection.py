"""A connection to one peer: one deadline over everything, bounded answers, our identity, typed errors."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import RemoteDisconnected
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from sloagent.errors import PeerError
from sloagent.peer import failures
from sloagent.peer.secrets import Identity
from sloagent.peer.session import DeadlineAdapter, exchange, new_session
from sloagent.peer.settings import HTTPConfig

PIECE_BYTES = 1_048_576
"""Read at once: an answer in one piece costs half the CPU of the same answer in four."""
ERROR_BODY_BYTES = 65_536
MOST_DIGITS = 18
MOST_REDIRECTS = 5
_CLOSED_BY_PEER = (RemoteDisconnected, ConnectionResetError, BrokenPipeError)
_DECODED_BY_US = {"gzip": 47, "x-gzip": 47, "deflate": 47}


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer; of one whose status is not 200, or alone counts, only the beginning of the body."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    received_at: float
    """On our monotonic clock, like `connected_at`: since when the connection stands over which it came."""
    connected_at: float


class Connection:
    """A peer, asked from any number of threads; at most `open_at_once` questions are open, the others wait their turn.

    `timeout_field` is the setting that people know `timeout_seconds` by. Without `most_bytes` the status alone counts: the
    body is there for people, may be cut off, and may never come.
    """

    def __init__(
        self, settings: HTTPConfig, *, timeout_seconds: float, timeout_field: str, open_at_once: int = 1,
        most_bytes: int | None = None,
    ) -> None:  # fmt: skip
        self.session = new_session(settings)
        self._adapter = DeadlineAdapter(pool_size=open_at_once, server_name=settings.tls_config.server_name)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, self._adapter)
        self._timeout_seconds = timeout_seconds
        self._timeout = f"{timeout_seconds:g} s ({timeout_field})"
        self._most_bytes = most_bytes
        self._identity = Identity(settings)
        self._follow = settings.follow_redirects
        self._turns = threading.BoundedSemaphore(open_at_once)
        self._prepared: dict[tuple[str, str, str], requests.PreparedRequest] = {}

    def ask(self, method: str, url: str, body: bytes = b"", content_type: str = "") -> Reply:
        """The answer, whatever its status. Raises PeerError where there is none, or it is not whole."""
        with self._turns:
            ends_at = exchange.ends_at = time.monotonic() + self._timeout_seconds
            try:
                return self._exchange(self._request(method, url, body, content_type), ends_at)
            except (OSError, urllib3.exceptions.HTTPError) as error:
                # All of requests' errors are OSErrors; a plain one says that a certificate file does not exist.
                raise failures.of_exchange(error, self._timeout) from None

    def redacted(self, text: str) -> str:
        """The peer's words without our secrets."""
        return self._identity.redact(text)

    def close(self) -> None:
        """Close what is kept open. Idempotent."""
        self.session.close()

    def _request(self, method: str, url: str, body: bytes, content_type: str) -> requests.PreparedRequest:
        """The request, from one prepared earlier: preparing anew costs as much as everything else."""
        key = (method, url, content_type)
        if key not in self._prepared:
            headers = {"Accept-Encoding": "identity", "Accept": "application/json", "User-Agent": "sloagent"}
            if content_type:
                headers["Content-Type"] = content_type
            self._prepared[key] = requests.Request(method, url, headers=headers).prepare()
        request = self._prepared[key].copy()
        request.headers.update(self._identity.headers())
        if body:
            request.body = body
            request.headers["Content-Length"] = str(len(body))
        return request

    def _exchange(self, request: requests.PreparedRequest, ends_at: float) -> Reply:
        renewed = False
        for _ in range(MOST_REDIRECTS):
            with self._send(request, ends_at) as response:
                if 300 <= response.status < 400:
                    request = self._redirected(request, response)
                    continue
                if response.status == 401 and not renewed and self._renew(request):
                    renewed = True
                    continue
                body = self._read(response)
                return Reply(
                    response.status, response.reason or "", response.headers, body, time.monotonic(),
                    exchange.connected_at,
                )  # fmt: skip
        raise PeerError(f"redirected more than {MOST_REDIRECTS} times", kind="protocol", retryable=True)

    def _send(self, request: requests.PreparedRequest, ends_at: float) -> urllib3.BaseHTTPResponse:
        """Send, and once more over a new connection where the peer had closed a kept one before it got the question."""
        exchange.reused = False
        try:
            return self._send_once(request, ends_at)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            if not exchange.reused or not any(isinstance(c, _CLOSED_BY_PEER) for c in failures.chain(error)):
                raise
            return self._send_once(request, ends_at)

    def _send_once(self, request: requests.PreparedRequest, ends_at: float) -> urllib3.BaseHTTPResponse:
        left = max(ends_at - time.monotonic(), 0.001)
        # Half for connecting: a name often has two addresses, and each is tried for that long.
        timeout = urllib3.Timeout(connect=left / 2, read=left)
        return self._adapter.ask(request, self.session, timeout)

    def _renew(self, request: requests.PreparedRequest) -> bool:
        """After a 401: whether our secret is another by now, whatever its file's time says; then the request carries it."""
        sent = request.headers.get("Authorization")
        if sent is None:
            return False
        self._identity.forget()
        request.headers.update(self._identity.headers())
        return request.headers["Authorization"] != sent

    def _redirected(
        self, request: requests.PreparedRequest, response: urllib3.BaseHTTPResponse
    ) -> requests.PreparedRequest:
        target = response.headers.get("Location", "")
        shown = failures.words(target.split("?", 1)[0].encode()) or "no address"
        if not self._follow or response.status not in (307, 308) or not target:
            why = "" if not self._follow else ", which does not keep the question"
            raise PeerError(
                f"answered {response.status}, a redirect to {shown}{why}",
                kind="protocol", retryable=True, hint="write the final address into url, or set follow_redirects",
            )  # fmt: skip
        moved = request.copy()
        try:
            moved.url = urljoin(request.url or "", target)
            _ = urlsplit(moved.url).port  # looked at only where somebody asks for it
        except ValueError:  # an address in brackets that is none, a port beyond all ports
            moved.url = ""
        if "@" in moved.url or not moved.url.startswith(("http://", "https://")):
            raise PeerError(f"redirects to {shown}, which is no place to ask", kind="protocol", retryable=True)
        if self.session.should_strip_auth(request.url or "", moved.url):  # type: ignore[no-untyped-call]
            for name in self._identity.headers():
                moved.headers.pop(name, None)
        return moved

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        if self._most_bytes is None:
            with suppress(OSError, urllib3.exceptions.HTTPError, PeerError):
                return b"".join(_pieces(response, ERROR_BODY_BYTES, cut=True))
            return b""
        if response.status != 200:
            return b"".join(_pieces(response, ERROR_BODY_BYTES, cut=True))
        announced = response.headers.get("Content-Length", "")
        # No more digits than a number of bytes can have: int() refuses thousands of them, and ² is a digit to isdigit().
        if announced.isdecimal() and (len(announced) > MOST_DIGITS or int(announced) > self._most_bytes):
            raise failures.too_large(self._most_bytes)
        return b"".join(_pieces(response, self._most_bytes, cut=False))


def _pieces(response: urllib3.BaseHTTPResponse, most_bytes: int, *, cut: bool) -> Iterator[bytes]:
    """The decoded body, never more of it in memory than `most_bytes`; beyond that cut off, or a PeerError."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", *_DECODED_BY_US):
        raise PeerError(
            f"answered in the encoding {failures.words(encoding.encode())}, though identity was asked for",
            kind="protocol", retryable=True,
        )  # fmt: skip
    inflate = zlib.decompressobj(_DECODED_BY_US[encoding]) if encoding in _DECODED_BY_US else None
    left = most_bytes
    while piece := response.read(PIECE_BYTES, decode_content=False):
        if inflate is not None:
            try:
                piece = inflate.decompress(piece, left + 1)
            except zlib.error:
                raise PeerError("sent damaged gzip", kind="protocol", retryable=True) from None
            if inflate.unused_data:
                # zlib would keep all that follows, without a bound.
                raise PeerError("sent more after the end of its gzip", kind="protocol", retryable=True)
        if len(piece) > left:
            if not cut:
                raise failures.too_large(most_bytes)
            yield piece[:left]
            return
        left -= len(piece)
        yield piece
    if inflate is not None and not inflate.eof:
        raise PeerError("sent truncated gzip", kind="protocol", retryable=True)
