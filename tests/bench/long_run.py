"""A week of a thousand series at one minute, ten million verdicts: what a report reads of it, and how fast."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TypeVar

from sloagent.app import pieces
from sloagent.app.wiring import load
from sloagent.evaluation.judge import judge
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted, Piece
from sloagent.model.run import Phase, Run
from sloagent.model.samples import Answer, Events, Question, Sample
from sloagent.model.slo import SLO, Labels, LatencySLI, RatioSLI, ValueSLI
from sloagent.model.tally import Tally
from sloagent.model.timerange import TimeRange, at
from sloagent.model.verdict import SlotVerdict
from sloagent.store import Store
from sloagent.store.sqlite import SQLiteStore
from tests.bench.data import SEED, Ground
from tests.bench.figures import Figure, at_most, middle

T = TypeVar("T")

LATENCIES, RATIOS, VALUES = 14, 3, 3
SERIES, DAYS = 50, 7
START = 1_780_272_000
"""A midnight long past: of a run that goes on, a little more is judged each time."""
BUCKETS = 24
VARIANTS = 97
"""Answers that are judged of each SLO; its slots take turns with them, in an order that no hour repeats."""
SLOTS_AT_ONCE = 60
DRAWN, COLUMNS = 6, 240
"""Series of a chart, and its columns."""

BOUNDS = (*(0.001 * 2**n for n in range(BUCKETS - 1)), float("inf"))
SOURCE = "prometheus"


@dataclass(frozen=True)
class LongRun:
    """A directory with `sloagent.yaml`, its SLO file and its store, in which the run `soak` is whole."""

    configuration: Path
    store: Path
    slos: tuple[SLO, ...]
    run: Run

    @property
    def end(self) -> datetime:
        """Of the run."""
        assert self.run.end is not None
        return self.run.end

    @property
    def span(self) -> tuple[int, int]:
        """Its first and last moment, in seconds."""
        return int(self.run.start.timestamp()), int(self.end.timestamp())


def measure(ground: Ground) -> list[Figure]:
    made = _made(ground.directory.parent / "long-run")
    store = SQLiteStore(made.store)
    with closing(sqlite3.connect(made.store)) as connection, connection:
        connection.execute("DELETE FROM hour_sums")  # of the last time
    some = [made.slos[number] for number in (0, LATENCIES, LATENCIES + RATIOS)]
    from_rows, rows_seconds = _timed(lambda: [_numbers(store, slo, made.run) for slo in some])
    hours, sum_seconds = _timed(lambda: _sum_all(store))
    from_sums = [_numbers(store, slo, made.run) for slo in made.slos]
    shown = (
        f"{len(made.slos)} SLOs, {SERIES} series each, {DAYS} d at 1 m: {len(made.slos) * SERIES * 1440 * DAYS:,} rows"
    )
    figures = [
        Figure("tallies of run and days, means, from rows", f"{len(some)} of the SLOs", "", _seconds(rows_seconds)),
        Figure("summing hours up ahead of time", f"{hours:,} hours", "", f"{sum_seconds / hours * 1000:.0f} ms each"),
        *_reading(store, made, shown),
    ]
    store.close()
    folded = made.store.with_name("folded.db")
    shutil.copy(made.store, folded)
    store = SQLiteStore(folded)
    rows, fold_seconds = _timed(lambda: store.roll_up(int(made.end.timestamp()) - 86_400))
    figures.append(Figure("folding six days of it", f"{rows:,} rows", "", _seconds(fold_seconds)))
    figures += _reading(store, made, "the same, six days of it folded")
    if [_numbers(store, slo, made.run) for slo in made.slos] != from_sums:
        raise RuntimeError("folding changed a number")
    if [from_sums[made.slos.index(slo)] for slo in some] != from_rows:
        raise RuntimeError("sums ahead of time changed a number")
    store.close()
    folded.unlink()
    return figures


def _reading(store: Store, made: LongRun, shown: str) -> list[Figure]:
    """What a report reads, of all SLOs: the middle of five rounds each."""
    slos, span = made.slos, made.span
    series = [verdict.labels for verdict in next(store.slots(SOURCE, slos[0], (span[1], span[1]))).verdicts][:DRAWN]
    cuts = pieces.cuts(TimeRange(made.run.start, made.end), (), ())

    def seconds(read: Callable[[SLO], object]) -> float:
        return middle(lambda: _timed(lambda: [read(slo) for slo in slos])[1])

    return [
        Figure("tallies of run and days, means", shown, "", _seconds(seconds(lambda slo: _numbers(store, slo, made.run)))),
        at_most(
            "headers of slots", shown, seconds(lambda slo: sum(1 for _ in store.headers(SOURCE, slo, span))), 2.0, _seconds
        ),
        Figure(
            f"lines of {DRAWN} series in {COLUMNS} columns", shown, "",
            _seconds(seconds(lambda slo: store.lines(SOURCE, slo, span, series, COLUMNS))),
        ),
        Figure("added pieces", shown, "", _seconds(seconds(lambda slo: store.added(SOURCE, slo, cuts)))),
    ]  # fmt: skip


def _numbers(store: Store, slo: SLO, run: Run) -> tuple[Tally, list[Tally], Mapping[Labels, tuple[float, ...]]]:
    """Of the run, of each of its days as a phase, and the hourly means of a value."""
    inside = [phase.range.slots_inside(slo.interval, slo.window) for phase in run.phases]
    whole = (inside[0][0], inside[-1][-1])
    hours = [(hour, hour + 3540) for hour in range(START, whole[1], 3600)] if isinstance(slo.sli, ValueSLI) else []
    days = [store.tally(SOURCE, slo, [(slots[0], slots[-1])]) for slots in inside]
    return store.tally(SOURCE, slo, [whole]), days, store.means(SOURCE, slo, hours)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _sum_all(store: Store) -> int:
    """As the daemon's house-keeping does, round by round."""
    total = 0
    while summed := store.sum_hours(2**40):
        total += summed
    return total


