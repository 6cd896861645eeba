"""Runs that go on, drawn by chance, and what every look at them finds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import exp, log, sqrt
from statistics import fmean

from sloagent.evaluation.recent import counted, recent
from sloagent.evaluation.regressing import Side, regressions
from sloagent.evaluation.regressing import wandering as wandered
from sloagent.model.comparison import Change, Moved, Terms
from sloagent.model.distribution import Distribution, total_of
from sloagent.model.samples import Events
from sloagent.model.slo import Labels
from tests.unit.evaluation.build import PODS, WINDOW, latency, ratio, value
from tests.unit.evaluation.drawn import EVENTS, Shape, binomial, drawn, noise

HOUR = 3600
LOOKED_AT = 1800
"""The window of the regression, in seconds."""
TILES = LOOKED_AT // WINDOW
Factor = Callable[[int], float]
"""How much slower, worse or greater everything is at a slot, in seconds since the run began."""


def steady(second: int) -> float:
    return 1.0


def from_then(onset: int, factor: float) -> Factor:
    return lambda second: factor if second > onset else 1.0


def looks_at(
    baseline: Side, hours: float, current: Callable[[range, Sequence[tuple[int, int]]], Side]
) -> Iterator[tuple[int, Mapping[Labels, Moved]]]:
    """(slot, what moved) of every look at a run that begins at 0, up to so many hours."""
    slo = baseline.slo
    for slot in range(0, round(hours * HOUR) + 1, slo.interval):
        if (look := recent(slo, LOOKED_AT, 0, slot)) is not None:
            yield slot, regressions(Terms(), baseline, current(look.slots, look.parts), look.looks)


def first_worse(looks: Iterator[tuple[int, Mapping[Labels, Moved]]]) -> int | None:
    """The slot of the first look at which a series is worse."""
    return next((slot for slot, found in looks if Change.WORSE in {moved.change for moved in found.values()}), None)


def latencies(
    chance: random.Random,
    shapes: Mapping[Labels, Shape],
    hours: float,
    factor: Factor = steady,
    in_a_window: int = EVENTS,
    earlier: int = 8,
    *,
    shared: bool = True,
    spread: float = 0.0,
    minutes: float = 0.0,
) -> Iterator[tuple[int, Mapping[Labels, Moved]]]:
    """The looks at a run of latencies beside one of so many hours earlier; with `shared` its series share one noise.

    Within both runs all latencies stray by a factor whose logarithm has the deviation `spread`, and resembles itself
    for so many minutes.
    """
    slo, each, in_an_hour = latency(), in_a_window // TILES, HOUR // WINDOW
    before, now = (
        [log(one / 100) for one in wandering(chance, spread, minutes / 5, round(length * in_an_hour) + 1)]
        for length in (earlier, hours)
    )

    def hour(number: int, shape: Shape) -> Distribution:
        if not spread:
            return drawn(chance, shape(1.0), in_an_hour * each)
        tiles = range(number * in_an_hour, (number + 1) * in_an_hour)
        return total_of(drawn(chance, shape(exp(before[tile])), each) for tile in tiles)

    parts = [{labels: hour(number, shape) for labels, shape in shapes.items()} for number in range(earlier)]
    whole = {labels: total_of(part[labels] for part in parts) for labels in shapes}
    common = noise(chance)
    own = {labels: common if shared else noise(chance) for labels in shapes}
    tiles: dict[int, Mapping[Labels, Distribution]] = {}

    def tile(slot: int) -> Mapping[Labels, Distribution]:
        if slot not in tiles:
            slower = factor(slot) * exp(now[slot // WINDOW])
            found = {labels: drawn(chance, shape(own[labels] * slower), each) for labels, shape in shapes.items()}
            tiles[slot] = {
                labels: Distribution(one.bounds, tuple(count / WINDOW for count in one.counts))
                for labels, one in found.items()
            }
        return tiles[slot]

    return looks_at(
        Side(slo, whole, wander=wandered(slo, parts)),
        hours,
        lambda slots, _: Side(slo, counted(slo, [tile(slot) for slot in slots])),
    )


def shares(
    chance: random.Random,
    share: float,
    hours: float,
    factor: Factor = steady,
    in_a_window: int = EVENTS,
    promised: float = 0.999,
    earlier: float = 8,
) -> Iterator[tuple[int, Mapping[Labels, Moved]]]:
    """The looks at a run of a ratio of which such a share is bad."""
    slo, each = ratio(at_least=promised), in_a_window // TILES
    count = round(earlier * HOUR / WINDOW) * each
    baseline = Side(slo, {PODS: Events(float(binomial(chance, count, share)), float(count))})
    common = noise(chance)
    tiles: dict[int, int] = {}

    def tile(slot: int) -> int:
        if slot not in tiles:
            tiles[slot] = binomial(chance, each, share * common * factor(slot))
        return tiles[slot]

    def current(slots: range, parts: Sequence[tuple[int, int]]) -> Side:
        return Side(slo, {PODS: Events(float(sum(map(tile, slots))), float(each * len(slots)))})

    return looks_at(baseline, hours, current)


def numbers(
    chance: random.Random, spread: float, minutes: float, hours: int, factor: Factor = steady, earlier: int = 8
) -> Iterator[tuple[int, Mapping[Labels, Moved]]]:
    """The looks at a run of a value that strays by such a share, and resembles itself for so many minutes."""
    slo, common = value(), noise(chance)
    before, now = (list(wandering(chance, spread, minutes, length * 60 + 1)) for length in (earlier, hours))
    size = 60 if earlier >= 12 else earlier * 5
    means = tuple(fmean(before[start : start + size]) for start in range(0, earlier * 60, size))

    def current(slots: range, parts: Sequence[tuple[int, int]]) -> Side:
        return Side(slo, {PODS: tuple(mean(*part) for part in parts)})

    def mean(first: int, last: int) -> float:
        return fmean(common * factor(slot) * now[slot // 60] for slot in range(first, last + 1, 60))

    return looks_at(Side(slo, {PODS: means}), hours, current)


def wandering(chance: random.Random, spread: float, minutes: float, count: int) -> Iterator[float]:
    """Around 100, one a minute; neighbours so many minutes apart are alike by 1/e."""
    alike = exp(-1 / minutes) if minutes else 0.0
    apart = chance.gauss(0, spread)
    for _ in range(count):
        yield 100 * (1 + apart)
        apart = alike * apart + chance.gauss(0, spread * sqrt(1 - alike * alike))
