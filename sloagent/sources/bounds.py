"""How much of one answer is taken in. What is beyond a bound is refused by name, never cut: a series is its labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from sloagent.errors import SourceError
from sloagent.model.samples import Kind, Malformed
from sloagent.peer.failures import words
from sloagent.sources import envelope


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of `evaluation` on what an answer holds."""

    series: int
    buckets: int
    labels_bytes: int

    def check_series(self, number: int) -> None:
        """Raises SourceError where an answer has more series than one SLO may have."""
        if number > self.series:
            raise SourceError(
                f"the answer has {number:,} series, more than {self.series:,} (max_series)",
                kind=Kind.TOO_MANY_SERIES, retryable=False,
            )  # fmt: skip

    def check_labels(self, metrics: Iterable[msgspec.Raw]) -> None:
        """Raises SourceError where the labels of a series, in JSON, are longer than they may be."""
        largest = max(metrics, key=len, default=msgspec.Raw(b""))
        if len(largest) > self.labels_bytes:
            found = envelope.labels(largest)
            longest = max(found, key=lambda name: len(found[name]), default="")
            raise SourceError(
                f"the labels of a series have {len(largest):,} bytes, more than {self.labels_bytes:,} (max_labels); "
                f"{len(found):,} labels, the longest is {words(longest.encode())}",
                kind=Kind.TOO_LARGE, retryable=False,
            )  # fmt: skip

    def too_many_buckets(self, number: int) -> Malformed | None:
        """What a histogram of so many buckets is instead of a distribution; None where they are not too many."""
        if number <= self.buckets:
            return None
        return Malformed(f"the histogram has {number:,} buckets, more than {self.buckets:,} (max_buckets)")
