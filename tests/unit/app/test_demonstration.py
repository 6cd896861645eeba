"""The demo replaces a former demo, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sloagent.app.demonstration import MARK, prepared
from sloagent.errors import ConfigError, SloagentError, SourceError

NO_PROGRAM = "no-such-program"


def prepare(directory: Path) -> None:
    with prepared(directory, binary=NO_PROGRAM):
        raise AssertionError("there is no such program")


@pytest.mark.parametrize("name", ["sloagent.yaml", "facts.yaml", "sloagent.db", "data/block", "report/report.html"])
def test_what_no_demo_has_put_there_is_not_replaced(tmp_path: Path, name: str) -> None:
    own = tmp_path / name
    own.parent.mkdir(exist_ok=True)
    own.write_text("precious")
    with pytest.raises(ConfigError, match="is in the way: no demo has put it there"):
        prepare(tmp_path)
    assert own.read_text() == "precious"


def test_a_former_demo_is_replaced_even_one_that_came_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SourceError, match=NO_PROGRAM):
        prepare(tmp_path)
    assert (tmp_path / "sloagent.yaml").read_text() == MARK
    (tmp_path / "sloagent.db").write_text("of the demo")
    with pytest.raises(SourceError, match=NO_PROGRAM):
        prepare(tmp_path)
    assert not (tmp_path / "sloagent.db").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SloagentError, match="the demo cannot be put into"):
        prepare(tmp_path / "file" / "inside")
