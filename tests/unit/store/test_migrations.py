from __future__ import annotations

import sqlite3
import threading

import pytest

from sloagent.errors import StoreError
from sloagent.store import migrations


def connect(path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)


STEPS: tuple[migrations.Step, ...] = (
    ("0001 a", lambda connection: connection.execute("CREATE TABLE a (x)") and None),
    ("0002 b", lambda connection: connection.execute("INSERT INTO a VALUES (1)") and None),
)


def test_steps_are_taken_in_order_and_once(tmp_path):
    connection = connect(tmp_path / "db")
    migrations.migrate(connection, "db", STEPS[:1])
    migrations.migrate(connection, "db", STEPS)
    migrations.migrate(connection, "db", STEPS)
    assert migrations.applied(connection) == ("0001 a", "0002 b")
    assert connection.execute("SELECT * FROM a").fetchall() == [(1,)]
    connection.close()


def test_a_step_that_fails_leaves_no_trace(tmp_path):
    connection = connect(tmp_path / "db")

    def half(inside: sqlite3.Connection) -> None:
        inside.execute("INSERT INTO a VALUES (7)")
        inside.execute("INSERT INTO nowhere VALUES (7)")

    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(connection, "db", (STEPS[0], ("0002 half", half)))
    assert migrations.applied(connection) == (), "a new store is made whole or not at all"
    migrations.migrate(connection, "db", STEPS[:1])
    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(connection, "db", (STEPS[0], ("0002 half", half)))
    assert migrations.applied(connection) == ("0001 a",)
    assert connection.execute("SELECT * FROM a").fetchall() == []
    connection.close()


def test_many_at_once_take_each_step_once(tmp_path):
    failures: list[BaseException] = []

    def one() -> None:
        try:
            connection = connect(tmp_path / "db")
            migrations.migrate(connection, "db", STEPS)
            connection.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    connection = connect(tmp_path / "db")
    assert connection.execute("SELECT * FROM a").fetchall() == [(1,)]
    connection.close()


def test_a_history_that_is_not_ours_is_refused(tmp_path):
    connection = connect(tmp_path / "db")
    migrations.migrate(connection, "db", (("0001 other", STEPS[0][1]),))
    with pytest.raises(StoreError, match="written by a newer sloagent: it has the schema step '0001 other'"):
        migrations.migrate(connection, "db", STEPS)
    connection.close()
