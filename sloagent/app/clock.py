"""APScheduler made safe against a wall clock that is set while it runs.

APScheduler 3 computes from wall time and waits on it. A forward step makes it list every missed fire time (26 s of work
for 30 days), a backward step makes it wait for a time that may never come back. `SlotTrigger` answers the first (it never
looks back), `ClockWatch` the second (it notices the step on the monotonic clock, and the daemon sets the jobs anew).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.triggers.base import BaseTrigger

from sloagent.model.samples import Refusal
from sloagent.model.timerange import at
from sloagent.sources import Source

AGREE_SECONDS = 300.0
"""Our clock and Prometheus's may differ by so much; by more, and slots are not what they are called."""

STEP_SECONDS = 2.0
"""Wall and monotonic clock drift apart by less than this unless somebody sets the wall clock."""


def dispute(peer: float | Refusal | None, now: float) -> str:
    """Why our clock may not be trusted with what cannot be undone, in a sentence; empty when the peer agrees.

    `peer` is the peer's clock, seconds since the epoch: None where it does not say, which is taken for agreement.
    """
    match peer:
        case None:
            return ""
        case Refusal(message=message):
            return message
        case seconds:
            if abs(seconds - now) <= AGREE_SECONDS:
                return ""
            return (
                f"here it is {at(now):%Y-%m-%d %H:%M:%S} UTC, for Prometheus {at(seconds):%Y-%m-%d %H:%M:%S} UTC; one of"
                " the two clocks is wrong"
            )


class SlotTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires `delay` after each multiple of `interval` since the epoch: always the next one after now, never a past one."""

    def __init__(self, interval: float, delay: float) -> None:
        self.interval = interval
        self.delay = delay

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002
        """The next due time strictly after `now`; what was missed is the business of `missing`, not of the clock."""
        slot = math.floor((now.timestamp() - self.delay) / self.interval) + 1
        due = datetime.fromtimestamp(slot * self.interval + self.delay, UTC)
        if due <= now:  # microseconds were rounded down
            due = datetime.fromtimestamp((slot + 1) * self.interval + self.delay, UTC)
        return due


@dataclass(slots=True)
class ClockWatch:
    """Notices that the wall clock was set, by comparing it with the monotonic one."""

    offset: float
    """Wall minus monotonic seconds when last looked."""

    def stepped(self, wall: float, monotonic: float) -> float:
        """Seconds by which the wall clock was set since last looked; 0.0 for ordinary drift."""
        offset = wall - monotonic
        step = offset - self.offset
        self.offset = offset
        return step if abs(step) > STEP_SECONDS else 0.0


class ClockDoubt:
    """Whether our clock may be wrong: at the start, after a step, and until Prometheus agrees with it."""

    def __init__(self, *, begins: bool) -> None:
        self._doubtful = begins

    def arise(self) -> None:
        """Ask once more."""
        self._doubtful = True

    def trouble(self, source: Source) -> str:
        """Why our clock is wrong, in a sentence; empty where it is right, or nobody says."""
        if not self._doubtful:
            return ""
        peer = source.date()
        if isinstance(peer, Refusal):
            return ""  # nobody answers: nothing can be recorded under a wrong name either
        trouble = dispute(peer, time.time())
        self._doubtful = bool(trouble)
        return trouble
