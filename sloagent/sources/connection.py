"""One Prometheus and the way to ask it: POST bodies, one deadline over everything, bounded answers, typed errors."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import RemoteDisconnected
from urllib.parse import quote_plus, urljoin, urlsplit

import requests
import urllib3
from prometheus_api_client import PrometheusConnect
from urllib3.util.retry import Retry

from sloagent.errors import SourceError
from sloagent.model.samples import Kind
from sloagent.sources import failures
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.http_session import DeadlineAdapter, exchange, new_session
from sloagent.sources.secrets import Identity

PIECE_BYTES = 1_048_576
"""Read at once: an answer in one piece costs half the CPU of the same answer in four."""
ERROR_BODY_BYTES = 65_536
MOST_DIGITS = 18
MOST_REDIRECTS = 5
_CLOSED_BY_PEER = (RemoteDisconnected, ConnectionResetError, BrokenPipeError)
_DECODED_BY_US = {"gzip": 47, "x-gzip": 47, "deflate": 47}


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer with status 200, not decoded yet."""

    body: bytes
    date: float | None
    """The peer's clock when it answered, in seconds since the epoch; None where it does not say."""
    received_at: float
    """On our monotonic clock, like `connected_at`: since when the connection stands over which it came."""
    connected_at: float


class PrometheusConnection(PrometheusConnect):  # type: ignore[misc]
    """PrometheusConnect with what it lacks: questions in the body, a deadline for the whole, warnings, bounds, no retries.

    Safe to use from many threads; at most `max_queries` questions are open at once, the others wait for their turn.
    """

    def __init__(
        self, settings: PrometheusSettings, *, timeout_seconds: float, max_queries: int, max_response_bytes: int
    ) -> None:
        session = new_session(settings)
        super().__init__(url=settings.url, session=session, timeout=timeout_seconds, method="POST", retry=Retry(0))
        # The parent mounts an adapter of its own over its address; ours has to come after it.
        self._adapter = DeadlineAdapter(pool_size=max_queries, server_name=settings.tls_config.server_name)
        for prefix in ("http://", "https://", self.url):
            session.mount(prefix, self._adapter)
        self.max_response_bytes = max_response_bytes
        self._identity = Identity(settings)
        self._follow = settings.follow_redirects
        self._turns = threading.BoundedSemaphore(max_queries)
        self._prepared: dict[tuple[str, str], requests.PreparedRequest] = {}

    def post(self, path: str, form: Mapping[str, str]) -> Reply:
        """Ask with a form in the body. Raises SourceError, of a `samples.Kind`, for everything but a complete 200."""
        return self._ask("POST", path, "&".join([f"{name}={_quoted(value)}" for name, value in form.items()]))

    def get(self, path: str) -> Reply:
        """Ask where Prometheus only knows GET. Raises SourceError."""
        return self._ask("GET", path, "")

    def _ask(self, method: str, path: str, body: str) -> Reply:
        with self._turns:
            ends_at = exchange.ends_at = time.monotonic() + self._timeout
            try:
                return self._exchange(self._request(method, path, body), ends_at)
            except (OSError, urllib3.exceptions.HTTPError) as error:
                # All of requests' errors are OSErrors; a plain one says that a certificate file does not exist.
                kind, message = failures.of_exchange(error, self._timeout)
                raise SourceError(message, kind=kind, retryable=True) from None

    def redacted(self, words: Iterable[str]) -> tuple[str, ...]:
        """The peer's words without our secrets."""
        return tuple(self._identity.redact(word) for word in words)

    def explained(self, error: SourceError) -> str:
        """The error as a sentence for people: whose answer it is, what happened, what to do; without our secrets."""
        message = f"{error.message} ({error.hint})" if error.hint else error.message
        return f"{self.url}: {self._identity.redact(message)}"

    def _request(self, method: str, path: str, body: str) -> requests.PreparedRequest:
        """The request, from one prepared earlier: preparing anew costs as much as everything else."""
        key = (method, path)
        if key not in self._prepared:
            headers = {"Accept-Encoding": "identity", "Accept": "application/json", "User-Agent": "sloagent"}
            if method == "POST":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            self._prepared[key] = requests.Request(method, self.url + path, headers=headers).prepare()
        request = self._prepared[key].copy()
        request.headers.update(self._identity.headers())
        if body:
            request.body = body.encode()
            request.headers["Content-Length"] = str(len(request.body))
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
                if response.status != 200:
                    body = b"".join(_pieces(response, ERROR_BODY_BYTES, cut=True))
                    raise failures.of_status(response.status, response.reason or "", body)
                body = self._read(response)
                date = response.headers.get("Date")
                return Reply(body, _seconds_of(date) if date else None, time.monotonic(), exchange.connected_at)
        raise SourceError(f"redirected more than {MOST_REDIRECTS} times", kind=Kind.PROTOCOL, retryable=True)

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
        return self._adapter.ask(request, self._session, timeout)

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
            raise SourceError(
                f"answered {response.status}, a redirect to {shown}{why}",
                kind=Kind.PROTOCOL, retryable=True, hint="write the final address into url, or set follow_redirects",
            )  # fmt: skip
        moved = request.copy()
        try:
            moved.url = urljoin(request.url or "", target)
            _ = urlsplit(moved.url).port  # looked at only where somebody asks for it
        except ValueError:  # an address in brackets that is none, a port beyond all ports
            moved.url = ""
        if "@" in moved.url or not moved.url.startswith(("http://", "https://")):
            raise SourceError(f"redirects to {shown}, which is no place to ask", kind=Kind.PROTOCOL, retryable=True)
        if self._session.should_strip_auth(request.url or "", moved.url):
            for name in self._identity.headers():
                moved.headers.pop(name, None)
        return moved

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        announced = response.headers.get("Content-Length", "")
        # No more digits than a number of bytes can have: int() refuses thousands of them, and ² is a digit to isdigit().
        if announced.isdecimal() and (len(announced) > MOST_DIGITS or int(announced) > self.max_response_bytes):
            raise failures.too_large(self.max_response_bytes)
        return b"".join(_pieces(response, self.max_response_bytes, cut=False))


