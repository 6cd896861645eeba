from __future__ import annotations

import multiprocessing
import re
import sqlite3
import sys
from pathlib import Path

import pytest

from sloagent.store import quarantine
from sloagent.store.damage import UnavailableError
from sloagent.store.first_look import mark_of
from sloagent.store.quarantine import (
    MOST_IN_A_DAY,
    NEIGHBOURS,
    alone,
    finish_moving,
    finished,
    held_by_others,
    set_aside,
)

ENDS = ("", *NEIGHBOURS)


@pytest.fixture
def path(tmp_path) -> Path:
    """A store with all its neighbours, each with its own content."""
    for end in ENDS:
        (tmp_path / f"sloagent.db{end}").write_text(f"content{end}")
    return tmp_path / "sloagent.db"


def everything(path: Path) -> dict[str, str]:
    return {entry.name: entry.read_text() for entry in path.parent.iterdir()}


def test_all_four_are_renamed_together_to_a_name_with_the_time(path):
    target = set_aside(path, "damaged")
    assert re.fullmatch(r"sloagent\.db\.damaged-\d{8}T\d{6}Z", target.name)
    assert everything(path) == {
        "sloagent.db.salvage": target.name + "\n",
        **{target.name + end: f"content{end}" for end in ENDS},
    }


def test_the_file_itself_goes_last_so_that_it_tells_whether_all_is_done(path):
    sources: list[str] = []
    watched = [True]

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if watched[0] and event == "os.rename":
            sources.append(Path(str(arguments[0])).name)

    sys.addaudithook(hear)
    set_aside(path, "damaged")
    watched[0] = False
    assert sources[0].startswith("sloagent.db.salvage."), "the mark comes first"
    assert sources[1:] == [f"sloagent.db{end}" for end in (*NEIGHBOURS, "")]


def test_no_name_is_taken_twice(path):
    names = set()
    for number in range(MOST_IN_A_DAY):
        path.write_text(f"number {number}")
        names.add(set_aside(path, "damaged"))
        finished(path)
    assert len(names) == MOST_IN_A_DAY
    assert {name.read_text() for name in names} == {f"number {number}" for number in range(MOST_IN_A_DAY)}


def test_a_log_that_lies_under_the_name_counts_as_taken(path, monkeypatch):
    monkeypatch.setattr(quarantine, "_STAMP", "20261123T040000Z")
    path.with_name("sloagent.db.damaged-20261123T040000Z-wal").write_text("theirs")
    assert set_aside(path, "damaged").name == "sloagent.db.damaged-20261123T040000Z-2"
    assert path.with_name("sloagent.db.damaged-20261123T040000Z-wal").read_text() == "theirs"


def test_after_a_few_within_a_day_the_file_stays_where_it_is(path):
    for _ in range(MOST_IN_A_DAY):
        path.write_text("again")
        set_aside(path, "damaged")
        finished(path)
    path.write_text("once more")
    with pytest.raises(UnavailableError, match="5 damaged ones were set aside within a day: it stays where it is"):
        set_aside(path, "damaged")
    assert path.read_text() == "once more"


def test_those_of_earlier_days_do_not_count(path):
    for day in range(1, 9):
        path.with_name(f"sloagent.db.damaged-2026010{day}T000000Z").write_text("old")
    assert set_aside(path, "damaged").exists()


@pytest.mark.parametrize("done", range(len(ENDS)))
def test_killed_between_two_renames_the_next_one_does_the_rest(path, done):
    target = path.with_name("sloagent.db.damaged-20261123T040000Z")
    mark_of(path).write_text(target.name)
    for end in (*NEIGHBOURS, "")[:done]:
        Path(f"{path}{end}").rename(f"{target}{end}")
    assert quarantine.unfinished(path) == target
    finish_moving(path, target)
    assert {name: text for name, text in everything(path).items() if "salvage" not in name} == {
        target.name + end: f"content{end}" for end in ENDS
    }


def test_once_the_file_itself_is_moved_the_new_store_under_its_name_is_left_alone(path):
    target = set_aside(path, "damaged")
    for end in ENDS:
        Path(f"{path}{end}").write_text("new")
    finish_moving(path, target)
    assert path.read_text() == "new"
    assert target.read_text() == "content"


@pytest.mark.parametrize("words", ["", "../../etc/passwd", "sloagent.db", "other.db.damaged-20261123T040000Z", "\0"])
def test_a_mark_that_names_no_file_of_ours_is_not_followed(path, words):
    mark_of(path).write_text(words)
    with pytest.raises(UnavailableError, match="does not name a file that was set aside"):
        quarantine.unfinished(path)


def test_without_a_mark_nothing_is_unfinished(path):
    assert quarantine.unfinished(path) is None
    set_aside(path, "damaged")
    finished(path)
    assert quarantine.unfinished(path) is None


def _lock(path: Path, told: multiprocessing.connection.Connection) -> None:
    with alone(path):
        told.send("locked")
        told.recv()


def test_only_one_process_is_alone(path):
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    other = context.Process(target=_lock, args=(path, there))
    other.start()
    assert here.recv() == "locked"
    with pytest.raises(UnavailableError, match="another sloagent is salvaging"), alone(path):
        pass
    here.send("go")
    other.join()
    with alone(path):
        pass


def _hold(path: Path, told: multiprocessing.connection.Connection) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (content TEXT)")
    told.send("open")
    told.recv()
    connection.close()


def test_a_file_that_another_process_has_open_is_seen(tmp_path):
    path = tmp_path / "theirs.db"
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    other = context.Process(target=_hold, args=(path, there))
    other.start()
    assert here.recv() == "open"
    assert held_by_others(path)
    here.send("close")
    other.join()
    assert not held_by_others(path)


def test_of_a_file_that_is_not_there_nothing_is_known(tmp_path):
    assert held_by_others(tmp_path / "nowhere.db")


@pytest.mark.parametrize("content", ["garbage", "SQLite format 3\0"])
def test_a_link_is_not_renamed_nor_what_it_leads_to(path, content):
    path.write_text(content)
    link = path.with_name("link.db")
    link.symlink_to(path)
    before = everything(path)
    with pytest.raises(
        UnavailableError, match="a link, or not known to have been a store at all: it stays where it is"
    ):
        set_aside(link, "damaged")
    assert everything(path) == before
    assert link.is_symlink()


@pytest.mark.parametrize(
    ("name", "neighbour", "moved"),
    [
        ("notes.txt", None, False),
        ("soak", None, False),
        ("soak.DB", None, True),
        ("soak.sqlite", None, True),
        ("soak.sqlite3", None, True),
        ("soak", "-wal", True),
        ("soak", "-journal", True),
        ("soak", ".salvage", True),
        ("soak", "-shm", False),
    ],
)
def test_a_file_without_a_header_is_renamed_only_with_a_name_or_a_neighbour_of_a_store(
    tmp_path, name, neighbour, moved
):
    path = tmp_path / name
    path.write_text("garbage")
    if neighbour:
        path.with_name(name + neighbour).write_text("beside")
    if moved:
        assert set_aside(path, "damaged").read_text() == "garbage"
        assert not path.exists()
    else:
        with pytest.raises(UnavailableError, match="it stays where it is"):
            set_aside(path, "damaged")
        assert path.read_text() == "garbage"
