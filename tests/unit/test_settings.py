from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from sloagent.settings import DIRECTORY, ByteSize, Duration, Settings


class Block(Settings):
    delay: Duration = 30.0
    longest: Duration | None = None
    size: ByteSize = 1024
    flag: bool = False
    count: int | None = 1
    share: float = 0.5
    path: Path | None = None
    paths: tuple[Path, ...] = ()


def read(**fields: object) -> Block:
    return Block.model_validate(fields, context={DIRECTORY: Path("/etc/sloagent")})


def test_durations_and_sizes_are_read_with_their_units():
    block = read(delay="1h30m", longest="250ms", size="16MiB")
    assert (block.delay, block.longest, block.size) == (5400.0, 0.25, 2**24)


@pytest.mark.parametrize("fields", [{"delay": 30}, {"longest": 30}, {"size": 1024}, {"delay": True}])
def test_a_bare_number_in_a_file_is_no_duration_and_no_size(fields):
    with pytest.raises(ValidationError):
        read(**fields)


def test_defaults_in_code_are_plain_numbers():
    assert Block(delay=5.0, size=10).delay == 5.0


@pytest.mark.parametrize(
    "fields",
    [
        {"flag": "yes"},
        {"flag": 1},
        {"count": "4"},
        {"count": True},
        {"count": 1.5},
        {"share": "0.5"},
        {"share": False},
        {"unknown": 1},
    ],
)
def test_nothing_is_converted_or_ignored(fields):
    with pytest.raises(ValidationError):
        read(**fields)


def test_a_whole_number_is_a_share():
    assert read(share=1) == Block(share=1.0)


@pytest.mark.parametrize("field", ["longest", "count", "path", "delay"])
def test_nothing_behind_the_colon_is_not_the_field_left_out(field):
    with pytest.raises(ValidationError):
        read(**{field: None})
    assert Block(count=None).count is None


def test_relative_paths_count_from_the_file():
    block = read(path="token", paths=["a", "/b"])
    assert block.path == Path("/etc/sloagent/token")
    assert block.paths == (Path("/etc/sloagent/a"), Path("/b"))


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        Block().delay = 1.0
