"""What one agent does about alerts: follows what was recorded, reckons budgets, and tells who is to be told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sloagent.app.alerting import AlertFollower, Followed
from sloagent.app.budgets import Budgets
from sloagent.app.messenger import Messenger
from sloagent.app.receivers import open_receivers
from sloagent.app.wiring import Agent
from sloagent.errors import StoreError
from sloagent.model.alert import Active, Key
from sloagent.model.pending import Pending
from sloagent.model.slo import SLO
from sloagent.model.standing import Standing
from sloagent.model.verdict import SlotVerdict

log = logging.getLogger("sloagent")

FOLLOW_SECONDS = 30.0
"""So long a past is looked at before those who wait for word of an alert have their turn."""


class AlertDuty:
    """The alerts of one agent. `round` is for one thread, the rest for any."""

    def __init__(self, agent: Agent, stopping: Callable[[], bool], wake: Callable[[], None]) -> None:
        """`wake` has a round begin soon."""
        self._agent = agent
        self._stopping = stopping
        self._wake = wake
        self._follower = AlertFollower(agent)
        self._budgets = Budgets(agent, self._follower)
        self._messenger = Messenger(agent, self._follower, partial(open_receivers, agent))
        self._unfollowed = threading.Event()
        """Set when there may be recorded slots that nobody has looked at."""
        self.recorded()

    def recorded(self) -> None:
        """There may be slots that nobody has looked at."""
        self._unfollowed.set()
        self._wake()

    def unremembered(self, slots: Iterable[SlotVerdict]) -> None:
        """Go on from slots that the store does not take."""
        self._follower.follow_unremembered(slots)
        self._wake()

    def round(self, pending: Sequence[Pending]) -> None:
        """Look at what was recorded and tell what is due; `pending` are the slots without an answer.

        Raises StoreError after all that can be told without the store has been told.
        """
        trouble: StoreError | None = None
        found: list[Followed] = []
        if self._unfollowed.is_set():
            self._unfollowed.clear()
            until = time.monotonic() + FOLLOW_SECONDS
            try:
                found = self._follower.follow(lambda: self._stopping() or time.monotonic() > until)
            except StoreError as error:
                trouble = error
            if trouble is not None or time.monotonic() > until:
                self._unfollowed.set()
        if self._stopping():
            return
        self._messenger.round(time.time(), pending, found)
        if trouble is not None:
            raise trouble
        self._budgets.round(self._stopping)

    def alerted(self) -> list[tuple[SLO, Key, Active]]:
        """What is pending and firing at the newest slots that were looked at."""
        return [(slo, *one) for slo in self._agent.slos for one in sorted((self._follower.active(slo) or {}).items())]

    def standings(self) -> list[Standing]:
        """How each SLO stands at the newest slot that was looked at."""
        return self._budgets.standings()

    def retire(self, successors: Iterable[SLO]) -> None:
        """Tell the end of what is not among the successors, and let the receivers go."""
        self._messenger.retire(successors, time.time())

    def close(self) -> None:
        """Let the receivers go. Idempotent."""
        self._messenger.close()
