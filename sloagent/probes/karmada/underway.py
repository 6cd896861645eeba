"""What is known of one template on its way to the members."""

from __future__ import annotations

from dataclasses import dataclass, field

from sloagent.probes.karmada.words import Lost
from sloagent.probes.objects import Binding
from sloagent.probes.seen import Doubt, Seen


@dataclass(slots=True)
class Underway:
    """A template that came while the probe watched."""

    at: float
    doubt: Doubt
    generation: int
    binding_at: float | None = None
    scheduled_at: float | None = None
    placement: frozenset[str] | None = None
    unsure: bool = False
    """Whether an earlier placement may have been missed."""
    waiting: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    arrived: dict[str, tuple[float, Doubt]] = field(default_factory=dict)
    works: dict[str, float] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether something is still to come."""
        return self.placement is None or bool(self.waiting)

    def untimed(self, at: float, doubt: Doubt) -> str:
        """Why an arrival at this time, with this doubt, cannot be timed; empty where it can."""
        if self.unsure:
            return Lost.PLACEMENT
        if self.doubt:
            return Lost.TEMPLATE
        if doubt:
            return Lost.UNWATCHED if doubt is Doubt.EXISTED else doubt
        return Lost.ORDER if at < self.at else ""


@dataclass(slots=True)
class Early:
    """What was seen of a template that was not shown yet."""

    since: float
    bindings: list[Seen[Binding]] = field(default_factory=list)
    arrived: dict[str, tuple[float, Doubt]] = field(default_factory=dict)
