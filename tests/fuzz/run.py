"""One engine over one target in this process: `python -m tests.fuzz.run TARGET ENGINE SECONDS`; scripts/fuzz.py starts it.

What the engine saw goes as JSON to .cache/fuzz/TARGET/ENGINE.json, an input that broke a promise to ENGINE-found.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import mmap
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

from tests.fuzz.target import LONGEST, Target, bounded

NAMES = ("slo_file", "agent_config", "run_file", "answers", "exchange", "web")
INSTRUMENTED = ["sloagent", "uvicorn", "h11", "starlette"]
"""The packages whose branches guide atheris."""
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "fuzz"
MOST_MEBIBYTES = 1024
"""Resident memory of the whole process; atheris ends it there."""
HANG_SECONDS = 10
"""On the wall, for one input: generous, since the machine may be busy; the bound on CPU is tighter."""
ROUND = 500
"""Examples of hypothesis between two looks at the clock."""


def load(name: str) -> Target:
    """The target of that name."""
    target = importlib.import_module(f"tests.fuzz.{name}").TARGET
    assert isinstance(target, Target)
    return target


class Journal:
    """The input under way in a file that outlives the process, and how many there were."""

    def __init__(self, check: Callable[[bytes], None], path: Path) -> None:
        self._check = bounded(check)
        path.write_bytes(bytes(8 + LONGEST))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self.executions = 0
        self.breaking: bytes | None = None
        """The last input that broke a promise; of hypothesis, after shrinking, the smallest."""

    def __call__(self, content: bytes) -> None:
        """Check one input."""
        content = content[:LONGEST]
        self._map[:8] = len(content).to_bytes(8, "little")
        self._map[8 : 8 + len(content)] = content
        self.executions += 1
        try:
            self._check(content)
        except Exception:
            self.breaking = content
            raise


def under_way(path: Path) -> bytes:
    """The input that a process had under way when it ended."""
    noted = path.read_bytes()
    return noted[8 : 8 + int.from_bytes(noted[:8], "little")]


def with_hypothesis(target: Target, journal: Journal, seconds: float) -> None:
    """Draw changed seeds, inputs made anew and bytes until the time is over; raises what an input breaks."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st
    from hypothesis.database import DirectoryBasedExampleDatabase

    known = list(target.seeds()) + [path.read_bytes() for path in target.found()]
    rules = settings(
        max_examples=ROUND, derandomize=False, deadline=timedelta(seconds=HANG_SECONDS),
        database=DirectoryBasedExampleDatabase(CACHE / target.name / "examples"),
        phases=(Phase.reuse, Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    def changed(seed: bytes, random: Random, times: int) -> bytes:
        for _ in range(times):
            seed = target.mutate(seed, random)
        return seed

    inputs = st.one_of(
        st.builds(changed, st.sampled_from(known), st.randoms(use_true_random=False), st.integers(1, 4)),
        st.binary(max_size=400),
        st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")),
    )

    @rules
    @given(inputs)
    def one_round(content: bytes) -> None:
        journal(content)

    ends = time.monotonic() + seconds
    for seed in known:
        journal(seed)
    while time.monotonic() < ends:
        one_round()


def with_atheris(target: Target, journal: Journal, seconds: float) -> None:
    """Mutate what reached new branches until the time is over. Ends the process: libFuzzer does, in any case."""
    import atheris

    home = CACHE / target.name
    corpus = home / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in (*target.seeds(), *(path.read_bytes() for path in target.found())):
        if len(seed) <= LONGEST:
            (corpus / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)

    def mutate(content: bytes, longest: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.3:
            return bytes(atheris.Mutate(content, longest))
        return target.mutate(content, random)[:longest]

    options = [
        sys.argv[0], str(corpus), f"-artifact_prefix={home}/", f"-max_total_time={seconds:.0f}", f"-max_len={LONGEST}",
        f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MOST_MEBIBYTES}", "-print_final_stats=1", "-verbosity=1",
        "-reload=0", "-report_slow_units=5", f"-exact_artifact_path={home}/atheris-found",
    ]  # fmt: skip
    atheris.Setup(options, journal, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> int:
    """Run; 0 where every promise was kept."""
    name, engine, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    home = CACHE / name
    home.mkdir(parents=True, exist_ok=True)
    # A number of pages beyond any bound of ours: what asks for so much at once gets a MemoryError instead of the machine.
    resource.setrlimit(resource.RLIMIT_DATA, (8 * 2**30, 8 * 2**30))
    if engine == "atheris":
        import atheris

        with atheris.instrument_imports(include=INSTRUMENTED):
            target = load(name)
    else:
        target = load(name)
    journal = Journal(target.check, home / f"{engine}-under-way")
    for seed in target.seeds():
        target.check(seed)  # imports and caches fill here, and not at the cost of an input
    if engine == "atheris":
        with_atheris(target, journal, seconds)
        return 0
    began = time.monotonic()
    try:
        with_hypothesis(target, journal, seconds)
    finally:
        if journal.breaking is not None:
            (home / f"{engine}-found").write_bytes(journal.breaking)
        spent = time.monotonic() - began
        (home / f"{engine}.json").write_text(json.dumps({"executions": journal.executions, "seconds": spent}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
