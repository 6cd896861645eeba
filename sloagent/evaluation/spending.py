"""What is left of an error budget over a run so far, or over the last period: sums that slots are added to.

The sums are kept in steps, so that old ones can go, and those of the last few can be read anew when a slot came late.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from math import inf

from sloagent.evaluation.budget import BadAndAll, bad_and_all, budget
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels, ValueSLI
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import SlotVerdict

HOUR, DAY = 3_600, 86_400
MOST_STEPS = 168
_STEPS = (60, 300, 900, HOUR, 6 * HOUR, DAY)
"""Each divides the hour or is made of hours: what the store has summed up lies in one step, or makes up some."""


@dataclass(frozen=True, slots=True)
class Term:
    """Over what a budget is reckoned: a run so far, or the last `seconds`. Times are seconds since the epoch."""

    run: str = ""
    start: float = -inf
    seconds: int | None = None
    holes: tuple[tuple[float, float], ...] = ()
    """What does not count, from and to."""

    @classmethod
    def of_run(cls, run: Run) -> Term:
        """The term of a run that goes on."""
        return cls(run.name, run.start.timestamp(), None, tuple(_ends(one.range) for one in run.exclusions))

    @property
    def step(self) -> int:
        """In steps of how many seconds it is summed up: what has left the last `seconds` goes a step at a time."""
        seconds = self.seconds
        if seconds is None:
            return _STEPS[-1]
        return next((step for step in _STEPS if seconds <= step * MOST_STEPS), _STEPS[-1])

    def counts(self, first: float, last: float) -> bool:
        """Whether all that happened from `first` to `last` counts: a window that touches a hole does not."""
        return self.start <= first and not any(last > begin and first < end for begin, end in self.holes)


class Spent:
    """What was bad of each series over a term. Slots up to some are read from the store, later ones are added."""

    def __init__(self, slo: SLO, term: Term, up_to: int) -> None:
        """Slots up to `up_to` are to be read, those after it will be added."""
        self.term = term
        self._slo = slo
        self._shift = 0 if isinstance(slo.sli, ValueSLI) else 1
        """Events at a slot lie before it, so that one at the end of a step belongs to it; a value is what it is there."""
        self._step = term.step
        newest = self.step_of(up_to)
        self._base = self.step_of(int(term.start) + 1) if term.seconds is None else self._oldest(newest)
        self._next = up_to + 1
        self._unread: tuple[int, int] | None = None
        """The first and the last slot that are in the store and not in these sums."""
        self._all: dict[Labels, array[float]] = {}
        self._bad: dict[Labels, array[float]] = {}
        """Only of series of which anything was bad. A step each, from the base on; of what is missing there is nothing."""
        self._leave_to_be_read(self._base, self._next)

    @property
    def unread(self) -> tuple[int, int] | None:
        """First and last slot of the stretch that is to be read next, at most a day; None where nothing is missing."""
        if self._unread is None:
            return None
        first, last = self._unread
        return first, min(last, ((first - self._shift) // DAY + 1) * DAY + self._shift - 1)

    def step_of(self, slot: int) -> int:
        """The number of the step that a slot is counted in."""
        return (slot - self._shift) // self._step

    def takes(self, slot: int) -> bool:
        """Whether a slot adds anything to this term: of events those that tile the time."""
        window = self._slo.window
        return (self._shift == 0 or slot % window == 0) and self.term.counts(slot - window, slot)

    def add(self, slot: SlotVerdict) -> None:
        """Count the next slot."""
        self._next = slot.slot + 1
        self._go_on_to(self.step_of(slot.slot))
        if self.takes(slot.slot):
            for verdict in slot.verdicts:
                counted = bad_and_all(slot.slo, verdict)
                if counted is not None:
                    self.count(slot.slot, verdict.labels, counted)

    def count(self, slot: int, labels: Labels, counted: BadAndAll) -> None:
        """Count what is known of one series up to a slot, since no earlier than its step began."""
        place = self.step_of(slot) - self._base
        if place < 0:
            return  # it left the term while it was read
        for kept, number in zip((self._all, self._bad), (counted[1], counted[0]), strict=True):
            if number > 0:
                steps = kept.setdefault(labels, array("d"))
                steps.extend([0.0] * (place + 1 - len(steps)))
                steps[place] += number

    def was_read(self, last: int) -> None:
        """Note that what was to be read has been counted up to a slot."""
        if self._unread is not None:
            self._unread = None if last >= self._unread[1] else (last + 1, self._unread[1])

    def go_back(self, first: int) -> None:
        """Have everything before the slot `first` that is not known surely read again; it is the next that is added."""
        self._go_on_to(self.step_of(first - 1))
        since = min(first, self._next, self._unread[0] if self._unread is not None else first)
        # Whole hours, as the store may have nothing finer.
        step = max(self._base, self.step_of((since - self._shift) // HOUR * HOUR + self._shift))
        for kept in (self._all, self._bad):
            for labels in list(kept):
                del kept[labels][step - self._base :]
                if not kept[labels]:
                    del kept[labels]
        self._next = first
        self._leave_to_be_read(step, first)

    def left(self) -> float | None:
        """What is left of the budget of the series that has the least, 1 of an untouched one; below 0 it is overspent.

        Of series with fewer events than the SLO needs for a verdict nothing is said; None where there is no other.
        """
        found: list[float] = []
        for labels, steps in self._all.items():
            whole, allowed = sum(steps), budget(self._slo, labels)
            if allowed is not None and whole > 0 and whole >= self._slo.min_events:
                found.append(1 - sum(self._bad.get(labels, ())) / whole / allowed)
        return min(found, default=None)

    def _oldest(self, newest: int) -> int:
        """The oldest step of the last `seconds`, where the newest one is this."""
        assert self.term.seconds is not None
        return newest + 1 - -(-self.term.seconds // self._step)

    def _go_on_to(self, newest: int) -> None:
        if self.term.seconds is not None and (passed := self._oldest(newest) - self._base) > 0:
            self._base += passed
            for kept in (self._all, self._bad):
                for labels in list(kept):
                    del kept[labels][:passed]
                    if not kept[labels]:
                        del kept[labels]

    def _leave_to_be_read(self, step: int, before: int) -> None:
        first = step * self._step + self._shift
        self._unread = (first, before - 1) if first < before else None


def _ends(stretch: TimeRange) -> tuple[float, float]:
    return stretch.start.timestamp(), stretch.end.timestamp()
