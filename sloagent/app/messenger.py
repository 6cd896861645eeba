"""Tells the receivers of alerts what is due, if this agent is the one of its store that tells."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence

from sloagent.app.alerting import AlertFollower, Followed
from sloagent.app.correspondence import Correspondence
from sloagent.app.notices import NoticeWriter
from sloagent.app.wiring import Agent
from sloagent.errors import StoreError
from sloagent.model.alert import Active, Key, Notice, Rule, Stage, Transition
from sloagent.model.pending import Pending
from sloagent.model.slo import SLO
from sloagent.sinks import Receiver, Taken

log = logging.getLogger("sloagent")

LEASE, LEASE_SECONDS = "alerts", 30.0
"""The lease of whoever tells, and for how long it lasts: when that agent is gone, so long nobody does."""
RENEWED_SECONDS = 10.0
_GONE = "its SLO was changed or taken away"


class Messenger:
    """Makes notices of alert state and gives them to the receivers. `round` is for one thread, `taken` for any."""

    def __init__(
        self, agent: Agent, follower: AlertFollower, open_receivers: Callable[[Taken], Sequence[Receiver]]
    ) -> None:
        self._agent = agent
        self._follower = follower
        writer, resend = NoticeWriter(agent.settings), agent.settings.alerts.resend
        self._to = {receiver.name: Correspondence(receiver, writer, resend) for receiver in open_receivers(self.taken)}
        self._ends: dict[SLO, dict[Key, Transition]] = {slo: {} for slo in agent.slos}
        # The same after a restart, which so need not wait for what it held before.
        self._holder = f"{socket.gethostname()}:{agent.configuration.absolute()}"
        self._leased_at: float | None = None
        self._remembers = False
        """Whether it has been read what the receivers were told before."""
        self._lock = threading.Lock()

    def round(self, now: float, pending: Sequence[Pending], found: Sequence[Followed]) -> None:
        """Tell what is due at `now`, seconds since the epoch.

        `pending` are the slots without an answer, `found` what the follower found in this round. Where another agent
        holds the store's lease nothing is told; where the store does not answer it is told all the same.
        """
        for one in found:
            self._note_ends(one)
        if not self._to or not self._is_ours(now):
            self._remembers = False
            return
        owed = {one.slo: one for one in pending}
        with self._lock:
            begins = not self._remembers
            if begins:
                found = self._remember(now)
            for one in found:
                self._note_past(one, now, begins=begins)
            for to in self._to.values():
                batch: list[Notice] = []
                for slo in self._agent.slos:
                    if (active := self._follower.active(slo)) is not None:
                        batch += to.due(slo, _firing(slo, active, owed.get(slo)), self._ends[slo], now)
                if batch:
                    to.receiver.offer(batch)

    def taken(self, receiver: str, notices: Sequence[Notice], at: float) -> None:
        """Remember that a receiver took these notices at a time, in seconds since the epoch."""
        with self._lock:
            to = self._to[receiver]
            entries = [entry for notice in notices if (entry := to.taken(notice, at)) is not None]
        try:
            self._agent.store.tell(self._agent.source.name, receiver, entries)
        except StoreError as error:
            log.warning("it is not remembered what %s was told: %s", receiver, error.message)

    def close(self) -> None:
        """Wait a little for what is under way, and let another agent tell from now on. Idempotent."""
        for to in self._to.values():
            to.receiver.close()
        if self._leased_at is not None:
            self._leased_at = None
            try:
                self._agent.store.release(LEASE, self._holder)
            except StoreError as error:
                log.debug("the lease ends by itself: %s", error.message)

    def _is_ours(self, now: float) -> bool:
        if self._leased_at is not None and 0 <= now - self._leased_at < RENEWED_SECONDS:
            return True
        try:
            is_ours = self._agent.store.lease(LEASE, self._holder, now, LEASE_SECONDS)
        except StoreError:
            return True  # told twice is better than not told
        if is_ours != (self._leased_at is not None):
            log.info("alerts are told by %s", "this agent" if is_ours else "another agent on this store")
        self._leased_at = now if is_ours else None
        return is_ours

    def _remember(self, now: float) -> list[Followed]:
        """Read what the receivers were told, and return what has happened since an outage may have begun.

        Where the store does not answer, nothing; then it is tried again, and meanwhile told as if nobody had been.
        """
        store, source = self._agent.store, self._agent.source.name
        since = int(now - self._agent.settings.evaluation.catch_up)
        in_force = {_identity(slo) for slo in self._agent.slos}
        try:
            for to in self._to.values():
                told = store.told_firing(source, to.receiver.name)
                # Those of before have no titles: only their fingerprints can be compared.
                for slo in (*self._agent.slos, *(one for one in told if _identity(one) not in in_force)):
                    to.remember(slo, store.told(source, slo, to.receiver.name))
                if gone := to.ends_of(frozenset(self._agent.slos), now, _GONE):
                    to.receiver.offer(gone)
            found = [
                Followed(slo, tuple(store.transitions(source, slo, (since, int(now) + 1)))) for slo in self._agent.slos
            ]
        except StoreError as error:
            log.warning("it is not known what was told before: %s", error.message)
            return []
        for one in found:
            self._note_ends(one)
        self._remembers = True
        return found

    def _note_ends(self, found: Followed) -> None:
        for transition in found.transitions:
            if transition.stage is Stage.RESOLVED:
                self._ends[found.slo][transition.key] = transition

    def _note_past(self, found: Followed, now: float, *, begins: bool) -> None:
        """Have the receivers told of alerts that are over already, where they did not hear of them while they fired."""
        oldest = now - self._agent.settings.evaluation.catch_up
        began: dict[Key, int] = {}
        for transition in found.transitions:
            if transition.stage is Stage.FIRING:
                began[transition.key] = transition.slot
            elif transition.slot >= oldest:
                first = began.get(transition.key, transition.started)
                for to in self._to.values():
                    if to.was_told or not begins:  # of what was before he was named a receiver is not told
                        to.note_past(found.slo, transition.key, first, transition)


def _identity(slo: SLO) -> tuple[str, str, str]:
    return slo.set, slo.name, slo.fingerprint()


def _firing(slo: SLO, active: Mapping[Key, Active], owed: Pending | None) -> dict[Key, Active]:
    """What fires of an SLO: what its recorded slots say, and that so many of them have no answer."""
    firing = {key: one for key, one in active.items() if one.stage is Stage.FIRING}
    rule, key = slo.alerts.cannot_evaluate, Key(Rule.CANNOT_EVALUATE)
    if rule is not None and owed is not None and owed.reason and len(owed.slots) >= rule.after:
        # Not in the store, where an answer may still come: a late slot says what it was.
        reason = f"{len(owed.slots)} slots have no answer: {owed.reason}"
        unanswered = Active(Stage.FIRING, rule.severity, owed.slots[0], fired=owed.slots[rule.after - 1], reason=reason)
        firing.setdefault(key, unanswered)
    return firing
