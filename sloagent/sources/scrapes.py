"""How often targets are scraped, and where scrapes are missing: read from small windows that tile the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, floor

MOST_POINTS = 11_000
"""Of one series that Prometheus gives in one answer."""
MOST_EVALUATED = 10_000_000
"""Samples that one question makes Prometheus hold at once: a fifth of what it allows (`--query.max-samples`)."""
POINT_BYTES = 40
"""What one point of an answer takes in JSON, with room to spare."""


def intervals(windows: Mapping[str, Sequence[float | None]]) -> dict[str, float]:
    """By job its scrape interval, rounded to 10 ms, from what it was in several windows; without those that have none."""
    from statistics import median_low  # lazily: it costs a start 15 ms

    found = {job: [value for value in values if value is not None and value > 0] for job, values in windows.items()}
    return {job: round(median_low(values), 2) for job, values in found.items() if values}


def usual(by_job: Mapping[str, float], targets: Mapping[str, int]) -> float:
    """The interval at which most targets are scraped; of equally many, the shorter one."""
    weights: dict[float, int] = {}
    for job, interval in by_job.items():
        weights[interval] = weights.get(interval, 0) + targets.get(job, 1)
    return min(weights, key=lambda interval: (-weights[interval], interval))


def tile(seconds: int, jobs: int, most_bytes: int) -> int:
    """Whole seconds of the windows: one, or as few as the bounds on points and bytes allow over so many seconds."""
    points = min(MOST_POINTS, most_bytes // (POINT_BYTES * max(jobs, 1))) - 1
    return max(ceil(seconds / max(points, 1)), 1)


def look(seconds: int, interval: float, targets: int) -> int:
    """Whole seconds between looks at every target: the scrape interval, if those are not too many over so many seconds."""
    return max(floor(interval), ceil(seconds * targets / MOST_EVALUATED), 1)


def gaps(seen: Iterable[int], start: int, end: int, interval: float, tile_seconds: int) -> tuple[tuple[int, int], ...]:
    """The stretches from `start` to `end` in which two scrapes in a row or more are missing, to within a tile.

    `seen` are the ends of those windows that hold a scrape, ascending.
    """
    # Two scrapes with one missing between them lie 2 intervals apart, and seem to up to a tile more.
    most = 2 * interval + max(interval / 2, tile_seconds)
    times = [start, *(at for at in seen if start < at < end), end]
    return tuple((before, after) for before, after in pairwise(times) if after - before > most)


def beyond(
    own: Iterable[tuple[int, int]], shared: Sequence[tuple[int, int]], slack: float
) -> tuple[tuple[int, int], ...]:
    """The gaps of a job that are not a gap of everything, whose ends are as far from its own as scrapes are apart."""
    return tuple(
        (start, end)
        for start, end in own
        if not any(first - slack <= start and end <= last + slack for first, last in shared)
    )
