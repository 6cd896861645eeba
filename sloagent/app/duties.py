"""What the daemon's jobs do: the newest slot, the missing ones, and the house-keeping."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from sloagent.app.alert_duty import AlertDuty
from sloagent.app.catch_up import PEER_IS_AWAY, Filler, UnansweredError, never_answered
from sloagent.app.clock import ClockDoubt, dispute
from sloagent.app.house_keeping import HouseKeeping
from sloagent.app.ledger import Ledger
from sloagent.app.wiring import Agent
from sloagent.errors import StoreError
from sloagent.evaluation.judge import judge
from sloagent.model.pending import Pending
from sloagent.model.samples import Kind, Question, Refusal
from sloagent.model.slo import SLO
from sloagent.model.verdict import SlotVerdict

log = logging.getLogger("sloagent")

GIVE_UP_AT_ONCE = 5_000
"""Slots recorded as never answered in one round, so that a long absence does not hold the store for long."""

TICK_SECONDS = 2.0
"""A tick has begun this long after its slot was due; from then on a slot that it left pending is asked for again."""


class Duties:
    """The work of the jobs over one agent, from its coming into force until the last job over it has ended.

    A reload makes a new one and retires this one: what is under way goes on over the agent with which it began.
    """

    def __init__(self, agent: Agent, before: Duties | None = None, *, wake: Callable[[], None] = lambda: None) -> None:
        """`wake` is called when alerts may have changed, so that `alerts` is called soon."""
        self.agent = agent
        self.pending: tuple[Pending, ...] = before.pending_of(agent) if before else ()
        """What is owed, as of the last round; one entry for each SLO."""
        self.store_trouble: str = before.store_trouble if before else ""
        """Why the last commit failed, in a sentence; empty while commits succeed."""
        self.begun = before is not None
        """Whether it is remembered since when slots are expected, or was tried: from then on a crash loses none."""
        self._last_words: str = before._last_words if before else ""  # noqa: SLF001 - the same class
        self._silent_since: float = before._silent_since if before else 0.0  # noqa: SLF001
        newest: Mapping[SLO, int] = before._ledger.newest if before else {}  # noqa: SLF001
        self._ledger: Ledger = Ledger(agent, newest)
        self._filler = Filler(agent.cycle, agent.settings.evaluation.max_response)
        self._house = HouseKeeping(agent, self._ledger, self.stopping)
        self._stop = threading.Event()
        self.alerting = AlertDuty(agent, self.stopping, wake)
        self._ticking: set[int] = set()
        self._shown: set[SLO] = set()
        self._at_work = 0
        self._successor: Agent | None = None
        self._lock = threading.Lock()
        agent.telemetry.lag.set_function(self._ledger.lag_seconds)
        self._begun_at = time.monotonic()
        self._clock = ClockDoubt(begins=before is None)
        self._look_at_store()

    def stop(self) -> None:
        """Begin nothing new."""
        self._stop.set()

    def stopping(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._stop.is_set()

    def retire(self, successor: Agent) -> None:
        """Begin nothing new; close the agent, but for what its successor goes on using, when the last job has ended."""
        self.stop()
        self.alerting.close()
        with self._lock:
            self._successor = successor
            idle = self._at_work == 0
        if idle:
            self.agent.close(keep=successor)

    def clock_was_set(self) -> None:
        """Take the slots of the new time for those that are expected, and ask Prometheus whether it is the right one."""
        self._clock.arise()
        self._ledger.clock_was_set()

    def tick(self, interval: int) -> None:
        """Evaluate the newest slot of every SLO of this interval."""
        self._work(lambda: self._tick(interval))

    def past(self) -> None:
        """Fill the missing slots within `catch_up`, oldest first; give up those that fell out of it."""
        self._work(self._past)

    def house(self) -> None:
        """Hourly pieces, roll-ups, retention, and the store's size."""
        self._work(self._keep_house)

    def alerts(self) -> None:
        """Look at what was recorded, and tell the receivers of alerts what is due."""
        self._work(lambda: self.alerting.round(self.pending, recording=not self.store_trouble))

    def pending_of(self, agent: Agent) -> tuple[Pending, ...]:
        """What is known to be owed of this agent's SLOs."""
        known = {pending.slo: pending for pending in self.pending}
        return tuple(known[slo] for slo in agent.slos if slo in known)

    def _work(self, job: Callable[[], None]) -> None:
        """Do a job over the agent, which stays open until it has ended."""
        with self._lock:
            if self._successor is not None:
                return  # it was about to begin when a reload retired these duties: the next ones do it
            self._at_work += 1
        try:
            job()
        finally:
            with self._lock:
                self._at_work -= 1
                successor = self._successor if self._at_work == 0 else None
            if successor is not None:
                self.agent.close(keep=successor)

    def _tick(self, interval: int) -> None:
        due = []
        for slo in (slo for slo in self.agent.slos if slo.interval == interval):
            slot = self._ledger.due(slo).live
            if self._ledger.recorded(slo, slot):
                self._ledger.note(slo, slot)
                self._show_recorded(slo, slot)
            else:
                due.append((slo, slot))
        if trouble := self._begin():
            refusal = Refusal(Question(""), Kind.CLOCK, trouble, final=False)
            self.agent.cycle.tell([judge(slo, slot, refusal) for slo, slot in due])
            return
        self._ticking.add(interval)
        try:
            self._record(self.agent.cycle.evaluate(due, self.stopping))
        finally:
            self._ticking.discard(interval)
            self.alerting.recorded()

    def _past(self) -> None:
        pending: dict[SLO, Pending] = {}
        try:
            trouble = self._begin()
            for slo in self.agent.slos:
                pending[slo] = Pending(slo, tuple(self._ledger.lacking(slo, self._newest_asked(slo))), trouble)
            self._show_pending(pending)
            if trouble:
                self._say(trouble)
            else:
                self._fill(pending)
                self._give_up()
        except StoreError as error:
            self._store_failed(error)
            for slo in self.agent.slos:
                owed = tuple(self._ledger.unremembered(slo, self._newest_asked(slo)))
                pending[slo] = Pending(slo, owed, error.message)
        self._show_pending(pending)

    def _keep_house(self) -> None:
        try:
            self._house.round()
        except StoreError as error:
            self._store_failed(error)

    def _begin(self) -> str:
        """Remember since when slots are expected, unless the clock is wrong; returns what is wrong with it."""
        trouble = self._clock.trouble(self.agent.source)
        if not trouble:
            try:
                self._ledger.watch()
            except StoreError as error:
                self._store_failed(error)
        self.begun = True
        return trouble

    def _look_at_store(self) -> None:
        try:
            self.agent.store.runs()
        except StoreError as error:
            self._store_failed(error)
        else:
            self._store_works()

    def _record(self, verdicts: Sequence[SlotVerdict]) -> None:
        cycle = self.agent.cycle
        try:
            cycle.record(verdicts)
        except StoreError as error:
            # What is not remembered is still told, and stays missing: it is asked for again when the store is back.
            self._store_failed(error)
            self.agent.telemetry.unremembered.inc(sum(not verdict.pending for verdict in verdicts))
            cycle.tell(verdicts)
            self.alerting.unremembered(verdicts)
            return
        for verdict in verdicts:
            if not verdict.pending:
                self._ledger.note(verdict.slo, verdict.slot)
        if verdicts:
            self._store_works()

    def _fill(self, pending: dict[SLO, Pending]) -> None:
        """Fill what is pending, SLO by SLO; what stays so keeps the reason. Raises StoreError."""
        words = ""
        away = ""
        for slo, owed in pending.items():
            if not owed.slots or self.stopping():
                continue
            if away:
                pending[slo] = Pending(slo, owed.slots, away)
                continue
            try:
                self._filler.fill(slo, owed.slots, self.stopping)
            except UnansweredError as unanswered:
                refusal = unanswered.refusal
                words = words or refusal.message
                pending[slo] = Pending(slo, unanswered.slots, refusal.message)
                if refusal.kind in PEER_IS_AWAY:
                    away = refusal.message
            else:
                if not self.stopping():
                    pending[slo] = Pending(slo, (), "")
                    self._ledger.note(slo, owed.slots[-1])
            finally:
                self.alerting.recorded()
            self._show_pending(pending)
        self._say(words)

    def _give_up(self) -> None:
        """Record the slots that fell out of `catch_up` unanswered. Raises StoreError."""
        catch_up = self.agent.settings.evaluation.catch_up
        # One look at the clock: it may be set between the question what is lost and the one whether the clock is right.
        now = time.time()
        lost = {slo: slots for slo in self.agent.slos if (slots := self._ledger.never_asked_again(slo, now))}
        if not lost or self.stopping() or dispute(self.agent.source.date(), now):
            return
        for slo, slots in lost.items():
            log.error("%s/%s: %d slots were never answered", slo.set, slo.name, len(slots))
            self.agent.cycle.record(never_answered(slo, slots[:GIVE_UP_AT_ONCE], catch_up))
            self.alerting.recorded()

    def _newest_asked(self, slo: SLO) -> int:
        """The newest slot that the catch-up asks for; the newest of all is the tick's while that is at work."""
        live = self._ledger.due(slo).live
        delay = self.agent.settings.evaluation.delay
        tick_is_over = (
            slo.interval not in self._ticking
            and time.time() > live + delay + TICK_SECONDS
            and time.monotonic() > self._begun_at + TICK_SECONDS
        )
        return live if tick_is_over else live - slo.interval

    def _show_pending(self, pending: dict[SLO, Pending]) -> None:
        self.pending = tuple(pending.values())
        self.agent.telemetry.pending.set(sum(len(one.slots) for one in self.pending))

    def _store_failed(self, error: StoreError) -> None:
        if error.message != self.store_trouble:
            log.error("verdicts are not remembered: %s", error.message)
        self.store_trouble = error.message
        self._ledger.begin_anew()
        self.agent.telemetry.store_up.set(0)

    def _store_works(self) -> None:
        if self.store_trouble:
            log.info("the store can be written again")
        self.store_trouble = ""
        self.agent.telemetry.store_up.set(1)

    def _show_recorded(self, slo: SLO, slot: int) -> None:
        """After a start within a recorded slot: tell what the store knows of it, so that nothing is missing meanwhile."""
        if slo not in self._shown:
            self._shown.add(slo)
            agent = self.agent
            try:
                agent.cycle.tell(list(agent.store.slots(agent.source.name, slo, (slot, slot))))
            except StoreError as error:
                self._store_failed(error)

    def _say(self, words: str) -> None:
        """One log line per change of state, not one per round."""
        if words and words != self._last_words:
            log.warning("slots stay pending: %s", words)
            self._silent_since = self._silent_since or time.monotonic()
        elif self._last_words and not words:
            log.info(
                "Prometheus answers again after %.0f s; what was pending is filled in",
                time.monotonic() - self._silent_since,
            )
            self._silent_since = 0.0
        self._last_words = words
