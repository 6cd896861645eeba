"""Alert state, followed through the store: every recorded slot in its order, once, whoever recorded it and when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from zlib import crc32

from sloagent.app.alert_history import History
from sloagent.app.wiring import Agent
from sloagent.evaluation.alert_looks import burn_looks, looks_of
from sloagent.evaluation.alerting import Look, advance, ended
from sloagent.model.alert import Active, Alerts, BurnPair, Checkpoint, Key, Rule, Stage, Transition
from sloagent.model.run import Run
from sloagent.model.slo import SLO
from sloagent.model.verdict import SlotVerdict
from sloagent.store import AlertStep

if TYPE_CHECKING:  # whoever marks no run need not load it
    from sloagent.app.alert_trends import Trends

SLOTS_AT_ONCE = 500
"""Of one SLO in one transaction: a long past is followed in steps that hold nobody up."""
_FOR_EVER = 2**40
_NOT_IN_FORCE, _RUN_IS_OVER = "the rule is not in force any more", "its run is over"


@dataclass(frozen=True, slots=True)
class Followed:
    """What one round has found: an SLO's transitions, in the order of their slots."""

    slo: SLO
    transitions: tuple[Transition, ...]


class AlertFollower:
    """Folds recorded slots into alert state. One for each agent; safe to use from many threads."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._active: dict[SLO, Mapping[Key, Active]] = {}
        self._histories = {slo: History(agent, slo) for slo in agent.slos}
        self._trends: Trends | None = None
        self._lock = threading.Lock()

    def active(self, slo: SLO) -> Mapping[Key, Active] | None:
        """What is pending and firing of an SLO at its newest slot; None while its past has not been looked at."""
        return self._active.get(slo)

    def history(self, slo: SLO) -> History:
        """What is known of the SLO's error budget."""
        return self._histories[slo]

    def follow(self, stopping: Callable[[], bool] = lambda: False) -> list[Followed]:
        """Look at every recorded slot that nobody has looked at yet, and remember what came of it. Raises StoreError.

        A slot that was recorded late has thrown away what was concluded after it: that is done again.
        """
        with self._lock:
            found: list[Followed] = []
            behind: Sequence[SLO] = self._agent.slos
            while behind and not stopping():
                runs = self._agent.store.runs()
                steps = {slo: step for slo in behind if (step := self._step(slo, runs)) is not None}
                taken = self._agent.store.append_alerts(self._agent.source.name, list(steps.values()))
                for (slo, step), is_taken in zip(list(steps.items()), taken, strict=True):
                    if is_taken:
                        found += [Followed(slo, step.transitions)] if step.transitions else []
                    if is_taken and step.slots < SLOTS_AT_ONCE:
                        self._active[slo] = step.checkpoint.active
                        del steps[slo]
                # The others are not up to date, or somebody has changed something meanwhile.
                behind = list(steps)
            return found

    def follow_unremembered(self, slots: Iterable[SlotVerdict]) -> None:
        """Look at slots that the store does not take, so that alerts go on; they are looked at anew once it does."""
        with self._lock:
            for slot in slots:
                if not slot.pending and slot.slo in self._histories:
                    looks = list(looks_of(slot, slot.slo.alerts))
                    self._active[slot.slo] = advance(self._active.get(slot.slo, {}), slot.slot, looks, "")[0]

    def _step(self, slo: SLO, runs: Sequence[Run]) -> AlertStep | None:
        """The next step of an SLO; None where it is up to date."""
        agent, history = self._agent, self._histories[slo]
        known = agent.store.checkpoint(agent.source.name, slo)
        first = known.slot + 1 if known is not None else 0
        slots = list(islice(agent.store.slots(agent.source.name, slo, (first, _FOR_EVER)), SLOTS_AT_ONCE))
        active: Mapping[Key, Active] = known.active if known is not None else {}
        if not slots:
            self._active[slo] = active
            if known is not None:
                history.reach(known, known.slot + 1)
                history.looked_at = known
            return None
        chain = known.chain if known is not None else 0
        history.reach(known, slots[0].slot)
        gone = [key for key in active if not is_in_force(key, slo.alerts, history.pairs)]
        transitions = ended(active, slots[0].slot, gone, _NOT_IN_FORCE)
        active = {key: one for key, one in active.items() if key not in gone}
        for slot in slots:
            run = _run_at(runs, slot.slot)
            left = [key for key, one in active.items() if _is_of_another_run(key, one, run)]
            transitions += ended(active, slot.slot, left, _RUN_IS_OVER)
            kept = {key: one for key, one in active.items() if key not in left}
            looks = self._looks(slot, history, run)
            active, told = advance(kept, slot.slot, looks, run.name if run is not None else "")
            # What has ended at this slot can begin again at the next look: it has one place in the history of a slot.
            active = {key: one for key, one in active.items() if key not in left}
            transitions += [one for one in told if one.key not in left]
            chain = crc32(slot.slot.to_bytes(8, "big", signed=True), chain)
        after = Checkpoint(slots[-1].slot, active, chain)
        history.looked_at = after
        return AlertStep(
            slo, known.slot if known is not None else None, len(slots), tuple(transitions), after,
            known.chain if known is not None else 0,
        )  # fmt: skip

    def _looks(self, slot: SlotVerdict, history: History, run: Run | None) -> list[Look]:
        looks = list(looks_of(slot, slot.slo.alerts))
        history.add(slot)
        if history.pairs and slot.slot % history.tile == 0:
            looks += burn_looks(slot, history.burnt, history.pairs)
        if run is not None:
            looks += self._of_runs().looks(slot.slo, slot.slot, run)
        return looks

    def _of_runs(self) -> Trends:
        from sloagent.app.alert_trends import Trends

        self._trends = self._trends or Trends(self._agent)
        return self._trends


def is_in_force(key: Key, alerts: Alerts, pairs: Sequence[BurnPair]) -> bool:
    """Whether an alert is of a rule that its SLO is watched by."""
    match key.rule:
        case Rule.VIOLATED:
            return alerts.violated is not None
        case Rule.BURN_RATE:
            return any(pair.long == key.window for pair in pairs)
        case Rule.REGRESSION:
            return alerts.regression is not None
        case Rule.LEAK:
            return alerts.leak is not None
        case Rule.NO_DATA:
            return alerts.no_data is not None
        case Rule.CANNOT_EVALUATE:
            return alerts.cannot_evaluate is not None


def _is_of_another_run(key: Key, active: Active, run: Run | None) -> bool:
    """Whether an alert is about a run that a slot does not lie in."""
    if key.rule not in (Rule.REGRESSION, Rule.LEAK):
        return False
    return run is None or (active.stage is Stage.FIRING and active.run != run.name)


def _run_at(runs: Sequence[Run], slot: int) -> Run | None:
    """The run that a slot lies in, the one that began last of several; None where there is none."""
    there = [run for run in runs if run.start.timestamp() <= slot and (run.end is None or slot <= run.end.timestamp())]
    return max(there, key=lambda run: run.start, default=None)
