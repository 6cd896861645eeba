"""Asking: a tick against a bare client, the CPU of our own, and one question against four."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

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


def measure(ground: Ground) -> list[Figure]:
    wide_slots = list(range(data.START + 3600, data.START + 3600 + 60 * TICKS, 60))
    figures: list[Figure] = []
    for name, url, slos, slots in (
        ("recorded", ground.recorded, "builtin:karmada", ground.recorded_slots(TICKS)),
        ("generated", ground.generated, str(data.wide_sets(ground.directory)), wide_slots),
    ):
        figures += _measure_one(ground, name, url, slos, slots)
    return figures


def _measure_one(ground: Ground, name: str, url: str, slos: str, slots: Sequence[int]) -> list[Figure]:
    """The figures of one set of SLOs over one Prometheus."""
    configuration = ground.configuration(f"asking-{name}", url, slos)
    with _agent(configuration) as agent:
        bare = BareClient(url, agent.settings.evaluation.max_queries)
        with overheard(agent.source) as heard:
            agent.cycle.evaluate([(slo, slots[0]) for slo in agent.slos])
        asked = [[(m, p, b.replace(str(slots[0]), str(slot))) for (m, p, b), _ in heard] for slot in slots]
        for questions in asked:
            bare.ask_all(questions)
        samples = sum(body.count(b'"value":') for _, body in heard)
        latency = [slo for slo in agent.slos if isinstance(slo.sli, LatencySLI)]
        separate = [[q for slo in latency for q in _separately(agent, slo, slot)] for slot in slots]
        ticks, cpus, separates = [], [], []
        for _ in range(ROUNDS):
            ticks.append(_tick_ratio(agent, bare, slots, asked))
            cpus.append(_own_cpu_ms(agent, slots))
            separates.append(_separate_ratio(agent, bare, latency, slots, separate))
        bare.close()
    allowed = MILLISECONDS_PER_QUERY * len(heard) + MICROSECONDS_PER_SAMPLE * samples / 1000
    shown = f"{name}: {len(heard)} queries, {samples:,} samples"
    from_bytes = median(_from_bytes_ms(agent, slots[0]) for _ in range(ROUNDS))
    each = f"{from_bytes * 1000 / samples:.2f} µs a sample"
    return [
        at_most("a tick, commit included, against a bare client", shown, median(ticks), 1.25, times),
        at_most("own CPU of a tick: 1.0 ms a query + 1 µs a sample", shown, median(cpus), allowed, _milliseconds),
        Figure("of it from bytes to verdict", shown, "", f"{_milliseconds(from_bytes)}, {each}"),
        at_least("one question, against P50, P90, P99, good share", f"{name}: {len(latency)} latency SLOs",
                 median(separates), 2.0, times),
    ]  # fmt: skip


def _milliseconds(value: float) -> str:
    return f"{value:.1f} ms"


def _agent(configuration: Path) -> Agent:
    return open_agent(configuration, sinks=(MetricsSink(),))


def _tick_ratio(agent: Agent, bare: BareClient, slots: Sequence[int], asked: Sequence[Sequence[Asked]]) -> float:
    """A tick from the first question to told sinks, commit included, over the bare client's time for its questions."""
    ours = theirs = 0.0
    for slot, questions in zip(slots, asked, strict=True):
        agent.store.prune(2**40)
        started = time.perf_counter()
        agent.cycle.record(agent.cycle.evaluate([(slo, slot) for slo in agent.slos]))
        between = time.perf_counter()
        bare.ask_all(questions)
        theirs += time.perf_counter() - between
        ours += between - started
    return ours / theirs


def _own_cpu_ms(agent: Agent, slots: Sequence[int]) -> float:
    """CPU of this process for a tick's questions and verdicts."""
    started = time.process_time()
    for slot in slots:
        agent.cycle.evaluate([(slo, slot) for slo in agent.slos])
    return (time.process_time() - started) * 1000 / len(slots)


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


def _separate_ratio(
    agent: Agent, bare: BareClient, latency: Sequence[SLO], slots: Sequence[int], separate: Sequence[Sequence[Asked]]
) -> float:
    """The bare client's time for four questions an SLO, over ours for one question and its verdict."""
    ours = theirs = 0.0
    for slot, questions in zip(slots, separate, strict=True):
        started = time.perf_counter()
        agent.cycle.evaluate([(slo, slot) for slo in latency])
        between = time.perf_counter()
        bare.ask_all(questions)
        theirs += time.perf_counter() - between
        ours += between - started
    return theirs / ours


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
