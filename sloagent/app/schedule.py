"""When to work: which slots are due is a pure function of the clock and of what is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sloagent.model.timerange import newest_slot


@dataclass(frozen=True, slots=True)
class Due:
    """What one SLO owes at a moment."""

    live: int
    """The newest slot that may be asked."""
    oldest: int
    """The oldest slot that is still asked for; older missing ones are never answered any more."""


def due(now: float, interval: int, delay: float, catch_up: float) -> Due:
    """The newest slot that may be asked at `now` and the oldest that still is."""
    live = newest_slot(now, interval, delay)
    return Due(live=live, oldest=live - int(catch_up // interval) * interval)


def missing(first: int, last: int, interval: int, recorded: Iterable[int]) -> list[int]:
    """The slots from `first` to `last` (both included, multiples of the interval) without a verdict, ascending."""
    known = recorded if isinstance(recorded, frozenset | set) else set(recorded)
    return [slot for slot in range(first, last + 1, interval) if slot not in known]


def stretches(slots: Sequence[int], interval: int, most: int) -> list[list[int]]:
    """Ascending slots cut into evenly spaced stretches of at most `most`, oldest first: one range query each."""
    cut: list[list[int]] = []
    for slot in slots:
        if cut and slot - cut[-1][-1] == interval and len(cut[-1]) < most:
            cut[-1].append(slot)
        else:
            cut.append([slot])
    return cut
