"""What happens when: a list of leaps of the world's time, drawn from the seed, and what is done to the daemons at each."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import accumulate

from tests.soak.outages import KINDS
from tests.soak.world import Phase

HOUR = 3600.0
TWO_AGENTS = ((0.15, 0.26), (0.50, 0.61), (0.80, 0.92))
"""Stretches, as shares of the whole, in which a second daemon works on the same store."""
LONG_LIFE = (0.74, 1.0)
"""Here the first daemon is never killed, so that its memory can be watched."""
_CLOCK_ERRORS = (90, 30 * 86_400, -60, 3_600, -3_600, 86_400, 45, -7_200, 7 * 86_400, 600)
_DEADLY = (
    Phase.COMMITTING, Phase.CATCHING_UP, Phase.ROLLING_UP, Phase.PIECES, Phase.ASKING, Phase.RELOADING,
    Phase.STARTING, Phase.PRUNING, Phase.COMMITTING,
)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    days: int
    kills: int
    outages: int
    clock_errors: int
    reloads: int
    longest_leap: float
    """Seconds of the world's time."""
    full_rows: str
    catch_up_hours: int = 24


FULL = Scale(
    days=30, kills=200, outages=50, clock_errors=20, reloads=100, longest_leap=3 * HOUR, full_rows="3d"
)  # fmt: skip
QUICK = Scale(
    days=1, kills=21, outages=6, clock_errors=3, reloads=10, longest_leap=0.8 * HOUR, full_rows="6h", catch_up_hours=12
)


def shortened(days: int) -> Scale:
    """The full soak over fewer days, with as much a day."""
    counts = {
        name: round(getattr(FULL, name) * days / FULL.days) for name in ("kills", "outages", "clock_errors", "reloads")
    }
    return replace(FULL, days=days, full_rows="2d", **counts)


@dataclass(frozen=True)
class Kill:
    """A SIGKILL: sent a moment after the daemon began to work, or by the daemon to itself at a place in its code."""

    agent: int
    after_seconds: float
    phase: Phase | None
    countdown: int
    down_for: int
    """Leaps until it is started again."""


@dataclass(frozen=True)
class Reload:
    """SIGHUP or POST, of a good or a bad file, or of one that is changed; `back` puts back what was changed."""

    agent: int
    kind: str
    by_signal: bool
    back: bool = False


@dataclass(frozen=True)
class ClockError:
    """A daemon's wall clock is set to be wrong."""

    agent: int
    seconds: float


@dataclass
class Leap:
    """The world's time is moved on to `to`; what begins before and ends after it, what happens right after it."""

    to: float
    outage: str = ""
    outage_ends: bool = False
    clock: ClockError | None = None
    clock_ends: bool = False
    agents: int = 1
    kills: list[Kill] = field(default_factory=list)
    reloads: list[Reload] = field(default_factory=list)


BAD = ("a typo", "no YAML", "no file", "an unknown setting")
CHANGES = ("without an SLO", "another title", "fewer questions at once")


def undisturbed(scale: Scale, seed: int, first: float, last: float) -> list[Leap]:
    """The leaps alone."""
    chance = random.Random(f"{seed}/leaps")
    seconds: list[float] = []
    while sum(seconds) < last - first:
        short = chance.random() < 0.35
        seconds.append(float(chance.randint(60, 300) if short else chance.randint(600, int(scale.longest_leap))))
    return [Leap(min(first + passed, last)) for passed in accumulate(seconds)]


def disturbed(scale: Scale, seed: int, first: float, last: float) -> list[Leap]:
    """The same leaps with everything that goes wrong."""
    leaps = undisturbed(scale, seed, first, last)
    count = len(leaps)
    chance = random.Random(f"{seed}/faults")
    for index, leap in enumerate(leaps):
        leap.agents = 2 if any(start <= index / count < end for start, end in TWO_AGENTS) else 1
    _outages(scale, chance, leaps)
    _clock_errors(scale, chance, leaps)
    _reloads(scale, chance, leaps)
    _kills(scale, chance, leaps)
    return leaps


