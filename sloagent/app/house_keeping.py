"""What is done now and then: pieces of distributions, roll-ups, retention, the store's size."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sloagent.app import pieces
from sloagent.app.assess import Stretch
from sloagent.app.catch_up import PEER_IS_AWAY
from sloagent.app.clock import dispute
from sloagent.app.ledger import Ledger
from sloagent.app.wiring import Agent
from sloagent.model.run import Run
from sloagent.model.slo import SLO
from sloagent.model.timerange import TimeRange
from sloagent.store import Store

log = logging.getLogger("sloagent")

_SETTLED_SECONDS = 600
"""After the end of an hour its slots have been recorded, but for an outage; a late one has it summed up once more."""


def sum_up(store: Store) -> None:
    """Sum up every hour that is over, as the daemon does over time: a report of a long past need not read its rows."""
    while store.sum_hours(int(time.time() - _SETTLED_SECONDS)):
        pass


class HouseKeeping:
    """The house-keeping of one agent."""

    def __init__(self, agent: Agent, ledger: Ledger, stopping: Callable[[], bool]) -> None:
        self._agent = agent
        self._ledger = ledger
        self._stopping = stopping
        self._cut: set[Run] = set()

    def round(self) -> None:
        """Fetch the pieces that are due, sum up the hours that are over, fold and forget what is old. Raises StoreError."""
        agent = self._agent
        now = time.time()
        agent.telemetry.store_size.set(agent.store.size_bytes())
        if dispute(agent.source.date(), now):
            return  # by a wrong clock everything can look old
        self._hourly_pieces(now)
        self._pieces_of_runs(now)
        if self._stopping():
            return
        agent.store.sum_hours(int(now - _SETTLED_SECONDS))
        settings = agent.settings.store
        agent.store.roll_up(int(now - settings.full_rows))
        agent.store.prune(int(now - settings.retention))
        agent.telemetry.store_size.set(agent.store.size_bytes())

    def _hourly_pieces(self, now: float) -> None:
        evaluation = self._agent.settings.evaluation
        newest_end = int((now - evaluation.delay) * 1000) // pieces.HOUR_MS * pieces.HOUR_MS
        oldest = int((now - evaluation.catch_up) * 1000)
        wanted = {}
        for slo in self._agent.slos:
            first = max(self._ledger.expected_since(slo) * 1000, oldest)
            start = -(-first // pieces.HOUR_MS) * pieces.HOUR_MS
            wanted[slo] = [(left, left + pieces.HOUR_MS) for left in range(start, newest_end, pieces.HOUR_MS)]
        self._fetch(wanted)

    def _pieces_of_runs(self, now: float) -> None:
        """Once a run has ended: the pieces at its own borders, so that its report does not need Prometheus's past."""
        evaluation = self._agent.settings.evaluation
        for run in self._agent.store.runs():
            ended = run.end.timestamp() if run.end is not None else now
            if run.end is None or run in self._cut or not now - evaluation.catch_up <= ended <= now - evaluation.delay:
                continue
            stretch = Stretch(TimeRange(run.start, run.end), inside=True, phases=run.phases, exclusions=run.exclusions)
            if self._fetch({slo: stretch.pieces(slo) for slo in self._agent.slos}):
                self._cut.add(run)

    def _fetch(self, wanted: dict[SLO, list[tuple[int, int]]]) -> bool:
        """Fetch the wanted pieces that the store lacks; whether nothing is left to be asked again."""
        whole = True
        for slo, cuts in wanted.items():
            refusal = pieces.fetch(self._agent.source, self._agent.store, slo, cuts, self._stopping)
            if self._stopping() or (refusal is not None and refusal.kind in PEER_IS_AWAY):
                return False
            whole = whole and (refusal is None or refusal.final)
        return whole
