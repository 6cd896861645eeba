"""What a watch shows: that an object came, changed or went, when this was seen, and whether that is when it happened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from sloagent.probes.objects import Object

AnyObject = TypeVar("AnyObject", bound=Object)


class Change(StrEnum):
    """What happened to an object."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"


class Doubt(StrEnum):
    """Why the moment of seeing is not the moment of happening."""

    NONE = ""
    EXISTED = "existed"
    """It was there before the probe looked."""
    GAP = "gap"
    """Found by listing anew, after events were lost."""
    RESUMED = "resumed"
    """It happened while the watch was interrupted."""
    LATE = "late"
    """The API knew of it well before the watch showed it."""
    STALLED = "stalled"
    """This process was not running, or not attending."""


@dataclass(frozen=True, slots=True)
class Seen(Generic[AnyObject]):
    """One change of one object. `at` is monotonic, seconds; `object` is None where a deletion was found by listing."""

    change: Change
    uid: str
    object: AnyObject | None
    at: float
    doubt: Doubt
