"""A piece: what one series counted from one cut to the next. A run's or phase's distribution is the sum of its pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sloagent.model.distribution import Distribution
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
