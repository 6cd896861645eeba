"""The exceptions that cross rooms. A finding is a value; these are for what stops the work.

Exit codes are the contract of the command line: 0 all pass, 1 an SLO failed, 2 something written is wrong, 3 no verdict
could be reached. Whoever raises knows the code; only `cli` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal


class SloagentError(Exception):
    """Something a person has to hear: what happened, and in `hint` what to do about it."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(SloagentError):
    """Something written is wrong. `problems` are rendered texts, each with its place; the message counts them."""

    exit_code = 2

    def __init__(self, message: str, *, problems: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class PeerError(SloagentError):
    """An HTTP peer gave no whole answer; `kind` says why."""

    def __init__(
        self,
        message: str,
        *,
        kind: Literal["unreachable", "dns", "tls", "timeout", "unauthorized", "protocol", "too_large"],
        retryable: bool,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retryable = retryable


class SourceError(SloagentError):
    """The source could not be asked at all (as opposed to one refused question, which is a `Refusal`)."""

    def __init__(self, message: str, *, kind: str, retryable: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retryable = retryable


class StoreError(SloagentError):
    """The store cannot be read or written."""


class RunError(SloagentError):
    """What was asked of a run cannot be.

    `kind` says why: it is "wrong" as it is written, the run is "unknown", or something "stands" against it.
    """

    exit_code = 2

    def __init__(self, message: str, *, kind: Literal["wrong", "unknown", "stands"], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class SinkError(SloagentError):
    """A sink could not be told; `retryable` says whether trying again could help."""

    def __init__(self, message: str, *, retryable: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable
