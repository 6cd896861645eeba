"""Why a peer gave no answer: every way in which it or a network can fail, as an error with a sentence."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions as low

from sloagent.errors import PeerError

LONGEST_WORDS = 200
"""Bytes of a peer's own words that a message repeats."""


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


def of_exchange(error: BaseException, timeout: str) -> PeerError:
    """What went wrong on the way, of an error that requests, urllib3 or the socket raised; `timeout` in words."""
    causes = list(chain(error))

    def among(*types: type[BaseException]) -> BaseException | None:
        return next((c for c in causes if isinstance(c, types)), None)

    through = "the proxy: " if among(requests.exceptions.ProxyError, low.ProxyError) else ""
    if among(low.NameResolutionError, socket.gaierror):
        return PeerError(f"{through}the name of the host could not be resolved", kind="dns", retryable=True)
    if among(TimeoutError, requests.Timeout, low.ReadTimeoutError):
        return PeerError(f"{through}no complete answer within {timeout}", kind="timeout", retryable=True)
    if (refused := among(ssl.SSLError, requests.exceptions.SSLError, low.SSLError)) is not None:
        return PeerError(f"{through}TLS failed: {_tls_words(refused)}", kind="tls", retryable=True)
    if among(low.ProtocolError, requests.exceptions.ChunkedEncodingError):
        # A ValueError is http.client's way to say that the length of the next chunk is missing.
        if among(low.IncompleteRead, http.client.IncompleteRead, ValueError):
            return PeerError("the connection was closed in the middle of the answer", kind="protocol", retryable=True)
        return PeerError(
            f"the connection broke before the answer was complete: {_system_words(causes)}",
            kind="protocol",
            retryable=True,
        )
    if among(low.NewConnectionError, requests.exceptions.ProxyError, requests.ConnectionError):
        return PeerError(f"{through}no connection: {_system_words(causes)}", kind="unreachable", retryable=True)
    if isinstance(error, requests.RequestException | low.HTTPError):
        return PeerError(
            f"the question could not be asked: {words(str(error).encode())}", kind="protocol", retryable=True
        )
    return PeerError(
        f"the certificates in tls_config cannot be used: {words(str(error).encode())}", kind="tls", retryable=True
    )


def too_large(most_bytes: int) -> PeerError:
    """An answer beyond the bound."""
    return PeerError(f"the answer has more than {most_bytes:,} bytes (max_response)", kind="too_large", retryable=False)


def words(body: bytes) -> str:
    """The first bytes of what a peer said, on one line, with nothing in it that a terminal would obey."""
    return escaped(body[:LONGEST_WORDS].decode("utf-8", "replace").strip(), LONGEST_WORDS) + (
        "…" if len(body) > LONGEST_WORDS else ""
    )


def escaped(text: str, most: int) -> str:
    """The first `most` characters, with nothing in them that a terminal would obey."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])
    return shown + ("…" if len(text) > most else "")


def _tls_words(error: BaseException) -> str:
    for cause in chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return escaped(cause.verify_message, LONGEST_WORDS)
        if isinstance(cause, ssl.SSLEOFError):
            return "the peer ended the connection; perhaps it wants a client certificate (tls_config.cert_file)"
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return escaped(cause.reason.lower().replace("_", " "), LONGEST_WORDS)
    return words(str(error).encode())


def _system_words(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return escaped(cause.strerror, LONGEST_WORDS).lower()
    if any(type(cause).__name__ == "RemoteDisconnected" for cause in causes):
        return "the peer closed it without a word"
    return words(str(causes[-1]).encode())
