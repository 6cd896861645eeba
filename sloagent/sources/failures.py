"""What Prometheus says instead of an answer, and against its own answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sloagent.errors import SourceError
from sloagent.model.samples import Kind
from sloagent.peer.failures import escaped, words

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


def of_status(status: int, reason: str, body: bytes) -> SourceError:
    """What an answer means whose HTTP status is not 200; Prometheus's own words, where they are Prometheus's."""
    document = _as_error(body)
    said = document.error if document is not None else ""
    shown = escaped(said, LONGEST_ERROR) if said else words(body)
    heading = f"answered {status} {escaped(reason, 60)}".rstrip()
    if document is not None and status in (400, 422):
        kind = Kind.BAD_DATA if status == 400 else Kind.EXECUTION
        return SourceError(f"{escaped(document.errorType, 60) or kind}: {shown}", kind=kind, retryable=False)
    kind = _kind_of(status, document.errorType if document is not None else "")
    hint = "check basic_auth, authorization and tls_config" if kind is Kind.UNAUTHORIZED else ""
    return SourceError(heading + (f": {shown}" if shown else ""), kind=kind, retryable=True, hint=hint)


def not_an_answer(body: bytes) -> SourceError:
    """A 200 whose body is not what Prometheus says."""
    document = _as_error(body)
    if document is not None and document.status == "error":
        said = escaped(f"{document.errorType}: {document.error}", LONGEST_ERROR)
        return SourceError(f"answered 200 and yet an error: {said}", kind=Kind.PROTOCOL, retryable=True)
    shown = words(body) or "nothing at all"
    return SourceError(
        f"answered 200 with something that is not Prometheus's answer: {shown}", kind=Kind.PROTOCOL, retryable=True
    )


def warnings(said: Sequence[str] | None) -> tuple[str, ...]:
    """What a peer says against its own answer, of too many the first and how many more."""
    doubts = [one for one in said or () if not one.startswith(INFO_PREFIX)]
    shown = tuple(words(doubt.encode()) for doubt in doubts[:MOST_WARNINGS])
    return (*shown, f"and {len(doubts) - MOST_WARNINGS:,} more") if len(doubts) > MOST_WARNINGS else shown


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
