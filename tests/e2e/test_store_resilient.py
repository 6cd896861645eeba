from __future__ import annotations

import itertools
import logging
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sloagent.errors import StoreError
from sloagent.model.piece import Piece
from sloagent.model.run import Run
from sloagent.store import Store, connection, reopening, repair
from sloagent.store.damage import DamagedError
from sloagent.store.first_look import identity, mark_of
from sloagent.store.resilient import ResilientStore
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, plain_slot

ALWAYS = (0, 2**40)
PATIENCE_SECONDS = 20.0
Opener = Callable[..., ResilientStore]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "sloagent.db"


@pytest.fixture
def resilient(path) -> Iterator[Opener]:
    """Opens one at the path, tried again at every call unless said otherwise."""
    opened: list[ResilientStore] = []

    def open_one(at: Path = path, retry_seconds: float = 0.0) -> ResilientStore:
        opened.append(ResilientStore(lambda: SQLiteStore(at), path=at, retry_seconds=retry_seconds))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_well(store: ResilientStore) -> bool:
    """Whether a call succeeds, and nothing is said to be wrong."""
    try:
        store.runs()
    except StoreError:
        return False
    return store.trouble == ""


def beside(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if entry.name.startswith(f"{path.name}."))


def every_call(store: Store, directory: Path) -> list[Callable[[], object]]:
    run = Run("soak", datetime.fromtimestamp(HOUR, UTC), None, (), (), ())
    return [
        lambda: store.append("p", [plain_slot(HOUR)]),
        lambda: store.recorded("p", LATENCY, ALWAYS),
        lambda: list(store.slots("p", LATENCY, ALWAYS)),
        lambda: list(store.tiles("p", LATENCY, ALWAYS)),
        lambda: store.tally("p", LATENCY, [ALWAYS]),
        lambda: store.watch("p", LATENCY, HOUR),
        lambda: store.append_piece("p", LATENCY, Piece(0, 1, "q", {})),
        lambda: store.cuts("p", LATENCY, 0, 1),
        lambda: store.added("p", LATENCY, [(0, 1)]),
        lambda: store.save_run(run),
        store.runs,
        lambda: store.roll_up(0),
        lambda: store.prune(0),
        lambda: list(store.dump()),
        store.check,
        lambda: store.backup(directory / "backup.db"),
        store.size_bytes,
    ]


class TestWhatCannotBeOpened:
    def test_making_one_raises_nothing_and_every_call_says_why_at_once(self, resilient, tmp_path):
        store = resilient(tmp_path / "nowhere" / "sloagent.db", retry_seconds=3600)
        assert "there is no directory" in store.trouble
        for call in every_call(store, tmp_path):
            with pytest.raises(StoreError, match="there is no directory"):
                call()

    def test_it_is_opened_as_soon_as_it_can_be(self, resilient, tmp_path):
        store = resilient(tmp_path / "later" / "sloagent.db")
        assert store.trouble
        (tmp_path / "later").mkdir()
        assert store.append("p", [plain_slot(HOUR)]) == 1
        assert store.trouble == ""

    def test_opening_is_not_tried_at_every_call(self, path):
        tries = itertools.count()

        def refuse() -> Store:
            next(tries)
            raise StoreError("not today")

        store = ResilientStore(refuse, path=path, retry_seconds=3600)
        for call in every_call(store, path.parent):
            with pytest.raises(StoreError, match="not today"):
                call()
        assert next(tries) == 1

    def test_a_newer_schema_is_left_alone_and_opened_once_it_is_gone(self, resilient, path):
        SQLiteStore(path).close()
        newer = sqlite3.connect(path)
        newer.execute("INSERT INTO migrations (name) VALUES ('0999 from the future')")
        newer.commit()
        newer.close()
        before = path.read_bytes()
        store = resilient()
        assert "written by a newer sloagent" in store.trouble
        assert path.read_bytes() == before
        assert beside(path) == []
        path.unlink()
        assert is_well(store)

    def test_after_closing_every_call_says_so_and_closing_again_is_well(self, resilient, path):
        store = resilient()
        store.close()
        store.close()
        for call in every_call(store, path.parent):
            with pytest.raises(StoreError, match="it is closed"):
                call()


