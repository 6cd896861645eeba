"""How an SLO stands: its alerts, how fast its error budget burns, and what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sloagent.model.alert import Active, BurnPair, Key
from sloagent.model.slo import SLO, Labels


@dataclass(frozen=True, slots=True)
class Standing:
    """One SLO at the newest slot that was looked at."""

    slo: SLO
    pairs: tuple[BurnPair, ...]
    """The burn rates by which it is watched."""
    active: Mapping[Key, Active] | None
    """What is pending and firing; None while its past has not been looked at."""
    rates: Mapping[Labels, Mapping[int, float]]
    """By series and window in seconds, how many times as fast as is bearable the budget burns; only what is known."""
    left: Mapping[str, float]
    """By run, what is left of its budget: 1 untouched, below 0 overspent. The run "" is the last period."""
