"""The error budget of an SLO, how fast it burns over windows of different length, and which of them are told.

A budget is what may be bad: of a latency or a ratio a share of the events, of a value a share of the windows. A burn rate
of 1 uses up the budget of a period exactly in that period (SRE Workbook, "Alerting on SLOs").
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import fsum, gcd

from sloagent.model.alert import BurnPair
from sloagent.model.alert_defaults import PERIOD_SECONDS
from sloagent.model.slo import SLO, Gate, Labels, LatencySLI, RatioSLI
from sloagent.model.verdict import Outcome, SlotVerdict, Verdict

BadAndAll = tuple[float, float]
"""Events or windows: surely bad ones, and all."""

MOST_TILES = 2_000
"""In the longest window, so that a series takes some kilobytes whatever is written."""
_COUNTED = {Outcome.PASS: 0.0, Outcome.WARN: 0.0, Outcome.FAIL: 1.0}
"""How bad a value's window is."""


def budget(slo: SLO, labels: Labels = ()) -> float | None:
    """What share may be bad of a series; None where nothing is promised, or all of it.

    Of a value that promises nothing of a share of its windows there is none either.
    """
    objective = slo.objective
    if objective is None:
        return None
    limit = objective.limit_for(labels)
    match slo.sli:
        case LatencySLI():
            promised = (objective.percentile or 0.0) / 100
        case RatioSLI():
            promised = limit.at_least if limit.at_least is not None else 1.0
        case _:
            nothing = objective.gate is not Gate.WINDOWS or (limit.at_most is None and limit.at_least is None)
            promised = 1.0 if nothing else objective.windows_at_least
    left = round(1 - promised, 14)  # 0.001, not 0.0010000000000000009
    return left if left > 0 else None


def budgets(slo: SLO) -> list[float]:
    """The budgets that an SLO gives its series: that of most, and those of its overrides. Empty where it gives none."""
    matches: list[Labels] = [()]
    if isinstance(slo.sli, RatioSLI) and slo.objective is not None:
        matches += [override.match for override in slo.objective.overrides]
    return [share for labels in matches if (share := budget(slo, labels)) is not None]


def pairs_in_force(slo: SLO, period: int) -> tuple[BurnPair, ...]:
    """The pairs that are told of an SLO, the shortest first, where its budget is reckoned over `period` seconds.

    The windows are those of 30 days, scaled to a shorter period: they would use up the same share of its budget. Never
    shorter than the SLO's own window, of which they are whole multiples: there nothing shorter is known. And all of them
    are multiples of one length, so that a long window has no more parts than it needs (`tile_of`). Pairs of one
    severity whose windows so become the same are one, with the lowest factor, which the others imply; of pairs of two
    severities the slower one takes a longer window. Left out is what no budget of the SLO can reach: with 20 % to burn
    nothing burns ten times as fast.
    """
    burning = slo.alerts.burn_rate
    shares = budgets(slo)
    if burning is None or not shares:
        return ()
    scale = min(1.0, (burning.period or period) / PERIOD_SECONDS)
    written = [seconds for pair in burning.pairs for seconds in (pair.long, pair.short)]
    part = max(_multiple(gcd(*written) * scale, slo.window), _multiple(max(written) * scale / MOST_TILES, slo.window))
    found: dict[int, BurnPair] = {}
    for pair in sorted(burning.pairs, key=lambda pair: -pair.factor):
        if pair.factor * min(shares) >= 1:
            continue
        long, short = (_multiple(seconds * scale, part) for seconds in (pair.long, pair.short))
        while (there := found.get(long)) is not None and (there.severity, there.short) != (pair.severity, short):
            long += part
        found[long] = replace(pair, long=long, short=short)
    return tuple(found[long] for long in sorted(found))


def tile_of(slo: SLO, pairs: Iterable[BurnPair]) -> int:
    """The longest stretch of which all windows of the pairs are whole multiples: burn rates are reckoned at its ends."""
    return gcd(*(window for pair in pairs for window in (pair.long, pair.short))) or slo.window


def bad_and_all(slo: SLO, verdict: Verdict) -> BadAndAll | None:
    """What a verdict adds to a budget: bad events and all, or bad windows and all; None where nothing can be said.

    Where a share is known only to lie between two, the bad ones are those that are surely bad.
    """
    if isinstance(slo.sli, LatencySLI | RatioSLI):
        return events_spent(verdict.events, verdict.good_share.upper if verdict.good_share is not None else None)
    return window_spent(verdict.outcome)


def events_spent(events: float | None, good_share: float | None) -> BadAndAll | None:
    """What a window of events adds, of which at most this share was good; None where either is not known."""
    return None if good_share is None or not events else (events * (1 - good_share), events)


