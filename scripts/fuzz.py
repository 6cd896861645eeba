#!/usr/bin/env python3
"""`make fuzz`: every target of tests/fuzz under hypothesis and under atheris, a table at the end. Exit 1 on a finding.

FUZZ_MINUTES (10) is the time of each engine on each target, FUZZ_TARGET chooses one target, FUZZ_JOBS (1) is how many
run at once. What was found lies in
tests/fuzz/found, where `make check` replays it; the corpus that atheris grows is kept in .cache/fuzz.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fuzz.run import CACHE, NAMES, load, under_way
from tests.fuzz.target import FOUND

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = CACHE / "packages"
ENGINES = ("hypothesis", "atheris")
GRACE_SECONDS = 120
"""To start, to shrink what was found and to end; a process that takes longer hangs in one input."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one engine saw of one target."""

    target: str
    engine: str
    executions: int
    per_second: float
    edges: str
    corpus: int
    peak_mebibytes: int
    finding: Path | None


def main() -> int:
    names = [os.environ["FUZZ_TARGET"]] if os.environ.get("FUZZ_TARGET") else list(NAMES)
    if unknown := set(names) - set(NAMES):
        sys.exit(f"FUZZ_TARGET={unknown.pop()} is none of {', '.join(NAMES)}")
    try:
        seconds = float(os.environ.get("FUZZ_MINUTES") or 10) * 60
    except ValueError:
        sys.exit(f"FUZZ_MINUTES={os.environ['FUZZ_MINUTES']} is no number")
    missing = bring_atheris()
    if missing:
        say(missing)
    pairs = [(name, engine) for name in names for engine in ENGINES[: 1 if missing else 2]]
    with ThreadPoolExecutor(int(os.environ.get("FUZZ_JOBS") or 1)) as jobs:
        rows = list(jobs.map(lambda pair: fuzz(*pair, seconds), pairs))
    print(table(rows))
    for row in rows:
        if row.finding:
            shown = row.finding.relative_to(ROOT)
            print(
                f"\n{row.target} breaks a promise with {shown}; its words are in {log_of(row.target, row.engine)}. Again:"
            )
            print(f"  .venv/bin/python -m tests.fuzz.replay {row.target} {shown}")
    if missing:
        print(f"\nHalf of it is missing: {missing}")
    return 1 if missing or any(row.finding for row in rows) else 0


def bring_atheris() -> str:
    """Why atheris cannot be had, empty where it is there. It lies beside .venv, since nothing else needs it."""
    stamp, wanted = PACKAGES / ".ready", (ROOT / "requirements" / "fuzz.lock").read_text() + sys.version
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    say("installing atheris into .cache/fuzz/packages (once)")
    pip = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--upgrade",
        "--only-binary=:all:", "--require-hashes", f"--target={PACKAGES}", f"--requirement={ROOT}/requirements/fuzz.lock",
    ]  # fmt: skip
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        here = f"Python {platform.python_version()} on {platform.machine()} {platform.system()}"
        why = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        return f"no wheel of atheris for {here} (there are some for 3.11 to 3.13 on x86_64 Linux with glibc): {why}"
    stamp.write_text(wanted)
    return ""


def fuzz(name: str, engine: str, seconds: float) -> Row:
    """Run one engine over one target in a process of its own, and gather what it saw."""
    say(f"{name} under {engine} for {seconds / 60:g} min")
    home = CACHE / name
    home.mkdir(parents=True, exist_ok=True)
    for old in (f"{engine}.json", f"{engine}-found", f"{engine}-under-way"):
        (home / old).unlink(missing_ok=True)
    environment = dict(os.environ)
    if engine == "atheris":
        environment["PYTHONPATH"] = str(PACKAGES)
    began = time.monotonic()
    log = log_of(name, engine)
    with (ROOT / log).open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.run", name, engine, str(seconds)],
            cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        status, peak = wait(process, seconds + GRACE_SECONDS)
    said = (ROOT / log).read_text(errors="replace")
    finding = kept(name, engine) if status else None
    if engine == "hypothesis":
        told = home / "hypothesis.json"
        counted = json.loads(told.read_text()) if told.exists() else {"executions": 0, "seconds": 1}
        executions, spent = counted["executions"], counted["seconds"]
        edges, corpus = "-", len(load(name).seeds()) + len(load(name).found())
    else:
        progress = re.findall(r"^#(\d+)\s+\w+\s+cov: (\d+).* corp: (\d+)", said, re.MULTILINE)
        executions, edges, corpus = (
            (int(progress[-1][0]), progress[-1][1], int(progress[-1][2])) if progress else (0, "-", 0)
        )
        spent = time.monotonic() - began
    row = Row(name, engine, executions, executions / max(spent, 1), edges, corpus, peak, finding)
    say(line(row))
    return row


def wait(process: subprocess.Popen[bytes], seconds: float) -> tuple[int, int]:
    """Wait for the end, or bring it about; the status (0: nothing found) and the greatest resident memory in MiB."""
    ends = time.monotonic() + seconds
    hung = False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return (process.returncode or int(hung)), usage.ru_maxrss // 1024
        if time.monotonic() > ends and not hung:
            say("it hangs: ended")
            process.kill()
            hung = True
        time.sleep(0.2)


def kept(name: str, engine: str) -> Path:
    """The input that broke a promise, or was under way when the process died, copied to where it is replayed."""
    found = CACHE / name / f"{engine}-found"
    last = CACHE / name / f"{engine}-under-way"
    if not last.exists():
        sys.exit(f"{name} could not be fuzzed under {engine}: {(ROOT / log_of(name, engine)).read_text()[-2000:]}")
    content = found.read_bytes() if found.exists() else under_way(last)
    target = FOUND / name / f"{engine}-{hashlib.sha256(content).hexdigest()[:12]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def log_of(name: str, engine: str) -> str:
    """Where the engine's own words are."""
    return f".cache/fuzz/{name}/{engine}.log"


HEADINGS = ("target", "engine", "executions", "exec/s", "edges", "corpus", "peak RSS MiB", "findings")


def cells(row: Row) -> tuple[str, ...]:
    return (
        row.target, row.engine, f"{row.executions:,}", f"{row.per_second:,.0f}", row.edges, str(row.corpus),
        str(row.peak_mebibytes), "1" if row.finding else "0",
    )  # fmt: skip


def line(row: Row) -> str:
    return f"{row.target} under {row.engine}: " + ", ".join(
        f"{heading} {cell}" for heading, cell in zip(HEADINGS[2:], cells(row)[2:], strict=True)
    )


def table(rows: list[Row]) -> str:
    """The table in Markdown."""
    lines = [HEADINGS, tuple("---" if i < 2 else "---:" for i in range(len(HEADINGS))), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
