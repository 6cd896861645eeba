"""Runs drawn by chance: latencies whose distribution is known, counted on the API server's bounds."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import exp, inf, log
from statistics import NormalDist

from sloagent.model.distribution import Distribution

BOUNDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, inf)
NOISE = 0.03
"""The ratio of the scales of two runs of the same thing is log-normal, and this is the sigma of its logarithm."""
EVENTS = 20_000
_NORMAL = NormalDist()

Shape = Callable[[float], Sequence[float]]
"""From a factor of all latencies to the share of events at or below each bound."""


def log_normal(median: float, sigma: float, bounds: Sequence[float] = BOUNDS) -> Shape:
    """Latencies whose logarithm is normal with this sigma."""
    return lambda factor: [_NORMAL.cdf((log(bound / median / factor)) / sigma) for bound in bounds]


def mixed(*parts: tuple[float, Shape]) -> Shape:
    """A share of events of each shape."""
    return lambda factor: [
        sum(share * below for (share, _), below in zip(parts, column, strict=True))
        for column in zip(*(shape(factor) for _, shape in parts), strict=True)
    ]


def drawn(
    chance: random.Random, shares: Sequence[float], events: int = EVENTS, bounds: Sequence[float] = BOUNDS
) -> Distribution:
    """So many independent events, counted."""
    counts, left, below = [], events, 0.0
    for share in shares[:-1]:
        if left and share > below:
            left -= binomial(chance, left, min(1.0, (share - below) / (1 - below)))
            below = share
        counts.append(float(events - left))
    return Distribution(tuple(bounds), (*counts, float(events)))


def noise(chance: random.Random, sigma: float = NOISE) -> float:
    """The factor between the scales of two runs of the same thing."""
    return exp(chance.gauss(0, sigma))


def binomial(chance: random.Random, trials: int, share: float) -> int:
    """How many of the trials succeed: exact, by halving them at a beta-distributed order statistic."""
    found = 0
    while trials > 10:
        middle = 1 + trials // 2
        at = chance.betavariate(middle, trials + 1 - middle)
        if at >= share:
            trials, share = middle - 1, share / at
        else:
            found, trials, share = found + middle, trials - middle, (share - at) / (1 - at)
    return found + sum(chance.random() < share for _ in range(trials))
