from __future__ import annotations

import json
import random
import shutil
import sqlite3
import struct
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sloagent.model.piece import Piece
from sloagent.model.run import Phase, Run
from sloagent.model.samples import Events
from sloagent.model.timerange import TimeRange
from sloagent.store import wreck as wreck_module
from sloagent.store.salvage import Counts, Salvage, salvage
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, VALUE, plain_slot
from tests.unit.store.test_seals import made_old

SLOTS = 360
PAGE = 4096
ALWAYS = (0, 2**40)
START = datetime.fromtimestamp(HOUR, UTC)
FACTS = bytes(range(256)) * 100
SOAK = Run("soak", START, None, (("kind", "soak"),), (Phase("warm-up", TimeRange(START, START), ""),))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, list[str]]:
    """A store with everything in it, and its dump."""
    path = tmp_path_factory.mktemp("whole") / "sloagent.db"
    store = SQLiteStore(path)
    for source in ("p", "q"):
        store.append(source, [plain_slot(HOUR + 60 * n, n=3) for n in range(SLOTS)])
        store.watch(source, LATENCY, HOUR)
    store.append("p", [plain_slot(HOUR + 60 * n, slo=VALUE, n=1) for n in range(SLOTS)])
    for hour in range(5):
        start = (HOUR + 3600 * hour) * 1000
        store.append_piece("p", LATENCY, Piece(start, start + 3_600_000, "q", {(): Events(1.0, 2.0)}))
    store.save_run(SOAK)
    store.save_document("run", "soak", FACTS)
    store.save_document("facts", "soak", FACTS)
    store.roll_up(HOUR + 7200)
    assert store.check() == []
    lines = list(store.dump())
    store.close()
    return path, lines


@pytest.fixture
def source(whole, tmp_path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copy(whole[0], tmp_path / "old.db"))


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "new.db"


def salvaged(source: Path, target: Path) -> tuple[Salvage, list[str]]:
    """What was said, and the new store's dump; the new store is sound."""
    said = salvage(source, target, threading.Event())
    assert said is not None
    store = SQLiteStore(target)
    assert store.check() == []
    lines = list(store.dump())
    store.close()
    return said, lines


def pages_of(path: Path, table: str) -> list[int]:
    """Where the leaves of a table begin in the file, in the order of its key."""
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    connection.close()
    return [(leaf - 1) * PAGE for leaf in _leaves(path.read_bytes(), root)]


def _leaves(content: bytes, page: int) -> list[int]:
    start = (page - 1) * PAGE
    if content[start] not in (2, 5):  # no interior page
        return [page]
    count = int.from_bytes(content[start + 3 : start + 5], "big")
    cells = [int.from_bytes(content[start + 12 + 2 * n : start + 14 + 2 * n], "big") for n in range(count)]
    pages = [int.from_bytes(content[start + cell : start + cell + 4], "big") for cell in cells]
    pages.append(int.from_bytes(content[start + 8 : start + 12], "big"))
    return [leaf for child in pages for leaf in _leaves(content, child)]


