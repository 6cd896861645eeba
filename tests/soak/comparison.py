"""Whether two stores and two reports are the same, byte by byte, and whether each slot is there exactly once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path


@dataclass(frozen=True)
class Slots:
    """Expected and found slots of all SLOs."""

    expected: int
    recorded: int
    lost: list[str]
    """Expected and not there, or there as a refusal: to every question of the soak there is an answer."""
    duplicated: list[str]
    unexpected: list[str]


def slots(dump: Path, expected: Mapping[str, range]) -> Slots:
    """Count every slot of a dump, rolled-up ones included."""
    found: Counter[tuple[str, int]] = Counter()
    given_up: list[str] = []
    with dump.open() as lines:
        for line in lines:
            if line.startswith('{"kind":"slot"'):
                row = json.loads(line)
                found[row["slo"], row["slot"]] += 1
                if row["refusal"]:
                    given_up.append(f"{row['slo']} {row['slot']} {row['refusal']}")
            elif line.startswith('{"kind":"roll_up"'):
                row = json.loads(line)
                found.update((row["slo"], slot) for slot in row["slots"])
                given_up += [f"{row['slo']} {row['first']} {kind}" for kind in row["refusals"]]
    wanted = {(name, slot) for name, slots_ in expected.items() for slot in slots_}
    return Slots(
        expected=len(wanted),
        recorded=len(wanted & found.keys()),
        lost=[f"{name} {slot}" for name, slot in sorted(wanted - found.keys())] + given_up,
        duplicated=[f"{name} {slot}" for (name, slot), count in sorted(found.items()) if count > 1],
        unexpected=[f"{name} {slot}" for name, slot in sorted(found.keys() - wanted)],
    )


def digest(file: Path) -> str:
    """SHA-256 in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def differences(one: Path, other: Path, most: int = 10, keep: Callable[[str], bool] = lambda _line: True) -> list[str]:
    """The first lines in which two text files differ, of those to be kept; empty when they agree."""
    found: list[str] = []
    with one.open() as left, other.open() as right:
        for a, b in zip_longest(filter(keep, left), filter(keep, right), fillvalue=""):
            if a != b:
                found += [f"- {_around(a, b)}", f"+ {_around(b, a)}"]
                if len(found) >= 2 * most:
                    break
    return found


def files(directory: Path) -> Iterator[Path]:
    """Every file below, relative, in order."""
    yield from sorted(path.relative_to(directory) for path in directory.rglob("*") if path.is_file())


def of_kinds(*without: str) -> Callable[[str], bool]:
    """Whether a line of a dump is of another kind than these."""
    heads = tuple(f'{{"kind":"{kind}"' for kind in without)
    return lambda line: not line.startswith(heads)


def _around(line: str, other: str, most: int = 400) -> str:
    """The line, or where it is long its beginning and the place where it differs."""
    line, other = line.rstrip("\n"), other.rstrip("\n")
    if len(line) <= most:
        return line
    place = next((i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), min(len(line), len(other)))
    return f"{line[:180]} … {line[max(0, place - 80) : place + 120]}"