def long_run_store(directory: Path, url: str = "http://127.0.0.1:9") -> LongRun:
    """The run in the directory as a daemon would have left it, made if it is not there yet (some four minutes).

    `url` is whom its configuration would ask.
    """
    made = _made(directory, url)
    store = SQLiteStore(made.store)
    _sum_all(store)
    store.close()
    return made


def _made(directory: Path, url: str = "http://127.0.0.1:9") -> LongRun:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "slos.yaml").write_text(_slo_file())
    configuration = directory / "sloagent.yaml"
    configuration.write_text(
        f"prometheus: {{url: '{url}'}}\nslos: [slos.yaml]\n"
        "store: {path: sloagent.db, full_rows: 3650d, retention: 3650d}\n"
    )
    _, sets = load(configuration)
    edges = [at(START + day * 86_400) for day in range(DAYS + 1)]
    phases = tuple(Phase(f"day {n}", TimeRange(*day)) for n, day in enumerate(pairwise(edges), start=1))
    run = Run("soak", edges[0], edges[-1], (), phases)
    made = LongRun(configuration, directory / "sloagent.db", sets[0].slos, run)
    if not made.store.exists():
        partial = directory / "making.db"
        store = SQLiteStore(partial)
        store.save_run(run)
        for slo in made.slos:
            _record(store, slo, made)
        store.close()
        partial.rename(made.store)
    return made


def _record(store: Store, slo: SLO, made: LongRun) -> None:
    """Everything of one SLO: its slots by the judge, sixty a transaction, and its hourly pieces."""
    chance = random.Random(f"{SEED} {slo.name}")
    answers = [_answer(slo, chance) for _ in range(VARIANTS)]
    judged = [judge(slo, 0, answer) for answer in answers]
    span = TimeRange(made.run.start, made.end)
    slots = span.slots(slo.interval)
    for first in range(0, len(slots), SLOTS_AT_ONCE):
        store.append(SOURCE, list(_slots(judged, slots[first : first + SLOTS_AT_ONCE], slo.interval)))
    if isinstance(slo.sli, LatencySLI | RatioSLI):
        for number, (left, right) in enumerate(pieces.cuts(span, (), ())):
            counted = _counted(answers[number * 31 % VARIANTS].series, (right - left) / 1000)
            store.append_piece(SOURCE, slo, Piece(left, right, "increase", counted))


def _slots(judged: list[SlotVerdict], slots: range, interval: int) -> Iterator[SlotVerdict]:
    for slot in slots:
        yield replace(judged[slot // interval * 31 % VARIANTS], slot=slot)


def _counted(series: Mapping[Labels, Sample], seconds: float) -> dict[Labels, Counted]:
    def counted(sample: Sample) -> Counted:
        match sample:
            case Distribution(bounds=bounds, counts=counts):
                return Distribution(bounds, tuple(count * seconds for count in counts))
            case Events(part=part, total=total):
                return Events((part or 0.0) * seconds, (total or 0.0) * seconds)
            case _:
                raise TypeError(sample)

    return {labels: counted(sample) for labels, sample in series.items()}


def _answer(slo: SLO, chance: random.Random) -> Answer:
    series: dict[Labels, Sample] = {}
    for number in range(SERIES):
        labels = (("resource", f"resource-{number // 5}"), ("verb", f"verb-{number % 5}"))
        match slo.sli:
            case LatencySLI():
                weights = [chance.random() / (1 + abs(bucket - 6)) ** 3 for bucket in range(BUCKETS)]
                series[labels] = Distribution(BOUNDS, tuple(accumulate(weights)))
            case RatioSLI():
                series[labels] = Events(chance.random() * 0.02, 1 + chance.random())
            case _:
                series[labels] = 2e9 + number * 1e6 + chance.random() * 5e8
    return Answer(
        Question(f"query of {slo.name}", f"{slo.name}_seconds" if isinstance(slo.sli, LatencySLI) else ""), series
    )


def _slo_file() -> str:
    lines = ["apiVersion: sloagent/v1", "kind: SLOSet", "metadata: {name: long}",
             "defaults: {interval: 1m, window: 5m}", "slos:"]  # fmt: skip
    for n in range(LATENCIES):
        lines += [f"  - name: latency-{n}",
                  f"    sli: {{latency: {{histogram: latency_{n}_seconds, by: [resource, verb]}}}}",
                  "    objective: {percentile: 99, at_most: 1.024s}"]  # fmt: skip
    for n in range(RATIOS):
        lines += [f"  - name: ratio-{n}", "    sli:", "      ratio:",
                  f"        bad: sum by (resource, verb) (rate(errors_{n}_total[$window]))",
                  f"        total: sum by (resource, verb) (rate(all_{n}_total[$window]))",
                  "    objective: {at_least: 99%}"]  # fmt: skip
    for n in range(VALUES):
        lines += [f"  - name: value-{n}", "    window: 1m",
                  f"    sli: {{value: {{query: 'sum by (resource, verb) (memory_{n}_bytes)', unit: bytes}}}}",
                  "    objective: {at_most: 8GiB, warn_at: 6GiB, grows_at_most: 20MiB/h}"]  # fmt: skip
    return "\n".join(lines) + "\n"
