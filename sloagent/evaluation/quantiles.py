"""What a histogram can and cannot say: quantiles with the bucket they lie in, shares as intervals, one comparison.

Nothing here is rounded. Cumulative counts may fall from bound to bound, because `rate` extrapolates each bucket by
itself. They are raised to the running maximum, as Prometheus does, and the fall becomes the width of the share.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from math import inf

from sloagent.model.distribution import Distribution
from sloagent.model.verdict import Quantile, Share

SLACK = 1e-9
"""Of the total: what floating-point sums may lose, and less than one event in any window."""


def reaches(share: float, promised: float) -> bool:
    """Whether a share (0 to 1) is at least the promised one. The only place where shares are compared."""
    return share >= promised - SLACK


def raised(counts: tuple[float, ...]) -> tuple[float, ...]:
    """The counts as a running maximum; the same tuple where they do not fall."""
    # Sorting what is sorted is one quick pass, and nearly all counts ascend.
    return counts if list(counts) == sorted(counts) else tuple(accumulate(counts, max))


def quantile(distribution: Distribution, percentile: float) -> Quantile | None:
    """Prometheus's `histogram_quantile(percentile / 100, …)` and the bucket it lies in; 0 < percentile ≤ 100.

    None without events and where the only bucket is `+Inf`. Source of the rule: `bucketQuantile` of Prometheus 2.42.
    """
    return quantile_of(distribution.bounds, raised(distribution.counts), percentile)


def quantile_of(bounds: tuple[float, ...], counts: tuple[float, ...], percentile: float) -> Quantile | None:
    """The same, of counts that have been raised already."""
    last = len(bounds) - 1
    total = counts[last]
    if last < 1 or total == 0:
        return None
    # A rank is above 0, also where the product of the smallest counts is not: then no number lies below the total.
    rank = percentile / 100 * total or total
    index = bisect_left(counts, rank, 0, last)
    if index == last:
        return Quantile(bounds[last - 1], bounds[last - 1], inf)
    upper = bounds[index]
    if index:
        lower, below = bounds[index - 1], counts[index - 1]
        return Quantile(lower + (upper - lower) * ((rank - below) / (counts[index] - below)), lower, upper)
    if upper <= 0:
        return Quantile(upper, -inf, upper)
    return Quantile(upper * (rank / counts[0]), 0.0, upper)


def share_of(
    bounds: tuple[float, ...], counts: tuple[float, ...], above: tuple[float, ...], limit: float
) -> tuple[Share, Share]:
    """The shares of events at or below the nearest bounds around `limit`: (F(lo), F(hi)), equal where it is a bound.

    lo is the largest bound ≤ limit (none: F(lo) = 0), hi the smallest bound ≥ limit. Each share is exact where the
    counts do not fall, and otherwise an interval that no reading of the counts leaves. There must be events. `above` are
    the counts as `raised` makes them.
    """
    low = bisect_right(bounds, limit) - 1
    high = low if low >= 0 and bounds[low] == limit else low + 1
    if above is counts or above == counts:
        total = counts[-1]
        lower = counts[low] / total if low >= 0 else 0.0
        upper = lower if high == low else counts[high] / total
        return Share(lower, lower), Share(upper, upper)
    at_low = _between(counts, above, low) if low >= 0 else Share(0.0, 0.0)
    return at_low, at_low if high == low else _between(counts, above, high)


def _between(counts: tuple[float, ...], above: tuple[float, ...], index: int) -> Share:
    """The interval of a share under falling counts.

    The true count lies between the least count from here on and the greatest up to here, the true total between the
    last count and the greatest of all, and no count exceeds the total.
    """
    most = above[index]
    return Share(min(counts[index:]) / above[-1], most / max(counts[-1], most) if most else 0.0)
