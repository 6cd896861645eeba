"""Back-filling a day at one minute: range queries against slot by slot, and the whole road to the store."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sloagent.app.catch_up import Filler
from sloagent.app.wiring import Agent, open_agent
from sloagent.model.samples import Answer, Refusal
from sloagent.model.slo import SLO
from tests.bench import data
from tests.bench.bare import Asked, BareClient, overheard
from tests.bench.data import Ground
from tests.bench.figures import ROUNDS, Figure, at_least, at_most, times

DAY_SLOTS = 1440
HOUR_SLOTS = 60
FIRST = data.START + 600


@dataclass(frozen=True)
class Filled:
    """One round: seconds of asking slot by slot, of the range queries of a fill, and of the whole fill.

    `bare` is how much faster a bare client gets the same ranges than the same slots one by one: what the server allows.
    """

    singly: float
    ranges: float
    whole: float
    largest_bytes: int
    refused: int
    bare: float


def measure(ground: Ground) -> list[Figure]:
    figures: list[Figure] = []
    for name, series, slots, has_target in (
        ("an SLO of usual size, 24 h", 10, DAY_SLOTS, True),
        ("1,000 series, 1 h", 1000, HOUR_SLOTS, False),
    ):
        rounds = [_round(ground, series, slots, number) for number in range(ROUNDS)]
        ratio = median(one.singly / one.ranges for one in rounds)
        whole = median(one.whole for one in rounds)
        shown = f"generated: {name}, {series * data.DAY.buckets:,} samples a slot"
        what = "fetching ranges, against slot by slot"
        figures.append(
            at_least(what, shown, ratio, 10.0, times) if has_target else Figure(what, shown, "", times(ratio))
        )
        figures.append(Figure("the same, by the bare client", shown, "", times(median(one.bare for one in rounds))))
        figures.append(
            Figure("back-filling end to end", shown, "", f"{whole:.2f} s, {series * slots / whole:,.0f} verdicts/s")
        )
        largest = max(one.largest_bytes for one in rounds) / 2**20
        figures.append(at_most("the largest answer", shown, largest, 16.0, lambda v: f"{v:.1f} MiB"))
        if any(one.refused for one in rounds):
            raise RuntimeError("a range was refused, so the figures say nothing")
    return figures


def _round(ground: Ground, series: int, count: int, number: int) -> Filled:
    name = f"filling-{series}-{number}"
    sets = data.day_sets(ground.directory, series)
    slots = list(range(FIRST, FIRST + 60 * count, 60))
    with open_agent(ground.configuration(name, ground.generated, str(sets))) as agent:
        (slo,) = agent.slos
        agent.source.at(slo, slots[0])
        with overheard(agent.source) as heard_singly:
            started = time.perf_counter()
            for slot in slots:
                agent.source.at(slo, slot)
            singly = time.perf_counter() - started
        watched = _Watched(agent)
        with overheard(agent.source) as heard:
            started = time.perf_counter()
            recorded = Filler(agent.cycle, agent.settings.evaluation.max_response).fill(slo, slots)
            whole = time.perf_counter() - started
        if recorded != count:
            raise RuntimeError(f"{recorded} of {count} slots were recorded")
        bare = _seconds(ground, heard_singly) / _seconds(ground, heard)
        largest = max(len(body) for _, body in heard)
        return Filled(singly, watched.seconds, whole, largest, watched.refused, bare)


def _seconds(ground: Ground, heard: Sequence[tuple[Asked, bytes]]) -> float:
    """How long the bare client takes for the same questions, one after the other."""
    bare = BareClient(ground.generated, 1)
    started = time.perf_counter()
    bare.ask_all([asked for asked, _ in heard])
    seconds = time.perf_counter() - started
    bare.close()
    return seconds


class _Watched:
    """Measures the time that an agent's source spends on ranges."""

    def __init__(self, agent: Agent) -> None:
        self.seconds = 0.0
        self.refused = 0
        self._over = agent.source.over
        agent.source.over = self._measured  # type: ignore[method-assign]

    def _measured(self, slo: SLO, slots: Sequence[int]) -> list[Answer | Refusal] | Refusal:
        started = time.perf_counter()
        answers = self._over(slo, slots)
        self.seconds += time.perf_counter() - started
        self.refused += isinstance(answers, Refusal)
        return answers
