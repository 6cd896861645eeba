"""The store in PostgreSQL when writers are killed, the server goes away, the wire is cut, or somebody holds its tables."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from multiprocessing.context import BaseContext
from pathlib import Path

import psycopg
import pytest

from sloagent.errors import StoreError
from sloagent.model.piece import Piece
from sloagent.model.run import Phase, Run
from sloagent.model.samples import Events, Question
from sloagent.model.timerange import TimeRange, at
from sloagent.store import Store
from sloagent.store.opening import open_store
from sloagent.store.postgres import PostgresStore
from sloagent.store.postgres_schema import STEPS
from sloagent.store.settings import StoreSettings
from sloagent.store.sqlite import SQLiteStore
from tests.agent import wait_until
from tests.postgres import PASSWORD, PostgresServer, Wire, shared
from tests.unit.store.strategies import HOUR, LATENCY, RATIO, plain_slot, series
from tests.writers import (
    ALWAYS,
    PATIENCE_SECONDS,
    SERIES,
    append_for_ever,
    append_from_both_ends,
    assert_each_is_whole,
    processes_with,
)

KILLS = 25
VARIABLE = "SLOAGENT_TEST_STORE_PASSWORD"
SHORT = {"timeout": 1.0}


@pytest.fixture(scope="module")
def server() -> PostgresServer:
    return shared()


@pytest.fixture
def database(server) -> str:
    return server.new_database()


@pytest.fixture(autouse=True)
def password(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)


def opened(server: PostgresServer, database: str, **more: object) -> Store:
    return open_store(StoreSettings(url=server.socket_url(database), **more), Path("no file"))


def over_tcp(server: PostgresServer, database: str, *, port: int = 0, **more: object) -> Store:
    return open_store(StoreSettings(url=server.url(database, port), password_env=VARIABLE, **more), Path("no file"))


@pytest.fixture
def store(server, database) -> Iterator[Store]:
    store = opened(server, database)
    yield store
    store.close()


def alone(directory: Path, slots: list[int], detail: str = "") -> list[str]:
    """The dump of an SQLite store that nothing ever happened to."""
    store = SQLiteStore(directory / "alone.db")
    store.append("p", [plain_slot(slot, n=SERIES, detail=detail) for slot in slots])
    lines = list(store.dump())
    store.close()
    return lines


# ---- processes that are killed, and two at once -------------------------------------------------------------------


@pytest.fixture(scope="module")
def processes() -> BaseContext:
    return processes_with("sloagent.store.postgres")


def test_no_acknowledged_slot_is_lost_and_none_is_half_there_however_often_the_writer_is_killed(
    processes, server, database, store, tmp_path
):
    settings = StoreSettings(url=server.socket_url(database))
    chance = random.Random(7)
    acknowledged: set[int] = set()
    following = HOUR
    for _ in range(KILLS):
        here, there = processes.Pipe(duplex=False)
        child = processes.Process(target=append_for_ever, args=(partial(PostgresStore, settings), following, there))
        child.start()
        there.close()
        assert here.poll(PATIENCE_SECONDS), "the child appended nothing"
        time.sleep(chance.uniform(0.0, 0.05))
        os.kill(child.pid, signal.SIGKILL)
        child.join(PATIENCE_SECONDS)
        assert child.exitcode == -signal.SIGKILL
        try:
            while here.poll():
                acknowledged.add(here.recv())
        except EOFError:
            pass
        here.close()
        # What the killed one had begun holds the writers' lock until the server notices.
        store.watch("p", LATENCY, HOUR)
        recorded = store.recorded("p", LATENCY, ALWAYS)
        assert acknowledged <= recorded
        following = max(recorded) + 60

    assert store.check() == []
    assert len(acknowledged) >= KILLS
    never_killed = SQLiteStore(tmp_path / "calm.db")
    never_killed.append("p", [plain_slot(slot, n=SERIES) for slot in sorted(recorded)])
    for each in (store, never_killed):
        each.roll_up(max(recorded) + 3600)
    assert list(store.dump()) == list(never_killed.dump())
    never_killed.close()


@pytest.mark.parametrize("details", [("", ""), ("one", "the other")], ids=["agreeing", "disagreeing"])
def test_two_writers_record_each_slot_once_and_wholly(processes, server, database, store, tmp_path, details):
    settings = StoreSettings(url=server.socket_url(database))
    slots = [HOUR + 60 * n for n in range(200)]
    append_from_both_ends(processes, partial(PostgresStore, settings), slots, details)
    assert_each_is_whole(store, slots, details)
    if details == ("", ""):
        assert list(store.dump()) == alone(tmp_path, slots)


def test_agents_that_begin_a_store_together_begin_one(server, database):
    failures: list[BaseException] = []
    stores: list[Store] = []

    def begin(number: int) -> None:
        try:
            store = opened(server, database)
            stores.append(store)
            store.append("p", [plain_slot(HOUR + 60 * number)])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stores[0].recorded("p", LATENCY, ALWAYS) == {HOUR + 60 * number for number in range(6)}
    assert server.sql("SELECT name FROM sloagent.migrations ORDER BY position", database) == [
        (name,) for name, _ in STEPS
    ]
    for store in stores:
        store.close()


# ---- the server goes away -----------------------------------------------------------------------------------------


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.mark.parametrize("how", ["immediate", "fast"])
def test_a_server_that_was_restarted_is_connected_to_again_by_itself(own_server, tmp_path, how):
    database = own_server.new_database()
    store = over_tcp(own_server, database)
    store.append("p", [plain_slot(HOUR, n=SERIES)])
    reading = store.slots("p", LATENCY, ALWAYS)
    next(reading)

    own_server.stop(how)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"database db0\) (cannot be reached|is being stopped)") as caught:
            store.append("p", [plain_slot(HOUR + 60, n=SERIES)])
        assert "nothing was lost" in caught.value.hint
        with pytest.raises(StoreError, match="cannot be reached"):
            store.recorded("p", LATENCY, ALWAYS)
    with pytest.raises(StoreError):
        list(store.slots("p", LATENCY, ALWAYS))

    own_server.start()
    assert store.recorded("p", LATENCY, ALWAYS) == {HOUR}
    assert store.append("p", [plain_slot(HOUR + 60, n=SERIES)]) == 1
    assert store.check() == []
    assert list(store.dump()) == alone(tmp_path, [HOUR, HOUR + 60])

    # Nobody noticed the restart between two calls: the idle connections are dead.
    own_server.stop(how)
    own_server.start()
    assert store.append("p", [plain_slot(HOUR + 120, n=SERIES)]) == 1
    assert store.recorded("p", LATENCY, ALWAYS) == {HOUR, HOUR + 60, HOUR + 120}
    reading.close()
    store.close()


def test_a_server_that_is_killed_in_the_middle_of_many_appends_loses_no_acknowledged_slot(own_server, tmp_path):
    database = own_server.new_database()
    store = over_tcp(own_server, database)
    acknowledged: set[int] = set()
    failures: list[StoreError] = []
    stop = threading.Event()

    def append() -> None:
        slot = HOUR
        while not stop.is_set():
            try:
                store.append("p", [plain_slot(slot, n=SERIES)])
            except StoreError as error:
                failures.append(error)
                time.sleep(0.02)
            else:
                acknowledged.add(slot)
                slot += 60

    writer = threading.Thread(target=append)
    writer.start()
    for _ in range(4):
        before, failed = len(acknowledged), len(failures)
        wait_until(lambda before=before: len(acknowledged) > before + 5, what="appending")
        own_server.stop("immediate")
        wait_until(lambda failed=failed: len(failures) > failed, what="a failure")
        own_server.start()
    stop.set()
    writer.join(PATIENCE_SECONDS)
    assert store.recorded("p", LATENCY, ALWAYS) == acknowledged
    assert store.check() == []
    assert list(store.dump()) == alone(tmp_path, sorted(acknowledged))
    store.close()


# ---- the wire is cut ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", [b"BEGIN", b"pg_advisory_xact_lock", b"INSERT INTO slots", b"INSERT INTO verdicts", b"COMMIT"]
)
def test_a_wire_that_is_cut_at_any_word_leaves_a_slot_whole_or_absent(server, database, word):
    with Wire(server.port) as wire:
        store = over_tcp(server, database, port=wire.port)
        store.watch("p", LATENCY, HOUR)  # connected; but no statement of a slot is known by a number yet
        wire.cut_after(word)
        slot = plain_slot(HOUR + 60, n=SERIES)
        outcome: int | None = None
        try:
            outcome = store.append("p", [slot])
        except StoreError as error:
            assert "cannot be reached" in error.message
        assert wire.cuts == 1, "the word was never said"
        witness = opened(server, database)
        assert len(witness.recorded("p", LATENCY, (HOUR + 60, HOUR + 60))) == (outcome or int(word == b"COMMIT"))
        assert witness.check() == []
        # Asked again, as a slot without an acknowledgement is; it is recorded once.
        store.append("p", [replace(slot, detail="again") if outcome is None and word != b"COMMIT" else slot])
        (back,) = store.slots("p", LATENCY, ALWAYS)
        assert (back.slot, len(back.verdicts)) == (HOUR + 60, SERIES)
        assert store.check() == []
        store.close()
        witness.close()


def test_numbers_that_were_given_in_a_commit_that_never_came_are_not_used_again(server, database):
    with Wire(server.port) as wire:
        store = over_tcp(server, database, port=wire.port)
        wire.cut_after(b"INSERT INTO verdicts")
        with pytest.raises(StoreError, match="cannot be reached"):
            store.append("p", [plain_slot(HOUR, n=5, detail="words")])
        assert store.append("p", [plain_slot(HOUR, n=5, detail="words")]) == 1
        assert store.check() == []
        assert next(store.slots("p", LATENCY, ALWAYS)) == replace(
            plain_slot(HOUR, n=5, detail="words"), distributions=None
        )
        store.close()


def test_numbers_that_were_given_before_a_commit_that_failed_are_not_used_again(server, database, store):
    server.sql(
        "CREATE FUNCTION sloagent.refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'refused at the commit'; END $$", database,
    )  # fmt: skip
    server.sql(
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON sloagent.slots DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION sloagent.refuse()", database,
    )  # fmt: skip
    with pytest.raises(StoreError, match="refused at the commit"):
        store.append("p", [plain_slot(HOUR, detail="words")])
    server.sql("DROP TRIGGER refuse ON sloagent.slots", database)
    assert store.append("p", [plain_slot(HOUR, detail="words")]) == 1
    assert store.check() == []


def test_a_database_that_was_emptied_while_nobody_was_connected_is_begun_anew(server, database, store):
    store.append("p", [plain_slot(HOUR + 60), plain_slot(HOUR)])
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    server.sql("DROP SCHEMA sloagent CASCADE", database)
    assert store.append("p", [plain_slot(HOUR, detail="first of all")]) == 1
    assert store.check() == []
    assert [judged.detail for judged in store.slots("p", LATENCY, ALWAYS)] == ["first of all"]


def test_a_wire_that_swallows_everything_ends_in_an_error_and_keeps_nobody_else_waiting(server, database):
    with Wire(server.port) as wire:
        store = over_tcp(server, database, port=wire.port, **SHORT)
        store.append("p", [plain_slot(HOUR)])
        held = threading.Event()
        release = threading.Event()
        failures: list[StoreError] = []

        def write() -> None:
            try:
                with store._server.writing() as session:
                    session.execute("SELECT 1")
                    held.set()
                    release.wait(PATIENCE_SECONDS)
                    session.execute("SELECT 2")
            except StoreError as error:
                failures.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        assert held.wait(PATIENCE_SECONDS)
        wire.silent = True  # the server still believes in a writer that holds the lock
        other = opened(server, database)
        assert other.append("p", [plain_slot(HOUR + 60)]) == 1
        release.set()
        writer.join(PATIENCE_SECONDS)
        assert "did not answer in time" in failures[0].message
        with pytest.raises(StoreError, match="cannot be reached"):
            store.append("p", [plain_slot(HOUR + 120)])
        began = store._server._rest_until
        with pytest.raises(StoreError, match="cannot be reached") as caught:
            store.append("p", [plain_slot(HOUR + 120)])
        assert caught.value.hint == "it is tried again in a moment"
        assert store._server._rest_until == began, "it waited once more"
        wire.silent = False

        def appended() -> bool:
            try:
                return store.append("p", [plain_slot(HOUR + 120)]) >= 0
            except StoreError:
                return False

        wait_until(appended, what="the connection")
        assert store.recorded("p", LATENCY, ALWAYS) == {HOUR, HOUR + 60, HOUR + 120}
        store.close()
        other.close()


# ---- somebody holds the tables ------------------------------------------------------------------------------------


def blocked(server: PostgresServer, database: str) -> bool:
    """Whether a session of that database waits for a lock."""
    return server.sql(f"SELECT 1 FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'") != []


def test_a_deadlock_with_somebody_elses_transaction_is_written_again(server, database, store, tmp_path):
    store.append("p", [plain_slot(HOUR, n=SERIES)])
    results: list[int] = []
    with server.connect(database) as stranger:
        stranger.execute("SET deadlock_timeout = '1h'")  # so that the server finds us, not the stranger
        stranger.execute("BEGIN")
        stranger.execute("LOCK TABLE sloagent.verdicts IN ACCESS EXCLUSIVE MODE")
        writer = threading.Thread(target=lambda: results.append(store.append("p", [plain_slot(HOUR + 60, n=SERIES)])))
        writer.start()
        wait_until(lambda: blocked(server, database), what="the writer's wait for `verdicts`")
        stranger.execute("LOCK TABLE sloagent.slots IN ACCESS EXCLUSIVE MODE")
        stranger.execute("COMMIT")
        writer.join(PATIENCE_SECONDS)
    assert results == [1]
    assert server.sql(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{database}'") == [(1,)]
    assert list(store.dump()) == alone(tmp_path, [HOUR, HOUR + 60])
    assert store.check() == []


def test_a_deadlock_that_comes_again_and_again_is_given_up_with_a_sentence(server, database, store):
    store.append("p", [plain_slot(HOUR)])
    server.sql(
        "CREATE FUNCTION sloagent.collide() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'collided' USING ERRCODE = 'deadlock_detected'; END $$", database,
    )  # fmt: skip
    server.sql("CREATE TRIGGER collide BEFORE INSERT ON sloagent.slots EXECUTE FUNCTION sloagent.collide()", database)
    with pytest.raises(
        StoreError, match=r"undid what was written, again and again, for somebody else's sake \(collided"
    ):
        store.append("p", [plain_slot(HOUR + 60)])
    server.sql("DROP TRIGGER collide ON sloagent.slots", database)
    assert store.append("p", [plain_slot(HOUR + 60)]) == 1


def test_a_table_that_somebody_locks_is_waited_for_only_as_long_as_is_said(server, database):
    store = opened(server, database, **SHORT)
    store.append("p", [plain_slot(HOUR + 60)])
    with server.connect(database) as stranger:
        stranger.execute("BEGIN")
        stranger.execute("LOCK TABLE sloagent.slots IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreError, match="did not answer in time") as caught:
            store.append("p", [plain_slot(HOUR)])
        assert "timeout" in caught.value.hint
        with pytest.raises(StoreError, match="did not answer in time"):
            store.recorded("p", LATENCY, ALWAYS)
        stranger.execute("COMMIT")
    assert store.append("p", [plain_slot(HOUR)]) == 1
    store.close()


def test_another_writer_is_waited_for_only_as_long_as_is_said(server, database, store):
    impatient = opened(server, database, **SHORT)
    with store._server.writing():
        with pytest.raises(StoreError, match="is being written by another sloagent for 1 s"):
            impatient.append("p", [plain_slot(HOUR)])
        assert impatient.recorded("p", LATENCY, ALWAYS) == frozenset()
    assert impatient.append("p", [plain_slot(HOUR)]) == 1
    impatient.close()


# ---- what is not ours, not permitted, or not possible -------------------------------------------------------------


def test_a_schema_of_somebody_else_is_not_touched(server, database):
    server.sql("CREATE SCHEMA sloagent AUTHORIZATION sloagent", database)
    server.sql("CREATE TABLE sloagent.cats (name text)", database)
    with pytest.raises(StoreError, match="has a schema `sloagent` with tables that are not sloagent's; nothing was"):
        opened(server, database)
    assert server.sql("SELECT tablename::text FROM pg_tables WHERE schemaname = 'sloagent'", database) == [("cats",)]


def test_a_schema_that_was_made_ready_beforehand_is_enough(server, database):
    server.sql(f"REVOKE CREATE ON DATABASE {database} FROM PUBLIC", database)
    server.sql(f"ALTER DATABASE {database} OWNER TO admin", database)
    with pytest.raises(StoreError, match=r"does not permit it .*permission denied"):
        opened(server, database)
    server.sql("CREATE SCHEMA sloagent AUTHORIZATION sloagent", database)
    store = opened(server, database)
    assert store.append("p", [plain_slot(HOUR)]) == 1
    store.close()


def test_a_newer_schema_is_refused(server, database, store):
    server.sql("INSERT INTO sloagent.migrations (name) VALUES ('0009 wings')", database)
    with pytest.raises(StoreError, match="written by a newer sloagent: it has the schema step '0009 wings'"):
        opened(server, database)


def test_a_database_that_cannot_hold_every_text_is_refused(server):
    database = server.new_database("ENCODING LATIN1 LOCALE 'C'")
    with pytest.raises(StoreError, match="keeps its text as LATIN1") as caught:
        opened(server, database)
    assert "createdb --encoding UTF8" in caught.value.hint


def test_a_server_that_was_made_read_only_is_said_and_goes_on_when_it_is_not(server, database, store):
    store.append("p", [plain_slot(HOUR)])
    server.sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    with pytest.raises(StoreError, match="takes no writes"):
        store.append("p", [plain_slot(HOUR + 60)])
    assert store.recorded("p", LATENCY, ALWAYS) == {HOUR}
    server.sql(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    assert store.append("p", [plain_slot(HOUR + 60)]) == 1


def test_what_is_read_only_writes_nothing_and_begins_nothing(server, database):
    def read_only() -> Store:
        return open_store(StoreSettings(url=server.socket_url(database)), Path("no file"), read_only=True)

    with pytest.raises(StoreError, match="has not been begun yet"):
        read_only()
    assert server.sql("SELECT 1 FROM pg_namespace WHERE nspname = 'sloagent'", database) == []
    store = opened(server, database)
    store.append("p", [plain_slot(HOUR)])
    reader = read_only()
    assert list(reader.dump()) == list(store.dump())
    with pytest.raises(StoreError, match="opened for reading only"):
        reader.append("p", [plain_slot(HOUR + 60)])
    reader.close()
    store.close()


def test_a_commit_waits_for_the_disk_although_the_database_was_told_not_to(server, database):
    server.sql(f"ALTER DATABASE {database} SET synchronous_commit = off")
    store = opened(server, database)
    with store._server.writing() as session:
        assert session.execute("SELECT current_setting('synchronous_commit')").fetchone() == ("on",)
    store.close()


def test_texts_with_anything_in_them_give_the_same_dump_in_both_databases(store, tmp_path):
    awkward = "nul \0, escape \x1a0, quote ', percent %s, question ?, 限 🐈, \\"
    label = series(resource=awkward, verb="\0")
    slot = plain_slot(HOUR, n=1, detail=awkward)
    slot = replace(
        slot, question=Question(awkward * 200, awkward), warnings=(awkward,),
        verdicts=(replace(slot.verdicts[0], labels=label, events=-0.0, value=-0.0),),
        distributions={label: next(iter(slot.distributions.values()))},
    )  # fmt: skip
    source = f"a{awkward}"
    run = Run(awkward, at(HOUR), at(HOUR + 60), label, (Phase(awkward, TimeRange(at(HOUR), at(HOUR + 9)), awkward),))
    file = SQLiteStore(tmp_path / "sloagent.db")
    for each in (store, file):
        for name in (source, "a\x01", "b", "B", "ä", "a b"):
            each.append(name, [slot])
        each.append_piece(source, RATIO, Piece(1000, 2000, awkward, {label: Events(-0.0, None)}))
        each.save_run(run)
        each.save_run(replace(run, name="a\x01"))
        assert each.check() == []
    lines = list(store.dump())
    assert lines == list(file.dump())
    sources = [row["source"] for row in map(json.loads, lines) if row["kind"] == "slo"]
    assert sources == sorted(sources)
    assert [one.name for one in store.runs()] == [one.name for one in file.runs()]
    assert next(store.slots(source, LATENCY, ALWAYS)) == next(file.slots(source, LATENCY, ALWAYS))
    file.close()


def test_the_tables_have_the_same_columns_in_the_same_order(server, database, store, tmp_path):
    file = SQLiteStore(tmp_path / "sloagent.db")
    with file._file.reading() as connection:
        ours = {
            table: [column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if table != "seals" and not table.startswith("sqlite_")
        }
    file.close()
    theirs: dict[str, list[str]] = {}
    for table, column in server.sql(
        "SELECT table_name::text, column_name::text FROM information_schema.columns"
        " WHERE table_schema = 'sloagent' ORDER BY ordinal_position", database,
    ):  # fmt: skip
        theirs.setdefault(table, []).append(column)
    assert theirs == ours


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM sloagent.verdicts WHERE series_id = 1", "`slots` says 2 verdicts of api-mutating-latency"),
        ("DELETE FROM sloagent.texts", "rows of `slots` refer to what is not in `texts`: 2"),
        ("DELETE FROM sloagent.slots", "rows of `verdicts` refer to what is not in `slots`: 2"),
        ("UPDATE sloagent.tile_series SET counts = '\\x00'", "packed counts do not unpack"),
        ("UPDATE sloagent.verdicts SET outcome = 77", "there is no outcome 77"),
    ],
)
def test_what_is_broken_is_found(server, database, store, statement, sentence):
    store.append("p", [plain_slot(HOUR)])
    server.sql(statement, database)
    assert sentence in "\n".join(store.check())


# ---- secrets ------------------------------------------------------------------------------------------------------


def test_a_password_is_read_again_for_each_connection_and_never_said(server, tmp_path):
    database = server.new_database()
    file = tmp_path / "password"
    file.write_text("not it\n")
    settings = StoreSettings(url=server.url(database), password_file=file)
    with pytest.raises(StoreError, match="password authentication failed") as caught:
        open_store(settings, Path("no file"))
    assert "not it" not in caught.value.message + caught.value.hint
    assert "password_file" in caught.value.hint
    file.write_text(f"{PASSWORD}\n")
    store = open_store(settings, Path("no file"))
    store.append("p", [plain_slot(HOUR)])
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    file.unlink()
    with pytest.raises(StoreError, match=r"password_file .* cannot be read"):
        store.append("p", [plain_slot(HOUR + 60)])
    file.write_text(PASSWORD)
    assert store.append("p", [plain_slot(HOUR + 60)]) == 1
    assert PASSWORD not in "\n".join(store.dump()) + repr(store) + repr(settings)
    command_lines = b"".join(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    assert PASSWORD.encode() not in command_lines
    store.close()


def test_words_of_the_server_that_hold_the_password_do_not_pass():
    from sloagent.store.postgres_errors import told

    with pytest.raises(StoreError) as caught, told("the store", PASSWORD):
        raise psycopg.OperationalError(f"could not parse '{PASSWORD}'\nline two")
    assert PASSWORD not in caught.value.message
    assert "<secret>' line two" in caught.value.message
    assert caught.value.__cause__ is None
