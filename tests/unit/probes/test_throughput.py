"""The receiving side against the real sending side, and against some that are none."""

from __future__ import annotations

import asyncio
import math
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from sloagent.probes.blocks import BlockServer
from sloagent.probes.http_settings import TLSSettings
from sloagent.probes.telemetry import ProbeTelemetry
from sloagent.probes.throughput import Received, ThroughputMetrics, ThroughputProbe, receive
from sloagent.probes.throughput_settings import ThroughputSettings
from sloagent.probes.wire import Wire, WireError
from tests.door import Certificates
from tests.unit.probes.answering import answering

SHORT = 0.3
PACED = {"block": 10_000, "pace": 1e6}
"""A block every 10 ms."""


@contextmanager
def sending(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a sending side."""
    server = BlockServer("127.0.0.1", 0, tls)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.port}"
    finally:
        server.close()
        thread.join(10)
        assert not thread.is_alive()


def settings(url: str, **fields: object) -> ThroughputSettings:
    return ThroughputSettings(**{"name": "net", "url": url, "duration": SHORT, "every": 0.5, **fields})


def received(url: str, **fields: object) -> Received:
    return receive(settings(url, **fields), Wire())


def failure(url: str, **fields: object) -> WireError:
    with pytest.raises(WireError) as caught:
        received(url, **fields)
    return caught.value


# ---- one run -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 3])
def test_a_paced_run_is_never_faster_than_its_pace_and_every_gap_is_seen(connections: int) -> None:
    with sending() as url:
        run = received(url, connections=connections, **PACED)
    assert run.seconds == pytest.approx(SHORT, abs=0.01 * connections)
    assert run.rate <= 1e6 * 1.001
    assert sum(run.bytes_each_second) == run.bytes
    assert list(run.gaps) == sorted(run.gaps)
    assert len(run.gaps) == run.bytes / 10_000 - connections
    assert math.fsum(run.gaps) <= SHORT * connections


def test_without_a_pace_it_is_faster() -> None:
    with sending() as url:
        run = received(url, connections=2)
    assert run.rate > 10e6
    assert run.seconds == SHORT


def test_over_tls_too(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    authority = made.authority()
    made.sign("server")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with sending(tls) as url:
        assert received(url, tls_config=TLSSettings(ca_file=authority), **PACED).bytes > 0
        assert failure(url, **PACED).kind == "tls"


@pytest.mark.parametrize(
    ("parts", "holds", "kind", "said"),
    [
        ((b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",), False, "status", "the answer is 404"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",), False, "protocol", "this is no sending side"),
        ((b"220 mail.example.com ESMTP\r\n",), False, "protocol", "the answer is no HTTP/1"),
        (
            (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", b"x" * 15_000),
            False,
            "protocol",
            "left after 1 blocks",
        ),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n",), True, "timeout", "1 of 1 connections nothing came"),
        ((), True, "timeout", "1 of 1 connections nothing came within 300ms"),
        ((), False, "protocol", "the connection broke"),
    ],
)
def test_a_run_that_is_not_whole_is_a_failure(parts: tuple[bytes, ...], holds: bool, kind: str, said: str) -> None:
    with answering(*parts, holds=holds) as server:
        told = failure(server.url, **PACED)
    assert told.kind == kind
    assert said in str(told)


def test_a_sender_that_stalls_is_measured_as_slow_until_the_deadline() -> None:
    parts = (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", b"x" * 25_000)
    with answering(*parts, holds=True) as server:
        run = received(server.url, **PACED)
    assert (run.bytes, run.seconds, len(run.gaps)) == (25_000, SHORT, 1)


def test_what_is_read_after_the_deadline_is_not_counted_though_it_had_come() -> None:
    parts = (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", b"x" * 100_000)
    with answering(*parts, holds=True) as server:
        run = receive(settings(server.url, **PACED), Wire(), lambda _: _wait(SHORT + 0.05))
    assert run.bytes == 20_000, "after the second block the receiver was held up"


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


# ---- the probe -----------------------------------------------------------------------------------------------------


class Running:
    """A probe, run until `enough`; what it exports."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.telemetry = ProbeTelemetry(self.registry)
        self.metrics = ThroughputMetrics(self.registry)

    def until(self, enough: Callable[[], bool], target: ThroughputSettings) -> None:
        async def run() -> None:
            task = asyncio.create_task(ThroughputProbe(target, self.telemetry, self.metrics).run())
            deadline = time.monotonic() + 10
            while not enough():
                assert time.monotonic() < deadline, "it did not come about"
                assert not task.done()
                await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(run())

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"sloagent_probe_{name}", {"target": "net", **labels}) or 0.0


def test_a_whole_run_gives_bytes_and_the_seconds_they_took() -> None:
    running = Running()
    with sending() as url:
        running.until(lambda: running.value("throughput_runs_total") >= 1, settings(url, **PACED))
    assert running.value("throughput_seconds_total") == pytest.approx(SHORT, abs=0.011)
    assert 0 < running.value("throughput_bytes_total") <= 1e6 * SHORT
    assert running.value("throughput_block_seconds_count") == running.value("throughput_bytes_total") // 10_000 - 1
    assert running.value("up", probe="throughput") == 1


def test_a_failed_run_is_counted_and_is_no_throughput() -> None:
    running = Running()
    parts = (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", b"x" * 15_000)
    with answering(*parts) as server:
        running.until(lambda: running.value("throughput_runs_total") >= 1, settings(server.url, **PACED))
    assert running.value("throughput_failures_total", kind="protocol") == 1
    assert running.value("throughput_bytes_total") == 0
    assert running.value("throughput_seconds_total") == 0
    assert running.telemetry.blind["throughput", "net"] == "the sending side left after 1 blocks"


def test_a_probe_that_is_cancelled_leaves_its_peer_at_once() -> None:
    running = Running()
    before = threading.active_count()
    with answering(holds=True) as server:
        running.until(
            lambda: server.asked.acquire(blocking=False), settings(server.url, duration=600.0, every=700.0)
        )  # fmt: skip
        assert server.left.acquire(timeout=5)
    deadline = time.monotonic() + 5
    while threading.active_count() > before:
        assert time.monotonic() < deadline, "a thread is left"
        threading.Event().wait(0.005)


# ---- settings ------------------------------------------------------------------------------------------------------


def test_a_pace_is_that_of_all_connections_together() -> None:
    asked = ThroughputSettings.model_validate(
        {"name": "net", "url": "http://host:9471/", "pace": "125MB/s", "connections": 4, "block": "128KiB"}
    )
    assert asked.url == "http://host:9471"
    assert asked.period_seconds == pytest.approx(4 * 131_072 / 125e6)
    assert asked.blocks == 2384


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "host:9471"}, "url must be like"),
        ({"url": "http://host:9471/?a=b"}, "without a query"),
        ({"pace": "125MB"}, "does not say per what time"),
        ({"pace": "0MB/s"}, "greater than 0"),
        ({"connections": 65}, "less than or equal to 64"),
        ({"block": "17MiB"}, "less than or equal to 16777216"),
        ({"block": "1KiB"}, "without a pace a block has at least 64KiB"),
        ({"pace": "1kB/s"}, "a connection has to get two blocks"),
        ({"duration": "11m", "every": "1h"}, "less than or equal to 600"),
        ({"every": "10s"}, "every must be longer than duration"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ThroughputSettings.model_validate({"name": "net", "url": "http://host:9471", **fields})
    assert said in str(caught.value)
