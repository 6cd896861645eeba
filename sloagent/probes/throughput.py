"""The throughput probe, the receiving side: bytes per second, and how evenly blocks come (the sending side: blocks.py)."""

from __future__ import annotations

import http.client
import io
import math
import socket
import threading
import time
from array import array
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from sloagent.probes.http_settings import web_address
from sloagent.probes.telemetry import BOUNDS, ProbeTelemetry
from sloagent.probes.throughput_settings import ThroughputSettings
from sloagent.probes.ticks import ticks
from sloagent.probes.wire import Kind, Wire, WireError, connect, in_thread, os_words, trust
from sloagent.units import written_duration

PROBE = "throughput"
BLOCK_BOUNDS = (0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, *BOUNDS)
"""At 10 Gbit/s a block of 128 KiB comes every 0.1 ms, below the first bound of the other probes."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came in a run over all connections."""

    bytes: int
    seconds: float
    """From the first request to the deadline, or to the end of the last block's period where all came before it."""
    bytes_each_second: tuple[int, ...]
    """The last stands for what is left of `seconds`."""
    gaps: array[float]
    """Seconds from one block's last byte to that of the next one of its connection, ascending."""

    @property
    def rate(self) -> float:
        """Bytes per second."""
        return self.bytes / self.seconds


class ThroughputMetrics:
    """What all throughput probes of a process export, once per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.bytes = Counter(
            "sloagent_probe_throughput_bytes", "Bytes received in runs that were whole", ["target"], registry=registry
        )
        self.seconds = Counter(
            "sloagent_probe_throughput_seconds", "How long those runs took: bytes over seconds is the throughput",
            ["target"], registry=registry,
        )  # fmt: skip
        self.block_seconds = Histogram(
            "sloagent_probe_throughput_block_seconds", "From one block's end to that of the next of its connection",
            ["target"], buckets=BLOCK_BOUNDS, registry=registry,
        )  # fmt: skip
        self.runs = Counter("sloagent_probe_throughput_runs", "Runs, failed ones too", ["target"], registry=registry)
        self.failures = Counter(
            "sloagent_probe_throughput_failures", "Runs that were not whole, by what went wrong", ["target", "kind"],
            registry=registry,
        )  # fmt: skip
        self.skipped = Counter(
            "sloagent_probe_throughput_skipped", "Runs that were not made because the one before was still under way",
            ["target"], registry=registry,
        )  # fmt: skip


class ThroughputProbe:
    """Receives from one sending side on schedule."""

    def __init__(self, settings: ThroughputSettings, telemetry: ProbeTelemetry, metrics: ThroughputMetrics) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._metrics = metrics
        for counter in (metrics.bytes, metrics.seconds, metrics.runs):
            counter.labels(settings.name)  # a rate sees the first run only where there was a 0 before it
        for kind in get_args(Kind):
            metrics.failures.labels(settings.name, kind)

    async def run(self) -> None:
        """Receive until cancelled."""
        target = self._settings.name
        gap_seen = self._metrics.block_seconds.labels(target).observe
        async for skipped in ticks(self._settings.every):
            self._metrics.skipped.labels(target).inc(skipped)
            wire = Wire()
            try:
                received = await in_thread(partial(receive, self._settings, wire, gap_seen), wire)
            except WireError as error:  # the run is counted first: there are never more failures than runs
                self._metrics.runs.labels(target).inc()
                self._metrics.failures.labels(target, error.kind).inc()
                self._telemetry.up(PROBE, target, str(error))
            else:
                self._metrics.bytes.labels(target).inc(received.bytes)
                self._metrics.seconds.labels(target).inc(received.seconds)
                self._metrics.runs.labels(target).inc()
                self._telemetry.up(PROBE, target)


def receive(settings: ThroughputSettings, wire: Wire, gap_seen: Callable[[float], None] | None = None) -> Received:
    """One run: all connections are made, then each asks for its blocks, in a thread. Blocks; raises WireError.

    `gap_seen` is called in those threads, with the seconds between two blocks.
    """
    with ExitStack() as opened:
        opened.callback(wire.close)
        connections = _connections(settings, wire, opened)
        start = time.monotonic()
        receivers = [_Receiver(settings, connection, wire, start, gap_seen) for connection in connections]
        threads = [threading.Thread(target=receiver.take, daemon=True) for receiver in receivers]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join(max(0.0, start + settings.duration - time.monotonic()))
        finally:
            wire.cut()
            for thread in threads:
                thread.join()
    return _joined(settings, start, receivers)


def _connections(settings: ThroughputSettings, wire: Wire, opened: ExitStack) -> list[socket.socket]:
    address = web_address(settings.url)
    tls = trust(address, settings.tls_config)
    watch = threading.Timer(settings.timeout, wire.cut)
    watch.daemon = True
    watch.start()
    try:
        return [opened.enter_context(connect(address, tls, wire).socket) for _ in range(settings.connections)]
    except WireError as error:
        if wire.is_cut:
            raise WireError("timeout", f"not connected within {written_duration(settings.timeout)}") from error
        raise
    finally:
        watch.cancel()


class _Receiver:
    """One connection and what comes over it; `take` runs in a thread."""

    def __init__(
        self, settings: ThroughputSettings, connection: socket.socket, wire: Wire, start: float,
        gap_seen: Callable[[float], None] | None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._connection = connection
        self._wire = wire
        self._start = start
        self._gap_seen = gap_seen
        self._buffer = memoryview(bytearray(settings.block))
        self.bytes_each_second = [0] * math.ceil(settings.duration)
        self.gaps = array("d")
        self.blocks = 0
        self.last_at = start
        self.trouble: WireError | None = None

    def take(self) -> None:
        """Ask for the blocks and take them, until the last or until the wire is cut. Trouble ends the whole run."""
        try:
            self._connection.sendall(_request(self._settings))
            with http.client.HTTPResponse(self._connection) as answer:
                answer.begin()
                self._check(answer)
                while self.blocks < self._settings.blocks and self._takes_a_block(answer.fp):
                    pass
        except WireError as error:
            self._failed(error)
        except OSError as error:
            self._failed(WireError("protocol", f"the connection broke: {os_words(error)}"))
        except (http.client.HTTPException, ValueError):
            self._failed(WireError("protocol", "the answer is no HTTP/1"))

    def _check(self, answer: http.client.HTTPResponse) -> None:
        if answer.status != 200:
            raise WireError("status", f"the answer is {answer.status}", code=answer.status)
        if answer.length != self._settings.block * self._settings.blocks:
            raise WireError("protocol", "the answer has not the length asked for: this is no sending side")

    def _takes_a_block(self, stream: io.BufferedReader) -> bool:
        """Whether another block came, whole and before the deadline."""
        left = self._buffer
        while left:
            count = stream.readinto1(left)
            now = time.monotonic()
            second = int(now - self._start)
            if now > self._start + self._settings.duration:
                return False
            if not count:
                raise WireError("protocol", f"the sending side left after {self.blocks} blocks")
            self.bytes_each_second[min(second, len(self.bytes_each_second) - 1)] += count
            left = left[count:]
        if self.blocks:
            self.gaps.append(now - self.last_at)
            if self._gap_seen is not None:
                self._gap_seen(now - self.last_at)
        self.blocks += 1
        self.last_at = now
        return True

    def _failed(self, error: WireError) -> None:
        if not self._wire.is_cut:  # else the run is over, and this is how we hear of it
            self.trouble = error
            self._wire.cut()


def _joined(settings: ThroughputSettings, start: float, receivers: list[_Receiver]) -> Received:
    for receiver in receivers:
        if receiver.trouble is not None:
            raise receiver.trouble
    silent = sum(not any(receiver.bytes_each_second) for receiver in receivers)
    if silent:
        raise WireError(
            "timeout",
            f"over {silent} of {len(receivers)} connections nothing came within {written_duration(settings.duration)}",
        )
    seconds = settings.duration
    if all(receiver.blocks == settings.blocks for receiver in receivers):
        last_at = max(receiver.last_at for receiver in receivers)
        seconds = max(last_at - start, settings.blocks * settings.period_seconds)
    each_second = tuple(map(sum, zip(*(receiver.bytes_each_second for receiver in receivers), strict=True)))
    gaps = sorted(chain.from_iterable(receiver.gaps for receiver in receivers))
    return Received(sum(each_second), seconds, each_second[: math.ceil(seconds)], array("d", gaps))


def _request(settings: ThroughputSettings) -> bytes:
    address = web_address(settings.url)
    asked = f"size={settings.block}&n={settings.blocks}&period={settings.period_seconds * 1000!r}"
    return (
        f"GET {address.path}/blocks?{asked} HTTP/1.1\r\nHost: {address.netloc}\r\nUser-Agent: sloagent\r\n\r\n"
    ).encode("ascii")
