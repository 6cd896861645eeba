"""Whether something leaks: a robust slope over the least values of short stretches, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from sloagent.model.verdict import Growth

STRETCH_SECONDS = 120
"""Leaks are sought in the least value of each such stretch, which garbage collection moves less than any single value."""
LEAST_SPAN_SECONDS = 3600
LEAST_WINDOWS = 30
MOST_POINTS = 300
"""All pairs are compared, so the work grows with the square: beyond this, neighbouring stretches are joined."""


def growth(minima: Sequence[tuple[int, float]], windows: int) -> Growth | None:
    """The slope in base units per second; None below 1 h or 30 windows, where it cannot be told.

    `minima` are (start of a stretch in seconds, least value in it), ascending. The slope is the median of the slopes of
    all pairs (Theil 1950, Sen 1968): up to 29 % of the stretches may be off without moving it. The interval is Sen's,
    from the normal approximation of Kendall's statistic, and supposes that the stretches err independently.
    """
    if windows < LEAST_WINDOWS or len(minima) < 3 or minima[-1][0] - minima[0][0] < LEAST_SPAN_SECONDS:
        return None
    points = _joined(minima)
    slopes = sorted(
        (value - earlier_value) / (start - earlier_start)
        for index, (start, value) in enumerate(points)
        for earlier_start, earlier_value in points[:index]
    )
    pairs, count = len(slopes), len(points)
    reach = 1.959964 * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    lower = max(0, int((pairs - reach) / 2) - 1)
    upper = min(pairs - 1, int((pairs + reach) / 2) + 1)
    middle = (slopes[(pairs - 1) // 2] + slopes[pairs // 2]) / 2
    return Growth(middle, slopes[lower], slopes[upper], windows)


def _joined(minima: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    first, span = minima[0][0], minima[-1][0] - minima[0][0]
    if len(minima) <= MOST_POINTS:
        return list(minima)
    steps = -(-(span + STRETCH_SECONDS) // (MOST_POINTS * STRETCH_SECONDS))
    width = steps * STRETCH_SECONDS
    least: dict[int, float] = {}
    for start, value in minima:
        index = (start - first) // width
        least[index] = min(value, least.get(index, value))
    return [(first + index * width, value) for index, value in sorted(least.items())]
