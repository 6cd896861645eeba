"""The http probe: how long a URL takes to connect, to secure, to answer and to end, as curl states it.

Each request has a connection of its own. Every time counts from one start, before the name is resolved: `connect` is
curl's time_connect, `tls` its time_appconnect, `first_byte` its time_starttransfer, `total` its time_total.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from dataclasses import dataclass
from functools import partial
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from sloagent.probes.http_settings import HttpSettings, web_address
from sloagent.probes.telemetry import BOUNDS, ProbeTelemetry
from sloagent.probes.ticks import ticks
from sloagent.probes.wire import Kind, Wire, WireError, connect, in_thread, os_words, trust
from sloagent.units import written_duration

PROBE = "http"
NO_ANSWER = "none"
"""The `code` of a request that no status came for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The status code, and by phase the seconds from the start."""

    code: int
    times: dict[str, float]


class HttpMetrics:
    """What all http probes of a process export, once per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "sloagent_probe_http_seconds",
            "From the start of a request until it was connected, secured (tls), answered (first_byte) and over (total)",
            ["target", "phase"], buckets=BOUNDS, registry=registry,
        )  # fmt: skip
        self.requests = Counter(
            "sloagent_probe_http_requests", "Requests by the status code of their answer; none where no answer came",
            ["target", "code"], registry=registry,
        )  # fmt: skip
        self.failures = Counter(
            "sloagent_probe_http_failures", "Requests that were not timed, by what went wrong", ["target", "kind"],
            registry=registry,
        )  # fmt: skip
        self.skipped = Counter(
            "sloagent_probe_http_skipped", "Requests that were not made because the one before was still under way",
            ["target"], registry=registry,
        )  # fmt: skip


class HttpProbe:
    """Asks one URL on schedule."""

    def __init__(self, settings: HttpSettings, telemetry: ProbeTelemetry, metrics: HttpMetrics) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._metrics = metrics
        for kind in get_args(Kind):  # a rate sees the first failure, or answer, only where there was a 0 before it
            metrics.failures.labels(settings.name, kind)
        for phase in settings.phases:
            metrics.seconds.labels(settings.name, phase)

    async def run(self) -> None:
        """Ask until cancelled."""
        target = self._settings.name
        async for skipped in ticks(self._settings.every):
            self._metrics.skipped.labels(target).inc(skipped)
            try:
                answered = await ask(self._settings)
            except WireError as error:
                self._metrics.requests.labels(target, str(error.code or NO_ANSWER)).inc()
                self._metrics.failures.labels(target, error.kind).inc()
                self._telemetry.up(PROBE, target, str(error))
            else:
                self._metrics.requests.labels(target, str(answered.code)).inc()
                for phase, seconds in answered.times.items():
                    self._metrics.seconds.labels(target, phase).observe(seconds)
                self._telemetry.up(PROBE, target)


async def ask(settings: HttpSettings) -> Answered:
    """One request over a new connection. Raises WireError."""
    wire = Wire()
    watch = asyncio.get_running_loop().call_later(settings.timeout, wire.cut)
    try:
        return await in_thread(partial(_ask, settings, wire), wire)
    finally:
        watch.cancel()
        wire.close()


def _ask(settings: HttpSettings, wire: Wire) -> Answered:
    try:
        answered = _exchange(settings, wire)
    except WireError:
        if not wire.is_cut:
            raise
    else:
        if not wire.is_cut:  # a body that only the connection's end closes looks whole when it was cut
            return answered
    raise WireError("timeout", f"no whole answer within {written_duration(settings.timeout)}")


def _exchange(settings: HttpSettings, wire: Wire) -> Answered:
    address = web_address(settings.url)
    tls = trust(address, settings.tls_config)
    request = _request(settings)
    start = time.monotonic()
    connected = connect(address, tls, wire)
    with connected.socket as connection, http.client.HTTPResponse(connection, method=settings.method) as answer:
        try:
            connection.sendall(request)
            answer.fp.peek(1)
            first_byte_at = time.monotonic()
            answer.begin()
            body = bytearray(256 * 1024)
            while answer.readinto(body):
                pass
        except http.client.RemoteDisconnected:
            raise WireError("protocol", "the connection was closed before any answer") from None
        except OSError as error:
            raise WireError("protocol", f"the connection broke: {os_words(error)}") from None
        except (http.client.HTTPException, ValueError):
            raise WireError("protocol", "the answer is no HTTP/1, or ends before its time") from None
        total_at = time.monotonic()
        if answer.length:
            raise WireError("protocol", f"the body ends {answer.length} bytes before its time")
    if not settings.expects(answer.status):
        raise WireError("status", f"the answer is {answer.status}", code=answer.status)
    moments = {
        "connect": connected.connected_at, "tls": connected.secured_at, "first_byte": first_byte_at, "total": total_at,
    }  # fmt: skip
    return Answered(answer.status, {phase: at - start for phase, at in moments.items() if at is not None})


def _request(settings: HttpSettings) -> bytes:
    address = web_address(settings.url)
    headers = {"Host": address.netloc, "User-Agent": "sloagent", "Accept": "*/*"}
    replaced = {name.lower() for name in settings.headers}
    lines = [f"{name}: {value}" for name, value in headers.items() if name.lower() not in replaced]
    lines += [f"{name}: {value.get_secret_value()}" for name, value in settings.headers.items()]
    place = (address.path or "/") + (f"?{address.query}" if address.query else "")
    return "\r\n".join([f"{settings.method} {place} HTTP/1.1", *lines, "", ""]).encode("ascii")
