from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sloagent.cli.store import command
from sloagent.errors import StoreError
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, plain_slot


@pytest.fixture
def configuration(tmp_path) -> Path:
    file = tmp_path / "sloagent.yaml"
    file.write_text(
        "prometheus: {url: 'http://127.0.0.1:9'}\nslos: ['builtin:karmada']\nstore: {path: remembered.db}\n"
    )
    store = SQLiteStore(tmp_path / "remembered.db")
    store.append("p", [plain_slot(HOUR, detail="时延")])
    store.close()
    return file


def sloagent_store(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_dump_prints_a_json_object_a_line_in_utf_8(configuration):
    result = sloagent_store("dump", "-c", configuration)
    assert result.exit_code == 0
    assert [json.loads(line)["kind"] for line in result.stdout_bytes.splitlines()] == [
        "slo", "slot", "tile", "tile_series", "tile_series", "verdict", "verdict",
    ]  # fmt: skip
    assert "时延".encode() in result.stdout_bytes


def test_check_says_that_the_store_is_sound(configuration):
    result = sloagent_store("check", "-c", configuration)
    assert (result.exit_code, result.stdout[:8]) == (0, "sound · ")


def test_check_exits_3_with_what_is_wrong(configuration, tmp_path):
    connection = sqlite3.connect(tmp_path / "remembered.db")
    connection.execute("DELETE FROM verdicts")
    connection.commit()
    connection.close()
    result = sloagent_store("check", "-c", configuration)
    assert result.exit_code == 3
    assert "`slots` says 2 verdicts of api-mutating-latency at 1795320000, and 0 are there" in result.stdout
    found = json.loads(sloagent_store("check", "-c", configuration, "--format", "json").stdout)
    assert found["schema"] == "sloagent/store-check/v1"
    assert found["findings"] == result.stdout.splitlines()


def test_backup_writes_a_copy_that_can_take_the_stores_place(configuration, tmp_path):
    before = sloagent_store("dump", "-c", configuration).stdout
    assert sloagent_store("backup", "-c", configuration, tmp_path / "copy.db").exit_code == 0
    (tmp_path / "copy.db").replace(tmp_path / "remembered.db")
    for left in ("remembered.db-wal", "remembered.db-shm"):
        (tmp_path / left).unlink(missing_ok=True)
    assert sloagent_store("dump", "-c", configuration).stdout == before


@pytest.mark.parametrize("arguments", [("dump",), ("check",), ("backup", "copy.db")], ids=lambda words: words[0])
def test_a_store_that_is_not_there_is_not_made(configuration, tmp_path, arguments):
    (tmp_path / "remembered.db").unlink()
    result = sloagent_store(*arguments, "-c", configuration)
    assert isinstance(result.exception, StoreError)
    assert "there is no store" in result.exception.message
    assert not (tmp_path / "remembered.db").exists()
