"""Verdicts per second on one core: judged, and judged and committed, a thousand series a slot."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from sloagent.app.wiring import Agent, open_agent
from sloagent.evaluation.judge import judge
from sloagent.model.samples import Answer, Refusal
from sloagent.model.slo import SLO
from tests.bench import data
from tests.bench.data import Ground
from tests.bench.figures import ROUNDS, Figure

SLOTS = 40
AIM_JUDGED, AIM_STORED = 50_000, 20_000


def measure(ground: Ground) -> list[Figure]:
    sets = data.day_sets(ground.directory, 1000)
    first = data.START + 1200
    with open_agent(ground.configuration("judging", ground.generated, str(sets))) as agent:
        (slo,) = agent.slos
        answers = {slot: agent.source.at(slo, slot) for slot in range(first, first + 60 * SLOTS, 60)}
        count = sum(len(_whole(answer).series) for answer in answers.values())
        judged = [_per_second(count, lambda: _judge(slo, answers)) for _ in range(ROUNDS)]
        stored = []
        for _ in range(ROUNDS):
            agent.store.prune(2**40)
            stored.append(_per_second(count, lambda: _store(agent, slo, answers)))
    shown = f"generated: {count // SLOTS:,} series of {data.DAY.buckets} buckets, a commit a slot"
    return [
        _figure("verdicts judged per second of CPU", shown, judged, AIM_JUDGED),
        _figure("verdicts judged and stored per second of CPU", shown, stored, AIM_STORED),
    ]


def _judge(slo: SLO, answers: dict[int, Answer | Refusal]) -> None:
    for slot, answer in answers.items():
        judge(slo, slot, answer)


def _store(agent: Agent, slo: SLO, answers: dict[int, Answer | Refusal]) -> None:
    for slot, answer in answers.items():
        agent.store.append(agent.source.name, [judge(slo, slot, answer)])


def _per_second(count: int, work: Callable[[], None]) -> tuple[float, float]:
    """By this process's CPU, and by the clock on the wall, which waits for the disk, too."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return count / (time.process_time() - cpu), count / (time.perf_counter() - wall)


def _figure(what: str, shown: str, rates: list[tuple[float, float]], aim: int) -> Figure:
    cpu, wall = median(rate for rate, _ in rates), median(rate for _, rate in rates)
    return Figure(what, shown, f"aim: {aim:,}", f"{cpu:,.0f} (wall {wall:,.0f})")


def _whole(answer: Answer | Refusal) -> Answer:
    if isinstance(answer, Refusal):
        raise TypeError(answer.message)
    return answer
