"""Records of runs as they could be, drawn by hypothesis: every field of every class in them takes many values."""

from __future__ import annotations

import string
from datetime import timedelta
from fractions import Fraction

from hypothesis import strategies as st

from sloagent.model.distribution import Distribution
from sloagent.model.facts import (
    Attachment,
    Collected,
    Component,
    Facts,
    Machine,
    Quantity,
    Tool,
    Written,
)
from sloagent.model.record import Absence, Asked, Day, Line, Part, Peer, RunRecord, SLORecord, Stated
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.samples import Events, Kind
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
    SLOSet,
    Status,
    Text,
    ValueSLI,
)
from sloagent.model.tally import Numbers, SeriesTally, Tally
from sloagent.model.timerange import TimeRange, at
from sloagent.model.verdict import Cause, Outcome, Quantile, Share, Verdict, WorstWindow

HOUR = 1_795_320_000
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
words = st.text(string.ascii_lowercase, min_size=1, max_size=4)
finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.floats(allow_nan=False)
counts = st.integers(0, 2**53)
slots = st.integers(0, 253_402_300_799)
labels = st.dictionaries(texts.filter(bool), texts.filter(bool), max_size=2).map(lambda d: tuple(sorted(d.items())))
matches = st.dictionaries(texts.filter(bool), texts, max_size=2).map(lambda d: tuple(sorted(d.items())))
titles = st.builds(Text, texts, texts)
limits = st.builds(Limit, st.none() | finite, st.none() | finite, st.none() | finite)
moments = st.integers(0, 4 * 3600 * 1_000_000).map(lambda micros: at(HOUR) + timedelta(microseconds=micros))
ranges = st.tuples(moments, moments).map(lambda pair: TimeRange(min(pair), max(pair)))


def some(strategy: st.SearchStrategy, most: int = 2) -> st.SearchStrategy[tuple]:
    """A tuple of a few."""
    return st.lists(strategy, max_size=most).map(tuple)


slis = (
    st.builds(LatencySLI, some(texts), texts, some(texts), st.booleans(), some(st.builds(LowerBound, texts, texts)))
    | st.builds(RatioSLI, st.sampled_from(["good", "bad"]), texts, texts, st.booleans())
    | st.builds(ValueSLI, texts, texts)
)
objectives = st.builds(
    Objective, limits, st.none() | st.floats(0.5, 100), some(st.builds(Override, matches, limits)), st.none() | finite,
    st.sampled_from(Gate), st.floats(0.01, 1),
)  # fmt: skip


@st.composite
def slo_sets(draw: st.DrawFn) -> tuple[SLOSet, ...]:
    """Sets with names of their own, and SLOs with names of their own in each."""
    made = []
    for name in draw(st.lists(words, min_size=1, max_size=2, unique=True)):
        slos = []
        for slo in draw(st.lists(words, min_size=1, max_size=2, unique=True)):
            interval = draw(st.integers(1, 600))
            slos.append(SLO(
                name, slo, draw(slis), draw(st.none() | objectives), interval, interval * draw(st.integers(1, 5)),
                draw(titles), draw(st.sampled_from(Status)), draw(texts), draw(titles),
                draw(st.floats(0, 1e9)), draw(st.booleans()), draw(texts), draw(st.none() | limits),
                evaluate=draw(st.sampled_from(Evaluate)),
            ))  # fmt: skip
        made.append(SLOSet(name, draw(titles), tuple(slos), draw(texts)))
    return tuple(made)


@st.composite
def verdicts(draw: st.DrawFn, slo: SLO, series: Labels) -> Verdict:
    """Any verdict of this series, sensible or not."""
    quantile = st.none() | st.builds(Quantile, numbers, numbers, numbers)
    size = draw(st.sampled_from([0, len(slo.quantiles)]))
    return Verdict(
        series, draw(st.sampled_from(Outcome)), draw(st.sampled_from(Cause)), draw(st.booleans()),
        draw(st.none() | numbers), draw(st.none() | numbers), tuple(draw(quantile) for _ in range(size)),
        draw(st.none() | st.builds(Share, numbers, numbers)), draw(st.none() | limits), draw(st.booleans()), draw(texts),
        draw(texts),
    )  # fmt: skip


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    """Ascending bounds with +Inf, counts that need not ascend."""
    bounds = sorted(set(draw(st.lists(finite, max_size=3))))
    count = st.floats(min_value=0, allow_infinity=False)
    return Distribution((*bounds, float("inf")), tuple(draw(count) for _ in range(len(bounds) + 1)))


sums = st.builds(
    Numbers, counts, st.lists(finite, max_size=3).map(lambda some: sum(map(Fraction, some), Fraction(0))),
    st.none() | numbers, st.none() | numbers,
)  # fmt: skip


