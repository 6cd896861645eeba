"""A piece: what one series counted from one cut to the next. A run's or phase's distribution is the sum of its pieces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sloagent.model.distribution import Distribution, total_of
from sloagent.model.samples import Events
from sloagent.model.slo import Labels

Counted = Distribution | Events
"""Events, not rates, over the piece: Prometheus's own `increase` estimates."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One SLO from `start_ms` to `end_ms` (milliseconds since the epoch). Empty `series`: asked, and there were none."""

    start_ms: int
    end_ms: int
    query: str
    series: Mapping[Labels, Counted]


def added(parts: Sequence[Counted]) -> Counted:
    """The sum of one or more pieces of one series, all of one sort; a side absent from every piece stays absent."""
    distributions = [part for part in parts if isinstance(part, Distribution)]
    if distributions:
        return total_of(distributions)
    events = [part for part in parts if isinstance(part, Events)]
    return Events(_sum([e.part for e in events]), _sum([e.total for e in events]))


def _sum(numbers: Sequence[float | None]) -> float | None:
    present = [number for number in numbers if number is not None]
    return math.fsum(present) if present else None
