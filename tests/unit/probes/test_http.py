"""The http probe against real sockets: what is timed, and what each failure is called."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from sloagent.probes.http import Answered, HttpMetrics, HttpProbe, ask
from sloagent.probes.http_settings import HttpSettings, TLSSettings
from sloagent.probes.telemetry import ProbeTelemetry
from sloagent.probes.wire import WireError
from tests.door import Certificates
from tests.unit.probes.answering import HELLO, answering

SHORT = 0.2
"""A deadline that is meant to pass, seconds."""


def settings(url: str, **fields: object) -> HttpSettings:
    return HttpSettings(**{"name": "web", "url": url, **fields})


def asked(url: str, **fields: object) -> Answered:
    return asyncio.run(ask(settings(url, **fields)))


def failure(url: str, **fields: object) -> WireError:
    with pytest.raises(WireError) as caught:
        asked(url, **fields)
    return caught.value


def serving(certificates: Certificates, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.directory / f"{name}.pem", certificates.directory / f"{name}.key")
    return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.authority()
    made.sign("server")
    return made


# ---- what is timed -------------------------------------------------------------------------------------------------


def test_an_answer_is_timed_from_one_start() -> None:
    with answering(HELLO) as server:
        answered = asked(server.url)
    assert answered.code == 200
    connect, first_byte, total = answered.times.values()
    assert list(answered.times) == ["connect", "first_byte", "total"]
    assert 0 < connect < first_byte <= total


def test_over_tls_the_handshake_lies_between_connecting_and_the_first_byte(certificates: Certificates) -> None:
    with answering(HELLO, tls=serving(certificates, "server")) as server:
        answered = asked(server.url, tls_config=TLSSettings(ca_file=certificates.directory / "ca.pem"))
    connect, tls, first_byte, total = answered.times.values()
    assert list(answered.times) == ["connect", "tls", "first_byte", "total"]
    assert 0 < connect < tls < first_byte <= total


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
    ids=["in chunks", "until the connection ends", "without a body"],
)
def test_a_body_may_end_in_any_way_that_http_knows(answer: bytes) -> None:
    with answering(answer) as server:
        assert asked(server.url).times["total"] > 0


def test_a_request_is_curls_with_the_headers_asked_for_in_place_of_its_own() -> None:
    with answering(HELLO) as server:
        asked(f"{server.url}a?b=c", headers={"host": "traefik.sample-webapp.io", "X-Mine": "1"})
        asked(server.url.rstrip("/"), method="HEAD")
        first, second = server.requests
    assert first == (
        "GET /a?b=c HTTP/1.1\r\nUser-Agent: sloagent\r\nAccept: */*\r\n"
        "host: traefik.sample-webapp.io\r\nX-Mine: 1\r\n\r\n"
    )  # fmt: skip
    assert second.startswith(f"HEAD / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n")


# ---- what is not ---------------------------------------------------------------------------------------------------


def test_a_redirect_is_not_followed_and_is_no_answer_unless_expected() -> None:
    with answering(b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n") as server:
        told = failure(server.url)
        assert (told.kind, told.code) == ("status", 302)
        assert asked(server.url, expect=(302,)).code == 302
        assert len(server.requests) == 2


def test_what_is_expected_stands_in_place_of_200_to_299() -> None:
    with answering(HELLO) as server:
        assert failure(server.url, expect=(404,)).code == 200


def test_a_name_that_does_not_resolve_is_a_failure_of_dns() -> None:
    assert failure("http://nowhere.invalid/").kind == "dns"


def test_a_port_where_nobody_listens_is_a_failure_to_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    told = failure(f"http://127.0.0.1:{port}/")
    assert (told.kind, str(told)) == ("connect", f"127.0.0.1 port {port}: connection refused")


def test_a_connection_that_is_never_taken_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        place = listening.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for taken in waiting:  # the queue is full by then: the kernel lets the next ones wait
                taken.setblocking(False)
                taken.connect_ex(place)
            assert failure(f"http://127.0.0.1:{place[1]}/", timeout=SHORT).kind == "timeout"
        finally:
            for taken in waiting:
                taken.close()


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",),
        (b"HTTP/1.0 200 OK\r\n\r\nhello",),
    ],
    ids=["without an answer", "in a body that has a length", "in a body that the connection's end would end"],
)  # fmt: skip
def test_a_server_that_stalls_is_a_timeout_and_no_answer(parts: tuple[bytes, ...]) -> None:
    with answering(*parts, holds=True) as server:
        told = failure(server.url, timeout=SHORT)
    assert (told.kind, str(told)) == ("timeout", "no whole answer within 200ms")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (b"", "the connection was closed before any answer"),
        (b"220 mail.example.com ESMTP\r\n", "the answer is no HTTP/1, or ends before its time"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", "the body ends 45 bytes before its time"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello",
            "the answer is no HTTP/1, or ends before its time",
        ),
    ],
)
def test_what_is_no_whole_answer_is_a_failure_of_the_protocol(part: bytes, said: str) -> None:
    with answering(part) as server:
        told = failure(server.url)
    assert (told.kind, str(told)) == ("protocol", said)


def test_a_certificate_is_checked_unless_it_is_said_otherwise(certificates: Certificates) -> None:
    with answering(HELLO, tls=serving(certificates, "server")) as server:
        told = failure(server.url)
        assert (told.kind, str(told)) == ("tls", "no TLS with 127.0.0.1: unable to get local issuer certificate")
        assert asked(server.url, tls_config=TLSSettings(insecure_skip_verify=True)).code == 200


def test_a_certificate_of_another_name_is_a_failure_of_tls(certificates: Certificates) -> None:
    certificates.sign("other", "DNS:other.example.com")
    with answering(HELLO, tls=serving(certificates, "other")) as server:
        told = failure(server.url, tls_config=TLSSettings(ca_file=certificates.directory / "ca.pem"))
    assert told.kind == "tls"
    assert "IP address mismatch" in str(told).replace("ip", "IP")


def test_a_server_without_tls_and_a_file_without_authorities_are_failures_of_tls(tmp_path: Path) -> None:
    with answering(HELLO, waits=False) as server:
        assert failure(server.url.replace("http:", "https:")).kind == "tls"
        empty = tmp_path / "ca.pem"
        empty.write_text("")
        told = failure("https://127.0.0.1/", tls_config=TLSSettings(ca_file=empty))
        assert (told.kind, str(told)) == ("tls", f"{empty}: it holds no certificate")
        told = failure("https://127.0.0.1/", tls_config=TLSSettings(ca_file=tmp_path / "none.pem"))
        assert (told.kind, str(told)) == ("tls", f"{tmp_path / 'none.pem'}: no such file or directory")


# ---- the probe -----------------------------------------------------------------------------------------------------


class Running:
    """Probes of one registry, run until `enough`; what they export."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.telemetry = ProbeTelemetry(self.registry)
        self.metrics = HttpMetrics(self.registry)

    def until(self, enough: Callable[[], bool], *targets: HttpSettings) -> None:
        async def run() -> None:
            probes = [HttpProbe(target, self.telemetry, self.metrics) for target in targets]
            tasks = [asyncio.create_task(probe.run()) for probe in probes]
            deadline = time.monotonic() + 10
            while not enough():
                assert time.monotonic() < deadline, "it did not come about"
                assert not any(task.done() for task in tasks)
                await asyncio.sleep(0.005)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run(run())

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"sloagent_probe_{name}", labels) or 0.0


