"""Who is told. A failing sink is counted and never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # settings are read without the model
    from sloagent.model.alert import Notice
    from sloagent.model.verdict import SlotVerdict


class Sink(Protocol):
    """The seam."""

    def tell(self, slots: Sequence[SlotVerdict]) -> None:
        """Tell the verdicts of a slot, committed or pending. Raises SinkError."""
        ...


Taken = Callable[[str, "Sequence[Notice]", float], None]
"""Called with a receiver's name, the notices that it took, and when, in seconds since the epoch; from any thread."""


class Receiver(Protocol):
    """Who is told of alerts. It calls a `Taken` for what it took."""

    @property
    def name(self) -> str:
        """Its name, without secrets: the same after a restart."""
        ...

    @property
    def repeats(self) -> bool:
        """Whether it forgets what it was told: then an alert that goes on is told again and again, else each change once."""
        ...

    def offer(self, notices: Sequence[Notice]) -> None:
        """Take the notices into the queue; never blocks."""
        ...

    def test(self, notice: Notice) -> str:
        """Send one notice at once and return what was answered, in a sentence. Raises SinkError."""
        ...

    def close(self) -> None:
        """Send what is queued for a few seconds more, and end. Idempotent."""
        ...
