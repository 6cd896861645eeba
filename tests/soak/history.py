"""The generated past: series that are a pure function of (seed, series, time), made into blocks of a real Prometheus.

Histograms, counters of successes and failures, gauges; with stretches without any scrape, processes that restart and
count from zero, series that come and go, a metric that changes its name, hours in which everything is slow.
"""

from __future__ import annotations

import math
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

START = 1_748_736_000
"""2025-06-01 00:00 UTC."""
SCRAPE_SECONDS = 60
BLOCK_SECONDS = 54 * 3600
"""What a block of promtool spans at most; a file cut at its multiples is read only twice."""
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf")
_QUICK = (20, 30, 25, 12, 7, 3, 2, 0.7, 0.2, 0.08, 0.02)
_SLOW = (5, 10, 20, 20, 15, 10, 8, 6, 4, 1.5, 0.5)

Row = list[float | None]
"""One scrape of the series of a process; None where one was not there."""


@dataclass(frozen=True)
class History:
    """`seconds` of samples from `START` on, drawn from the seed."""

    seed: int
    seconds: int

    @property
    def end(self) -> int:
        return START + self.seconds

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """Stretches in which nothing at all was scraped: at most five minutes, an hour and two of thirty days."""
        return [
            (self._at(0.21), self._at(0.2102)),
            (self._at(0.48), self._at(0.4814)),
            (self._at(0.9), self._at(0.9028)),
        ]

    @property
    def renamed_at(self) -> float:
        """When the histogram of the queues changes its name."""
        return self._at(0.4)

    def _at(self, share: float) -> float:
        return START + share * self.seconds

    def chance(self, name: str) -> random.Random:
        """The random numbers of one series."""
        return random.Random(f"{self.seed}/{name}")

    def processes(self) -> list[Process]:
        """Everything that is scraped."""
        made: list[Process] = []
        for number, resource in enumerate(("pods", "nodes", "leases")):
            for verb in ("POST", "PUT", "PATCH", "LIST"):
                name = f'api_request_duration_seconds{{job="api",resource="{resource}",verb="{verb}"'
                made.append(_histogram(self, name, events=8.0 * (number + 1)))
        for queue in ("bindings", "works"):
            for metric, lasts in (
                ("queue_wait_seconds", (0.0, self.renamed_at)),
                ("workqueue_wait_seconds", (self.renamed_at, math.inf)),
            ):
                made.append(_histogram(self, f'{metric}{{job="scheduler",queue="{queue}"', events=6.0, lasts=lasts))
        for profile in ("default", "spread"):
            heads = [f'schedule_attempts_total{{profile="{profile}",result="{r}"}}' for r in ("ok", "error", "retry")]
            made.append(Process(heads, partial(_counts, self, f"attempts/{profile}", (20.0, 0.12, 0.6))))
        for instance in ("a", "b"):
            heads = [f'requests_total{{instance="{instance}",code="{code}"}}' for code in ("200", "404", "500", "503")]
            made.append(Process(heads, partial(_counts, self, f"requests/{instance}", (90.0, 3.0, 0.01, 0.02))))
        for component in ("apiserver", "scheduler", "controller", "webhook", "agent", "search"):
            made.append(Process([f'memory_bytes{{component="{component}"}}'], partial(_memory, self, component)))
        for queue in ("bindings", "works", "clusters", "events"):
            made.append(Process([f'backlog{{queue="{queue}"}}'], partial(_backlog, self, queue)))
        for number in range(30):
            made.append(Process([f'pod_cpu_cores{{pod="pod-{number:02d}"}}'], partial(_pod, self, number)))
        for job in ("api", "scheduler"):
            heads = [f'up{{job="{job}",instance="{n}"}}' for n in range(2)]
            made.append(Process(heads, partial(_up, self, job)))
        return made


@dataclass(frozen=True)
class Process:
    """The series of one process, and the generator of its rows, one a scrape."""

    heads: Sequence[str]
    rows: partial[Iterator[Row]]


def series_count(history: History) -> int:
    """How many series the history has."""
    return sum(len(process.heads) for process in history.processes())


def make(history: History, directory: Path) -> None:
    """Write the blocks of the history, unless they are there from an earlier time."""
    if directory.exists():
        return
    work = directory.with_name(directory.name + ".unfinished")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    going = [(process, process.rows()) for process in history.processes()]
    files = []
    for first, last in _cuts(history):
        file = work / f"{first}.om"
        with file.open("w") as out:
            for process, rows in going:
                _write(out.write, history, process, rows, range(first, last, SCRAPE_SECONDS))
            out.write("# EOF\n")
        files.append(file)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(partial(_to_blocks, work / "blocks"), files))
    (work / "blocks").rename(directory)
    shutil.rmtree(work)


def _cuts(history: History) -> list[tuple[int, int]]:
    edges = {START, history.end} | set(range(START - START % BLOCK_SECONDS + BLOCK_SECONDS, history.end, BLOCK_SECONDS))
    ordered = sorted(edges)
    return list(pairwise(ordered))


