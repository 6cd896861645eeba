"""What one agent owes: since when each SLO's slots are expected, which have a verdict, and which are still missing."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sloagent.app.schedule import Due, due, missing
from sloagent.app.wiring import Agent
from sloagent.errors import StoreError
from sloagent.model.slo import SLO

MOST_SLOTS_AT_ONCE = 100_000
"""Slots of one SLO that one round looks at, so that a long absence at a short interval takes no memory to speak of."""


class Ledger:
    """The bookkeeping of one agent's slots. It remembers what it read of the store, so that a round costs little."""

    def __init__(self, agent: Agent, newest: Mapping[SLO, int]) -> None:
        """`newest` is what an agent before this one knew of the newest recorded slots."""
        self._agent = agent
        self._newest = {slo: slot for slo, slot in dict(newest).items() if slo in agent.slos}  # a tick may be adding
        self._complete: dict[SLO, int] = {}
        """Up to which slot each SLO is complete. Replaced, never emptied: a round under way writes into its own."""
        self._watched: set[SLO] = set()
        self._since = {slo: self.due(slo).live for slo in agent.slos}

    @property
    def newest(self) -> Mapping[SLO, int]:
        """The newest slot with a recorded verdict, as far as this process has seen."""
        return self._newest

    def due(self, slo: SLO, now: float | None = None) -> Due:
        """What the SLO owes at this moment, or at `now`, seconds since the epoch."""
        evaluation = self._agent.settings.evaluation
        return due(time.time() if now is None else now, slo.interval, evaluation.delay, evaluation.catch_up)

    @property
    def unwatched(self) -> list[SLO]:
        """The SLOs of which the store does not know yet since when they are expected."""
        return [slo for slo in self._agent.slos if slo not in self._watched]

    def watch(self) -> None:
        """Remember in the store since when slots are expected: now, an open run's start, or what it knew already.

        Raises StoreError.
        """
        if not (unwatched := self.unwatched):
            return
        store, source = self._agent.store, self._agent.source.name
        starts = [int(run.start.timestamp()) for run in store.runs() if run.end is None]
        for slo in unwatched:
            of_runs = (-(-(start + slo.window) // slo.interval) * slo.interval for start in starts)
            self._since[slo] = store.watch(source, slo, min(self._since[slo], *of_runs, self.due(slo).live))
            self._complete.pop(slo, None)  # it was read from a later beginning
            self._watched.add(slo)

    def begin_anew(self) -> None:
        """Believe nothing that was read of the store: it failed, and may come back as another one."""
        self._watched.clear()
        self._complete = {}

    def clock_was_set(self) -> None:
        """Expect the slots of the new time: what was concluded by a wrong clock does not hold any more."""
        self._complete = {}
        for slo in self._agent.slos:
            owed = self.due(slo)
            if self._newest.get(slo, 0) > owed.live:
                del self._newest[slo]
            if owed.live < self._since[slo] or (slo not in self._watched and self._since[slo] < owed.oldest):
                self._since[slo] = owed.live
                self._watched.discard(slo)

    def note(self, slo: SLO, slot: int) -> None:
        """Take note that the slot has a recorded verdict."""
        self._newest[slo] = max(slot, self._newest.get(slo, slot))

    def lacking(self, slo: SLO, last: int) -> list[int]:
        """The slots up to `last` that are still asked for and have no verdict, the oldest first. Raises StoreError."""
        complete = self._complete
        first = max(self._since[slo], self.due(slo).oldest, complete.get(slo, 0) + slo.interval)
        last = min(last, first + (MOST_SLOTS_AT_ONCE - 1) * slo.interval)
        if first > last:
            return []
        recorded = self._agent.store.recorded(self._agent.source.name, slo, (first, last))
        lacking = missing(first, last, slo.interval, recorded)
        complete[slo] = (lacking[0] if lacking else last + slo.interval) - slo.interval
        return lacking

    def unremembered(self, slo: SLO, last: int) -> list[int]:
        """The slots up to `last` after the newest that was seen recorded: what is owed while the store cannot be read."""
        known = self._newest.get(slo, self._since[slo] - slo.interval)
        return list(range(max(known + slo.interval, self.due(slo).oldest), last + 1, slo.interval))

    def never_asked_again(self, slo: SLO, now: float) -> list[int]:
        """The slots without a verdict that have fallen out of `catch_up` at `now`. Raises StoreError.

        `now` is the caller's one look at the clock: the same that Prometheus is asked to confirm.
        """
        # What the store has forgotten was answered once: only slots that it would still hold can be missing.
        kept_since = int(now - self._agent.settings.store.retention)
        first = max(self._since[slo], -(-kept_since // slo.interval) * slo.interval)
        last = min(self.due(slo, now).oldest, first + MOST_SLOTS_AT_ONCE * slo.interval) - slo.interval
        if first > last:
            return []
        recorded = self._agent.store.recorded(self._agent.source.name, slo, (first, last))
        lost = missing(first, last, slo.interval, recorded)
        if not lost:
            self._since[slo] = last + slo.interval
        return lost

    def recorded(self, slo: SLO, slot: int) -> bool:
        """Whether the slot has a verdict; False also where the store cannot tell, so that it is asked again."""
        try:
            return slot in self._agent.store.recorded(self._agent.source.name, slo, (slot, slot))
        except StoreError:
            return False

    def expected_since(self, slo: SLO) -> int:
        """The first slot that is expected of the SLO."""
        return self._since[slo]

    def lag_seconds(self) -> float:
        """For how long the most overdue newest slot has been due without a verdict; 0.0 when all are recorded."""
        delay, now = self._agent.settings.evaluation.delay, time.time()
        overdue = (
            now - delay - self._newest.get(slo, since - slo.interval) - slo.interval
            for slo, since in self._since.items()
        )
        return max(0.0, max(overdue, default=0.0))
