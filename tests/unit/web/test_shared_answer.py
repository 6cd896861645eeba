"""Pages that are made once for all who wait: never older than the question, whole or broken, packed or plain."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sloagent.web.shared_answer import PIECE_BYTES, SharedAnswer
from tests.door import Served, connected, request


async def whole(shared: SharedAnswer, *, packed: bool = False) -> bytes:
    return b"".join([piece async for piece in await shared.get(packed=packed)])


def counting(begun: threading.Event, go_on: threading.Event) -> Callable[[], Iterator[bytes]]:
    """Pages "page 1", "page 2" and so on; each waits in its middle until it may go on."""
    made = 0

    def make() -> Iterator[bytes]:
        nonlocal made
        made += 1
        yield b"page "
        begun.set()
        assert go_on.wait(10)
        yield str(made).encode()

    return make


def test_who_asks_while_a_page_is_made_shares_the_next_one() -> None:
    async def ask() -> list[bytes]:
        begun, go_on = threading.Event(), threading.Event()
        shared = SharedAnswer(counting(begun, go_on), executor)
        first = [asyncio.create_task(whole(shared)) for _ in range(3)]
        await asyncio.to_thread(begun.wait, 10)
        later = [asyncio.create_task(whole(shared)) for _ in range(20)]
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(*first, *later)

    with ThreadPoolExecutor(1) as executor:
        assert asyncio.run(ask()) == [b"page 1"] * 3 + [b"page 2"] * 20


def test_the_same_page_is_packed_and_plain() -> None:
    made = []

    def make() -> Iterator[bytes]:
        made.append(1)
        for number in range(20):
            yield f"line {number}\n".encode() * 20_000

    async def ask() -> tuple[bytes, bytes, list[int]]:
        shared = SharedAnswer(make, executor)
        plain, packed = await asyncio.gather(whole(shared), whole(shared, packed=True))
        return plain, packed, [len(piece) async for piece in await shared.get(packed=False)]

    with ThreadPoolExecutor(1) as executor:
        plain, packed, sizes = asyncio.run(ask())
    assert plain == b"".join(f"line {number}\n".encode() * 20_000 for number in range(20))
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 20
    assert len(made) == 2
    assert max(sizes) == PIECE_BYTES


@pytest.mark.parametrize("packed", [False, True])
def test_a_page_that_breaks_is_an_error_for_all_and_the_next_is_whole(packed: bool) -> None:
    fails = [True, False]

    def make() -> Iterator[bytes]:
        yield b"half"
        if fails.pop(0):
            raise ValueError("broken")
        yield b" and half"

    async def ask() -> tuple[list[object], bytes]:
        shared = SharedAnswer(make, executor)
        broken = await asyncio.gather(*(whole(shared, packed=packed) for _ in range(3)), return_exceptions=True)
        return list(broken), await whole(shared)

    with ThreadPoolExecutor(1) as executor:
        broken, after = asyncio.run(ask())
    assert [str(one) for one in broken] == ["broken"] * 3
    assert after == b"half and half"


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/verdicts"])
def test_a_client_gets_a_page_packed_only_when_it_can_unpack_it(path: str) -> None:
    with Served() as door:
        bodies = []
        for header in ("Accept-Encoding: gzip", "Accept-Encoding: br"):
            with connected(door.address) as connection:
                connection.sendall(
                    request(f"GET {path}", header, "Connection: close").replace("1.1\r", "1.0\r").encode()
                )
                bodies.append(b"".join(iter(lambda source=connection: source.recv(65536), b"")).split(b"\r\n\r\n", 1))
    (packed_head, packed), (plain_head, plain) = bodies
    assert b"content-encoding: gzip" in packed_head.lower()
    assert b"content-encoding" not in plain_head.lower()
    assert b"vary: accept, accept-encoding" in plain_head.lower()
    assert gzip.decompress(packed) == plain
    assert plain
