"""What the daemon's jobs do: the newest slot, the missing ones, and the house-keeping."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from sloagent.app import pieces
from sloagent.app.assess import Stretch
from sloagent.app.catch_up import Filler, PeerAwayError, never_answered
from sloagent.app.schedule import Due, due, missing
from sloagent.app.wiring import Agent
from sloagent.errors import StoreError
from sloagent.model.run import Run
from sloagent.model.samples import Refusal
from sloagent.model.slo import SLO
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import SlotVerdict

log = logging.getLogger("sloagent")

GIVE_UP_AT_ONCE = 5_000
"""Slots recorded as never answered in one round, so that a long absence does not hold the store for long."""

TICK_SECONDS = 2.0
"""A tick has begun this long after its slot was due; from then on a slot that it left pending is asked for again."""


class Duties:
    """The work of the jobs over the agent in force. Each job takes the agent once, at its beginning."""

    def __init__(self, agent: Agent) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.store_trouble = ""
        """Why the last commit failed, in a sentence; empty while commits succeed."""
        self._last_words = ""
        self._ticking: set[int] = set()
        self._newest: dict[SLO, int] = {}
        """The newest slot with a recorded verdict, as far as this process has seen."""
        self.change(agent)
        agent.telemetry.lag.set_function(self.lag_seconds)
        agent.telemetry.store_up.set(1)  # opened, and the first reading went well

    def change(self, agent: Agent) -> None:
        """Work for this agent from the next job on; its SLOs are expected from now on, or from an open run's start."""
        with self._lock:
            self.agent = agent
            self._filler = Filler(agent.cycle, agent.settings.evaluation.max_response)
            self._complete: dict[SLO, int] = {}
            self._cut: set[Run] = set()
            self._shown: set[SLO] = set()
            self._newest = {slo: slot for slo, slot in self._newest.items() if slo in agent.slos}
            self._since = {slo: self._expected_since(agent, slo) for slo in agent.slos}

    def stop(self) -> None:
        """Begin nothing new."""
        self._stop.set()

    def tick(self, interval: int) -> None:
        """Evaluate the newest slot of every SLO of this interval."""
        agent = self.agent
        slot = self._due(agent, interval).live
        slos = []
        for slo in (slo for slo in agent.slos if slo.interval == interval):
            if self._has(agent, slo, slot):
                self._recorded_until(slo, slot)
                self._show_recorded(agent, slo, slot)
            else:
                slos.append(slo)
        if not slos or self._stop.is_set():
            return
        self._ticking.add(interval)
        try:
            self._record(agent, agent.cycle.evaluate([(slo, slot) for slo in slos]))
        finally:
            self._ticking.discard(interval)

    def past(self) -> None:
        """Fill the missing slots within `catch_up`, oldest first; give up those that fell out of it."""
        agent = self.agent
        lacking = {slo: self._lacking(agent, slo) for slo in agent.slos}
        pending = sum(len(slots) for slots in lacking.values())
        agent.telemetry.pending.set(pending)
        filled = 0
        try:
            for slo, slots in lacking.items():
                if slots and not self._stop.is_set():
                    filled += self._filler.fill(slo, slots, self._stop.is_set)
                    self._recorded_until(slo, slots[-1])
                    agent.telemetry.pending.set(max(0, pending - filled))
            if not self._stop.is_set():
                self._give_up(agent)
            self._say("")
        except PeerAwayError as away:
            self._say(away.refusal.message)
        except StoreError as error:
            self._store_failed(error)

    def house(self) -> None:
        """Hourly pieces, roll-ups, retention, and the store's size."""
        agent = self.agent
        now = time.time()
        try:
            self._hourly_pieces(agent, now)
            self._pieces_of_runs(agent, now)
            settings = agent.settings.store
            agent.store.roll_up(int(now - settings.full_rows))
            agent.store.prune(int(now - settings.retention))
            agent.telemetry.store_size.set(agent.store.size_bytes())
        except StoreError as error:
            self._store_failed(error)

    def _record(self, agent: Agent, verdicts: Sequence[SlotVerdict]) -> None:
        try:
            agent.cycle.record(verdicts)
        except StoreError as error:
            # What is not remembered is still told, and stays missing: it is asked for again when the store is back.
            self._store_failed(error)
            agent.cycle.tell(verdicts)
            return
        for verdict in verdicts:
            if not verdict.pending:
                self._recorded_until(verdict.slo, verdict.slot)
        if self.store_trouble:
            log.info("the store can be written again")
        self.store_trouble = ""
        agent.telemetry.store_up.set(1)

    def _recorded_until(self, slo: SLO, slot: int) -> None:
        self._newest[slo] = max(slot, self._newest.get(slo, slot))

    def lag_seconds(self) -> float:
        """For how long the most overdue newest slot has been due without a verdict; 0.0 when all are recorded."""
        agent = self.agent
        delay, now = agent.settings.evaluation.delay, time.time()
        overdue = (
            now - delay - self._newest.get(slo, since - slo.interval) - slo.interval
            for slo, since in self._since.items()
        )
        return max(0.0, max(overdue, default=0.0))

    def _store_failed(self, error: StoreError) -> None:
        if error.message != self.store_trouble:
            log.error("verdicts are not remembered: %s", error.message)
        self.store_trouble = error.message
        self.agent.telemetry.store_up.set(0)

    def _lacking(self, agent: Agent, slo: SLO) -> list[int]:
        """The missing slots that are still asked for; the newest is the tick's while that is at work."""
        owed = self._due(agent, slo.interval)
        first = max(self._since[slo], owed.oldest, self._complete.get(slo, 0) + slo.interval)
        tick_is_over = (
            slo.interval not in self._ticking
            and time.time() > owed.live + agent.settings.evaluation.delay + TICK_SECONDS
        )
        last = owed.live if tick_is_over else owed.live - slo.interval
        if first > last:
            return []
        try:
            recorded = agent.store.recorded(agent.source.name, slo, (first, last))
        except StoreError as error:
            self._store_failed(error)
            return []
        lacking = missing(first, last, slo.interval, recorded)
        self._complete[slo] = (lacking[0] if lacking else last + slo.interval) - slo.interval
        return lacking

    def _give_up(self, agent: Agent) -> None:
        """Record the slots that fell out of `catch_up` unanswered.

        Only while the peer answers, so that a wrong clock of ours, which makes every slot look old, records nothing.
        """
        catch_up = agent.settings.evaluation.catch_up
        kept_since = int(time.time() - agent.settings.store.retention)
        for slo in agent.slos:
            # What the store has forgotten was answered once: only slots that it would still hold can be missing.
            first = max(self._since[slo], -(-kept_since // slo.interval) * slo.interval)
            last = self._due(agent, slo.interval).oldest - slo.interval
            if first > last:
                continue
            recorded = agent.store.recorded(agent.source.name, slo, (first, last))
            lost = missing(first, last, slo.interval, recorded)[:GIVE_UP_AT_ONCE]
            if lost and not self._peer_agrees(agent, slo):
                return
            if lost:
                log.error("%s/%s: %d slots were never answered", slo.set, slo.name, len(lost))
                agent.cycle.record(never_answered(slo, lost, catch_up))
            else:
                self._since[slo] = last + slo.interval

    def _peer_agrees(self, agent: Agent, slo: SLO) -> bool:
        """Whether Prometheus answers for the newest slot: then its clock and ours agree, and the past is really past."""
        answer = agent.source.at(slo, self._due(agent, slo.interval).live)
        return not isinstance(answer, Refusal) or answer.final

    def _hourly_pieces(self, agent: Agent, now: float) -> None:
        evaluation = agent.settings.evaluation
        newest_end = int((now - evaluation.delay) * 1000) // pieces.HOUR_MS * pieces.HOUR_MS
        oldest = int((now - evaluation.catch_up) * 1000)
        for slo in agent.slos:
            first = max(self._since[slo] * 1000, oldest)
            start = -(-first // pieces.HOUR_MS) * pieces.HOUR_MS
            if not self._fetch(
                agent, slo, [(left, left + pieces.HOUR_MS) for left in range(start, newest_end, pieces.HOUR_MS)]
            ):
                return

    def _pieces_of_runs(self, agent: Agent, now: float) -> None:
        """Once a run has ended: the pieces at its own borders, so that its report does not need Prometheus's past."""
        evaluation = agent.settings.evaluation
        for run in agent.store.runs():
            ended = run.end.timestamp() if run.end is not None else now
            if run.end is None or run in self._cut or not now - evaluation.catch_up <= ended <= now - evaluation.delay:
                continue
            stretch = Stretch(TimeRange(run.start, run.end), inside=True, phases=run.phases, exclusions=run.exclusions)
            if not all(self._fetch(agent, slo, stretch.pieces(slo)) for slo in agent.slos):
                return
            self._cut.add(run)

    def _fetch(self, agent: Agent, slo: SLO, wanted: Sequence[tuple[int, int]]) -> bool:
        """Fetch the wanted pieces that the store lacks; False where nobody answers at the moment, or we are to end."""
        if self._stop.is_set():
            return False
        refusal = pieces.fetch(agent.source, agent.store, slo, wanted)
        return refusal is None or refusal.final

    def _show_recorded(self, agent: Agent, slo: SLO, slot: int) -> None:
        """After a start within a recorded slot: tell what the store knows of it, so that nothing is missing meanwhile."""
        if slo not in self._shown:
            self._shown.add(slo)
            try:
                agent.cycle.tell(list(agent.store.slots(agent.source.name, slo, (slot, slot))))
            except StoreError as error:
                self._store_failed(error)

    def _has(self, agent: Agent, slo: SLO, slot: int) -> bool:
        try:
            return slot in agent.store.recorded(agent.source.name, slo, (slot, slot))
        except StoreError as error:
            self._store_failed(error)
            return False

    def _due(self, agent: Agent, interval: int) -> Due:
        evaluation = agent.settings.evaluation
        return due(time.time(), interval, evaluation.delay, evaluation.catch_up)

    def _expected_since(self, agent: Agent, slo: SLO) -> int:
        first = self._due(agent, slo.interval).live
        for run in agent.store.runs():
            if run.end is None:
                start = -(-(int(run.start.timestamp()) + slo.window) // slo.interval) * slo.interval
                first = min(first, start)
        return agent.store.watch(agent.source.name, slo, first)

    def _say(self, words: str) -> None:
        """One log line per change of state, not one per round."""
        if words and words != self._last_words:
            log.warning("slots stay pending: %s", words)
        elif self._last_words and not words:
            log.info("Prometheus answers again")
        self._last_words = words
