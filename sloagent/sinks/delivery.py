"""The way of notices to one receiver: a bounded queue, and a thread that empties it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from sloagent.model.alert import Notice
from sloagent.model.slo import Labels
from sloagent.sinks import Taken
from sloagent.sinks.alert_telemetry import AlertTelemetry

log = logging.getLogger("sloagent")

CAPACITY = 10_000
"""Notices that wait; of more the oldest are dropped."""
BATCH = 256
"""Notices told at once, as Prometheus does it."""
CLOSING_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 60.0
"""Between two attempts; a receiver that names a time may ask for more."""
LONGEST_ASKED_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a batch."""

    taken: Sequence[Notice] = ()
    unwanted: Sequence[Notice] = ()
    """Not sent, as the receiver's settings say."""
    refused: Sequence[Notice] = ()
    """For what they are; the receiver has logged why."""
    failed: Sequence[Notice] = ()
    failure: str = ""
    """Why there are `failed` ones."""
    wait_seconds: float | None = None
    """When the receiver wants to be told again."""


class Delivery:
    """Tells what it is offered, from a thread of its own; `retries` until it is taken or refused, or only once.

    Of an alert that is offered again the newer notice takes the older one's place.
    """

    def __init__(
        self, name: str, send: Callable[[Sequence[Notice]], Result], *, retries: bool, taken: Taken,
        telemetry: AlertTelemetry,
    ) -> None:  # fmt: skip
        self._name = name
        self._send = send
        self._retries = retries
        self._taken = taken
        self._telemetry = telemetry
        telemetry.know(name)
        self._queue: dict[tuple[Labels, bool], Notice] = {}
        """By labels and whether it is over, oldest first; those under way are still in it."""
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._abandoned = False
        self._thread: threading.Thread | None = None
        self._failing = False

    def offer(self, notices: Sequence[Notice]) -> None:
        """Put the notices into the queue. Never blocks; after `close` they are dropped."""
        with self._changed:
            for notice in notices:
                key, opposite = (notice.labels, notice.resolved), (notice.labels, not notice.resolved)
                if key in self._queue and opposite in self._queue:
                    # It has changed to and fro while it waited: what is said last has to come last.
                    del self._queue[key], self._queue[opposite]
                self._queue[key] = notice
            if self._closing.is_set():
                self._drop(len(self._queue), "sloagent ends")
            elif len(self._queue) > CAPACITY:
                self._drop(len(self._queue) - CAPACITY, "its queue is full")
            self._telemetry.queue.labels(self._name).set(len(self._queue))
            if self._thread is None and self._queue:
                self._thread = threading.Thread(target=self._run, name=f"tell {self._name}", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Tell what waits, for a few seconds, without a second attempt; drop the rest. Idempotent."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(CLOSING_SECONDS)
        with self._changed:
            self._abandoned = True
            self._drop(len(self._queue), "sloagent ends")
            self._telemetry.queue.labels(self._name).set(0)

    def _drop(self, count: int, why: str) -> None:
        if count:
            for key in list(islice(self._queue, count)):
                del self._queue[key]
            self._telemetry.dropped.labels(self._name).inc(count)
            log.warning("%s is not told %d alerts: %s", self._name, count, why)

    def _run(self) -> None:
        failures = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._queue) or self._closing.is_set())
                batch = list(islice(self._queue.values(), BATCH))
            if not batch:
                return
            result = self._attempt(batch)
            self._settle(batch, result)
            failures = failures + 1 if result.failure else 0
            if failures and self._retries:
                if self._closing.is_set():
                    return
                wait = min(2.0 ** min(failures - 1, 10), LONGEST_WAIT_SECONDS)
                self._closing.wait(max(wait, min(result.wait_seconds or 0.0, LONGEST_ASKED_SECONDS)))

    def _attempt(self, batch: Sequence[Notice]) -> Result:
        try:
            return self._send(batch)
        except Exception:
            # A defect of ours must not end the thread: all later alerts would be lost.
            log.exception("telling %s failed in a way that nobody expected", self._name)
            return Result(refused=batch)

    def _settle(self, batch: Sequence[Notice], result: Result) -> None:
        at = time.time()
        waiting = result.failed if self._retries else ()
        with self._changed:
            if self._abandoned:
                return
            stay = {id(notice) for notice in waiting}
            for notice in batch:
                key = (notice.labels, notice.resolved)
                if id(notice) not in stay and self._queue.get(key) is notice:
                    del self._queue[key]
            self._telemetry.queue.labels(self._name).set(len(self._queue))
        for counter, notices in (
            (self._telemetry.sent, result.taken), (self._telemetry.refused, result.refused),
            (self._telemetry.failed, result.failed),
        ):  # fmt: skip
            counter.labels(self._name).inc(len(notices))
        if result.failure and not self._failing:
            log.warning("%s takes no alerts: %s", self._name, result.failure)
        elif result.taken and self._failing:
            log.info("%s takes alerts again", self._name)
        self._failing = bool(result.failure) or (self._failing and not result.taken)
        if done := [*result.taken, *result.unwanted]:
            try:
                self._taken(self._name, done, at)
            except Exception:
                log.exception("it is not remembered what %s took", self._name)
