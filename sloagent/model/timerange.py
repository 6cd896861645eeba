"""Stretches of time and the slots in them. Times are aware UTC datetimes; slots are whole seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, order=True)
class TimeRange:
    """From `start` to `end`, both included."""

    start: datetime
    end: datetime

    def slots(self, interval: int) -> range:
        """The slots t with start ≤ t ≤ end, ascending: what `check --from --to` asks."""
        first = -(-_microseconds(self.start) // (interval * 1_000_000)) * interval
        last = _microseconds(self.end) // (interval * 1_000_000) * interval
        return range(first, last + 1, interval)

    def slots_inside(self, interval: int, window: int) -> range:
        """The slots whose whole window lies in the stretch, start + window ≤ t ≤ end: those of a run or a phase."""
        first = -(-(_microseconds(self.start) + window * 1_000_000) // (interval * 1_000_000)) * interval
        last = _microseconds(self.end) // (interval * 1_000_000) * interval
        return range(first, last + 1, interval)


def newest_slot(now: float, interval: int, delay: float) -> int:
    """The newest slot that may be asked at `now` (seconds since the epoch): its scrapes have had `delay` to arrive."""
    return int((now - delay) // interval) * interval


def contiguous(slots: Iterable[int], interval: int) -> tuple[tuple[int, int], ...]:
    """Ascending slots as stretches of neighbours: first and last slot of each, both included."""
    found: list[tuple[int, int]] = []
    for slot in slots:
        if found and slot - found[-1][1] == interval:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return tuple(found)


def at(slot: float) -> datetime:
    """The aware UTC time of a slot, or of any seconds since the epoch."""
    return datetime.fromtimestamp(slot, UTC)


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since the epoch, Prometheus's own resolution."""
    return _microseconds(moment) // 1000


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
