"""Whether what a process holds stays flat over a life: a straight line through its second half, with its error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from tests.soak.agents import Held

DAY = 86_400.0


@dataclass(frozen=True)
class Flatness:
    """One quantity over the longest life: at a tenth, the middle and the end, and how it rises over the last half."""

    early: float
    middle: float
    late: float
    rise: float
    """From the beginning to the end of the last half, by the line."""
    error: float
    """Two standard errors of the rise."""
    samples: int
    days: float
    """Days of the world's time in the life."""


def longest_life(held: Sequence[Held]) -> list[Held]:
    """What the longest-living process held."""
    lives = [list(members) for _, members in groupby(held, key=lambda one: one.life)]
    return max(lives, key=lambda life: life[-1].world - life[0].world, default=[])


def flatness(life: Sequence[Held], quantity: Callable[[Held], float]) -> Flatness:
    """The figures of one quantity."""
    numbers = [quantity(one) for one in life]
    half = range(len(life) // 2, len(life))
    rise, error = _line([life[i].world for i in half], [numbers[i] for i in half])
    return Flatness(
        early=numbers[len(numbers) // 10], middle=numbers[len(numbers) // 2], late=numbers[-1],
        rise=rise, error=2 * error, samples=len(life), days=(life[-1].world - life[0].world) / DAY,
    )  # fmt: skip


def _line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """Least squares: the rise over the whole of `xs`, and its standard error."""
    count = len(xs)
    width = xs[-1] - xs[0] if count else 0.0
    if count < 3 or width <= 0:
        return 0.0, math.inf
    mean_x, mean_y = sum(xs) / count, sum(ys) / count
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    return slope * width, math.sqrt(rest / (count - 2) / spread) * width
