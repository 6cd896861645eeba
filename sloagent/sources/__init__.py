"""Where samples are read. A source answers questions about SLIs; it judges nothing and remembers nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # settings are read without the model
    from sloagent.model.facts import Collected
    from sloagent.model.piece import Piece
    from sloagent.model.samples import Answer, Refusal
    from sloagent.model.slo import SLO


class Source(Protocol):
    """The seam. No method raises for what a peer does wrong: that is a `Refusal`, a value with its reason."""

    @property
    def name(self) -> str:
        """The name under which its verdicts are kept."""
        ...

    def at(self, slo: SLO, slot: int) -> Answer | Refusal:
        """Ask one SLI at one slot (`time=slot`)."""
        ...

    def over(self, slo: SLO, slots: Sequence[int]) -> list[Answer | Refusal] | Refusal:
        """Ask one SLI at many slots, evenly spaced by `slo.interval`, by range queries.

        One entry per slot, in order, each equal to what `at` gives. A single Refusal decides nothing about any slot:
        the caller halves the stretch, down to single slots.
        """
        ...

    def piece(self, slo: SLO, start_ms: int, end_ms: int) -> Piece | Refusal:
        """Ask the increase of a latency or ratio SLI from one cut to the next."""
        ...

    def collect(self, start: float, end: float) -> Collected:
        """What the peer says of the test bed from `start` to `end`, seconds since the epoch: versions, restarts, gaps.

        What it does not answer is in `refusals`, with the reason; the same facts are the same value, whenever it is asked.
        """
        ...

    def curl(self, query: str, slot: int) -> str:
        """The shell command that repeats an instant question by hand; secrets stand for themselves, never spelled out."""
        ...

    def version(self) -> str:
        """The peer's version, such as "2.42.0", or an empty string if it does not say."""
        ...

    def date(self) -> float | Refusal | None:
        """The peer's clock, seconds since the epoch; None where it answers and does not say; a Refusal where it does not."""
        ...

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        ...
