"""Every store there is. A new one joins by one entry in OPENERS."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sloagent.store import Store
from sloagent.store.opening import open_store
from sloagent.store.resilient import ResilientStore
from sloagent.store.settings import StoreSettings
from sloagent.store.sqlite import SQLiteStore
from tests.postgres import shared

Opener = Callable[[], Store]
"""Opens the same store each time; what was closed is there again."""


def open_postgres(directory: Path) -> Store:
    """The store in the one database that all of these tests use, emptied in between."""
    return open_store(StoreSettings(url=shared().socket_url(database())), directory)


@functools.cache
def database() -> str:
    return shared().new_database()


OPENERS: dict[str, Callable[[Path], Store]] = {
    "postgres": open_postgres,
    "resilient": lambda directory: ResilientStore(
        lambda: SQLiteStore(directory / "sloagent.db"), path=directory / "sloagent.db"
    ),
    "sqlite": lambda directory: SQLiteStore(directory / "sloagent.db"),
}


@pytest.fixture(params=sorted(OPENERS))
def opener(request, tmp_path) -> Iterator[Opener]:
    opened: list[Store] = []

    def open_again() -> Store:
        store = OPENERS[request.param](tmp_path)
        opened.append(store)
        return store

    yield open_again
    sound = open_again().check()
    for store in opened:
        store.close()
    if request.param == "postgres":
        shared().sql("DROP SCHEMA sloagent CASCADE", database())
    assert sound == []


@pytest.fixture
def store(opener) -> Store:
    return opener()


@pytest.fixture
def other(opener) -> Store:
    """The same store, opened a second time."""
    return opener()


@pytest.fixture
def names() -> Iterator[str]:
    """A source's name for each example, so that one store serves all of them."""
    return (f"prometheus-{number}" for number in itertools.count())
