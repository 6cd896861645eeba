"""The recorded run is found and unpacked, or it is said in a sentence why not."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import pytest

from sloagent.app import demo_data
from sloagent.errors import SloagentError


def archive(place: Path, *names: str, kind: bytes = tarfile.REGTYPE) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry, io.BytesIO())
    (place / demo_data.ARCHIVE).write_bytes(lzma.compress(packed.getvalue()))
    (place / demo_data.FACTS).write_text("apiVersion: sloagent/v1\nkind: Facts\n")
    (place / demo_data.PHASES).write_text(
        '[{"name": "a", "start": "2026-11-22T05:39:54.739Z", "end": "2026-11-22T05:40:00Z", "what": "quiet"}]'
    )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "shipped"
    found.mkdir()
    monkeypatch.setattr(demo_data, "PLACES", (tmp_path / "nowhere", found))
    return found


def test_the_shipped_recording_unpacks_to_one_block_and_fourteen_phases(tmp_path: Path) -> None:
    recording = demo_data.unpack(tmp_path / "new" / "data")
    (meta,) = (tmp_path / "new" / "data").glob("*/meta.json")
    assert {path.name for path in meta.parent.iterdir()} == {"chunks", "index", "meta.json", "tombstones"}
    names = [phase.name for phase in recording.phases]
    assert (len(names), names[0], names[-1]) == (14, "a_baseline", "i_pull_registration")
    assert (recording.start, recording.end) == (recording.phases[0].range.start, recording.phases[-1].range.end)
    assert f"{recording.start:%H:%M:%S} {recording.end:%H:%M:%S}" == "05:39:54 06:10:44"
    assert all(phase.note and phase.range.start < phase.range.end for phase in recording.phases)


def test_unpacking_again_replaces_what_is_there(tmp_path: Path) -> None:
    demo_data.unpack(tmp_path)
    (meta,) = tmp_path.glob("*/meta.json")
    meta.write_text("damaged")
    demo_data.unpack(tmp_path)
    assert meta.read_text().startswith("{")


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "block/../../escaped"])
def test_a_name_that_leads_out_of_the_directory_is_refused(place: Path, tmp_path: Path, name: str) -> None:
    archive(place, name)
    with pytest.raises(SloagentError, match="is damaged"):
        demo_data.unpack(tmp_path / "data")
    assert not list(tmp_path.rglob("escaped"))


def test_a_link_is_refused(place: Path, tmp_path: Path) -> None:
    archive(place, "block/index", kind=tarfile.SYMTYPE)
    with pytest.raises(SloagentError, match="is no plain file"):
        demo_data.unpack(tmp_path / "data")


@pytest.mark.parametrize("kept", [0, 100, 5_000])
def test_a_truncated_archive_is_damaged(place: Path, tmp_path: Path, kept: int) -> None:
    archive(place)
    whole = (demo_data._PACKAGE.parent / "deploy" / "demo" / demo_data.ARCHIVE).read_bytes()
    (place / demo_data.ARCHIVE).write_bytes(whole[:kept])
    with pytest.raises(SloagentError, match="is damaged"):
        demo_data.unpack(tmp_path / "data")


def test_phases_that_cannot_be_read_are_damage(place: Path, tmp_path: Path) -> None:
    archive(place, "block/index")
    (place / demo_data.PHASES).write_text('[{"name": "a"}]')
    with pytest.raises(SloagentError, match="is damaged"):
        demo_data.unpack(tmp_path / "data")


def test_an_installation_without_the_recording_says_where_it_looked(place: Path, tmp_path: Path) -> None:
    with pytest.raises(SloagentError, match=str(place)) as caught:
        demo_data.unpack(tmp_path / "data")
    assert "install" in caught.value.hint


def test_a_directory_that_cannot_be_written_is_named(place: Path, tmp_path: Path) -> None:
    archive(place, "block/index")
    (tmp_path / "data").write_text("a file stands in the way")
    with pytest.raises(SloagentError, match="cannot be unpacked into"):
        demo_data.unpack(tmp_path / "data")
