"""Why a question got no answer: every way in which a peer or a network can fail, as a kind and a sentence."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence

import msgspec
import requests
import urllib3.exceptions as low

from sloagent.errors import SourceError
from sloagent.model.samples import Kind

LONGEST_WORDS = 200
"""Bytes of a peer's own words that a message repeats."""
LONGEST_ERROR = 600
"""Characters of an error that Prometheus states itself: it names the place in the query."""

INFO_PREFIX = "PromQL info:"
"""Prometheus 2.48 to 2.53 put its notes on style among the warnings; they say nothing of completeness."""
MOST_WARNINGS = 10
"""Of one answer that are kept: they are stored with every verdict that stands on it."""


class _ErrorDocument(msgspec.Struct):
    status: str
    errorType: str = ""  # noqa: N815 - the field's name on the wire
    error: str = ""


_error_document = msgspec.json.Decoder(_ErrorDocument)


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps, outermost first."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            pending += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def of_exchange(error: BaseException, timeout_seconds: float) -> tuple[Kind, str]:
    """What went wrong on the way, of an error that requests, urllib3 or the socket raised."""
    causes = list(chain(error))

    def among(*types: type[BaseException]) -> BaseException | None:
        return next((c for c in causes if isinstance(c, types)), None)

    through = "the proxy: " if among(requests.exceptions.ProxyError, low.ProxyError) else ""
    if among(low.NameResolutionError, socket.gaierror):
        return Kind.DNS, f"{through}the name of the host could not be resolved"
    if among(TimeoutError, requests.Timeout, low.ReadTimeoutError):
        return Kind.TIMEOUT, f"{through}no complete answer within {timeout_seconds:g} s (query_timeout)"
    if (refused := among(ssl.SSLError, requests.exceptions.SSLError, low.SSLError)) is not None:
        return Kind.TLS, f"{through}TLS failed: {_tls_words(refused)}"
    if among(low.ProtocolError, requests.exceptions.ChunkedEncodingError):
        # A ValueError is http.client's way to say that the length of the next chunk is missing.
        if among(low.IncompleteRead, http.client.IncompleteRead, ValueError):
            return Kind.PROTOCOL, "the connection was closed in the middle of the answer"
        return Kind.PROTOCOL, f"the connection broke before the answer was complete: {_system_words(causes)}"
    if among(low.NewConnectionError, requests.exceptions.ProxyError, requests.ConnectionError):
        return Kind.UNREACHABLE, f"{through}no connection: {_system_words(causes)}"
    if isinstance(error, requests.RequestException | low.HTTPError):
        return Kind.PROTOCOL, f"the question could not be asked: {words(str(error).encode())}"
    return Kind.TLS, f"the certificates in tls_config cannot be used: {words(str(error).encode())}"


def of_status(status: int, reason: str, body: bytes) -> SourceError:
    """What an answer means whose HTTP status is not 200; Prometheus's own words, where they are Prometheus's."""
    document = _as_error(body)
    said = document.error if document is not None else ""
    shown = _escaped(said, LONGEST_ERROR) if said else words(body)
    heading = f"answered {status} {_escaped(reason, 60)}".rstrip()
    if document is not None and status in (400, 422):
        kind = Kind.BAD_DATA if status == 400 else Kind.EXECUTION
        return SourceError(f"{_escaped(document.errorType, 60) or kind}: {shown}", kind=kind, retryable=False)
    kind = _kind_of(status, document.errorType if document is not None else "")
    hint = "check basic_auth, authorization and tls_config" if kind is Kind.UNAUTHORIZED else ""
    return SourceError(heading + (f": {shown}" if shown else ""), kind=kind, retryable=True, hint=hint)


def not_an_answer(body: bytes) -> SourceError:
    """A 200 whose body is not what Prometheus says."""
    document = _as_error(body)
    if document is not None and document.status == "error":
        said = _escaped(f"{document.errorType}: {document.error}", LONGEST_ERROR)
        return SourceError(f"answered 200 and yet an error: {said}", kind=Kind.PROTOCOL, retryable=True)
    shown = words(body) or "nothing at all"
    return SourceError(
        f"answered 200 with something that is not Prometheus's answer: {shown}", kind=Kind.PROTOCOL, retryable=True
    )


def too_large(most_bytes: int) -> SourceError:
    """An answer beyond the bound."""
    return SourceError(
        f"the answer has more than {most_bytes:,} bytes (max_response)", kind=Kind.TOO_LARGE, retryable=False
    )


def warnings(said: Sequence[str] | None) -> tuple[str, ...]:
    """What a peer says against its own answer, of too many the first and how many more."""
    doubts = [one for one in said or () if not one.startswith(INFO_PREFIX)]
    shown = tuple(words(doubt.encode()) for doubt in doubts[:MOST_WARNINGS])
    return (*shown, f"and {len(doubts) - MOST_WARNINGS:,} more") if len(doubts) > MOST_WARNINGS else shown


def words(body: bytes) -> str:
    """The first bytes of what a peer said, on one line, with nothing in it that a terminal would obey."""
    return _escaped(body[:LONGEST_WORDS].decode("utf-8", "replace").strip(), LONGEST_WORDS) + (
        "…" if len(body) > LONGEST_WORDS else ""
    )


def _escaped(text: str, most: int) -> str:
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])
    return shown + ("…" if len(text) > most else "")


def _as_error(body: bytes) -> _ErrorDocument | None:
    try:
        return _error_document.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _kind_of(status: int, error_type: str) -> Kind:
    if status in (401, 403, 407):
        return Kind.UNAUTHORIZED
    if status == 408 or (status == 503 and error_type == "timeout"):
        return Kind.TIMEOUT
    if status == 429 or status >= 500:
        return Kind.UNAVAILABLE
    return Kind.PROTOCOL


def _tls_words(error: BaseException) -> str:
    for cause in chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _escaped(cause.verify_message, LONGEST_WORDS)
        if isinstance(cause, ssl.SSLEOFError):
            return "the peer ended the connection; perhaps it wants a client certificate (tls_config.cert_file)"
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return _escaped(cause.reason.lower().replace("_", " "), LONGEST_WORDS)
    return words(str(error).encode())


def _system_words(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return _escaped(cause.strerror, LONGEST_WORDS).lower()
    if any(type(cause).__name__ == "RemoteDisconnected" for cause in causes):
        return "the peer closed it without a word"
    return words(str(causes[-1]).encode())