def window_spent(outcome: Outcome) -> BadAndAll | None:
    """What a value's window adds; None where it was not judged."""
    bad = _COUNTED.get(outcome)
    return None if bad is None else (bad, 1.0)


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast a budget burns over a window: at least so many times the bearable rate, over so many events or windows."""

    rate: float
    bad_share: float
    counted: float


class BurnHistory:
    """What was bad of each series in the last windows, tile by tile.

    A tile has those slots of a latency or a ratio that tile the time, and of a value all of them.
    """

    def __init__(self, slo: SLO, windows: Iterable[int], tile: int | None = None) -> None:
        """`windows` are in seconds, whole multiples of `tile`, and that of the SLO's own window (None: that window)."""
        self._slo = slo
        self._tile = tile or slo.window
        self._size = max((window // self._tile for window in windows), default=1)
        self._newest: int | None = None
        self._all: dict[Labels, array[float]] = {}
        self._bad: dict[Labels, array[float]] = {}
        """Only of series of which anything was bad."""
        self._known: deque[int] = deque()
        """The tiles of which anything is known, ascending."""

    @property
    def newest(self) -> int | None:
        """The end of the newest tile, a slot; None while there is none."""
        return None if self._newest is None else self._newest * self._tile

    @property
    def series(self) -> Iterable[Labels]:
        """Every series of which anything is known."""
        return self._all.keys()

    def takes(self, slot: int) -> bool:
        """Whether a slot adds anything."""
        return slot % self._slo.window == 0 or not isinstance(self._slo.sli, LatencySLI | RatioSLI)

    def add(self, slot: SlotVerdict) -> None:
        """Count what a slot says; slots come in their order, and those that add nothing may be left out."""
        if self.takes(slot.slot):
            for verdict in slot.verdicts:
                counted = bad_and_all(slot.slo, verdict)
                if counted is not None:
                    self.count(slot.slot, verdict.labels, counted)

    def count(self, slot: int, labels: Labels, counted: BadAndAll) -> None:
        """Count what is known of one series at a slot."""
        tile = -(-slot // self._tile)
        self._go_on_to(tile)
        if not self._known or self._known[-1] != tile:
            self._known.append(tile)
        bad, whole = counted
        place = tile % self._size
        self._place(self._all, labels)[place] += whole
        if bad > 0:
            self._place(self._bad, labels)[place] += bad

    def reaches(self, window: int, slot: int) -> bool:
        """Whether anything is known from as far back as the window reaches that ends at a slot, in any series."""
        last = slot // self._tile
        oldest = next((tile for tile in self._known if tile > last - self._size), None)
        return oldest is not None and oldest <= last - window // self._tile + 1

    def burn(self, labels: Labels, window: int, slot: int) -> Burn | None:
        """The burn rate over the window that ends with a tile; None without events, or without a budget.

        With fewer events than the SLO needs for a verdict there is none either.
        """
        allowed, counts = budget(self._slo, labels), self._all.get(labels)
        if allowed is None or counts is None:
            return None
        last, tiles = slot // self._tile, window // self._tile
        whole = self._over(counts, last, tiles)
        if not whole > 0 or whole < self._slo.min_events:
            return None
        bad = self._over(there, last, tiles) if (there := self._bad.get(labels)) is not None else 0.0
        return Burn(bad / whole / allowed, bad / whole, whole)

    def _go_on_to(self, tile: int) -> None:
        if self._newest is None:
            self._newest = tile
        if tile < self._newest:
            raise ValueError("slots are counted in their order")
        for passed in range(max(self._newest + 1, tile - self._size + 1), tile + 1):
            for counts in (*self._all.values(), *self._bad.values()):
                counts[passed % self._size] = 0.0
        while self._known and self._known[0] <= tile - self._size:
            self._known.popleft()
        if tile > self._newest:
            self._forget_idle()
        self._newest = tile

    def _forget_idle(self) -> None:
        """Forget series of which nothing is left in any window: they come and go as the things do that they are of."""
        for labels in [labels for labels, counts in self._all.items() if not any(counts)]:
            del self._all[labels]
            self._bad.pop(labels, None)

    def _place(self, kept: dict[Labels, array[float]], labels: Labels) -> array[float]:
        if labels not in kept:
            kept[labels] = array("d", bytes(8 * self._size))
        return kept[labels]

    def _over(self, counts: array[float], last: int, tiles: int) -> float:
        """The sum of the tiles that end with `last`; what is newer, or older than is kept, is none of them."""
        assert self._newest is not None
        first, end = max(last - tiles, self._newest - self._size) + 1, min(last, self._newest) + 1
        if first >= end:
            return 0.0
        start, size = first % self._size, end - first
        return fsum(counts[start : start + size] + counts[: max(0, start + size - self._size)])


def _multiple(seconds: float, window: int) -> int:
    """The least whole multiple of the window that is no shorter, and never less than one."""
    return max(1, -(-round(seconds * 1000) // (window * 1000))) * window
