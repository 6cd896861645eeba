"""What is fuzzed: a function from bytes to nothing, that raises where a promise is broken; and its bounds."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

FOUND = Path(__file__).parent / "found"
SEEDS = Path(__file__).parent / "seeds"

MOST_CPU_SECONDS = 2.0
"""For one input, of the whole process: the machine may be busy with other things, so no clock on the wall decides."""
MOST_GROWTH_BYTES = 128 * 1024 * 1024
"""For one input. Each target's inputs are at most LONGEST bytes, so this is thousands of times the input."""
LONGEST = 16_384
"""Bytes of an input. Larger ones meet the bounds on sizes, which have tests of their own."""


class BrokenPromiseError(AssertionError):
    """What the target promises of every input is not so for this one."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way in."""

    name: str
    check: Callable[[bytes], None]
    """Raises whatever is not a documented outcome."""
    mutate: Callable[[bytes, Random], bytes]
    """Another input of the same kind; all its choices are of the Random, so that each engine can steer them."""
    seeds: Callable[[], Sequence[bytes]]

    def found(self) -> list[Path]:
        """The inputs that once broke a promise."""
        return sorted(path for path in (FOUND / self.name).glob("*") if path.is_file())


def expect(condition: object, what: str) -> None:
    """Raise BrokenPromiseError unless the condition holds."""
    if not condition:
        raise BrokenPromiseError(what)


def bounded(check: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The same check, which also raises where one input takes too long or too much memory."""

    def checked(content: bytes) -> None:
        used, began = resource_bytes(), time.process_time()
        check(content)
        seconds = time.process_time() - began
        expect(seconds <= MOST_CPU_SECONDS, f"took {seconds:.1f} s of CPU")
        grown = resource_bytes() - used
        if grown > MOST_GROWTH_BYTES:
            gc.collect()
            expect(resource_bytes() - used <= MOST_GROWTH_BYTES, f"grew by {grown / 2**20:.0f} MiB")

    return checked


def resource_bytes() -> int:
    """What this process holds in memory now."""
    with Path("/proc/self/statm").open("rb") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
