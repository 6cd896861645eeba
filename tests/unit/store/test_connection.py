from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloagent.errors import StoreError
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, plain_slot

ALWAYS = (0, 2**40)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "sloagent.db"


@pytest.fixture
def store(path) -> Iterator[SQLiteStore]:
    opened = SQLiteStore(path)
    yield opened
    opened.close()


def refusal(path: Path, *, read_only: bool = False) -> StoreError:
    with pytest.raises(StoreError) as caught:
        SQLiteStore(path, read_only=read_only)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value


class TestWhatIsRefused:
    def test_a_missing_directory(self, tmp_path):
        error = refusal(tmp_path / "nowhere" / "sloagent.db")
        assert f"there is no directory {tmp_path / 'nowhere'}" in error.message

    def test_a_directory(self, tmp_path):
        assert "is a directory" in refusal(tmp_path).message

    def test_a_place_where_nothing_can_be_written(self):
        assert "cannot be opened" in refusal(Path("/proc/sloagent.db")).message

    @pytest.mark.parametrize("content", [b"hello", b"x" * 5000, b"SQLite format 3\x00", bytes(4096)])
    def test_a_file_that_is_no_database_and_it_is_left_alone(self, path, content):
        path.write_bytes(content)
        assert "is not an SQLite database, or is damaged at its beginning" in refusal(path).message
        assert path.read_bytes() == content

    @pytest.mark.parametrize("mode", ["delete", "wal"])
    def test_a_foreign_database_and_it_is_left_alone(self, path, mode):
        foreign = sqlite3.connect(path)
        foreign.execute(f"PRAGMA journal_mode = {mode}")
        foreign.execute("CREATE TABLE meta (key TEXT)")
        foreign.commit()
        foreign.close()
        before = path.read_bytes()
        assert "not one of sloagent's; it was not touched" in refusal(path).message
        assert path.read_bytes() == before
        assert [file.name for file in path.parent.iterdir()] == [path.name]

    def test_a_store_that_is_not_there_when_it_is_only_to_be_read(self, path):
        assert "there is no store" in refusal(path, read_only=True).message
        assert not path.exists()

    def test_a_newer_schema(self, path):
        SQLiteStore(path).close()
        future = sqlite3.connect(path)
        future.execute("INSERT INTO migrations (name) VALUES ('0999 from the future')")
        future.commit()
        future.close()
        error = refusal(path)
        assert "written by a newer sloagent: it has the schema step '0999 from the future'" in error.message

    def test_an_older_schema_when_it_is_only_to_be_read(self, path):
        SQLiteStore(path).close()
        past = sqlite3.connect(path)
        past.execute("DELETE FROM migrations")
        past.commit()
        past.close()
        assert "has an older schema" in refusal(path, read_only=True).message

    def test_a_damaged_file_says_so_and_what_to_do(self, path):
        store = SQLiteStore(path)
        store.append("p", [plain_slot(HOUR + 60 * n, n=50) for n in range(20)])
        store.close()
        content = bytearray(path.read_bytes())
        content[8192:] = b"\xab" * (len(content) - 8192)
        path.write_bytes(content)
        with pytest.raises(StoreError) as caught:
            damaged = SQLiteStore(path)
            damaged.append("p", [plain_slot(HOUR)])
        assert f"the store {path} is damaged" in caught.value.message
        assert "put a backup in its place" in caught.value.hint


class TestWriting:
    def test_commits_are_on_the_disk_before_they_are_acknowledged(self, store, path):
        with store._database.writing() as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_a_full_disk_leaves_nothing_half_written_and_the_store_goes_on_when_there_is_room(self, store):
        store.append("p", [plain_slot(HOUR)])
        before = list(store.dump())
        writer = store._database._writer
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages + 4}")
        big = plain_slot(HOUR + 60, n=2000)
        with pytest.raises(StoreError, match="the disk is full") as caught:
            store.append("p", [big])
        assert "free some space" in caught.value.hint
        assert list(store.dump()) == before
        writer.execute("PRAGMA max_page_count = 1000000")
        assert store.append("p", [big]) == 1
        assert store.check() == []

    def test_a_file_that_was_put_in_its_place_is_not_written(self, store, path):
        path.rename(path.with_name("moved.db"))
        with pytest.raises(StoreError, match="moved, removed or replaced while in use"):
            store.append("p", [plain_slot(HOUR)])

    def test_text_that_is_no_unicode_is_refused_and_the_next_slot_is_recorded(self, store):
        with pytest.raises(StoreError, match="only text that is Unicode"):
            store.append("p", [plain_slot(HOUR, detail="\ud800")])
        assert store.append("p", [plain_slot(HOUR)]) == 1

    def test_what_repeats_is_kept_once(self, store):
        store.append("p", [plain_slot(HOUR + 60 * n) for n in range(30)])
        with store._database.reading() as connection:
            kept = [
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("series", "texts", "limits", "bounds", "slo_versions")
            ]
        assert kept == [2, 2, 1, 4, 1]


class TestReadingOnly:
    def test_a_copy_is_read_and_not_written(self, store, path, tmp_path):
        store.append("p", [plain_slot(HOUR)])
        target = tmp_path / "copy.db"
        store.backup(target)
        before = target.read_bytes()
        copy = SQLiteStore(target, read_only=True)
        assert copy.recorded("p", LATENCY, ALWAYS) == {HOUR}
        with pytest.raises(StoreError, match="opened for reading only"):
            copy.append("p", [plain_slot(HOUR + 60)])
        copy.close()
        assert target.read_bytes() == before
        assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith("copy")) == ["copy.db"]

    def test_a_store_in_use_is_read_as_it_is_now(self, store, path):
        reader = SQLiteStore(path, read_only=True)
        store.append("p", [plain_slot(HOUR)])
        assert reader.recorded("p", LATENCY, ALWAYS) == {HOUR}
        reader.close()

    def test_a_file_whose_writer_died_is_read_with_its_log(self, store, path, tmp_path):
        store.append("p", [plain_slot(HOUR)])
        left = tmp_path / "left"
        left.mkdir()
        for file in (path, path.with_name("sloagent.db-wal")):
            shutil.copy(file, left)
        reader = SQLiteStore(left / "sloagent.db", read_only=True)
        assert reader.recorded("p", LATENCY, ALWAYS) == {HOUR}
        assert reader.check() == []
        reader.close()


class TestMemory:
    def test_it_behaves_like_a_file_and_is_gone_after_closing(self):
        store = SQLiteStore(":memory:")
        store.append("p", [plain_slot(HOUR)])
        assert store.recorded("p", LATENCY, ALWAYS) == {HOUR}
        directory = store.path.parent
        assert directory.is_dir()
        store.close()
        assert not directory.exists()


def test_who_begins_a_store_waits_for_another_that_is_just_beginning_it(path):
    """SQLite itself says `database is locked` at once where the journal is switched while another is about to write."""
    SQLiteStore(path).close()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.1, other.close)
    release.start()
    store = SQLiteStore(path)
    release.join()
    assert store.check() == []
    store.close()
    assert path.read_bytes()[18:20] == b"\x02\x02", "the header says that the file is written ahead"
