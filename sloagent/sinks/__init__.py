"""Who is told. A failing sink is counted and never stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sloagent.model.verdict import SlotVerdict


class Sink(Protocol):
    """The seam."""

    def tell(self, slots: Sequence[SlotVerdict]) -> None:
        """Tell the verdicts of a slot, committed or pending. Raises SinkError."""
        ...