def _write(write: object, history: History, process: Process, rows: Iterator[Row], times: range) -> None:
    assert callable(write)
    gaps = history.gaps
    kept = [
        (time, row)
        for time, row in zip(times, rows, strict=False)
        if not any(start <= time < end for start, end in gaps)
    ]
    for index, head in enumerate(process.heads):
        write("".join([f"{head} {row[index]} {time}\n" for time, row in kept if row[index] is not None]))


def _to_blocks(target: Path, file: Path) -> None:
    done = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", f"--max-block-duration={BLOCK_SECONDS // 3600}h", "--quiet",
         "openmetrics", str(file), str(target)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise AssertionError(f"promtool refused the samples: {done.stdout}{done.stderr}")
    file.unlink()


def _times(history: History) -> range:
    return range(START, history.end, SCRAPE_SECONDS)


def _restarts(history: History, chance: random.Random, count: int = 6) -> set[int]:
    """The scrapes at which the process has just begun to count from zero."""
    scrapes = history.seconds // SCRAPE_SECONDS
    return {chance.randrange(scrapes) for _ in range(count)}


def _of_the_day(time: int) -> float:
    return 1.0 + 0.5 * math.sin(time / 86_400 * 2 * math.pi)


def _histogram(history: History, name: str, *, events: float, lasts: tuple[float, float] = (0.0, math.inf)) -> Process:
    metric, _, labels = name.partition("{")
    heads = [f'{metric}_bucket{{{labels},le="{bound}"}}' for bound in BOUNDS]
    heads += [f"{metric}_count{{{labels}}}", f"{metric}_sum{{{labels}}}"]
    return Process(heads, partial(_buckets, history, name, events, lasts))


def _buckets(history: History, name: str, events: float, lasts: tuple[float, float]) -> Iterator[Row]:
    chance = history.chance(name)
    restarts = _restarts(history, chance)
    idle = {chance.randrange(history.seconds // 3600 + 1) for _ in range(history.seconds // 3600 // 40 + 1)}
    slow = {chance.randrange(history.seconds // 3600 + 1) for _ in range(history.seconds // 3600 // 12 + 1)}
    counts = [0] * len(BOUNDS)
    for number, time in enumerate(_times(history)):
        if number in restarts:
            counts = [0] * len(BOUNDS)
        hour = (time - START) // 3600
        if hour not in idle:
            scale = events * _of_the_day(time) / 100
            for bucket, share in enumerate(_SLOW if hour in slow else _QUICK):
                counts[bucket] += int(share * scale + chance.random())
        if not lasts[0] <= time < lasts[1]:
            yield [None] * (len(BOUNDS) + 2)
            continue
        total = 0
        row: Row = []
        for count in counts:
            total += count
            row.append(total)
        yield [*row, total, round(total * 0.07, 2)]


def _counts(history: History, name: str, rates: Sequence[float]) -> Iterator[Row]:
    chance = history.chance(name)
    restarts = _restarts(history, chance)
    hours = history.seconds // 3600 + 1
    bad = {chance.randrange(hours) for _ in range(hours // 30 + 1)}
    away = {chance.randrange(hours) for _ in range(hours // 60 + 1)}
    values = [0] * len(rates)
    for number, time in enumerate(_times(history)):
        if number in restarts:
            values = [0] * len(rates)
        hour = (time - START) // 3600
        for index, rate in enumerate(rates):
            worse = 30.0 if index and hour in bad else 1.0
            values[index] += int(rate * worse * _of_the_day(time) + chance.random())
        # A counter that has not counted yet is not exported at all, as client libraries do with labels.
        yield [None] * len(rates) if hour in away else [value or None for value in values]


def _memory(history: History, component: str) -> Iterator[Row]:
    chance = history.chance(f"memory/{component}")
    leak = 40_000 if component == "webhook" else 0
    held = chance.randint(200, 900) * 2**20
    for time in _times(history):
        held += chance.randint(-400_000, 400_000) + leak
        held = max(held, 64 * 2**20)
        yield [held + int(1e7 * _of_the_day(time))]


def _backlog(history: History, queue: str) -> Iterator[Row]:
    chance = history.chance(f"backlog/{queue}")
    waiting = 5.0
    for time in _times(history):
        waiting = max(0.0, waiting * 0.97 + chance.gauss(0.2, 2.0))
        nothing = queue == "events" and (time // 7200) % 11 == 0
        yield [math.nan if nothing else round(waiting * _of_the_day(time), 3)]


def _pod(history: History, number: int) -> Iterator[Row]:
    chance = history.chance(f"pod/{number}")
    born = START + history.seconds * number / 31 - 1
    dies = born + history.seconds / 15
    for time in _times(history):
        used = 0.2 + 0.6 * chance.random() ** 3
        yield [round(used, 4) if born <= time < dies else None]


def _up(history: History, job: str) -> Iterator[Row]:
    chance = history.chance(f"up/{job}")
    down = [0, 0]
    for _ in _times(history):
        for instance in range(2):
            if down[instance]:
                down[instance] -= 1
            elif chance.random() < 0.0008:
                down[instance] = chance.randint(1, 15)
        yield [float(not left) for left in down]
