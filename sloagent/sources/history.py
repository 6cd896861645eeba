"""Whether Prometheus still has a past: an empty answer means something only if there were samples to find."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sloagent.errors import SourceError
from sloagent.model.samples import Kind
from sloagent.sources import envelope
from sloagent.sources.connection import PrometheusConnection, Reply

VOUCHES_SECONDS = 10.0
"""How long a fact vouches for later answers; behind a load balancer no broken connection tells of a restart."""

NEAR_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class _Fact:
    """At `at` (our monotonic clock) the peer had samples at or before `slot`."""

    slot: float
    at: float


class History:
    """What is known of the oldest samples of one Prometheus. Safe to use from many threads.

    A Prometheus that was restarted without its data answers every question with nothing. What was known of it before
    holds only for answers over a connection that is older than the knowledge: a restart breaks every connection.
    """

    def __init__(self, connection: PrometheusConnection) -> None:
        self._connection = connection
        self._fact: _Fact | None = None
        self._lock = threading.Lock()

    def witness(self, slot: float, reply: Reply) -> None:
        """Take note that this reply proves samples at or before `slot`."""
        with self._lock:
            fact = self._fact
            if (
                fact is None
                or slot <= fact.slot
                or reply.received_at - fact.at > VOUCHES_SECONDS
                or reply.connected_at > fact.at
            ):
                self._fact = _Fact(slot, reply.received_at)

    def reaches(self, slot: float, reply: Reply) -> bool:
        """Whether the peer had samples at or before `slot` when it gave `reply`; asks it where that is not known.

        Raises SourceError where it cannot be told.
        """
        with self._lock:
            fact = self._fact
        if fact is not None and fact.slot <= slot and _vouches(fact, reply):
            return True
        return self._ask(slot)

    def first_reached(self, slots: Sequence[int], reply: Reply) -> int:
        """The index of the first of the ascending slots that the peer's samples reach; `len(slots)` if none is."""
        if not slots or self.reaches(slots[0], reply):
            return 0
        low, high = 1, len(slots)
        while low < high:
            middle = (low + high) // 2
            if self._ask(slots[middle]):
                high = middle
            else:
                low = middle + 1
        return low

    def _ask(self, slot: float) -> bool:
        # The last hour first: over years of blocks the question is dear, and nearly always an hour answers it.
        return self._any_between(max(slot - NEAR_SECONDS, 0.0), slot) or self._any_between(0.0, slot)

    def _any_between(self, start: float, slot: float) -> bool:
        # Prometheus answers by whole blocks; `limit` spares the list, where the peer knows it.
        form = urlencode({"start": f"{start:.3f}", "end": f"{slot:.3f}", "limit": "1"})
        reply = self._connection.get(f"/api/v1/label/__name__/values?{form}")
        names, warnings = envelope.names(reply.body)
        if names:
            self.witness(slot, reply)
            return True
        if warnings:
            raise SourceError(
                f"a partial answer to whether it has samples so old: {'; '.join(warnings)}",
                kind=Kind.PARTIAL, retryable=True,
            )  # fmt: skip
        return False


def _vouches(fact: _Fact, reply: Reply) -> bool:
    if reply.received_at <= fact.at:
        return True
    return reply.connected_at <= fact.at and reply.received_at - fact.at <= VOUCHES_SECONDS
