"""A native histogram, as Prometheus's API writes it, as the same distribution that a classic one gives."""

from __future__ import annotations

import math

from sloagent.model.distribution import Distribution
from sloagent.model.samples import Malformed
from sloagent.sources.envelope import NativeHistogram, number

SLACK = 1e-9
"""By how much of the total the buckets' sum may miss the count: they are scaled separately by `rate`."""


def distribution(histogram: NativeHistogram) -> Distribution | Malformed:
    """Cumulative counts at every edge of a non-empty bucket; an empty stretch between two buckets stays empty.

    The zero bucket reaches below zero; without buckets on the negative side it begins at 0, as in `histogram_quantile`.
    """
    try:
        total = number(histogram.count)
        buckets = [(number(lower), number(upper), number(count)) for _, lower, upper, count in histogram.buckets]
    except ValueError:
        return Malformed("the native histogram has a bucket that is not written in numbers")
    bounds: list[float] = []
    counts: list[float] = []
    cumulative = 0.0
    for lower, upper, count in buckets:
        if not (lower < upper and 0.0 <= count < math.inf) or (bounds and lower < bounds[-1]):
            return Malformed(
                f"the native histogram has a bucket from {lower:g} to {upper:g} that counts {count:g} events"
            )
        starts_at_zero = not bounds and lower <= 0.0 < upper
        if not starts_at_zero and lower != -math.inf and (not bounds or lower > bounds[-1]):
            bounds.append(lower)
            counts.append(cumulative)
        cumulative += count
        bounds.append(upper)
        counts.append(cumulative)
    if not 0.0 <= total < math.inf:
        return Malformed(f"the native histogram counts {total:g} events")
    if abs(total - cumulative) <= SLACK * total:
        total = cumulative
    if bounds and bounds[-1] == math.inf:
        counts[-1] = total
    else:
        bounds.append(math.inf)
        counts.append(total)
    return Distribution(tuple(bounds), tuple(counts))
