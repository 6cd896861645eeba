"""Asking: a tick against a bare client, the CPU of our own, and one question against four."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import mean, median

from sloagent.app.wiring import Agent, open_agent
from sloagent.evaluation.judge import judge
from sloagent.model.slo import SLO, LatencySLI
from sloagent.sinks.metrics import MetricsSink
from sloagent.sources import promql
from sloagent.sources.prometheus import PrometheusSource
from tests.bench import data
from tests.bench.bare import Asked, BareClient, answering, instant, overheard
from tests.bench.data import Ground
from tests.bench.figures import ROUNDS, Figure, at_least, at_most, times

REPEATS = 20
TICKS = 4
"""Ticks of one round, each at a slot of its own."""
MILLISECONDS_PER_QUERY = 1.0
MICROSECONDS_PER_SAMPLE = 1.0


@dataclass(frozen=True)
class Tick:
    """One slot, what a tick asks at it, and what would be asked to get the same by separate questions."""

    slot: int
    questions: list[Asked]
    separately: list[Asked]
    samples: int


def measure(ground: Ground) -> list[Figure]:
    count = ROUNDS * TICKS
    wide_slots = range(data.START + 3600, data.START + 3600 + 60 * count, 60)
    sets = str(data.wide_sets(ground.directory))
    return [
        *_measure_one(ground, "recorded", ground.recorded, "builtin:karmada", ground.recorded_slots(count)),
        *_measure_one(ground, "generated", ground.generated, sets, wide_slots),
    ]


def _measure_one(ground: Ground, name: str, url: str, slos: str, slots: Sequence[int]) -> list[Figure]:
    """The figures of one set of SLOs over one Prometheus. Each round has ticks of its own: a slot is recorded once."""
    with open_agent(ground.configuration(f"asking-{name}", url, slos), sinks=(MetricsSink(),)) as agent:
        bare = BareClient(url, agent.settings.evaluation.max_queries)
        latency = [slo for slo in agent.slos if isinstance(slo.sli, LatencySLI)]
        ticks = [_tick(agent, latency, slot) for slot in slots]
        for tick in ticks:
            bare.ask_all(tick.questions)
        agent.cycle.record(agent.cycle.evaluate([(slo, slots[0] - 60) for slo in agent.slos]))
        rounds = [ticks[start : start + TICKS] for start in range(0, len(ticks), TICKS)]
        against_bare = median(_tick_ratio(agent, bare, some) for some in rounds)
        used = median(_own_cpu_ms(agent, some) for some in rounds)
        against_separate = median(_separate_ratio(agent, bare, latency, some) for some in rounds)
        from_bytes = median(_from_bytes_ms(agent, some[0].slot) for some in rounds)
        bare.close()
    queries, samples = mean(len(tick.questions) for tick in ticks), mean(tick.samples for tick in ticks)
    allowed = MILLISECONDS_PER_QUERY * queries + MICROSECONDS_PER_SAMPLE * samples / 1000
    shown = f"{name}: {queries:.0f} queries, {samples:,.0f} samples"
    each = f"{from_bytes * 1000 / samples:.2f} µs a sample"
    return [
        at_most("a tick, commit included, against a bare client", shown, against_bare, 1.25, times),
        at_most("own CPU of a tick: 1.0 ms a query + 1 µs a sample", shown, used, allowed, _milliseconds),
        Figure("of it from bytes to verdict", shown, "", f"{_milliseconds(from_bytes)}, {each}"),
        at_least("one question, against P50, P90, P99, good share", f"{name}: {len(latency)} latency SLOs",
                 against_separate, 2.0, times),
    ]  # fmt: skip


def _milliseconds(value: float) -> str:
    return f"{value:.1f} ms"


def _tick(agent: Agent, latency: Sequence[SLO], slot: int) -> Tick:
    with overheard(agent.source) as heard:
        agent.cycle.evaluate([(slo, slot) for slo in agent.slos])
    separately = [question for slo in latency for question in _separately(agent, slo, slot)]
    samples = sum(body.count(b'"value":') for _, body in heard)
    return Tick(slot, [asked for asked, _ in heard], separately, samples)


def _tick_ratio(agent: Agent, bare: BareClient, ticks: Sequence[Tick]) -> float:
    """A tick from the first question to told sinks, commit included, over the bare client's time for its questions."""

    def ours(tick: Tick) -> None:
        agent.cycle.record(agent.cycle.evaluate([(slo, tick.slot) for slo in agent.slos]))

    return _ratio(ticks, ours, lambda tick: bare.ask_all(tick.questions))


def _separate_ratio(agent: Agent, bare: BareClient, latency: Sequence[SLO], ticks: Sequence[Tick]) -> float:
    """The bare client's time for four questions an SLO, over ours for one question and its verdict."""

    def ours(tick: Tick) -> None:
        agent.cycle.evaluate([(slo, tick.slot) for slo in latency])

    return _ratio(ticks, lambda tick: bare.ask_all(tick.separately), ours)


def _ratio(ticks: Sequence[Tick], upper: Callable[[Tick], object], lower: Callable[[Tick], object]) -> float:
    """The wall time of one over that of the other; by turns either is first."""
    seconds = [0.0, 0.0]
    for index, tick in enumerate(ticks):
        for which in (0, 1) if index % 2 else (1, 0):
            started = time.perf_counter()
            (upper, lower)[which](tick)
            seconds[which] += time.perf_counter() - started
    return seconds[0] / seconds[1]


def _own_cpu_ms(agent: Agent, ticks: Sequence[Tick]) -> float:
    """CPU of this process for a tick's questions and verdicts."""
    started = time.process_time()
    for tick in ticks:
        agent.cycle.evaluate([(slo, tick.slot) for slo in agent.slos])
    return (time.process_time() - started) * 1000 / len(ticks)


def _from_bytes_ms(agent: Agent, slot: int) -> float:
    """CPU of this thread from the bytes of a tick's answers to its verdicts: the same answers, given from memory."""
    source = agent.source
    assert isinstance(source, PrometheusSource)
    with overheard(source) as heard:
        for slo in agent.slos:
            source.at(slo, slot)
    reply = source._connection.post("/api/v1/query", {"query": "1"})
    given = {asked: replace(reply, body=body) for asked, body in heard}
    with answering(source, given):
        started = time.thread_time()
        for _ in range(REPEATS):
            for slo in agent.slos:
                judge(slo, slot, source.at(slo, slot))
        return (time.thread_time() - started) * 1000 / REPEATS


def _separately(agent: Agent, slo: SLO, slot: int) -> list[Asked]:
    """P50, P90, P99 and the share within the limit (1 s where none is promised), as a dashboard asks for them."""
    assert isinstance(slo.sli, LatencySLI)
    answer = agent.source.at(slo, slot)
    query = answer.question.query or promql.questions(slo.sli, promql.duration(slo.window))[0][0]
    histogram = answer.question.histogram or slo.sli.histograms[0]
    limit = slo.objective.limit.at_most if slo.objective and slo.objective.limit.at_most else 1.0
    window = promql.duration(slo.window)
    by = ", ".join(slo.sli.by)
    counted = f"sum by ({by}) (rate({histogram}_bucket{{{slo.sli.where.rstrip(', ')}{', ' if slo.sli.where else ''}"
    share = f'{counted}le="{limit:g}"}}[{window}])) / {counted}le="+Inf"}}[{window}]))'
    quantiles = [f"histogram_quantile({rank}, {query})" for rank in ("0.5", "0.9", "0.99")]
    return [instant(asked, slot) for asked in (*quantiles, share)]
