"""How the error budgets of an agent's SLOs stand: what was spent is read once, then followed slot by slot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from sloagent.app.alert_history import History
from sloagent.app.alerting import AlertFollower
from sloagent.app.wiring import Agent
from sloagent.evaluation.budget import BadAndAll, bad_and_all, budgets
from sloagent.evaluation.judge import judge_series
from sloagent.evaluation.spending import HOUR, Spent, Term
from sloagent.model.alert import Checkpoint
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels, ValueSLI
from sloagent.model.standing import Standing
from sloagent.model.tally import Tally
from sloagent.model.timerange import contiguous
from sloagent.store.summing import BorderError

READ_SECONDS = 1.0
"""So long the past is read in one round, so that alerts are not kept waiting for it."""
MOST_RUNS = 20
"""Of the runs that go on, the newest."""

Rates = Mapping[Labels, Mapping[int, float]]


class Budgets:
    """What the metrics say of budgets. `round` is for one thread, beside the one that follows; the rest for any."""

    def __init__(self, agent: Agent, follower: AlertFollower) -> None:
        self._agent = agent
        self._follower = follower
        self._seen: dict[SLO, Checkpoint] = {}
        self._rates: dict[SLO, Rates] = {}
        self._left: dict[SLO, Mapping[str, float]] = {}

    def standings(self) -> list[Standing]:
        """What is known of each SLO, in their order."""
        return [
            Standing(
                slo, self._follower.history(slo).pairs, self._follower.active(slo), self._rates.get(slo, {}),
                self._left.get(slo, {}),
            )
            for slo in self._agent.slos
        ]  # fmt: skip

    def round(self, stopping: Callable[[], bool] = lambda: False) -> None:
        """Take up what was followed, and read some of what is missing. Raises StoreError.

        What is being read anew is shown as it was, until it is whole.
        """
        runs = self._agent.store.runs()
        until = time.monotonic() + READ_SECONDS
        for slo in self._agent.slos:
            history = self._follower.history(slo)
            seen = history.looked_at
            if seen is None:
                continue  # nothing was followed yet, or it is done again
            self._keep_terms(slo, history, runs, seen.slot)
            for spent in history.spent.values():
                while (unread := spent.unread) is not None and time.monotonic() < until and not stopping():
                    self._read(slo, spent, *unread)
            if seen != self._seen.get(slo):
                self._rates[slo] = _rates(history, seen.slot)
                self._seen[slo] = seen
            before = self._left.get(slo, {})
            left = {
                term.run: before.get(term.run) if spent.unread else spent.left()
                for term, spent in history.spent.items()
            }
            self._left[slo] = {run: ratio for run, ratio in left.items() if ratio is not None}

    def _keep_terms(self, slo: SLO, history: History, runs: Sequence[Run], slot: int) -> None:
        """Sum up over the runs that go on at the slot, else over the period, and over nothing else."""
        if not budgets(slo):
            return
        burning = slo.alerts.burn_rate
        period = (burning.period if burning is not None else None) or int(self._agent.settings.alerts.period)
        there = [Term.of_run(run) for run in runs if _goes_on(run, slot)][-MOST_RUNS:] or [Term(seconds=period)]
        history.spent = {term: history.spent.get(term) or Spent(slo, term, slot) for term in there}

    def _read(self, slo: SLO, spent: Spent, first: int, last: int) -> None:
        """Count what is in the store of these slots."""
        read = self._windows if isinstance(slo.sli, ValueSLI) else self._events
        # All of it before anything is counted: what breaks off is read again from its beginning.
        for slot, labels, counted in list(read(slo, spent, first, last)):
            spent.count(slot, labels, counted)
        spent.was_read(last)

    def _events(self, slo: SLO, spent: Spent, first: int, last: int) -> Iterator[tuple[int, Labels, BadAndAll]]:
        """(slot, series, what was spent up to it): from pieces of hours whose slots may be gone, else from the slots."""
        store, source = self._agent.store, self._agent.source.name
        folded = int(time.time() - self._agent.settings.store.full_rows) // HOUR * HOUR + HOUR
        hours = [
            (hour * 1000, (hour + HOUR) * 1000)
            for hour in range(-(-(first - 1) // HOUR) * HOUR, min(last, folded) - HOUR + 1, HOUR)
            if spent.term.counts(hour, hour + HOUR)
        ]
        kept = store.cuts(source, slo, hours[0][0], hours[-1][1]) if hours else {}
        judge_one = judge_series(slo, 1.0)
        in_pieces = [hour for hour in hours if hour in kept]
        for _, cuts in groupby(in_pieces, lambda hour: spent.step_of(hour[1] // 1000)):
            wanted = list(cuts)
            for labels, sample in (store.added(source, slo, wanted) or {}).items():
                counted = bad_and_all(slo, judge_one(labels, sample))
                if counted is not None:
                    yield wanted[-1][1] // 1000, labels, counted
        done = {begin // 1000 for begin, _ in in_pieces}
        for slot, labels, counted in store.spent(source, slo, (first, last)):
            if (slot - 1) // HOUR * HOUR not in done and spent.takes(slot):
                yield slot, labels, counted

    def _windows(self, slo: SLO, spent: Spent, first: int, last: int) -> Iterator[tuple[int, Labels, BadAndAll]]:
        """(slot, series, windows that were judged up to it), from sums of hours where there are any."""
        there = self._agent.store.recorded(self._agent.source.name, slo, (first, last))
        if not there:
            return
        slots = range(min(there), max(there) + 1, slo.interval)
        for _, members in groupby(filter(spent.takes, slots), spent.step_of):
            wanted = list(members)
            for tally in self._tallied(slo, wanted):
                for labels, row in tally.series.items():
                    if row.good or row.bad:
                        yield wanted[-1], labels, (float(row.bad), float(row.good + row.bad))

    def _tallied(self, slo: SLO, slots: Sequence[int]) -> Iterator[Tally]:
        """Their tally. Left out are hours that are kept only as one sum, where not all of them is wanted."""
        try:
            yield self._agent.store.tally(self._agent.source.name, slo, contiguous(slots, slo.interval))
        except BorderError:
            hours = [list(hour) for _, hour in groupby(slots, lambda slot: slot // HOUR)]
            for hour in hours if len(hours) > 1 else ():
                yield from self._tallied(slo, hour)


def _rates(history: History, slot: int) -> Rates:
    """Of each series and window with events, at the newest slot that ends a window of the SLO's own."""
    tile = slot // history.tile * history.tile
    windows = sorted({window for pair in history.pairs for window in (pair.long, pair.short)})
    found = {
        labels: {
            window: burn.rate for window in windows if (burn := history.burnt.burn(labels, window, tile)) is not None
        }
        for labels in history.burnt.series
    }
    return {labels: rates for labels, rates in found.items() if rates}


def _goes_on(run: Run, slot: int) -> bool:
    return run.start.timestamp() <= slot and (run.end is None or slot <= run.end.timestamp())