def _places(chance: random.Random, count: int, leaps: list[Leap], longest: int, most_seconds: float) -> list[range]:
    """`count` stretches of leaps that do not touch each other, spread over the whole."""
    places = []
    for number in range(count):
        begin, end = (round(len(leaps) * (0.03 + 0.94 * edge / count)) for edge in (number, number + 1))
        first = chance.randint(begin, max(begin, end - 3))
        last = min(first + chance.randint(0, longest - 1), max(first, end - 2), len(leaps) - 2)
        while last > first and leaps[last].to - leaps[first - 1].to > most_seconds:
            last -= 1
        places.append(range(first, last + 1))
    return places


def _outages(scale: Scale, chance: random.Random, leaps: list[Leap]) -> None:
    kinds = [KINDS[number % len(KINDS)] for number in range(scale.outages)]
    chance.shuffle(kinds)
    for kind, place in zip(
        kinds, _places(chance, scale.outages, leaps, 4, scale.catch_up_hours / 4 * HOUR), strict=True
    ):
        leaps[place[0]].outage = kind
        leaps[place[-1]].outage_ends = True


def _clock_errors(scale: Scale, chance: random.Random, leaps: list[Leap]) -> None:
    for number, place in enumerate(_places(chance, scale.clock_errors, leaps, 3, scale.catch_up_hours / 4 * HOUR)):
        agent = chance.randrange(leaps[place[0]].agents)
        leaps[place[0]].clock = ClockError(agent, float(_CLOCK_ERRORS[number % len(_CLOCK_ERRORS)]))
        leaps[place[-1]].clock_ends = True


def _reloads(scale: Scale, chance: random.Random, leaps: list[Leap]) -> None:
    changes = scale.reloads // 5
    for number, place in enumerate(_places(chance, changes, leaps, 3, scale.catch_up_hours / 4 * HOUR)):
        kind, by_signal = CHANGES[number % len(CHANGES)], chance.random() < 0.5
        leaps[place[0]].reloads.append(Reload(0, kind, by_signal))
        leaps[place[-1]].reloads.append(Reload(0, kind, not by_signal, back=True))
    for number in range(scale.reloads - 2 * changes):
        leap = leaps[chance.randrange(round(len(leaps) * 0.03), len(leaps) - 1)]
        kind = BAD[number // 2 % len(BAD)] if number % 2 else "unchanged"
        leap.reloads.insert(0, Reload(chance.randrange(leap.agents), kind, chance.random() < 0.5))


def _kills(scale: Scale, chance: random.Random, leaps: list[Leap]) -> None:
    """One kill at a leap: while the work of the leap is being done, or at a place in the code that it comes to."""
    count = len(leaps)
    doubled = [index for index, leap in enumerate(leaps[:-4]) if leap.agents == 2]
    alone = [index for index in range(round(0.02 * count), round(LONG_LIFE[0] * count)) if index not in doubled]
    free = {0: sorted(set(alone) | set(doubled[: round(len(doubled) * 0.6)])), 1: doubled}
    well = _without_outage(leaps)
    for number in range(scale.kills):
        agent = int(number % 4 == 3)
        phase = _DEADLY[number // 2 % len(_DEADLY)] if number % 2 else None
        places = free[agent]
        if phase is not None:
            places = [place for place in places if place in well] or places
        if phase in (Phase.ROLLING_UP, Phase.PIECES, Phase.PRUNING):
            # House-keeping has to come by, and something has to be old enough.
            places = [p for p in places if p > 0.3 * count and leaps[p].to - leaps[p - 1].to > 900] or places
        place = chance.choice(places)
        free[agent] = [one for one in free[agent] if one != place] or free[agent]
        few = phase in (Phase.PRUNING, Phase.PIECES)
        leaps[place].kills.append(
            Kill(
                agent=agent,
                after_seconds=chance.uniform(0.0, 1.0 if phase is Phase.STARTING else 0.2),
                phase=phase,
                countdown=1 if few else chance.randint(1, 6),
                down_for=chance.choice((0, 0, 0, 0, 0, 1, 2)),
            )
        )


def _without_outage(leaps: list[Leap]) -> set[int]:
    """The leaps at which Prometheus answers."""
    well, away = set(), False
    for index, leap in enumerate(leaps):
        away = away or bool(leap.outage)
        if not away:
            well.add(index)
        away = away and not leap.outage_ends
    return well
