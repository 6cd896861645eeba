"""What alert rules need of an SLO's past, read from the store where it is not known from the slots before."""

from __future__ import annotations

from collections.abc import Mapping

from sloagent.app.agent_settings import AgentSettings
from sloagent.app.wiring import Agent
from sloagent.evaluation.budget import BurnHistory, pairs_in_force, tile_of
from sloagent.evaluation.spending import HOUR, Spent, Term
from sloagent.model.alert import Checkpoint
from sloagent.model.slo import SLO
from sloagent.model.verdict import SlotVerdict


def told_window_seconds(settings: AgentSettings) -> float:
    """How long the window of a burn rate may be: whenever it is reckoned, for a late slot too, its rows are there."""
    return settings.store.full_rows - settings.evaluation.catch_up - HOUR


class History:
    """The error budget of one SLO over the windows of its burn rates, up to a slot."""

    def __init__(self, agent: Agent, slo: SLO) -> None:
        self._agent = agent
        self._slo = slo
        longest = told_window_seconds(agent.settings)
        self.pairs = tuple(
            pair for pair in pairs_in_force(slo, int(agent.settings.alerts.period)) if pair.long <= longest
        )
        """The pairs of windows that are told."""
        self._windows = {window for pair in self.pairs for window in (pair.long, pair.short)}
        self.tile = tile_of(slo, self.pairs)
        """Burn rates are reckoned at the slots that are multiples of it, in seconds."""
        self.burnt = BurnHistory(slo, self._windows, self.tile)
        self.looked_at: Checkpoint | None = None
        """Up to which it knows everything; None while it does not."""
        self.spent: Mapping[Term, Spent] = {}
        """What was spent over longer terms, for the metrics; `app.budgets` chooses and completes them."""

    def reach(self, looked_at: Checkpoint | None, first: int) -> None:
        """Know everything before the slot `first`, the one after those that were looked at. Raises StoreError."""
        is_known = looked_at is not None and looked_at == self.looked_at
        self.looked_at = None  # until the slots that follow were all taken
        if is_known:
            return
        for spent in self.spent.values():
            spent.go_back(first)
        if self.pairs:
            self.burnt = BurnHistory(self._slo, self._windows, self.tile)
            stretch = (first - max(self._windows), first - 1)
            for slot, labels, counted in self._agent.store.spent(self._agent.source.name, self._slo, stretch):
                self.burnt.count(slot, labels, counted)

    def add(self, slot: SlotVerdict) -> None:
        """Take the next slot."""
        if self.pairs:
            self.burnt.add(slot)
        for spent in self.spent.values():
            spent.add(slot)
