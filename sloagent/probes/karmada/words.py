"""What can become of a template on its way, in words that metrics carry, and who counts it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """A part of the way: from the end of the one before to what it is named after."""

    BINDING = "binding"
    SCHEDULED = "scheduled"
    WORK = "work"
    MEMBER = "member"


class Lost(StrEnum):
    """Why an expected arrival was not timed, where it is not a `Doubt` of the arrival itself."""

    TIMEOUT = "timeout"
    """It did not come."""
    UNWATCHED = "unwatched"
    """The member was not watched when it came, or did not come."""
    TEMPLATE = "template_unseen"
    """When the template came is not known."""
    PLACEMENT = "placement_unseen"
    """The first placement is not known, since bindings were not watched."""
    ORDER = "out_of_order"
    """The member was shown before the template: the watch of templates was held up."""
    WITHDRAWN = "withdrawn"
    """The template was deleted before."""
    UNSCHEDULED = "unscheduled"
    """The placement was changed before."""
    LEFT = "cluster_left"
    """The cluster went before."""


class Other(StrEnum):
    """An arrival that nobody expected."""

    EXISTED = "existed"
    """Its template was there before the probe began."""
    MOVED = "moved"
    """A later placement brought it."""
    RECREATED = "recreated"
    """It had been there, and was made again."""
    AFTER_TIMEOUT = "after_timeout"
    """It had been given up."""
    UNKNOWN = "unknown"
    """No template of it was shown."""


class Tally(Protocol):
    """Who counts."""

    def timed(self, uid: str, member: str, mode: str, seconds: float) -> None:
        """An expected arrival of the template with this uid, and how long it took from the template's appearance."""

    def stage(self, stage: Stage, seconds: float) -> None:
        """How long a stage took."""

    def stage_untimed(self, stage: Stage) -> None:
        """A stage whose ends were shown in the wrong order, or not both in time."""

    def lost(self, uid: str, member: str, reason: str) -> None:
        """An expected arrival that is not timed."""

    def other(self, member: str, kind: Other) -> None:
        """An arrival that nobody expected."""

    def expected(self, member: str) -> None:
        """A member of a first placement."""

    def pending(self, member: str, change: int) -> None:
        """So many expectations more, or fewer, are open."""

    def template(self, outcome: str) -> None:
        """A template: `placed`, `never_placed` (it has a binding), `unclaimed` (it has none), `updated`, `withdrawn`.

        `unwatched`: nobody could see whether it has one.
        """
