"""Slots that are due and have no verdict yet."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.model.slo import SLO


@dataclass(frozen=True, slots=True)
class Pending:
    """What one SLO still owes, and why."""

    slo: SLO
    slots: tuple[int, ...]
    """Ascending; empty where nothing is owed."""
    reason: str
    """What stood in the way when it was last tried, in a sentence; empty before the first try."""