def test_what_is_answered_is_timed_by_phase_and_counted_by_code() -> None:
    running = Running()
    with answering(HELLO) as server:
        running.until(
            lambda: running.value("http_requests_total", target="b", code="200") >= 2,
            settings(server.url, name="a", every=0.1), settings(server.url, name="b", every=0.1),
        )  # fmt: skip
    for target in ("a", "b"):
        requests = running.value("http_requests_total", target=target, code="200")
        for phase in ("connect", "first_byte", "total"):
            assert running.value("http_seconds_count", target=target, phase=phase) == requests
        assert running.value("http_seconds_count", target=target, phase="tls") == 0
        assert running.value("up", probe="http", target=target) == 1


def test_a_failure_is_counted_by_kind_and_never_timed_and_the_target_is_down() -> None:
    running = Running()
    with answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") as server:
        running.until(lambda: running.value("http_requests_total", target="web", code="503") == 1, settings(server.url))
    running.until(
        lambda: running.value("http_requests_total", target="gone", code="none") == 1, settings(server.url, name="gone")
    )
    assert running.value("http_failures_total", target="web", kind="status") == 1
    assert running.value("http_failures_total", target="gone", kind="connect") == 1
    for before_the_first in (
        ("http_failures_total", {"target": "gone", "kind": "dns"}),
        ("http_seconds_count", {"target": "web", "phase": "total"}),
    ):
        name, labels = before_the_first
        assert running.registry.get_sample_value(f"sloagent_probe_{name}", labels) == 0, "a rate needs it"
    assert running.telemetry.blind["http", "web"] == "the answer is 503"
    assert running.value("up", probe="http", target="web") == 0


def test_a_slow_answer_piles_nothing_up() -> None:
    running = Running()
    with answering(holds=True) as server:
        running.until(
            lambda: running.value("http_skipped_total", target="web") >= 2,
            settings(server.url, every=0.1, timeout=0.35),
        )  # fmt: skip
        assert running.value("http_requests_total", target="web", code="none") >= 1
        assert len(server.requests) <= 1 + running.value("http_failures_total", target="web", kind="timeout")


def test_a_probe_that_is_cancelled_leaves_its_peer_at_once() -> None:
    running = Running()
    before = threading.active_count()
    with answering(holds=True) as server:
        running.until(lambda: server.asked.acquire(blocking=False), settings(server.url, timeout=600.0))
        assert server.left.acquire(timeout=5)
    deadline = time.monotonic() + 5
    while threading.active_count() > before:
        assert time.monotonic() < deadline, "a thread is left"
        threading.Event().wait(0.005)
