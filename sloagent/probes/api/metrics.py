"""What the api probe exports."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sloagent.probes.api.call import Call, Verb
from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.telemetry import BOUNDS

RECENT_SECONDS = 10.0
"""The achieved rate is that of the last so many seconds."""
ARRIVALS: dict[str, Verb] = {"list": "list", "get": "get", "update": "update", "churn": "create"}
"""Of each call the verb that is due at the asked rate."""


class ApiMetrics:
    """The metrics of all loads of the process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "sloagent_probe_api_seconds",
            "From when a call was due (open loop) or begun (closed loop) to its whole answer; successful calls alone",
            ["target", "verb", "resource", "scope", "load"], registry=registry, buckets=BOUNDS,
        )  # fmt: skip
        self._requests = Counter(
            "sloagent_probe_api_requests", "Calls that have ended, by HTTP's status or why there was none",
            ["target", "verb", "resource", "code", "load"], registry=registry,
        )  # fmt: skip
        self._asked = Gauge(
            "sloagent_probe_api_rate_asked", "Calls a second that are due; absent in a closed loop, 0 between runs",
            ["load", "target"], registry=registry,
        )  # fmt: skip
        self._achieved = Gauge(
            "sloagent_probe_api_rate_achieved", "Calls a second that succeeded in the last 10 s",
            ["load", "target"], registry=registry,
        )  # fmt: skip
        self._in_flight = Gauge(
            "sloagent_probe_api_in_flight", "Requests under way", ["load", "target"], registry=registry
        )

    def of(self, settings: ApiLoadSettings, target: str) -> LoadMetrics:
        """The metrics of one load on one target."""
        labels = (settings.name, target)
        achieved = Achieved()
        self._achieved.labels(*labels).set_function(achieved.rate)
        self._in_flight.labels(*labels).set(0)
        asked = None
        if settings.open is not None:
            asked = self._asked.labels(*labels)
            asked.set(0)
        return LoadMetrics(
            settings, target, self._seconds, self._requests, asked, achieved,
            self._in_flight.labels(*labels),
        )  # fmt: skip


class Achieved:
    """How many a second there were in the last seconds, or since the beginning where that is not so long ago.

    The rate is read by the thread that is scraped.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: deque[float] = deque()
        self._since: float | None = None

    def begin(self) -> None:
        """A run begins."""
        self._since = self._clock()

    def end(self) -> None:
        """It is over; there is no rate until the next."""
        self._since = None
        self._ends.clear()

    def count(self, at: float) -> None:
        """One more, at this time."""
        self._ends.append(at)
        while self._ends[0] < at - RECENT_SECONDS:
            self._ends.popleft()

    def rate(self) -> float:
        """A second; 0 between runs."""
        if (since := self._since) is None:
            return 0.0
        now = self._clock()
        recent = sum(end >= now - RECENT_SECONDS for end in tuple(self._ends))
        return recent / max(min(now - since, RECENT_SECONDS), 0.001)


class LoadMetrics:
    """Those of one load on one target."""

    def __init__(
        self, settings: ApiLoadSettings, target: str, seconds: Histogram, requests: Counter,
        asked: Gauge | None, achieved: Achieved, in_flight: Gauge,
    ) -> None:  # fmt: skip
        self._name = settings.name
        self._target = target
        self._resource = settings.what.plural
        self._collection_scope = "namespace" if settings.namespace else "cluster"
        self._rate = settings.open.rate if settings.open else 0.0
        self._arrives = ARRIVALS[settings.call]
        self._seconds = seconds
        self._requests = requests
        self._asked = asked
        self._achieved = achieved
        self._in_flight = in_flight
        self._histograms: dict[Verb, Histogram] = {}
        self._counters: dict[tuple[Verb, str], Counter] = {}

    def begin(self, in_flight: Callable[[], float]) -> None:
        """A run begins."""
        self._in_flight.set_function(in_flight)
        self._achieved.begin()
        if self._asked is not None:
            self._asked.set(self._rate)

    def end(self) -> None:
        """It is over."""
        self._achieved.end()
        if self._asked is not None:
            self._asked.set(0)

    def tell(self, call: Call) -> None:
        """Count a call."""
        if call.ok and call.verb == self._arrives:
            self._achieved.count(call.after)
        counter = self._counters.get((call.verb, call.code))
        if counter is None:
            counter = self._requests.labels(self._target, call.verb, self._resource, call.code, self._name)
            self._counters[call.verb, call.code] = counter
        counter.inc()
        if call.ok:
            histogram = self._histograms.get(call.verb)
            if histogram is None:
                histogram = self._seconds.labels(
                    self._target, call.verb, self._resource, self._scope(call.verb), self._name
                )
                self._histograms[call.verb] = histogram
            histogram.observe(call.latency_seconds)

    def _scope(self, verb: Verb) -> str:
        return self._collection_scope if verb in ("list", "watch", "queue") else "resource"
