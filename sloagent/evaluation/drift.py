"""Whether something leaks: a robust slope over the least values of short stretches, its interval, and if it lasts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

from sloagent.model.verdict import Growth

STRETCH_SECONDS = 120
"""Leaks are sought in the least value of each such stretch, which garbage collection moves less than any single value."""
LEAST_SPAN_SECONDS = 3600
LEAST_WINDOWS = 30
LONGEST_WARM_UP_SECONDS = 3600
"""What is left out at the beginning: a sixth of the run, at most this."""
GROUPS = (5, 10, 20, 40, 80)
"""Into how many groups of neighbours the minima may be joined. Few and long ones lie below a slow sawtooth, many and
short ones tell the slope of a smooth line better."""
PARTS = 4
"""A leak grows from each of so many parts of the run to the next."""
STEADY = 1 / 3
"""Of the fastest growth from a part to the next: what the slowest must have, for the growth to be sustained."""
RECENT_SECONDS = 1800
"""How far back the level of now is looked for: at least one period of a sawtooth."""

_Point = tuple[int, float]


def growth(minima: Sequence[_Point], windows: int) -> Growth | None:
    """The slope in base units per second; None below 1 h or 30 windows, where it cannot be told.

    `minima` are (start of a stretch in seconds, least value in it), ascending; excluded stretches are absent. After the
    warm-up they are joined to groups of neighbours, of which the least counts, at its own time. The slope is the median
    of the slopes of all pairs of groups (Theil 1950, Sen 1968): up to 29 % of them may be off without moving it. The
    interval is Sen's at 95 %, from the normal approximation of Kendall's statistic, wider where neighbours err alike
    (Yue and Wang 2004). Of the numbers of groups that are tried, the one with the narrowest interval is taken.
    """
    if windows < LEAST_WINDOWS or not minima or minima[-1][0] - minima[0][0] < LEAST_SPAN_SECONDS:
        return None
    begin, end = minima[0][0], minima[-1][0]
    warmed_up = begin + min((end - begin) / 6, LONGEST_WARM_UP_SECONDS)
    warm = [point for point in minima if point[0] >= warmed_up]
    if len(warm) < 2 * GROUPS[0]:
        return None
    values = [value for _, value in warm]
    found = [_slope(_least_of_groups(warm, values, count)) for count in GROUPS if count <= len(warm)]
    slope, lower, upper = min(found, key=lambda slopes: slopes[2] - slopes[1])
    recent = [value for start, value in warm if start > end - RECENT_SECONDS]
    return Growth(slope, lower, upper, windows, _sustained(warm, values), max(recent))


def is_leak(growth: Growth, at_most: float) -> bool:
    """Whether it surely grows faster than is promised, in base units per second, and has done so all the time."""
    return growth.sustained and growth.lower > at_most


def seconds_until(growth: Growth, limit: float) -> float | None:
    """In how many seconds a value that goes on growing like this reaches its limit; None where it does not grow."""
    if growth.latest >= limit:
        return 0.0
    return (limit - growth.latest) / growth.slope if growth.slope > 0 else None


def _least_of_groups(points: Sequence[_Point], values: Sequence[float], count: int) -> list[_Point]:
    """The least point, the first of equals, of each of so many groups of neighbours of equal size, as near as may be."""
    edges = [len(points) * place // count for place in range(count + 1)]
    return [points[values.index(min(values[start:end]), start)] for start, end in pairwise(edges)]


def _slope(points: Sequence[_Point]) -> tuple[float, float, float]:
    """(slope, lower end, upper end)."""
    slopes = sorted(
        [
            (value - earlier_value) / (start - earlier_start)
            for index, (start, value) in enumerate(points)
            for earlier_start, earlier_value in points[:index]
        ]
    )
    pairs, count = len(slopes), len(points)
    slope = (slopes[(pairs - 1) // 2] + slopes[pairs // 2]) / 2
    alike = _likeness([value - slope * (start - points[0][0]) for start, value in points])
    variance = count * (count - 1) * (2 * count + 5) / 18 * (1 + alike) / (1 - alike)
    reach = 1.959964 * sqrt(variance)
    lower = max(0, int((pairs - reach) / 2) - 1)
    upper = min(pairs - 1, int((pairs + reach) / 2) + 1)
    return slope, slopes[lower], slopes[upper]


def _likeness(errors: Sequence[float]) -> float:
    """The correlation of the ranks of neighbours, from 0 to 0.9; so few show it too small by about (1 + 3 r) / n."""
    ordered, count = sorted(errors), len(errors)
    ranks = [bisect_left(ordered, error) + bisect_right(ordered, error) - count for error in errors]
    squares = sum(rank * rank for rank in ranks)
    if squares == 0:
        return 0.0
    seen = sum(one * other for one, other in pairwise(ranks)) / squares
    return min(max(0.0, seen + (1 + 3 * seen) / count), 0.9)


def _sustained(points: Sequence[_Point], values: Sequence[float]) -> bool:
    """Whether the least value rises from each part to the next, and nowhere much slower than where it is fastest.

    A step rises once, a restart falls, a warm-up slows down.
    """
    floors = _least_of_groups(points, values, PARTS)
    # Two least values near to each other in time tell no rate: then it is taken over half a part.
    shortest = (points[-1][0] - points[0][0]) / PARTS / 2
    rates = [(now[1] - before[1]) / max(now[0] - before[0], shortest) for before, now in pairwise(floors)]
    return 0 < max(rates) * STEADY <= min(rates)
