"""One good SLO of each kind, one answer; each test breaks one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from sloagent.evaluation.judge import judge
from sloagent.evaluation.quantiles import raised, share_of
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer, Kind, Question, Refusal, Sample
from sloagent.model.slo import SLO, Labels, LatencySLI, Limit, Objective, Override, RatioSLI, ValueSLI
from sloagent.model.verdict import Share, SlotVerdict, Verdict

WINDOW = 300
QUESTION = Question("sum by (le) (rate(h_bucket[5m]))", "h")
KARMADA = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, inf)
PODS: Labels = (("resource", "pods"),)
NODES: Labels = (("resource", "nodes"),)


def latency(at_most: float = 1.0, percentile: float = 99.0, **fields: object) -> SLO:
    objective = Objective(Limit(at_most=at_most), percentile)
    slo = SLO("set", "latency", LatencySLI(("h",), "", ("resource",)), objective, 60, WINDOW)
    return replace(slo, **fields)


def ratio(counts: str = "bad", at_least: float = 0.99, **fields: object) -> SLO:
    slo = SLO("set", "ratio", RatioSLI(counts, "e", "t"), Objective(Limit(at_least=at_least)), 60, WINDOW)
    return replace(slo, **fields)


def value(limit: Limit | None = None, unit: str = "bytes", **fields: object) -> SLO:
    slo = SLO("set", "value", ValueSLI("q", unit), Objective(limit or Limit(at_most=100.0)), 60, WINDOW)
    return replace(slo, **fields)


def promising(slo: SLO, **fields: object) -> SLO:
    assert slo.objective is not None
    return replace(slo, objective=replace(slo.objective, **fields))


def overriding(slo: SLO, match: Labels, limit: Limit) -> SLO:
    return promising(slo, overrides=(Override(match, limit),))


def histogram(bounds: Sequence[float], counts: Sequence[float]) -> Distribution:
    return Distribution(tuple(bounds), tuple(map(float, counts)))


def bucketed(bounds: Sequence[float], observations: Sequence[float], window: float = WINDOW) -> Distribution:
    """The rates of a histogram that saw these observations within the window."""
    return histogram(bounds, [sum(o <= bound for o in observations) / window for bound in bounds])


def answer(series: Mapping[Labels, Sample]) -> Answer:
    return Answer(QUESTION, series)


def refusal(kind: Kind = Kind.TIMEOUT, *, final: bool = False, message: str = "no answer within 20 s") -> Refusal:
    return Refusal(QUESTION, kind, message, final)


def judged(slo: SLO, sample: Sample, slot: int = 600) -> Verdict:
    (verdict,) = judge(slo, slot, answer({PODS: sample})).verdicts
    return verdict


def slot_of(slo: SLO, slot: int, series: Mapping[Labels, Sample]) -> SlotVerdict:
    return judge(slo, slot, answer(series))


def share_within(distribution: Distribution, limit: float) -> tuple[Share, Share]:
    """The shares of a distribution at the bounds next to the limit."""
    return share_of(distribution.bounds, distribution.counts, raised(distribution.counts), limit)