@st.composite
def parts(draw: st.DrawFn, slo: SLO) -> Part:
    """A stretch with a few series."""
    rows = {}
    for series in draw(st.lists(labels, max_size=2, unique=True)):
        worst = draw(st.none() | st.builds(WorstWindow, slots, verdicts(slo, series)))
        tallied = [draw(counts) for _ in range(7)]
        rows[series] = SeriesTally(*tallied, worst, draw(some(st.tuples(slots, numbers))), draw(st.none() | sums))
    tally = Tally(
        draw(counts), draw(counts), draw(st.dictionaries(st.sampled_from([*Kind]).map(str), counts, max_size=2)),
        draw(some(texts)), draw(st.frozensets(matches, max_size=2)), rows,
    )  # fmt: skip
    counted = distributions() | st.builds(Events, st.none() | numbers, st.none() | numbers)
    whole = draw(st.none() | st.dictionaries(labels, counted, max_size=2))
    read = [series for series, one in (whole or {}).items() if isinstance(one, Distribution)]
    answered = {series: names for series in read if (names := draw(some(texts)))}
    return Part(draw(counts), draw(counts), tally, whole, answered)


@st.composite
def lines(draw: st.DrawFn, slo: SLO) -> Line:
    """A series over time."""
    series = draw(labels)
    return Line(series, draw(some(st.tuples(slots, verdicts(slo, series)))), draw(counts))


stated = st.builds(
    Stated, st.dictionaries(st.floats(0.5, 100), numbers, max_size=3), *[st.none() | numbers for _ in range(8)]
)


@st.composite
def slo_records(draw: st.DrawFn, slo: SLO, phases: int) -> SLORecord:
    """One SLO over the run."""
    states = draw(some(st.sampled_from([*Outcome, *Absence]), most=9))
    first = draw(st.integers(0, HOUR))
    stretches = some(st.tuples(slots, slots))
    return SLORecord(
        slo,
        draw(parts(slo)),
        tuple(draw(parts(slo)) for _ in range(draw(st.sampled_from([0, phases])))),
        draw(some(st.builds(Day, slots, parts(slo)), most=1)),
        range(first, first + len(states) * slo.interval, slo.interval),
        states,
        draw(st.dictionaries(texts, stretches, max_size=2)),
        draw(st.dictionaries(texts, counts, max_size=2)),
        draw(st.none() | st.builds(Asked, slots, texts, texts, texts)),
        draw(some(lines(slo), most=1)),
        draw(st.dictionaries(labels, some(numbers), max_size=2)),
        draw(st.none() | parts(slo)),
        draw(st.dictionaries(labels, stated, max_size=2)),
        draw(texts),
    )


pairs = some(st.tuples(texts, texts))
disks = some(st.tuples(texts, finite))
stretches_of_time = some(st.tuples(slots, slots))
components = st.builds(
    Component, job=texts, software=texts, versions=some(texts), commit=texts, go_version=texts, instances=counts,
    up=st.none() | finite, started=some(st.floats(0, 253_402_300_799)), gaps=stretches_of_time, resets=counts,
)  # fmt: skip
machines = st.builds(Machine, texts, st.none() | finite, st.none() | finite, texts, disks)
collected = st.builds(
    Collected, components=some(components), machines=some(machines), kubernetes=pairs, gaps=stretches_of_time,
    scrape_interval=st.none() | finite, resolution=st.none() | finite, questions=some(texts), refusals=pairs,
)  # fmt: skip
written = st.builds(
    Written, software=pairs, hardware=pairs, topology=titles, scale=some(st.builds(Quantity, texts, finite, titles)),
    flags=st.dictionaries(texts, pairs, max_size=2), tools=some(st.builds(Tool, texts, titles)),
    load=some(st.builds(Attachment, texts, texts)), background=titles, conclusion=titles,
)  # fmt: skip
facts = st.just(Facts()) | st.builds(Facts, collected, written)


@st.composite
def run_records(draw: st.DrawFn) -> RunRecord:
    """All of it."""
    sets = draw(slo_sets())
    span = draw(ranges)
    phases = draw(some(st.builds(Phase, texts, ranges, texts)))
    run = Run(
        draw(texts), span.start, draw(st.sampled_from([None, span.end])), draw(labels), phases,
        draw(some(st.builds(Exclusion, ranges, texts))),
    )  # fmt: skip
    slos = [slo for slo_set in sets for slo in slo_set.slos]
    told = [slo for slo in draw(st.permutations(slos)) if draw(st.integers(0, 3))]
    return RunRecord(
        run, draw(ranges), sets, tuple(draw(slo_records(slo, len(phases))) for slo in told),
        Peer(draw(texts), draw(texts), draw(texts)), draw(facts), draw(texts), draw(texts), draw(st.booleans()),
    )  # fmt: skip
