"""The sending side: what it refuses, and when a block is due."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from sloagent.probes.blocks import CATCH_UP_SECONDS, MOST_SENDING, Blocks, BlockServer, RefusedError, following
from tests.door import Heard, say


@pytest.fixture(scope="module")
def server() -> Iterator[BlockServer]:
    made = BlockServer("127.0.0.1", 0)
    thread = threading.Thread(target=made.serve)
    thread.start()
    yield made
    made.close()
    thread.join(10)
    assert not thread.is_alive()


def heard(server: BlockServer, line: str) -> Heard:
    return say(f"127.0.0.1:{server.port}", f"{line}\r\nHost: here\r\n\r\n")


def test_blocks_are_read_from_the_query_as_it_is_written_for_either_program() -> None:
    assert Blocks.parse("size=500&n=2001&periodMS=10") == Blocks(500, 2001, 0.01)
    assert Blocks.parse("size=1&n=2&period=1.048576").period_seconds == pytest.approx(0.001048576, abs=1e-15)
    assert Blocks.parse("size=1&n=1") == Blocks(1, 1, 0.0)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "size and n are needed"),
        ("size=1", "size and n are needed"),
        ("size=1&n=1&color=red", "size and n are needed"),
        ("size=1&n=1&n=2", "each once"),
        ("size=1&n=1&period=1&periodMS=1", "each once"),
        ("size=0&n=1", "size must be a whole number from 1 to 16777216"),
        ("size=16777217&n=1", "size must be a whole number from 1 to 16777216"),
        ("size=1.5&n=1", "size must be"),
        ("size=1&n=1000000001", "n must be a whole number from 1 to 1000000000"),
        ("size=1&n=-1", "n must be"),
        ("size=1&n=1&period=nan", "period must be a number of milliseconds"),
        ("size=1&n=1&period=-1", "period must be"),
        ("size=1&n=600001&period=1", "must take at most 600 s"),
    ],
)
def test_what_is_asked_for_wrongly_gets_a_sentence(server: BlockServer, query: str, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        Blocks.parse(query)
    assert said in str(caught.value)
    answer = heard(server, f"GET /blocks?{query} HTTP/1.1")
    assert (answer.status, answer.body) == (400, f"{caught.value}\n")


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("GET / HTTP/1.1", 200, "sloagent sends blocks: GET /blocks?size=BYTES"),
        ("GET /other HTTP/1.1", 404, "there are only blocks"),
        ("POST /blocks?size=1&n=1 HTTP/1.1", 405, "only GET is answered"),
        ("\x16\x03\x01\x02 hello", 400, "this is no HTTP/1 request"),
        ("GET /" + "a" * 9000 + " HTTP/1.1", 400, "a request has at most 8192 bytes"),
    ],
    ids=["a page", "another path", "another method", "no HTTP", "a long head"],
)
def test_every_other_request_gets_one_too(server: BlockServer, line: str, status: int, said: str) -> None:
    answer = heard(server, line)
    assert answer.status == status
    assert said in answer.body


def test_the_blocks_come_one_every_period_and_none_before_its_time(server: BlockServer) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        begun = time.monotonic()
        connection.request("GET", "/blocks?size=1000&n=10&periodMS=20")
        answer = connection.getresponse()
        assert answer.length == 10_000
        blocks = []
        for number in range(10):
            blocks.append(answer.read(1000))
            assert time.monotonic() - begun >= number * 0.02
    assert len(set(blocks)) == 1
    assert len(set(blocks[0])) > 100, "what compresses would look quick"


def test_the_times_of_blocks_do_not_drift_and_a_short_delay_is_caught_up_with() -> None:
    due = 100.0
    for number in range(1, 10_001):
        due = following(due, due + (0.5 if number % 2 else 0.0), 0.001)
    assert due == pytest.approx(110.0, abs=1e-6)


def test_what_is_later_than_a_second_is_not_caught_up_with() -> None:
    assert following(100.0, 130.0, 0.001) == pytest.approx(130.0 - CATCH_UP_SECONDS + 0.001)


def test_there_are_at_most_so_many_connections() -> None:
    made = BlockServer("127.0.0.1", 0)
    thread = threading.Thread(target=made.serve)
    thread.start()
    place = ("127.0.0.1", made.port)
    taken = [socket.create_connection(place, timeout=10) for _ in range(MOST_SENDING)]
    try:
        with socket.create_connection(place, timeout=10) as one_more:
            assert one_more.recv(1) == b""
    finally:
        for connection in taken:
            connection.close()
        made.close()
        thread.join(10)
