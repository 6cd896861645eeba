"""What one agent does about alerts: follows what was recorded, reckons budgets, and tells who is to be told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

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
T = TypeVar("T")

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
        self._said = ""
        self._was_baseline_sought = agent.settings.alerts.baseline is None
        self.recorded()

    def recorded(self) -> None:
        """There may be slots that nobody has looked at."""
        self._unfollowed.set()
        self._wake()

    def unremembered(self, slots: Iterable[SlotVerdict]) -> None:
        """Go on from slots that the store does not take."""
        self._follower.follow_unremembered(slots)
        self._wake()

    def round(self, pending: Sequence[Pending], *, recording: bool) -> None:
        """Look at what was recorded and tell what is due; `pending` are the slots without an answer.

        While nothing can be recorded (`recording` is false) the store is left to whoever tries: what is told then rests
        on what was evaluated.
        """
        nothing: list[Followed] = []
        found = self._tried(self._follow, nothing) if recording else nothing
        if not self._stopping():
            self._messenger.round(time.time(), pending, found)
        if recording:
            self._tried(lambda: self._budgets.round(self._stopping), otherwise=None)

    def _tried(self, work: Callable[[], T], otherwise: T) -> T:
        """What comes of work with the store, or `otherwise`; a failure is said once, and it is tried again."""
        try:
            return work()
        except StoreError as error:
            self._unfollowed.set()
            if error.message != self._said:
                log.warning("alerts were not looked at: %s", error.message)
                self._said = error.message
            return otherwise

    def _follow(self) -> list[Followed]:
        """Look at the slots that nobody has looked at, for a while. Raises StoreError."""
        if not self._was_baseline_sought:
            from sloagent.app.alert_trends import lacking_baseline

            if why := lacking_baseline(self._agent):
                log.warning("regressions are not looked for yet: %s", why)
            self._was_baseline_sought = True
        if not self._unfollowed.is_set():
            return []
        self._unfollowed.clear()
        until = time.monotonic() + FOLLOW_SECONDS
        found = self._follower.follow(lambda: self._stopping() or time.monotonic() > until)
        if time.monotonic() > until:
            self._unfollowed.set()
        return found

    def alerted(self) -> tuple[list[tuple[SLO, Key, Active]], list[SLO]]:
        """What is pending and firing at the newest slots that were looked at, and the SLOs that nobody has looked at yet."""
        known = {slo: self._follower.active(slo) for slo in self._agent.slos}
        alerts = [(slo, *one) for slo, active in known.items() for one in sorted((active or {}).items())]
        return alerts, [slo for slo, active in known.items() if active is None]

    def standings(self) -> list[Standing]:
        """How each SLO stands at the newest slot that was looked at."""
        return self._budgets.standings()

    def close(self) -> None:
        """Let the receivers go; what is told of SLOs that are not in force any more, the next agent tells. Idempotent."""
        self._messenger.close()
