"""The measuring rod: Python's own HTTP client, one kept connection per worker, answers read and thrown away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from sloagent.sources import Source
from sloagent.sources.connection import Reply
from sloagent.sources.prometheus import PrometheusSource

HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "identity"}
Asked = tuple[str, str, str]
"""Method, path, body."""


class BareClient:
    """`workers` threads, each with a connection of its own that stays open."""

    def __init__(self, url: str, workers: int) -> None:
        self._address = urlsplit(url)
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(workers)

    def ask_all(self, questions: Sequence[Asked]) -> None:
        """Every question, at most `workers` at once."""
        for _ in self._pool.map(self.ask, questions):
            pass

    def ask(self, question: Asked) -> bytes:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = HTTPConnection(self._address.hostname or "", self._address.port)
        method, path, body = question
        connection.request(method, path, body or None, HEADERS)
        answer = connection.getresponse()
        content: bytes = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path} {body}: {answer.status} {content[:200]!r}")
        return content

    def server_seconds(self, question: Asked) -> float:
        """How long the server itself says that it worked on a question, waiting in its queue not counted."""
        method, path, body = question
        if not path.startswith("/api/v1/query"):
            return 0.0
        stats = json.loads(self.ask((method, path, f"{body}&stats=all")))["data"]["stats"]
        return float(stats["timings"]["execTotalTime"])

    def close(self) -> None:
        self._pool.shutdown()


def instant(query: str, slot: int) -> Asked:
    return "POST", "/api/v1/query", urlencode({"query": query, "time": str(slot)})


@contextmanager
def overheard(source: Source) -> Iterator[list[tuple[Asked, bytes]]]:
    """Everything that the source asks inside the block, with the answers."""
    assert isinstance(source, PrometheusSource)
    connection = source._connection
    original = connection._ask
    heard: list[tuple[Asked, bytes]] = []

    def ask(method: str, path: str, body: bytes, content_type: str) -> Reply:
        reply = original(method, path, body, content_type)
        heard.append(((method, path, body.decode()), reply.body))
        return reply

    connection._ask = ask
    try:
        yield heard
    finally:
        connection._ask = original


@contextmanager
def answering(source: PrometheusSource, given: Mapping[Asked, Reply]) -> Iterator[None]:
    """Inside the block the source is answered from memory."""
    connection = source._connection
    original = connection._ask
    connection._ask = lambda method, path, body, _: given[method, path, body.decode()]
    try:
        yield
    finally:
        connection._ask = original
