from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sloagent.errors import StoreError
from sloagent.store.opening import IN_MEMORY, open_store
from sloagent.store.settings import StoreSettings
from sloagent.store.sqlite import SQLiteStore
from tests.prometheus import free_port

URL = "postgresql://sloagent@127.0.0.1:{port}/soak"


@pytest.mark.parametrize("settings", [StoreSettings(), StoreSettings(url=URL.format(port=1))])
def test_what_is_not_to_be_remembered_needs_no_server(settings):
    store = open_store(settings, IN_MEMORY)
    assert isinstance(store, SQLiteStore)
    store.close()


def test_without_a_url_the_store_is_the_file(tmp_path):
    open_store(StoreSettings(), tmp_path / "sloagent.db").close()
    assert (tmp_path / "sloagent.db").exists()


def test_without_the_client_the_sentence_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("psycopg", "sloagent.store.postgres"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match="needs psycopg, the client of PostgreSQL, which is not installed") as caught:
        open_store(StoreSettings(url=URL.format(port=1)), Path("sloagent.db"))
    assert caught.value.hint == "pip install 'sloagent[postgres]'"


def test_a_server_that_is_not_there_is_named_and_no_user():
    port = free_port()
    with pytest.raises(StoreError) as caught:
        open_store(StoreSettings(url=URL.format(port=port), timeout=2), Path("sloagent.db"))
    said = caught.value.message
    assert said.startswith(f"the store in PostgreSQL (127.0.0.1:{port}, database soak) cannot be reached (")
    assert "onnection refused" in said
    assert "check that it runs" in caught.value.hint


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("password_env", "SLOAGENT_NOT_SET", "the environment variable SLOAGENT_NOT_SET is not set"),
        ("password_file", Path("/nowhere/password"), "password_file /nowhere/password cannot be read: No such file"),
    ],
)
def test_a_password_that_cannot_be_read_is_said(field, value, sentence):
    with pytest.raises(StoreError, match=sentence):
        open_store(StoreSettings(url=URL.format(port=1), **{field: value}), Path("sloagent.db"))
