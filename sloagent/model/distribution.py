"""A distribution: how many events lie at or below each bound. It can be added, and nothing is rounded."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """Cumulative counts by upper bound, as Prometheus sent them.

    `bounds` ascend strictly and end with +inf. `counts[i]` belongs to `bounds[i]`; counts are events per second (from
    `rate`) or events (from `increase`), finite and not negative, and may fall from one bound to the next because
    Prometheus extrapolates each bucket by itself. Whoever judges deals with the fall; addition keeps it.
    """

    bounds: tuple[float, ...]
    counts: tuple[float, ...]

    @property
    def total(self) -> float:
        """The count of `+Inf`: all events."""
        return self.counts[-1]

    def __add__(self, other: Distribution) -> Distribution:
        return total_of((self, other))


def total_of(distributions: Iterable[Distribution]) -> Distribution:
    """The sum of one or more distributions; each count is exactly rounded, so the order of adding does not matter.

    Where bounds differ (native histograms change resolution, a component changed its buckets) the sum has those bounds
    at which every summand's count is known: its own bounds, and any point inside an empty bucket.
    Raises ValueError when there is nothing to add.
    """
    summands = list(distributions)
    if not summands:
        raise ValueError("a sum of no distributions has no bounds")
    first = summands[0].bounds
    if all(d.bounds == first for d in summands):
        columns = zip(*(d.counts for d in summands), strict=True)
        return Distribution(first, tuple(math.fsum(column) for column in columns))
    candidates = sorted({bound for d in summands for bound in d.bounds})
    known = [(bound, [_count_at(d, bound) for d in summands]) for bound in candidates]
    kept = [(bound, [c for c in counts if c is not None]) for bound, counts in known if None not in counts]
    return Distribution(tuple(b for b, _ in kept), tuple(math.fsum(c) for _, c in kept))


def _count_at(distribution: Distribution, bound: float) -> float | None:
    """The events at or below `bound`, or None where the bound lies inside a bucket that is not empty."""
    below = 0.0
    for upper, count in zip(distribution.bounds, distribution.counts, strict=True):
        if upper == bound:
            return count
        if upper > bound:
            return count if count == below else None
        below = count
    return None
