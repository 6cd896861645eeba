"""The last stretch of a run that goes on: when it is looked at, and what its series counted in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sloagent.model.distribution import Distribution, total_of
from sloagent.model.piece import added
from sloagent.model.samples import Events
from sloagent.model.slo import SLO, Labels, RatioSLI, ValueSLI
from sloagent.model.verdict import Cause, SlotVerdict, Verdict

LOOKS_IN_A_WINDOW = 3
"""Windows overlap by two thirds: what begins between two looks is seen whole at most a third of a window late."""
MOST_PARTS = 12
"""Into how many parts the window of a value is cut at most, each of as many slots as any other."""
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Recent:
    """What one look is at. Slots are seconds since the epoch; excluded ones among them do not count."""

    slots: range
    """Of a latency and a ratio those whose windows lie side by side and make up the stretch; of a value all in it."""
    parts: tuple[tuple[int, int], ...]
    """(first, last) slot of the equal parts whose means tell of a value; empty of others."""
    looks: float
    """Among how many looks the level is shared at this one. Over a run their reciprocals add up to at most 1."""


def recent(slo: SLO, window: int, since: int, slot: int) -> Recent | None:
    """What to look at at a slot of a run that began at `since`; None where no look is due.

    A look is due three times a window, at multiples of the SLO's own window. The first needs a whole window of the run.
    The stretch is the least whole multiple of the SLO's window that is not shorter than `window` seconds.

    Of the level the looks of the first day share half, those of the second a sixth, of day d 1 / (d (d + 1)).
    """
    own = slo.window
    every = max(1, window // LOOKS_IN_A_WINDOW // own) * own
    length = -(-window // own) * own
    is_value = isinstance(slo.sli, ValueSLI)
    step = slo.interval if is_value else own
    slots = range(slot - length + step, slot + 1, step)
    if slot % every or slots[0] - own < since:
        return None
    day = (slot - since) // _DAY + 1
    return Recent(slots, _parts(slots) if is_value else (), day * (day + 1) * -(-_DAY // every))


def counted(slo: SLO, tiles: Iterable[Mapping[Labels, Distribution]]) -> dict[Labels, Distribution]:
    """The events of a latency's series over these tiles, which are rates by bound as they are stored."""
    found: dict[Labels, list[Distribution]] = {}
    for tile in tiles:
        for labels, rates in tile.items():
            events = Distribution(rates.bounds, tuple(rate * slo.window for rate in rates.counts))
            found.setdefault(labels, []).append(events)
    return {labels: total_of(each) for labels, each in found.items()}


def counted_events(slo: SLO, slots: Iterable[SlotVerdict]) -> dict[Labels, Events]:
    """The events of a ratio's series over these slots, which tile the time, from what was judged of each."""
    found: dict[Labels, list[Events]] = {}
    for slot in slots:
        for verdict in slot.verdicts:
            if (events := _events(slo, verdict)) is not None:
                found.setdefault(verdict.labels, []).append(events)
    sums = {labels: added(each) for labels, each in found.items()}
    return {labels: one for labels, one in sums.items() if isinstance(one, Events)}


def _parts(slots: range) -> tuple[tuple[int, int], ...]:
    """Equal parts of the slots, the newest at the end; what is left over is left out at the beginning."""
    size = -(-len(slots) // MOST_PARTS)
    return tuple((slots[end - size], slots[end - 1]) for end in range(size + len(slots) % size, len(slots) + 1, size))


def _events(slo: SLO, verdict: Verdict) -> Events | None:
    """The events of both sides in a window; None where there were none, or they cannot be counted."""
    counts = slo.sli.counts if isinstance(slo.sli, RatioSLI) else ""
    if verdict.cause is Cause.BAD_ABSENT:
        return Events(None, verdict.events)
    good = verdict.value
    if not verdict.events or good is None or not 0 <= good <= 1:
        return None
    return Events(verdict.events * (good if counts == "good" else 1 - good), verdict.events)
