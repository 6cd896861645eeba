"""Means of numbers that resemble their neighbours: how sure they are, by Student's t distribution."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import cos, pi, sin, sqrt, tan
from statistics import fmean

MOST_DEGREES = 200
"""From here on the quantiles are those of so many degrees of freedom: at most 1 % above the normal ones at a level of
1 %, and never below them."""


def student_quantile(level: float, degrees: int) -> float:
    """The t that a t-distributed number exceeds with probability `level` (0 < level < 0.5); `degrees` from 1 on.

    Found by bisection from the distribution function of whole degrees of freedom, which is a finite sum
    (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
    """
    return _student_quantile(level, min(degrees, MOST_DEGREES))


@lru_cache(maxsize=4096)
def _student_quantile(level: float, degrees: int) -> float:
    """Remembered: at each look at a run the same few levels are asked for again and again, and one takes a millisecond."""
    low, high = 0.0, pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, degrees) < 1 - 2 * level else (low, angle)
    return sqrt(degrees) * tan((low + high) / 2)


def mean_error(numbers: Sequence[float]) -> tuple[float, int]:
    """(standard error of the mean of at least two numbers, its degrees of freedom).

    As many numbers count as would say as much if neighbours were independent: n (1 - r) / (1 + r), with the correlation
    r of neighbours, which so few numbers show too small by about (1 + 3 r) / n (Kendall 1954). Never fewer than two.
    """
    count, mean = len(numbers), fmean(numbers)
    apart = [number - mean for number in numbers]
    squares = sum(a * a for a in apart)
    if squares == 0:
        return 0.0, count - 1
    seen = sum(a * b for a, b in pairwise(apart)) / squares
    alike = min(max(0.0, seen + (1 + 3 * seen) / count), 1.0)
    effective = max(2.0, count * (1 - alike) / (1 + alike))
    return sqrt(squares / (count - 1) / effective), int(effective) - 1


def _within(angle: float, degrees: int) -> float:
    """The probability of |t| ≤ sqrt(degrees) · tan(angle)."""
    odd = degrees % 2
    term = cos(angle) if odd else 1.0
    total = 0.0
    for step in range(odd, degrees - 1, 2):
        total += term
        term *= (step + 1) / (step + 2) * cos(angle) ** 2
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