def _pieces(response: urllib3.BaseHTTPResponse, most_bytes: int, *, cut: bool) -> Iterator[bytes]:
    """The decoded body, never more of it in memory than `most_bytes`; beyond that cut off, or a SourceError."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", *_DECODED_BY_US):
        raise SourceError(
            f"answered in the encoding {failures.words(encoding.encode())}, though identity was asked for",
            kind=Kind.PROTOCOL, retryable=True,
        )  # fmt: skip
    inflate = zlib.decompressobj(_DECODED_BY_US[encoding]) if encoding in _DECODED_BY_US else None
    left = most_bytes
    while piece := response.read(PIECE_BYTES, decode_content=False):
        if inflate is not None:
            try:
                piece = inflate.decompress(piece, left + 1)
            except zlib.error:
                raise SourceError("sent damaged gzip", kind=Kind.PROTOCOL, retryable=True) from None
            if inflate.unused_data:
                # zlib would keep all that follows, without a bound.
                raise SourceError("sent more after the end of its gzip", kind=Kind.PROTOCOL, retryable=True)
        if len(piece) > left:
            if not cut:
                raise failures.too_large(most_bytes)
            yield piece[:left]
            return
        left -= len(piece)
        yield piece
    if inflate is not None and not inflate.eof:
        raise SourceError("sent truncated gzip", kind=Kind.PROTOCOL, retryable=True)


@lru_cache(maxsize=1_024)
def _quoted(value: str) -> str:
    """As in a form; a query is the same from tick to tick."""
    return quote_plus(value)


@lru_cache(maxsize=16)
def _seconds_of(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