class TestWhatPasses:
    def test_a_lock_of_another_process_is_trouble_until_the_next_commit(self, resilient, path, monkeypatch):
        monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
        store = resilient()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is held by another process"):
            store.append("p", [plain_slot(HOUR)])
        assert "is held by another process" in store.trouble
        assert store.recorded("p", LATENCY, ALWAYS) == frozenset()
        assert store.trouble, "reading proves nothing about writing"
        other.close()
        assert store.append("p", [plain_slot(HOUR)]) == 1
        assert store.trouble == ""
        assert beside(path) == []

    def test_after_waiting_in_vain_for_a_lock_writing_is_refused_at_once_for_a_while(
        self, resilient, path, monkeypatch
    ):
        monkeypatch.setattr(connection, "BUSY_SECONDS", 0.2)
        monkeypatch.setattr(reopening, "_LONG_WAIT_SECONDS", 0.1)
        store = resilient()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is held by another process"):
            store.append("p", [plain_slot(HOUR)])
        other.close()
        with pytest.raises(StoreError, match="is held by another process"):  # nobody holds it: it was not even tried
            store.append("p", [plain_slot(HOUR)])
        monkeypatch.setattr(store._reopening, "_held_until", 0.0)
        assert store.append("p", [plain_slot(HOUR)]) == 1

    def test_what_is_wrong_with_the_question_is_no_trouble_of_the_store(self, resilient, path):
        store = resilient()
        with pytest.raises(StoreError, match="only text that is Unicode"):
            store.append("p", [plain_slot(HOUR, detail="\ud800")])
        with pytest.raises(StoreError, match="has no slot"):
            store.append("p", [plain_slot(HOUR + 1)])
        assert store.trouble == ""
        assert beside(path) == []

    def test_a_file_put_in_its_place_is_opened_instead(self, resilient, path, tmp_path, caplog):
        store = resilient()
        store.append("p", [plain_slot(HOUR)])
        other = SQLiteStore(tmp_path / "other.db")
        other.append("p", [plain_slot(HOUR + 60)])
        other.close()
        path.rename(tmp_path / "moved.db")
        shutil.move(tmp_path / "other.db", path)
        with pytest.raises(StoreError, match="moved, removed or replaced"):
            store.recorded("p", LATENCY, ALWAYS)
        assert store.recorded("p", LATENCY, ALWAYS) == {HOUR + 60}
        assert "what lies there now is opened" in caplog.text
        (log,) = beside(path)  # it would have been applied to the file that lies there now
        log_of_the_moved = path.with_name(log).rename(tmp_path / "moved.db-wal")
        assert log in caplog.text
        moved = SQLiteStore(tmp_path / "moved.db")
        assert moved.recorded("p", LATENCY, ALWAYS) == {HOUR}
        moved.close()
        assert not log_of_the_moved.exists()

    def test_the_log_of_a_file_that_was_moved_away_is_not_deleted(self, resilient, path, tmp_path):
        store = resilient()
        store.append("p", [plain_slot(HOUR)])
        path.rename(tmp_path / "moved.db")
        eventually(lambda: is_well(store))
        assert store.recorded("p", LATENCY, ALWAYS) == frozenset()
        (log,) = beside(path)
        path.with_name(log).rename(tmp_path / "moved.db-wal")
        moved = SQLiteStore(tmp_path / "moved.db")
        assert moved.recorded("p", LATENCY, ALWAYS) == {HOUR}
        moved.close()

    def test_a_directory_that_could_not_be_entered_for_a_while_loses_no_log(self, resilient, tmp_path, monkeypatch):
        (tmp_path / "in").mkdir()
        store = resilient(tmp_path / "in" / "sloagent.db")
        store.append("p", [plain_slot(HOUR)])
        (tmp_path / "in").rename(tmp_path / "out")
        with pytest.raises(StoreError, match="moved, removed or replaced"):
            store.runs()
        with pytest.raises(StoreError, match="cannot be locked: No such file"):
            store.runs()
        (tmp_path / "out").rename(tmp_path / "in")
        assert store.recorded("p", LATENCY, ALWAYS) == {HOUR}
        assert beside(tmp_path / "in" / "sloagent.db") == []


