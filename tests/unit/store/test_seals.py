from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sloagent.model.run import Phase, Run
from sloagent.model.timerange import TimeRange
from sloagent.store import migrations
from sloagent.store.seals import DICTIONARIES, SLOTS, SORTS, broken
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, VALUE, plain_slot

START = datetime.fromtimestamp(HOUR, UTC)
SEALED = {
    "slots": "slo_id slot outcome cause kind query_id histogram_id detail_id warnings_id series_count",
    "slo_versions": "id source slo_set slo fingerprint interval_seconds window_seconds spec watched_from",
    "runs": "name start_us end_us labels",
    "tiles": "slo_id slot series_count",
    "pieces": "slo_id start_ms end_ms query_id series_count",
    "documents": "kind name sha256 content",
}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "sloagent.db"


def whole_keys(connection: sqlite3.Connection) -> set[tuple[int, ...]]:
    return {
        sort.sealed_under(key)
        for sort in SORTS
        for key in connection.execute(f"SELECT {', '.join(sort.key)} FROM {sort.table}")
    }


def sealed_keys(connection: sqlite3.Connection) -> set[tuple[int, ...]]:
    return set(connection.execute("SELECT sort, first, second, third FROM seals"))


def test_after_appending_folding_and_forgetting_each_whole_has_its_seal_and_there_is_none_too_many(path):
    store = SQLiteStore(path)
    store.append("p", [plain_slot(HOUR + 60 * n) for n in range(90)])
    store.append("p", [plain_slot(HOUR + 60 * n, slo=VALUE) for n in range(90)])
    store.watch("p", LATENCY, HOUR)
    store.watch("p", LATENCY, HOUR - 600)
    for phases in ((), (Phase("warm-up", TimeRange(START, START), ""),), ()):
        store.save_run(Run("soak", START, None, (), phases, ()))
    for content in (b"1", b"2"):
        store.save_document("facts", "soak", content)
    store.roll_up(HOUR + 3600)
    store.prune(HOUR + 4000)
    store.close()
    connection = sqlite3.connect(path)
    assert whole_keys(connection) == sealed_keys(connection)
    assert list(broken(connection)) == []
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE verdicts SET events = 99 WHERE series_id = 1",
        "UPDATE slots SET outcome = 2",
        "UPDATE slo_versions SET watched_from = 7",
        "UPDATE series SET content = '{}' WHERE id = 1",
        "UPDATE tile_series SET counts = x'00'",
        "UPDATE documents SET sha256 = 'ff'",
        "DELETE FROM seals WHERE sort = 1",
    ],
)
def test_whatever_is_changed_behind_our_back_is_found(path, statement):
    store = SQLiteStore(path)
    store.append("p", [plain_slot(HOUR)])
    store.save_document("facts", "soak", b"1")
    store.close()
    connection = sqlite3.connect(path)
    assert list(broken(connection)) == []
    connection.execute(statement)
    assert len(list(broken(connection))) == 1
    connection.close()


def test_a_store_from_before_there_were_seals_is_sealed_when_it_is_opened(path):
    store = SQLiteStore(path)
    store.append("p", [plain_slot(HOUR + 60 * n) for n in range(30)])
    store.close()
    old = sqlite3.connect(path)
    old.execute("DROP TABLE seals")
    old.execute("DROP TABLE documents")
    old.execute("DELETE FROM migrations WHERE position > 1")
    old.commit()
    old.close()
    store = SQLiteStore(path)
    assert store.check() == []
    store.close()
    connection = sqlite3.connect(path)
    assert migrations.applied(connection) == tuple(name for name, _ in migrations.STEPS)
    assert whole_keys(connection) == sealed_keys(connection)
    connection.close()


def test_a_column_that_is_added_asks_for_a_step_that_seals_anew(path):
    """Every column is sealed: a step that adds one has to make all seals of its table again."""
    SQLiteStore(path).close()
    connection = sqlite3.connect(path)
    for table, columns in SEALED.items():
        assert [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] == columns.split()
    assert SLOTS.parts[0][0] == "verdicts"
    assert [sort.number for sort in DICTIONARIES.values()] == [7, 8, 9, 10]
    connection.close()
