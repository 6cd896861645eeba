"""Any record of a run goes through its file unchanged, and so does every field of every class in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from hypothesis import HealthCheck, given, settings

from sloagent.app import run_file
from sloagent.model.record import RunRecord
from tests.unit.app.run_records import run_records

EXAMPLES = settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


def values(block: object) -> Iterator[tuple[str, str]]:
    """Each field of each dataclass in it with what it holds."""
    if is_dataclass(block):
        for field in fields(block):
            if not field.compare:
                continue  # who is told of alerts is no part of what was found
            held = getattr(block, field.name)
            yield f"{type(block).__name__}.{field.name}", repr(held)
            yield from values(held)
    elif isinstance(block, dict):
        for key, held in block.items():
            yield from values(key)
            yield from values(held)
    elif isinstance(block, tuple | frozenset):
        for held in block:
            yield from values(held)


def test_what_is_written_is_read_as_the_same_and_every_field_of_a_record_is_tried():
    tried: dict[str, set[str]] = defaultdict(set)

    @given(made=run_records())
    @EXAMPLES
    def same(made: RunRecord) -> None:
        content = run_file.encode(made)
        assert run_file.decode(content, "x.json") == made
        assert run_file.encode(run_file.decode(content, "x.json")) == content
        for field, held in values(made):
            tried[field].add(held)

    same()
    assert len(tried) > 100
    assert [field for field, held in tried.items() if len(held) < 2] == []
