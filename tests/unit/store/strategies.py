"""Slots, pieces and runs as they could be, drawn by hypothesis; and a few plain ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from sloagent.model.alert import Active, Key, Rule, Severity, Stage
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Piece
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.samples import Events, Kind, Question
from sloagent.model.slo import (
    SLO,
    Evaluate,
    Gate,
    Labels,
    LatencySLI,
    Limit,
    LowerBound,
    Objective,
    Override,
    RatioSLI,
    Text,
    ValueSLI,
)
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import Cause, Outcome, Quantile, Share, SlotVerdict, Verdict

HOUR = 1_795_320_000
"""2026-11-22T04:00:00Z: a slot at the full hour."""

LATENCY = SLO(
    set="karmada",
    name="api-mutating-latency",
    sli=LatencySLI(("a_seconds", "b_seconds"), 'verb="POST"', ("resource", "verb")),
    objective=Objective(
        Limit(at_most=1.0), percentile=99.0, overrides=(Override((("resource", "pods"),), Limit(at_most=30.0)),)
    ),
    interval=60,
    window=300,
)
RATIO = SLO("karmada", "success", RatioSLI("bad", "bad", "total"), Objective(Limit(at_least=0.999)), 60, 300)
VALUE = SLO(
    "karmada", "memory", ValueSLI("q", "bytes"), Objective(Limit(at_most=8e9, warn_at=6e9), grows_at_most=5e3), 60, 60
)
TO_BE_DETERMINED = SLO("karmada", "registration", LatencySLI(("c_seconds",), "", ()), None, 60, 300)

numbers = st.floats(allow_nan=False)
counts = st.floats(min_value=0, allow_infinity=False, allow_nan=False)
texts = st.text(max_size=12)
labels_of_series = st.dictionaries(st.text(min_size=1, max_size=6), st.text(min_size=1, max_size=6), max_size=3).map(
    lambda pairs: tuple(sorted(pairs.items()))
)
limits = st.builds(Limit, st.none() | numbers, st.none() | numbers, st.none() | numbers)
quantiles = st.builds(Quantile, numbers, numbers, numbers)


def verdicts(labels: st.SearchStrategy[Labels]) -> st.SearchStrategy[Verdict]:
    """Any verdict, sensible or not: the store keeps what it is told. What has a lower bound has no detail."""
    told = st.tuples(texts, st.just("")) | st.tuples(st.just(""), texts)
    return st.builds(
        lambda told, **fields: Verdict(**fields, detail=told[0], lower_bound=told[1]),
        told,
        labels=labels,
        outcome=st.sampled_from(Outcome),
        cause=st.sampled_from(Cause),
        gates=st.booleans(),
        events=st.none() | numbers,
        value=st.none() | numbers,
        quantiles=st.lists(st.none() | quantiles, max_size=4).map(tuple),
        good_share=st.none() | st.builds(Share, numbers, numbers) | st.just(Share(1.0, 1.0)),
        limit=st.none() | limits,
        overridden=st.booleans(),
    )


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    """Ascending bounds with +Inf, counts that need not ascend."""
    finite = sorted(set(draw(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=6))))
    return Distribution((*finite, float("inf")), tuple(draw(counts) for _ in range(len(finite) + 1)))


@st.composite
def slot_verdicts(
    draw: st.DrawFn, slo: SLO = LATENCY, labels: st.SearchStrategy[Labels] = labels_of_series, hours: int = 3
) -> SlotVerdict:
    """A slot within a few hours of HOUR, its verdicts ascending by labels."""
    slot = HOUR + slo.interval * draw(st.integers(0, hours * 3600 // slo.interval - 1))
    rows = draw(st.lists(verdicts(labels), max_size=3, unique_by=lambda verdict: verdict.labels))
    refused = draw(st.integers(0, 5)) == 0
    cause = Cause.REFUSED if refused else draw(st.sampled_from(Cause))
    return SlotVerdict(
        slo=slo,
        slot=slot,
        outcome=Outcome.ERROR if refused else draw(st.sampled_from(Outcome)),
        cause=cause,
        question=Question(draw(texts), draw(st.sampled_from(["", "a_seconds", "b_seconds"]))),
        verdicts=tuple(sorted(rows, key=lambda verdict: verdict.labels)),
        detail=draw(texts),
        warnings=tuple(draw(st.lists(texts, max_size=2))),
        kind=draw(st.sampled_from(Kind)).value if refused else "",
        distributions=draw(st.none() | st.dictionaries(labels_of_series, distributions(), max_size=2)),
    )


def stored(judged: SlotVerdict) -> SlotVerdict:
    """What is to come back of a slot."""
    return replace(judged, distributions=None)


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    """A piece of distributions or of events."""
    start = HOUR * 1000 + draw(st.integers(0, 10**7))
    end = start + draw(st.integers(1, 3_600_000))
    events = st.builds(Events, st.none() | numbers, st.none() | numbers)
    counted = st.one_of(distributions(), events)
    return Piece(start, end, draw(texts), draw(st.dictionaries(labels_of_series, counted, max_size=3)))


moments = st.integers(-7200, 4 * 3600).map(lambda seconds: datetime.fromtimestamp(HOUR + seconds, UTC)) | st.integers(
    0, 4 * 3600 * 1_000_000
).map(lambda micros: datetime.fromtimestamp(HOUR, UTC) + timedelta(microseconds=micros))
ranges = st.tuples(moments, moments).map(lambda pair: TimeRange(min(pair), max(pair)))


@st.composite
def runs(draw: st.DrawFn, name: str = "soak") -> Run:
    """A run with phases and exclusions anywhere, perhaps still going on."""
    whole = draw(ranges)
    return Run(
        name,
        whole.start,
        draw(st.sampled_from([None, whole.end])),
        draw(labels_of_series),
        tuple(draw(st.lists(st.builds(Phase, texts, ranges, texts), max_size=2))),
        tuple(draw(st.lists(st.builds(Exclusion, ranges, texts), max_size=2))),
    )


objectives = st.builds(
    Objective,
    limits,
    st.none() | st.floats(1, 100),
    st.lists(st.builds(Override, labels_of_series, limits), max_size=2).map(tuple),
    st.none() | numbers,
    st.sampled_from(Gate),
    numbers,
)
slis = (
    st.builds(
        LatencySLI,
        st.lists(texts, max_size=2).map(tuple),
        texts,
        st.lists(texts, max_size=2).map(tuple),
        st.booleans(),
        st.lists(st.builds(LowerBound, texts, texts), max_size=2).map(tuple),
    )
    | st.builds(RatioSLI, st.sampled_from(["good", "bad"]), texts, texts, st.booleans())
    | st.builds(ValueSLI, texts, texts)
)
slos = st.builds(
    SLO, set=texts, name=texts, sli=slis, objective=st.none() | objectives, interval=st.integers(1, 3600),
    window=st.integers(1, 86400), min_events=numbers, allow_partial=st.booleans(), title=st.builds(Text, texts, texts),
    evaluate=st.sampled_from(Evaluate),
)  # fmt: skip


keys = st.builds(Key, st.sampled_from(Rule), st.integers(0, 10**6), labels_of_series)
actives = st.builds(
    Active, stage=st.sampled_from(Stage), severity=st.sampled_from(Severity), started=st.integers(0, 2**40),
    fired=st.none() | st.integers(0, 2**40), bad=st.integers(0, 9), calm=st.integers(0, 9), unseen=st.integers(0, 9),
    run=texts, value=st.none() | numbers, reason=texts,
)  # fmt: skip


def series(**labels: str) -> Labels:
    """Labels as a tuple."""
    return tuple(sorted(labels.items()))


def plain_slot(
    slot: int, *, slo: SLO = LATENCY, outcome: Outcome = Outcome.PASS, detail: str = "", n: int = 2
) -> SlotVerdict:
    """A slot of `n` series, all with the same outcome, with a distribution each."""
    rows = tuple(
        Verdict(
            series(resource=f"r{number}", verb="POST"), outcome, Cause.DECIDED, True, 100.25, 0.5 + number,
            (Quantile(0.1, 0.0, 0.25), Quantile(0.5, 0.25, 1.0), Quantile(0.9 + number, 1.0, float("inf"))),
            Share(0.995, 0.995), Limit(at_most=1.0), False, detail,
        )
        for number in range(n)
    )  # fmt: skip
    tile = {row.labels: Distribution((0.25, 1.0, float("inf")), (1.0, 1.0, slot % 1000 + 0.1)) for row in rows}
    return SlotVerdict(
        slo, slot, outcome, Cause.SERIES_DECIDE, Question("sum by (le) (rate(a_bucket[5m]))", "a_seconds"), rows, detail,
        distributions=tile,
    )  # fmt: skip