def overwrite(path: Path, start: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(content)


def slots_in(lines: list[str]) -> int:
    return sum(line.startswith('{"kind":"slot"') for line in lines)


def test_of_a_store_that_is_not_damaged_everything_is_taken_over(whole, source, target):
    said, lines = salvaged(source, target)
    assert lines == whole[1]
    assert said.saved == Counts(
        slots=3 * (SLOTS - 120),
        tiles=2 * SLOTS // 5 + SLOTS,
        pieces=5,
        roll_ups=11,
        runs=1,
        documents=2,
        slo_versions=3,
    )
    assert said.lost == Counts()
    assert said.unreadable == 0


def test_documents_are_taken_over_even_those_that_no_dump_names(source, target):
    salvaged(source, target)
    store = SQLiteStore(target)
    assert [(kind, store.documents(kind), store.document(kind, "soak")) for kind in ("facts", "run")] == [
        ("facts", ["soak"], FACTS), ("run", ["soak"], FACTS),
    ]  # fmt: skip
    store.close()


def test_a_document_that_was_changed_on_the_disk_is_not_taken_over(source, target):
    connection = sqlite3.connect(source)
    connection.execute("UPDATE documents SET sha256 = 'ff' WHERE kind = 'run'")
    connection.commit()
    connection.close()
    said, _ = salvaged(source, target)
    assert (said.saved.documents, said.lost) == (1, Counts(documents=1))


def test_of_a_file_of_an_earlier_version_everything_is_taken_over(whole, source, target):
    made_old(source)
    said, lines = salvaged(source, target)
    assert [*map(told_then, lines)] == [told_then(line) for line in whole[1] if '"kind":"document"' not in line]
    assert (said.saved.documents, said.lost.slots, said.unreadable) == (0, 0, 0)


def told_then(line: str) -> dict[str, object]:
    """A line of the dump without what an earlier version did not know."""
    fields = json.loads(line)
    return {name: content for name, content in fields.items() if name != "numbers"}


def test_since_when_slots_are_expected_is_taken_over(source, target):
    salvaged(source, target)
    store = SQLiteStore(target)
    assert store.watch("p", LATENCY, HOUR + 600) == HOUR
    store.close()


@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_damaged_nothing_is_taken_over_that_was_not_written(whole, source, target, seed):
    chance = random.Random(seed)
    content = bytearray(source.read_bytes())
    for _ in range(chance.choice([1, 3, 10, 60])):
        start = chance.randrange(100 if seed % 3 else PAGE, len(content))
        length = 0 if chance.random() < 0.6 else chance.choice([1, 16, 512, 4096])
        content[start] ^= 1 << chance.randrange(8)
        content[start : start + length] = chance.randbytes(len(content[start : start + length]))
    if seed % 5 == 0:
        del content[chance.randrange(PAGE, len(content)) :]
    source.write_bytes(content)
    said, lines = salvaged(source, target)
    assert set(lines) <= set(whole[1])
    assert said.saved.slots == slots_in(lines)
    assert source.read_bytes() == content, "the damaged file was changed"


@pytest.mark.parametrize("table", ["verdicts", "slots", "tile_series"])
def test_what_lies_before_and_behind_damaged_pages_is_saved(whole, source, target, table):
    leaves = pages_of(source, table)
    assert len(leaves) >= 5
    for start in leaves[1:4:2]:
        overwrite(source, start, bytes(PAGE))
    said, lines = salvaged(source, target)
    lost = said.lost.slots if table != "tile_series" else said.lost.tiles
    assert 0 < lost < slots_in(whole[1]) / 2
    assert set(lines) <= set(whole[1])
    store = SQLiteStore(target)
    assert HOUR + 7200 in store.recorded("p", LATENCY, ALWAYS), "the first of the table"
    assert HOUR + 60 * (SLOTS - 1) in store.recorded("p", VALUE, ALWAYS), "the last of the table"
    store.close()
    assert said.saved.slots + said.lost.slots == slots_in(whole[1])


def test_both_ends_of_a_table_may_be_damaged(whole, source, target):
    leaves = pages_of(source, "slots")
    for start in (leaves[0], leaves[-1]):
        overwrite(source, start, bytes(PAGE))
    said, lines = salvaged(source, target)
    assert said.saved.slots > slots_in(whole[1]) / 3
    assert set(lines) <= set(whole[1])


def test_keys_are_found_beyond_damage_although_no_seal_names_them(source, monkeypatch):
    leaves = pages_of(source, "slots")
    for start in (leaves[0], leaves[len(leaves) // 2], leaves[-1]):
        overwrite(source, start, bytes(PAGE))
    connection = sqlite3.connect(source)
    (seals_root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'seals'").fetchone()
    connection.close()
    wreck = wreck_module.Wreck(source)
    all_keys = {sort.table: len(list(wreck.keys(sort, 1))) for sort in wreck_module.SORTS[:1]}
    overwrite(source, (seals_root - 1) * PAGE, bytes(PAGE))
    wreck.close()
    blind = wreck_module.Wreck(source)
    found = len(list(blind.keys(wreck_module.SORTS[0], 1)))
    assert 0 < found < all_keys["slots"]
    assert blind.unreadable > 0
    blind.close()


def test_a_number_that_changed_on_the_disk_is_noticed_by_check_and_not_taken_over(whole, source, target):
    """SQLite itself finds nothing wrong with it."""
    content = bytearray(source.read_bytes())
    place = content.index(struct.pack(">d", 100.25), 5 * PAGE)
    content[place : place + 8] = struct.pack(">d", 100.5)
    source.write_bytes(content)
    store = SQLiteStore(source)
    (finding,) = store.check()
    store.close()
    assert "is not as it was written" in finding
    said, lines = salvaged(source, target)
    assert set(lines) < set(whole[1])
    assert said.lost.slots + said.lost.roll_ups == 1


def test_labels_whose_table_is_damaged_are_read_from_their_index(whole, source, target):
    connection = sqlite3.connect(source)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'series'").fetchone()
    connection.close()
    overwrite(source, (root - 1) * PAGE, bytes(PAGE))
    said, lines = salvaged(source, target)
    assert lines == whole[1]
    assert said.lost == Counts()


def test_what_was_committed_but_lies_only_in_the_log_is_taken_over(tmp_path, target):
    store = SQLiteStore(tmp_path / "sloagent.db")
    store.append("p", [plain_slot(HOUR + 60 * n) for n in range(30)])
    lines = list(store.dump())
    for end in ("", "-wal"):
        shutil.copy(tmp_path / f"sloagent.db{end}", tmp_path / f"old.db{end}")
    store.close()
    assert salvaged(tmp_path / "old.db", target)[1] == lines
    assert (tmp_path / "old.db-wal").stat().st_size > 0


def test_a_missing_log_costs_what_was_in_it_and_nothing_else(tmp_path, target):
    store = SQLiteStore(tmp_path / "sloagent.db")
    store.append("p", [plain_slot(HOUR)])
    store.close()
    store = SQLiteStore(tmp_path / "sloagent.db")
    store.append("p", [plain_slot(HOUR + 60)])
    shutil.copy(tmp_path / "sloagent.db", tmp_path / "old.db")
    store.close()
    said, lines = salvaged(tmp_path / "old.db", target)
    assert said.saved.slots == slots_in(lines) == 1


@pytest.mark.parametrize("content", [b"", b"garbage" * 5000, b"SQLite format 3\x00" + bytes(8000)])
def test_of_garbage_nothing_is_saved_and_a_store_is_begun(tmp_path, target, content):
    (tmp_path / "old.db").write_bytes(content)
    said, lines = salvaged(tmp_path / "old.db", target)
    assert lines == []
    assert said.saved == Counts()
    assert said.unreadable > 0 or content == b""


def test_done_again_it_changes_nothing_and_what_is_there_already_stays(whole, source, target):
    store = SQLiteStore(target)
    own = plain_slot(HOUR + 60 * 200, n=3, detail="first")
    store.append("p", [own, plain_slot(HOUR + 60 * 10, n=3)])
    store.close()
    _, lines = salvaged(source, target)
    assert salvaged(source, target)[1] == lines
    store = SQLiteStore(target)
    assert next(store.slots("p", LATENCY, (own.slot, own.slot))).detail == "first"
    assert len(list(store.slots("p", LATENCY, (HOUR, HOUR + 3599)))) == 1, "its hourly sum would record a slot twice"
    store.close()


def test_a_slot_that_the_new_store_has_in_an_hourly_sum_is_not_put_beside_it(whole, source, target):
    later = HOUR + 60 * 300
    store = SQLiteStore(target)
    store.append("p", [plain_slot(later, n=3)])
    store.roll_up(later + 60)
    store.close()
    salvaged(source, target)
    store = SQLiteStore(target)
    assert later in store.recorded("p", LATENCY, ALWAYS)
    assert list(store.slots("p", LATENCY, (later, later))) == []
    store.close()


def test_told_to_stop_it_says_so_and_goes_on_the_next_time(whole, source, target):
    stop = threading.Event()
    stop.set()
    assert salvage(source, target, stop) is None
    assert salvaged(source, target)[1] == whole[1]
