"""One Prometheus and the way to ask it: POST bodies, one deadline over everything, bounded answers, typed errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote_plus

from prometheus_api_client import PrometheusConnect
from urllib3.util.retry import Retry

from sloagent.errors import PeerError, SourceError
from sloagent.model.samples import Kind
from sloagent.peer.connection import Connection
from sloagent.sources import failures
from sloagent.sources.http_config import PrometheusSettings


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
        self._connection = Connection(
            settings, timeout_seconds=timeout_seconds, timeout_field="query_timeout", open_at_once=max_queries,
            most_bytes=max_response_bytes,
        )  # fmt: skip
        super().__init__(
            url=settings.url, session=self._connection.session, timeout=timeout_seconds, method="POST", retry=Retry(0)
        )
        # The parent mounts an adapter of its own over its address; ours has to come after it.
        self._session.mount(self.url, self._session.get_adapter("http://"))
        self.max_response_bytes = max_response_bytes

    def post(self, path: str, form: Mapping[str, str]) -> Reply:
        """Ask with a form in the body. Raises SourceError, of a `samples.Kind`, for everything but a complete 200."""
        body = "&".join([f"{name}={_quoted(value)}" for name, value in form.items()])
        return self._ask("POST", path, body.encode(), "application/x-www-form-urlencoded")

    def get(self, path: str) -> Reply:
        """Ask where Prometheus only knows GET. Raises SourceError."""
        return self._ask("GET", path, b"", "")

    def _ask(self, method: str, path: str, body: bytes, content_type: str) -> Reply:
        try:
            reply = self._connection.ask(method, self.url + path, body, content_type)
        except PeerError as error:
            raise SourceError(
                error.message, kind=Kind(error.kind), retryable=error.retryable, hint=error.hint
            ) from None
        if reply.status != 200:
            raise failures.of_status(reply.status, reply.reason, reply.body)
        date = reply.headers.get("Date")
        return Reply(reply.body, _seconds_of(date) if date else None, reply.received_at, reply.connected_at)

    def redacted(self, words: Iterable[str]) -> tuple[str, ...]:
        """The peer's words without our secrets."""
        return tuple(self._connection.redacted(word) for word in words)

    def explained(self, error: SourceError) -> str:
        """The error as a sentence for people: whose answer it is, what happened, what to do; without our secrets."""
        message = f"{error.message} ({error.hint})" if error.hint else error.message
        return f"{self.url}: {self._connection.redacted(message)}"


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
