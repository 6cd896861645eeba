from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sloagent.errors import StoreError
from sloagent.model.piece import Piece
from sloagent.model.samples import Events
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, plain_slot

BREAKAGES: dict[str, tuple[str, str]] = {
    "a verdict is gone": (
        "DELETE FROM verdicts WHERE series_id = (SELECT min(series_id) FROM verdicts)",
        "`slots` says 2 verdicts of api-mutating-latency at 1795323600, and 1 are there",
    ),
    "labels are gone": ("DELETE FROM series WHERE id = 1", "rows of `verdicts` refer to what is not in `series`"),
    "a query is gone": ("DELETE FROM texts WHERE id = 1", "rows of `slots` refer to what is not in `texts`"),
    "a slot is gone, its verdicts are not": ("DELETE FROM slots", "refer to what is not in `slots`"),
    "a tile does not unpack": ("UPDATE tile_series SET counts = x'00'", "packed counts do not unpack"),
    "a tile has too few counts": ("UPDATE tile_series SET bounds_id = 1", "3 counts for 2 bounds"),
    "a distribution of a tile is gone": (
        "DELETE FROM tile_series WHERE series_id = 1", "`tiles` says 2 distributions of api-mutating-latency",
    ),
    "a piece's series is gone": ("DELETE FROM piece_series", "`pieces` says 1 series of api-mutating-latency"),
    "a piece does not unpack": ("UPDATE piece_series SET counts = x'00'", "1 bytes are not a pair of events"),
    "a roll-up's series is gone": ("DELETE FROM roll_up_series", "`roll_ups` says 2 series of api-mutating-latency"),
    "another promise under the same fingerprint": (
        "UPDATE slo_versions SET spec = replace(spec, '99.0', '98.0')",
        "the stored SLO is not the one its fingerprint",
    ),
    "an SLO that is no JSON": ("UPDATE slo_versions SET spec = '{'", "the stored SLO cannot be read"),
    "a document does not unpack": ("UPDATE documents SET content = x'00'", "the run document 'soak' does not unpack"),
    "a document is not that of its hash": (
        "UPDATE documents SET sha256 = 'ff'", "the content of the run document 'soak' is not that of its hash",
    ),
    "an unknown outcome": ("UPDATE verdicts SET outcome = 77", "there is no outcome 77"),
    "a slot recorded twice": (
        "INSERT INTO slots SELECT slo_id, 1795320060, outcome, cause, kind, query_id, NULL, NULL, NULL, 0 FROM slots",
        "slots are recorded twice: 1, the first 1795320060",
    ),
}  # fmt: skip


@pytest.fixture
def path(tmp_path) -> Path:
    store = SQLiteStore(tmp_path / "sloagent.db")
    store.append("p", [plain_slot(HOUR), plain_slot(HOUR + 60), plain_slot(HOUR + 3600)])
    store.append_piece("p", LATENCY, Piece(HOUR * 1000, HOUR * 1000 + 1, "q", {(): Events(1.0, 2.0)}))
    store.roll_up(HOUR + 3600)
    store.save_document("run", "soak", b"{}")
    assert store.check() == []
    store.close()
    return tmp_path / "sloagent.db"


def findings(path: Path) -> list[str]:
    store = SQLiteStore(path)
    try:
        return store.check()
    finally:
        store.close()


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_is_found(path, name):
    statement, sentence = BREAKAGES[name]
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert sentence in "\n".join(findings(path))


def test_a_slot_of_which_only_the_tile_could_be_salvaged_is_recorded_again(path):
    store = SQLiteStore(path)
    lines = list(store.dump())
    connection = sqlite3.connect(path)
    for table in ("verdicts", "slots"):
        connection.execute(f"DELETE FROM {table} WHERE slot = ?", (HOUR + 3600,))
    connection.execute("DELETE FROM seals WHERE sort = 1 AND second = ?", (HOUR + 3600,))
    connection.commit()
    connection.close()
    assert list(store.tiles("p", LATENCY, (HOUR + 3600, HOUR + 3600)))
    assert store.append("p", [plain_slot(HOUR + 3600)]) == 1
    assert (list(store.dump()), store.check()) == (lines, [])
    store.close()


def test_pieces_that_lack_a_series_are_not_added(path):
    store = SQLiteStore(path)
    cut = (HOUR * 1000, HOUR * 1000 + 2)
    store.append_piece("p", LATENCY, Piece(*cut, "q", {(): Events(1.0, 2.0), (("a", "b"),): Events(3.0, 4.0)}))
    assert len(store.added("p", LATENCY, [cut])) == 2
    connection = sqlite3.connect(path)
    connection.execute(
        "DELETE FROM piece_series WHERE end_ms = ? AND series_id = (SELECT max(id) FROM series)", cut[1:]
    )
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="series of pieces are missing, or too many: 1"):
        store.added("p", LATENCY, [cut])
    store.close()


def test_damaged_pages_are_found(path):
    damage(path)
    found = findings(path)
    assert found
    assert all(line.startswith(("SQLite finds the file damaged", "SQLite cannot read")) for line in found)


def damage(path: Path) -> None:
    """Overwrite the header of the page where `verdicts` begins."""
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'verdicts'").fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    start = (root - 1) * 4096
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
