"""The data that is measured on: the recorded control plane, and series generated from a fixed seed."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, repeat
from pathlib import Path

from sloagent.app import demo_data
from tests.prometheus import Prometheus

SEED = 20260801
START = 1_795_305_600
"""2026-11-22 00:00 UTC."""


@dataclass(frozen=True)
class Histograms:
    """Generated histograms of one name: `sets` label sets with `buckets` buckets each, scraped `scrapes` times."""

    name: str
    sets: int
    buckets: int
    scrapes: int
    scrape_seconds: int

    @property
    def end(self) -> int:
        return START + self.scrapes * self.scrape_seconds

    @property
    def limit(self) -> str:
        """The bound in the middle, as `le` has it: a limit that is exact."""
        return self.bounds[self.buckets // 2]

    @property
    def bounds(self) -> list[str]:
        ratio = 4000 ** (1 / (self.buckets - 2))
        return [f"{0.001 * ratio**i:.6g}" for i in range(self.buckets - 1)] + ["+Inf"]


WIDE = Histograms("bench_wide_seconds", sets=200, buckets=40, scrapes=480, scrape_seconds=15)
"""8,000 bucket series over 2 h."""
DAY = Histograms("bench_day_seconds", sets=1000, buckets=6, scrapes=1450, scrape_seconds=60)
"""6,000 bucket series that make 1,000 series of an SLI, over 24 h."""


@dataclass(frozen=True)
class Ground:
    """Two running Prometheuses, and a directory to work in."""

    recorded: str
    generated: str
    directory: Path

    def configuration(self, name: str, url: str, slos: str) -> Path:
        """An agent file `name`.yaml in the directory, with a store of its own beside it."""
        path = self.directory / f"{name}.yaml"
        path.write_text(
            f"prometheus: {{url: '{url}'}}\nslos: ['{slos}']\nstore: {{path: {name}.db, retention: 3650d}}\n"
        )
        return path

    def recorded_slots(self, count: int) -> list[int]:
        """Minutes from the middle of the recording, where everything is at work."""
        return list(range(1_795_326_180, 1_795_326_180 + 60 * count, 60))


@contextmanager
def ground(directory: Path) -> Iterator[Ground]:
    """Unpack, generate, and start a Prometheus over each; they end with the block."""
    made = directory / "made"
    if not made.exists():
        _make(directory)
        made.touch()
    with Prometheus(directory / "recorded") as recorded, Prometheus(directory / "generated") as generated:
        yield Ground(recorded.url, generated.url, Path(tempfile.mkdtemp(prefix="work-", dir=directory)))


def _make(directory: Path) -> None:
    demo_data.unpack(directory / "recorded")
    with ThreadPoolExecutor(2) as pool:
        # promtool does most of the work, in processes of its own.
        list(pool.map(_blocks, (WIDE, DAY), repeat(directory / "generated")))


def wide_sets(directory: Path) -> Path:
    """An SLO file over WIDE: its 200 series, and the same buckets added in three coarser ways."""
    by = {"each": "resource, verb", "resource": "resource", "verb": "verb", "all": ""}
    return _slo_file(directory / "wide-slos.yaml", "wide", WIDE, by)


def day_sets(directory: Path, series: int) -> Path:
    """An SLO file over DAY: one SLO of all its 1,000 series, or of ten of them."""
    where = {DAY.sets: "", 10: 'resource=~"resource-[01]"'}[series]
    return _slo_file(directory / f"day-{series}-slos.yaml", "day", DAY, {"each": "resource, verb"}, where)


def _slo_file(path: Path, name: str, histograms: Histograms, by: dict[str, str], where: str = "") -> Path:
    slos = "".join(
        f"  - name: {slo}\n    sli: {{latency: {{histogram: {histograms.name}, by: [{labels}], where: '{where}'}}}}\n"
        f"    objective: {{percentile: 99, at_most: {histograms.limit}s}}\n"
        for slo, labels in by.items()
    )
    path.write_text(
        f"apiVersion: sloagent/v1\nkind: SLOSet\nmetadata: {{name: {name}}}\n"
        f"defaults: {{interval: 1m, window: 5m}}\nslos:\n{slos}"
    )
    return path


def _blocks(histograms: Histograms, directory: Path) -> None:
    """Write the samples as OpenMetrics text and let promtool make TSDB blocks of them, as long as may be."""
    directory.mkdir(exist_ok=True)
    text = directory.parent / f"{histograms.name}.om"
    with text.open("w", buffering=1 << 20) as out:
        out.write(f"# TYPE {histograms.name} histogram\n")
        random_numbers = random.Random(SEED)
        stamps = [f" {START + k * histograms.scrape_seconds}\n" for k in range(histograms.scrapes)]
        for index in range(histograms.sets):
            labels = f'resource="resource-{index // 5}",verb="verb-{index % 5}"'
            columns = _counted(random_numbers, histograms)
            for bound, counts in zip(histograms.bounds, zip(*columns, strict=True), strict=True):
                series = f'{histograms.name}_bucket{{{labels},le="{bound}"}} '
                out.write("".join([f"{series}{count}{stamp}" for count, stamp in zip(counts, stamps, strict=True)]))
        out.write("# EOF\n")
    subprocess.run(
        [
            "promtool",
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "--quiet",
            "--max-block-duration=54h",
            text,
            directory,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    text.unlink()


def _counted(random_numbers: random.Random, histograms: Histograms) -> list[list[int]]:
    """Cumulative bucket counts, scrape after scrape; few events lie in the last buckets."""
    weights = [random_numbers.random() * 20 / (1 + bucket / 4) for bucket in range(histograms.buckets)]
    counts = [0] * histograms.buckets
    columns: list[list[int]] = []
    for _ in range(histograms.scrapes):
        load = random_numbers.random()
        counts = [old + new for old, new in zip(counts, accumulate(int(w * load) for w in weights), strict=True)]
        columns.append(counts)
    return columns
