from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from sloagent.store import table_list
from sloagent.store.damage import UnavailableError
from sloagent.store.salvage import Counts, salvage
from sloagent.store.sqlite import SQLiteStore
from tests.e2e.test_store_wreck import PAGE, SLOTS, SOAK, salvaged
from tests.unit.store.strategies import HOUR, plain_slot
from tests.unit.store.test_seals import made_old

OF_THE_LIST = (1, 21, 23)
"""The pages of `sqlite_master`, as found in real stores."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, list[str]]:
    """A store and its dump; beside it a backup."""
    path = tmp_path_factory.mktemp("whole") / "sloagent.db"
    store = SQLiteStore(path)
    store.append("p", [plain_slot(HOUR + 60 * n, n=3) for n in range(SLOTS)])
    store.save_run(SOAK)
    store.roll_up(HOUR + 7200)
    store.prune(HOUR + 3600)
    store.backup(path.with_name("backup.db"))
    lines = list(store.dump())
    store.close()
    return path, lines


def spoil(path: Path, *pages: int) -> bytes:
    """Overwrite pages with noise; gives the content as it is then."""
    content = bytearray(path.read_bytes())
    for page in pages:
        content[(page - 1) * PAGE : page * PAGE] = random.Random(page).randbytes(PAGE)
    path.write_bytes(content)
    return bytes(content)


@pytest.mark.parametrize("name", ["sloagent.db", "backup.db"])
@pytest.mark.parametrize("pages", [*((page,) for page in OF_THE_LIST), OF_THE_LIST])
def test_without_its_list_of_tables_everything_is_read_and_the_file_stays_as_it_is(whole, tmp_path, pages, name):
    source = Path(shutil.copy(whole[0].with_name(name), tmp_path / "old.db"))
    content = spoil(source, *pages)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(source).execute("SELECT * FROM slots").fetchall()
    said, lines = salvaged(source, tmp_path / "new.db")
    assert lines == whole[1]
    assert (said.lost, said.unreadable) == (Counts(), 0)
    assert source.read_bytes() == content
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["new.db", "old.db"]


def test_of_a_store_begun_by_an_earlier_version_only_what_later_tables_hold_is_lost(whole, tmp_path):
    source = Path(shutil.copy(whole[0], tmp_path / "old.db"))
    made_old(source)
    connection = sqlite3.connect(source)
    connection.execute("VACUUM")
    connection.close()
    store = SQLiteStore(source)
    lines = list(store.dump())
    store.save_document("run", "soak", b"content" * 1000)
    store.sum_hours(HOUR + 14_400)
    assert store.check() == []
    store.close()
    spoil(source, *OF_THE_LIST)
    said, salvaged_lines = salvaged(source, tmp_path / "new.db")
    assert salvaged_lines == lines
    assert said.lost == Counts(documents=1)


def test_what_lies_only_in_the_log_is_read_too(whole, tmp_path):
    source = Path(shutil.copy(whole[0], tmp_path / "sloagent.db"))
    store = SQLiteStore(source)
    store.append("p", [plain_slot(HOUR + 60 * n, n=3) for n in range(SLOTS, SLOTS + 50)])
    lines = list(store.dump())
    for end in ("", "-wal"):
        shutil.copy(f"{source}{end}", tmp_path / f"old.db{end}")
    store.close()
    content = spoil(tmp_path / "old.db", *OF_THE_LIST)
    log = (tmp_path / "old.db-wal").read_bytes()
    assert salvaged(tmp_path / "old.db", tmp_path / "new.db")[1] == lines
    assert ((tmp_path / "old.db").read_bytes(), (tmp_path / "old.db-wal").read_bytes()) == (content, log)
    assert not (tmp_path / "old.db-shm").exists(), "a file that nobody has named"


def test_where_nothing_can_be_read_how_much_is_lost_is_not_said_to_be_zero(whole, tmp_path):
    source = Path(shutil.copy(whole[0], tmp_path / "old.db"))
    spoil(source, *range(1, source.stat().st_size // PAGE + 1))
    said = salvage(source, tmp_path / "new.db", threading.Event())
    assert said is not None
    assert (said.saved, said.lost) == (Counts(), None)
    assert said.unreadable > 0


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_without_room_for_a_copy_it_is_put_off_and_says_what_it_needs(whole, tmp_path, monkeypatch):
    source = Path(shutil.copy(whole[0], tmp_path / "old.db"))
    content = spoil(source, 21)
    needed = 2 * len(content)
    monkeypatch.setattr(table_list.shutil, "disk_usage", lambda _path: Disk(10**12, 10**12, needed - 1))
    with pytest.raises(UnavailableError, match=f"{needed} bytes of room, of which there are {needed - 1}"):
        salvage(source, tmp_path / "new.db", threading.Event())
    assert source.read_bytes() == content
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["new.db", "old.db"]
    monkeypatch.undo()
    assert salvaged(source, tmp_path / "new.db")[1] == whole[1]


def test_a_copy_that_a_killed_process_has_left_is_made_anew_and_removed(whole, tmp_path):
    source = Path(shutil.copy(whole[0], tmp_path / "old.db"))
    spoil(source, 21)
    room = tmp_path / "old.db.copy"
    room.mkdir()
    (room / "copy.db").write_text("half")
    assert salvaged(source, tmp_path / "new.db")[1] == whole[1]
    assert not room.exists()


def test_another_programs_database_is_not_copied_and_nothing_of_it_is_lost(tmp_path, monkeypatch):
    source = tmp_path / "old.db"
    foreign = sqlite3.connect(source)
    foreign.execute("CREATE TABLE theirs (content TEXT)")
    foreign.commit()
    foreign.close()
    monkeypatch.setattr(table_list.shutil, "disk_usage", lambda _path: Disk(0, 0, 0))
    said = salvage(source, tmp_path / "new.db", threading.Event())
    assert said is not None
    assert (said.saved, said.lost, said.unreadable) == (Counts(), Counts(), 0)
