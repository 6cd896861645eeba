"""What became of one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Verb = Literal["list", "get", "update", "create", "delete", "watch", "queue"]
VERBS: tuple[Verb, ...] = ("list", "get", "create", "update", "delete", "watch", "queue")
"""In the order in which tables show them. `watch` is from sending to seeing the event, `queue` from there to a worker."""

UNFINISHED = "unfinished"
"""The code of what was cut off, or never begun, when the time was over."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, or one event of a watch. Times are monotonic, seconds.

    `before` is None where it was due and never began. `code` is HTTP's, or `timeout`, `connection`, `credentials`,
    `unfinished`; of an event: `seen`, or why the time it was seen says nothing. `why` is for people.
    """

    verb: Verb
    key: str
    intended: float
    before: float | None
    after: float
    code: str
    ok: bool
    why: str = ""

    @property
    def latency_seconds(self) -> float:
        """From when it was to begin: what whoever wanted it had to wait."""
        return self.after - self.intended


Tell = Callable[[Call], None]
