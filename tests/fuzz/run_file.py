"""A run file, exported or written by hand: a record that is written and read as the same, or sentences that say why not."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from random import Random

from sloagent.app import run_file
from sloagent.errors import ConfigError
from sloagent.evaluation.stated import summarise_stated
from sloagent.evaluation.summary import summary_of
from sloagent.model.record import RunRecord
from tests.fuzz import mutation
from tests.fuzz.slo_file import _is_only_space
from tests.fuzz.target import Target, expect

ROOT = Path(__file__).resolve().parents[2]


def check(content: bytes) -> None:
    """Read it as JSON and as YAML."""
    for name in ("fuzzed.json", "fuzzed.yaml"):
        try:
            record = run_file.decode(content, name)
        except ConfigError as error:
            _check_words(error, name)
        else:
            _check_record(record)


def _check_words(error: ConfigError, name: str) -> None:
    """What is wrong has a place in the file, and steers no terminal."""
    for text in (error.message, error.hint, *error.problems):
        plain = text.replace("\n", "")
        expect(plain.isprintable() or _is_only_space(text), f"unprintable: {text!r}")
        expect(len(text) < 4_000, f"{len(text)} characters")
        expect("pydantic" not in text and "msgspec" not in text, f"it speaks of a library: {text}")
    told = error.problems or [error.message]
    expect(all(text.startswith(name) for text in told), f"no place: {told[0][:80]}")


def _check_record(record: RunRecord) -> None:
    """It is written and read as the same, and can be judged."""
    content = run_file.encode(record)
    expect(run_file.encode(run_file.decode(content, "again.json")) == content, "another record comes back")
    expect(run_file.head(content, "x").name == record.run.name, "the head has another name")
    names = [(slo.set, slo.name) for one in record.sets for slo in one.slos]
    expect(len(names) == len(set(names)), "two SLOs have one name")
    for one in record.slos:
        expect(len(one.slots) == len(one.states), "a slot without a state")
        for part in (one.whole, *one.phases, *(day.part for day in one.days)):
            summary_of(one.slo, part)
        summarise_stated(one.slo, one.stated)


@cache
def seeds() -> tuple[bytes, ...]:
    """What people wrote, right and wrong; what was exported, as it is and owned by whoever changes it."""
    from tests.unit.app.test_run_file import record

    by_hand = [path.read_bytes() for path in sorted((ROOT / "reports" / "examples").glob("*/run.yaml"))]
    by_hand += [path.read_bytes() for path in sorted((ROOT / "tests" / "data" / "run" / "bad").glob("*.yaml"))]
    exported = [run_file.encode(record()), *(run_file.encode(run_file.decode(text, "x.yaml")) for text in by_hand[:2])]
    owned = [json.dumps({**json.loads(text), "written_by_hand": True}).encode() for text in exported]
    return (*by_hand, *exported, *owned, gzip.compress(exported[0], mtime=0))


def mutate(content: bytes, random: Random) -> bytes:
    """JSON by its nodes, YAML by its lines, sometimes bytes."""
    if random.random() < 0.1:
        return mutation.of_bytes(content, random)
    if content.startswith(b"{"):
        return mutation.of_json(content, random)
    return mutation.of_yaml(content, random, seeds()[:2])


TARGET = Target("run_file", check, mutate, seeds)