class TestDamage:
    @pytest.mark.parametrize("content", [b"garbage" * 2000, b"x", b"SQLite format 3\x00" + bytes(5000)])
    def test_garbage_is_set_aside_and_a_store_is_begun(self, resilient, path, content, caplog):
        path.write_bytes(content)
        store = resilient()
        eventually(lambda: is_well(store))
        assert store.append("p", [plain_slot(HOUR)]) == 1
        (name,) = beside(path)
        assert path.with_name(name).read_bytes() == content
        assert store.quarantined == 1
        assert store.salvaged is not None
        assert store.salvaged.set_aside.name == name
        moved, told = (record.getMessage() for record in caplog.records if record.levelno == logging.ERROR)
        assert f"It was set aside as {path.with_name(name)}, and a new store is begun" in moved
        assert "To put it back" in moved
        assert "how much is lost cannot be told: runs are gone, and so is every slot" in told
        assert "sloagent backfill --from" in told
        assert store.salvaged.lost is None

    def test_damage_met_in_use_is_salvaged_and_what_is_missing_can_be_recorded_again(self, resilient, path):
        made = SQLiteStore(path)
        made.append("p", [plain_slot(HOUR + 60 * n, n=20) for n in range(100)])
        made.close()
        store = resilient()
        content = bytearray(path.read_bytes())
        half = len(content) // 2 // 4096 * 4096
        content[half : half + 5 * 4096] = bytes(5 * 4096)
        with path.open("r+b") as file:  # the same file: it was not replaced
            file.write(content)
        with pytest.raises(StoreError, match="damaged"):
            list(store.slots("p", LATENCY, ALWAYS))
        eventually(lambda: is_well(store))
        assert store.salvaged is not None
        saved = store.recorded("p", LATENCY, ALWAYS)
        assert len(saved) == store.salvaged.saved.slots > 20
        assert len(saved) + store.salvaged.lost.slots == 100
        store.append("p", [plain_slot(HOUR + 60 * n, n=20) for n in range(100)])
        assert len(store.recorded("p", LATENCY, ALWAYS)) == 100
        assert store.check() == []

    def test_what_is_set_aside_while_in_use_is_as_it_was_with_its_log(self, resilient, path, caplog):
        store = resilient()
        store.append("p", [plain_slot(HOUR + 60 * n) for n in range(100)])
        content = path.read_bytes()
        with sqlite3.connect(path) as vandal:  # in the log, so that reading meets it
            vandal.execute("UPDATE verdicts SET outcome = 77 WHERE slot = ?", (HOUR,))
        vandal.close()
        log = path.with_name("sloagent.db-wal").read_bytes()
        assert len(log) > 50_000
        with pytest.raises(StoreError, match="there is no outcome 77"):
            list(store.slots("p", LATENCY, ALWAYS))
        eventually(lambda: is_well(store))
        assert store.salvaged is not None
        aside = store.salvaged.set_aside
        assert aside.read_bytes() == content
        assert Path(f"{aside}-wal").read_bytes() == log
        (moved,) = (record.getMessage() for record in caplog.records if record.levelno == logging.ERROR)
        files = [f"{aside}{end}" for end in ("", "-shm", "-wal")]
        assert beside(path) == [Path(file).name for file in files]
        assert f"It was set aside as {files[0]} and {files[2]} and {files[1]}, and a new store" in moved
        assert len(store.recorded("p", LATENCY, ALWAYS)) == 99

    @pytest.mark.parametrize("by", ["a command", "the daemon"])
    def test_a_damaged_file_that_is_met_when_opening_keeps_its_log(self, resilient, path, tmp_path, by):
        made = SQLiteStore(path)
        made.append("p", [plain_slot(HOUR + 60 * n) for n in range(100)])
        (tmp_path / "killed").mkdir()
        left = tmp_path / "killed" / "sloagent.db"
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{left}{end}")
        made.close()
        content = bytearray(left.read_bytes())
        content[20 * 4096 : 21 * 4096] = b"\xff" * 4096
        left.write_bytes(content)
        log = Path(f"{left}-wal").read_bytes()
        if by == "a command":
            with pytest.raises(StoreError, match="damaged"):
                SQLiteStore(left)
            aside = left
        else:
            store = resilient(left)
            eventually(lambda: is_well(store))
            assert store.salvaged is not None
            aside = store.salvaged.set_aside
            assert len(store.recorded("p", LATENCY, ALWAYS)) == 100
        assert aside.read_bytes() == content
        assert Path(f"{aside}-wal").read_bytes() == log

    @pytest.mark.parametrize("name", ["notes.txt", "passwd", "sloagent"])
    def test_a_file_that_cannot_have_been_a_store_is_refused_and_not_touched(self, resilient, tmp_path, name):
        path = tmp_path / name
        path.write_text("root:x:0:0\n")
        before = path.stat()
        store = resilient(path)
        eventually(lambda: "nothing shows that it was one of sloagent's; it was not touched" in store.trouble)
        with pytest.raises(StoreError, match="it was not touched"):
            store.append("p", [plain_slot(HOUR)])
        store.close()
        assert list(tmp_path.iterdir()) == [path]
        after = path.stat()
        assert (after.st_ino, after.st_mtime_ns, path.read_text()) == (
            before.st_ino,
            before.st_mtime_ns,
            "root:x:0:0\n",
        )

    @pytest.mark.parametrize("end", ["-wal", "-journal"])
    def test_a_neighbour_shows_that_a_file_of_any_name_was_a_store(self, resilient, tmp_path, end):
        path = tmp_path / "soak"
        path.write_text("garbage" * 1000)
        path.with_name(f"soak{end}").write_text("x")
        store = resilient(path)
        eventually(lambda: is_well(store))
        assert store.quarantined == 1

    @pytest.mark.parametrize("kind", ["directory", "fifo", "device", "link to notes", "link to a damaged store"])
    def test_what_is_no_file_of_its_own_is_never_moved(self, resilient, tmp_path, kind):
        path = tmp_path / "sloagent.db"
        other = tmp_path / ("notes.txt" if kind == "link to notes" else "other.db")
        other.write_text("garbage" * 1000)
        match kind:
            case "directory":
                path.mkdir()
            case "fifo":
                os.mkfifo(path)
            case "device":
                path = Path("/dev/null")
            case _:
                path.symlink_to(other)
        before = path.lstat()
        store = resilient(path)
        for _ in range(3):
            assert not is_well(store)
            assert "directory" in store.trouble or "regular file" in store.trouble or "touched" in store.trouble
        store.close()
        assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
        assert other.read_text() == "garbage" * 1000
        assert {entry.name for entry in tmp_path.iterdir()} <= {"sloagent.db", other.name}

    def test_a_finding_of_our_own_is_damage_too(self, resilient, path):
        made = SQLiteStore(path)
        made.append("p", [plain_slot(HOUR), plain_slot(HOUR + 60)])
        made.close()
        vandal = sqlite3.connect(path)
        vandal.execute("UPDATE verdicts SET outcome = 77 WHERE slot = ?", (HOUR,))
        vandal.commit()
        vandal.close()
        store = resilient()
        with pytest.raises(StoreError, match="there is no outcome 77"):
            list(store.slots("p", LATENCY, ALWAYS))
        eventually(lambda: is_well(store))
        assert store.recorded("p", LATENCY, ALWAYS) == {HOUR + 60}

    def test_text_that_cannot_be_decoded_is_damage(self, resilient, path):
        made = SQLiteStore(path)
        made.append("p", [plain_slot(HOUR)])
        made.close()
        vandal = sqlite3.connect(path)
        vandal.execute("UPDATE series SET content = CAST(x'ff7b' AS TEXT) WHERE id = 1")
        vandal.commit()
        vandal.close()
        store = resilient()
        with pytest.raises(StoreError, match="damaged"):
            list(store.slots("p", LATENCY, ALWAYS))
        eventually(lambda: is_well(store))
        assert store.check() == []

    def test_labels_that_are_no_json_are_damage(self, resilient, path):
        made = SQLiteStore(path)
        made.append("p", [plain_slot(HOUR)])
        made.close()
        vandal = sqlite3.connect(path)
        vandal.execute("UPDATE series SET content = '{' || id")
        vandal.commit()
        vandal.close()
        store = resilient()
        with pytest.raises(StoreError, match="makes no sense"):
            list(store.slots("p", LATENCY, ALWAYS))
        eventually(lambda: is_well(store))
        assert store.check() == []

    def test_an_empty_file_beside_a_log_is_damage(self, resilient, path):
        made = SQLiteStore(path)
        made.append("p", [plain_slot(HOUR)])
        shutil.copy(path.with_name("sloagent.db-wal"), path.with_name("kept"))
        made.close()
        path.write_bytes(b"")
        path.with_name("kept").rename(path.with_name("sloagent.db-wal"))
        store = resilient()
        eventually(lambda: is_well(store))
        assert [name[-4:] for name in beside(path) if name.endswith("-wal")] == ["-wal"]

    def test_of_two_at_once_one_sets_it_aside_and_both_use_the_new_one(self, resilient, path):
        path.write_bytes(b"garbage" * 2000)
        stores = [resilient() for _ in range(4)]
        for store in stores:
            eventually(lambda store=store: is_well(store))
        assert len(beside(path)) == 1
        assert sum(store.quarantined for store in stores) == 1
        stores[0].append("p", [plain_slot(HOUR)])
        assert all(store.recorded("p", LATENCY, ALWAYS) == {HOUR} for store in stores)

    def test_a_salvage_that_was_interrupted_is_finished_first_and_nobody_sees_half_of_it(self, resilient, path):
        made = SQLiteStore(path)
        made.append("p", [plain_slot(HOUR + 60 * n) for n in range(50)])
        made.close()
        name = "sloagent.db.damaged-20261123T040000Z"
        path.rename(path.with_name(name))
        mark_of(path).write_text(name)
        begun = connection.Database(str(path), salvaging=True)
        begun.close()
        for read_only in (True, False):
            with pytest.raises(StoreError, match="is not whole yet"):
                SQLiteStore(path, read_only=read_only)
        store = resilient()
        eventually(lambda: is_well(store))
        assert len(store.recorded("p", LATENCY, ALWAYS)) == 50
        assert beside(path) == [name]
        assert store.quarantined == 0

    def test_a_foreign_database_is_set_aside(self, resilient, path, monkeypatch):
        foreign = sqlite3.connect(path)
        foreign.execute("CREATE TABLE theirs (content TEXT)")
        foreign.commit()
        foreign.close()
        held = threading.Event()
        held.set()
        monkeypatch.setattr(repair.quarantine, "held_by_others", lambda _path: held.is_set())
        store = resilient()
        eventually(lambda: "which may have it open: it is not moved away" in store.trouble)
        assert beside(path) == []
        held.clear()
        eventually(lambda: is_well(store))
        (name,) = beside(path)
        assert ".foreign-" in name

    def test_a_file_that_another_process_has_put_there_meanwhile_is_not_set_aside(self, path):
        path.write_bytes(b"garbage")
        damaged = identity(path)
        path.rename(path.with_name("elsewhere"))
        SQLiteStore(path).close()
        attempt = repair.Repair(path, DamagedError("it is damaged"), damaged, threading.Event(), lambda: None)
        attempt.work()
        assert (attempt.trouble, attempt.set_aside) == ("", False)
        assert beside(path) == []

    def test_without_a_path_nothing_is_moved(self, path):
        path.write_bytes(b"garbage" * 2000)
        store = ResilientStore(lambda: SQLiteStore(path), retry_seconds=0.0)
        assert "is not an SQLite database" in store.trouble
        assert beside(path) == []
        store.close()

    def test_closing_ends_a_salvage_and_the_next_one_finishes_it(self, resilient, path):
        made = SQLiteStore(path)
        made.append("p", [plain_slot(HOUR + 60 * n, n=10) for n in range(300)])
        made.close()
        name = "sloagent.db.damaged-20261123T040000Z"
        path.rename(path.with_name(name))
        mark_of(path).write_text(name)
        resilient().close()
        store = resilient()
        eventually(lambda: is_well(store))
        assert len(store.recorded("p", LATENCY, ALWAYS)) == 300
