from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sloagent.model.run import Phase, Run
from sloagent.model.timerange import TimeRange
from sloagent.store import migrations
from sloagent.store.seals import DICTIONARIES, ROLL_UPS, SLOTS, SORTS, broken, seal_of
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, VALUE, plain_slot

START = datetime.fromtimestamp(HOUR, UTC)
SEALED = {
    "slots": "slo_id slot outcome cause kind query_id histogram_id detail_id warnings_id series_count",
    "slo_versions": "id source slo_set slo fingerprint interval_seconds window_seconds spec watched_from",
    "runs": "name start_us end_us labels",
    "tiles": "slo_id slot series_count",
    "pieces": "slo_id start_ms end_ms query_id series_count",
    "roll_ups": "slo_id first_slot last_slot recorded_slots refused refusals histograms overrides_used series_count",
    "roll_up_series": "slo_id first_slot series_id good warned bad undecided idle too_few measured minima worst_slot"
    " outcome cause flags events value quantiles share_lower share_upper limit_id detail_id"
    " value_count value_total value_least value_greatest",
    "documents": "kind name sha256 content",
}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "sloagent.db"


def made_old(path: Path) -> None:
    """Take back the steps that came after the seals."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE documents")
    for table in ("hour_sums", "alert_states", "alert_transitions", "alert_told", "leases"):
        connection.execute(f"DROP TABLE {table}")
    for column in ("value_count", "value_total", "value_least", "value_greatest"):
        connection.execute(f"ALTER TABLE roll_up_series DROP COLUMN {column}")
    roll_ups = connection.execute("SELECT slo_id, first_slot FROM roll_ups").fetchall()
    for key in roll_ups:
        connection.execute(
            "UPDATE seals SET seal = ? WHERE (sort, first, second, third) = (?, ?, ?, ?)",
            (seal_of(ROLL_UPS.rows(connection, key)), *ROLL_UPS.sealed_under(key)),
        )
    connection.execute("DELETE FROM migrations WHERE position > 2")
    connection.commit()
    connection.close()


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
    store.append("p", [plain_slot(HOUR + 60 * n, slo=VALUE) for n in range(30)])
    store.roll_up(HOUR + 600)
    store.close()
    made_old(path)
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE seals")
    connection.execute("DELETE FROM migrations WHERE position > 1")
    connection.commit()
    connection.close()
    store = SQLiteStore(path)
    assert store.check() == []
    store.close()
    connection = sqlite3.connect(path)
    assert migrations.applied(connection) == tuple(name for name, _ in migrations.STEPS)
    assert whole_keys(connection) == sealed_keys(connection)
    connection.close()


def test_a_step_that_adds_columns_seals_anew_what_was_sound_and_nothing_else(path):
    store = SQLiteStore(path)
    store.append("p", [plain_slot(HOUR + 60 * n, slo=VALUE) for n in range(120)])
    store.roll_up(HOUR + 7200)
    store.close()
    made_old(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE roll_up_series SET good = good + 1 WHERE first_slot >= ?", (HOUR + 3600,))
    connection.commit()
    connection.close()
    store = SQLiteStore(path)
    assert store.check() == [f"`roll_ups` 1–{HOUR + 3600} is not as it was written: its checksum is another"]
    assert {row.numbers for row in store.tally("p", VALUE, [(0, 2**40)]).series.values()} == {None}
    assert store.means("p", VALUE, [(0, 2**40)]) == {}
    store.close()


def test_a_column_that_is_added_asks_for_a_step_that_seals_anew(path):
    """Every column is sealed: a step that adds one has to make all seals of its table again."""
    SQLiteStore(path).close()
    connection = sqlite3.connect(path)
    for table, columns in SEALED.items():
        assert [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] == columns.split()
    assert SLOTS.parts[0][0] == "verdicts"
    assert [sort.number for sort in DICTIONARIES.values()] == [7, 8, 9, 10]
    connection.close()
