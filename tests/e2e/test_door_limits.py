"""Every bound of the door, over real sockets: who is too slow or too silent is let go, and the others are served."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from prometheus_client import Gauge

from sloagent.web.access import Rules, rules
from sloagent.web.settings import WebSettings
from sloagent.web.web_file import TLSServerConfig, WebFile
from tests.agent import wait_until
from tests.door import Certificates, Heard, Served, connected, hashed, is_closed, request, say

SOON = 0.5
"""Seconds for the deadline that a test is about; the others are far away."""
FAR = 60.0
HEALTHY = request("GET /-/healthy")


def patient(**settings: float) -> WebSettings:
    """Settings under which nothing happens but what is given."""
    far = {"header_timeout": FAR, "body_timeout": FAR, "answer_timeout": FAR, "idle_timeout": FAR}
    return WebSettings.model_validate({**far, **settings})


def closed(door: Served, reason: str) -> float:
    return door.counted("sloagent_web_connections_closed_total", reason=reason)


@contextmanager
def dripping(connection: socket.socket, first: str, drop: bytes) -> Iterator[None]:
    """Send the beginning, and then a little again and again until the block or the connection ends."""
    ended = threading.Event()

    def drip() -> None:
        try:
            connection.sendall(first.encode())
            while not ended.wait(0.05):
                connection.sendall(drop)
        except OSError:
            pass  # the daemon has had enough

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("first", ["", "G", "GET /metrics HTTP/1.1\r\nHost: x\r\n"])
def test_a_header_that_does_not_end_is_cut_off(first: str) -> None:
    with Served(patient(header_timeout=SOON)) as door, connected(door.address) as silent:
        silent.sendall(first.encode())
        assert is_closed(silent)
        assert closed(door, "header") == 1


def test_a_byte_now_and_then_does_not_buy_time() -> None:
    with Served(patient(header_timeout=SOON)) as door, connected(door.address) as slow:
        with dripping(slow, "GET /metrics HTTP/1.1\r\nHost: x\r\nA: ", b"a"):
            assert is_closed(slow)
        assert closed(door, "header") == 1


def test_the_second_header_of_a_connection_has_the_same_deadline() -> None:
    with Served(patient(header_timeout=SOON)) as door, connected(door.address) as slow:
        slow.sendall(HEALTHY.encode())
        assert Heard(slow).status == 200
        with dripping(slow, "GET /metrics HTTP/1.1\r\nHost: x\r\nA: ", b"a"):
            assert is_closed(slow)
        assert closed(door, "header") == 1


@pytest.mark.parametrize("announced", ["Content-Length: 60000", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_end_is_cut_off(announced: str) -> None:
    drop = b"x" if "Length" in announced else b"1\r\nx\r\n"
    with Served(patient(body_timeout=SOON)) as door, connected(door.address) as slow:
        with dripping(slow, request("POST /-/reload", announced), drop):
            assert is_closed(slow)
        assert closed(door, "body") == 1
        assert door.reloads == 0


def test_a_client_that_reads_nothing_is_let_go() -> None:
    with Served(patient(answer_timeout=SOON)) as door, connected(door.address) as deaf:
        large = Gauge("large", "Much to read", ["name"], registry=door.registry)
        for number in range(2_000):
            large.labels("x" * 1_000 + str(number)).set(1)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(20):  # more than the system's own buffers hold
            deaf.sendall(request("GET /metrics").encode())
        wait_until(lambda: closed(door, "answer") == 1, 20, "the end of the deaf connection")
        assert is_closed(deaf)


def test_an_idle_connection_is_closed_and_one_that_asks_is_kept() -> None:
    with Served(patient(idle_timeout=1)) as door, connected(door.address) as kept, connected(door.address) as idle:
        idle.sendall(HEALTHY.encode())
        assert Heard(idle).status == 200
        for _ in range(8):
            kept.sendall(HEALTHY.encode())
            assert Heard(kept).status == 200
            time.sleep(0.2)  # the pause between two requests is what is tested
        assert is_closed(idle)
        kept.sendall(HEALTHY.encode())
        assert Heard(kept).status == 200


def test_when_there_is_no_room_the_slow_make_room_and_not_the_newcomer() -> None:
    with Served(patient(max_connections=8)) as door, ExitStack() as stack:
        slow = [stack.enter_context(connected(door.address)) for _ in range(40)]
        for connection in slow:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nA: ")
        for _ in range(10):
            assert say(door.address, HEALTHY).status == 200
        assert closed(door, "full") >= 40 - 8
        for connection in slow[: 40 - 8]:
            assert is_closed(connection)
        wait_until(lambda: door.counted("sloagent_web_connections") <= 8, 5, "the count of those inside")


def test_the_idle_go_after_the_slow_and_before_the_newcomer() -> None:
    with Served(patient(max_connections=8)) as door, ExitStack() as stack:
        idle = [stack.enter_context(connected(door.address)) for _ in range(7)]
        for connection in idle:
            connection.sendall(HEALTHY.encode())
            assert Heard(connection).status == 200
        slow = stack.enter_context(connected(door.address))
        slow.sendall(b"GET")
        time.sleep(1.1)  # from a second on it is slow
        assert say(door.address, HEALTHY).status == 200
        assert is_closed(slow)
        for _ in range(8):
            connection = stack.enter_context(connected(door.address))
            connection.sendall(HEALTHY.encode())
            assert Heard(connection).status == 200
        for connection in idle:
            assert is_closed(connection)


@pytest.fixture(scope="module")
def behind_tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rules, Certificates]:
    made = Certificates(tmp_path_factory.mktemp("tls"))
    made.authority()
    made.sign("server")
    tls = TLSServerConfig(cert_file=made.directory / "server.pem", key_file=made.directory / "server.key")
    path = made.directory / "web.yml"
    path.write_text("")
    return rules(path, WebFile(tls_server_config=tls)), made


def test_a_handshake_that_does_not_end_is_cut_off(behind_tls: tuple[Rules, Certificates]) -> None:
    required, made = behind_tls
    with Served(patient(header_timeout=SOON), required) as door, connected(door.address) as silent:
        with connected(door.address) as half:
            half.sendall(b"\x16\x03\x01")
            assert is_closed(silent)
            assert is_closed(half)
        wait_until(lambda: closed(door, "handshake") == 2, 5, "the count of both")
        assert say(door.address, HEALTHY, made.trusting()).status == 200


def test_half_open_handshakes_make_room(behind_tls: tuple[Rules, Certificates]) -> None:
    required, made = behind_tls
    with Served(patient(max_connections=8), required) as door, ExitStack() as stack:
        silent = [stack.enter_context(connected(door.address)) for _ in range(40)]
        for _ in range(5):
            assert say(door.address, HEALTHY, made.trusting()).status == 200
        for connection in silent[: 40 - 8]:
            assert is_closed(connection)


def test_a_flood_of_guesses_keeps_nobody_out_who_was_let_in() -> None:
    users = {b"anna": hashed("secret").encode(), b"slow": hashed("x").replace("$04$", "$12$").encode()}
    anna = "Authorization: Basic " + base64.b64encode(b"anna:secret").decode()
    with Served(patient(), Rules(users=users, knows_clients=True)) as door, ExitStack() as stack:
        assert say(door.address, request("GET /metrics", anna)).status == 200
        for number in range(60):  # each takes bcrypt a fifth of a second
            guess = "Authorization: Basic " + base64.b64encode(f"slow:{number}".encode()).decode()
            stack.enter_context(connected(door.address)).sendall(request("GET /metrics", guess).encode())
        wait_until(
            lambda: door.counted("sloagent_web_requests_refused_total", code="503") >= 1, 10, "a guess turned away"
        )
        assert say(door.address, request("GET /metrics", anna)).status == 200
        assert door.counted("sloagent_web_requests_refused_total", code="401") < 30, "the guesses still wait"


def test_no_line_is_logged_whatever_is_sent(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    sent = ["canary-path", "canary-header", "canary-password"]
    shown = base64.b64encode(b"anna:canary-password").decode()
    with Served(patient(), Rules(users={b"anna": hashed("secret").encode()}, knows_clients=True)) as door:
        say(door.address, request("GET /canary-path", "A: canary-header", f"Authorization: Basic {shown}"))
        say(door.address, request("GET /canary-path", "Upgrade: websocket", "Connection: upgrade"))
        say(door.address, b"canary-header\r\n\r\n")
        say(door.address, request("POST /-/reload", "Origin: http://canary-header"))
        with connected(door.address) as connection:
            connection.sendall(b"GET /canary-path HTTP/1.1\r\nHost: canary-header")
    assert not any(word in caplog.text for word in sent), caplog.text
    assert caplog.records == []
