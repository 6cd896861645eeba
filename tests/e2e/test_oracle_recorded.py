"""Equal to Prometheus, on the recorded run: every latency SLO of the karmada set, every series, every slot.

Ours: one question per SLO and slot, judged. Theirs: `histogram_quantile` and the ratio of buckets, asked of Prometheus
itself for the same slots. The last test prints what was compared (`pytest -s`).
"""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, isclose, isnan
from pathlib import Path

import pytest

from sloagent.app import demo_data
from sloagent.config.load import load_slo_files
from sloagent.evaluation.judge import judge
from sloagent.evaluation.quantiles import raised
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer
from sloagent.model.slo import SLO, Labels, LatencySLI
from sloagent.model.verdict import Outcome, Quantile, Verdict
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests.prometheus import Prometheus

RELATIVE = 1e-9
Numbers = dict[tuple[Labels, int], float]
"""By labels (without empty ones) and slot."""


OF_THE_PROBE = {"cluster-registration-latency", "cluster-unregistration-latency"}
"""No probe ran then, and nothing stands in for it."""


def _slos() -> list[SLO]:
    (karmada,) = load_slo_files(["builtin:karmada"], parameters={}, relative_to=Path.cwd())
    return [slo for slo in karmada.slos if isinstance(slo.sli, LatencySLI) and slo.name not in OF_THE_PROBE]


SLOS = _slos()


@dataclass(frozen=True)
class Judged:
    """What we say of one series at one slot, and what it was drawn from."""

    query: str
    histogram: str
    distribution: Distribution
    verdict: Verdict


@dataclass
class Figures:
    """What was compared."""

    series_slots: int = 0
    idle: int = 0
    quantiles: int = 0
    greatest_difference: float = 0.0
    ties: list[str] = field(default_factory=list)
    shares_at_a_bound: int = 0
    shares_between_bounds: int = 0
    shares_with_falling_counts: int = 0
    greatest_share_difference: float = 0.0
    falling: int = 0


@dataclass(frozen=True)
class Recorded:
    url: str
    slots: range
    source: PrometheusSource

    def judged(self, slo: SLO) -> dict[tuple[Labels, int], Judged]:
        answers = self.source.over(slo, self.slots)
        assert isinstance(answers, list), answers
        found: dict[tuple[Labels, int], Judged] = {}
        for slot, answer in zip(self.slots, answers, strict=True):
            assert isinstance(answer, Answer), answer
            for verdict in judge(slo, slot, answer).verdicts:
                sample = answer.series[verdict.labels]
                assert isinstance(sample, Distribution), sample
                asked = answer.question
                found[verdict.labels, slot] = Judged(asked.query, asked.histogram, sample, verdict)
        return found

    def ask(self, query: str) -> Numbers:
        """Prometheus's own answer at each slot."""
        form = {"query": query, "start": self.slots[0], "end": self.slots[-1], "step": self.slots.step}
        body = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/query_range", body, timeout=60) as reply:
            document = json.load(reply)
        assert document["status"] == "success"
        return {
            (tuple(sorted((n, v) for n, v in series["metric"].items() if v)), int(at)): float(value)
            for series in document["data"]["result"]
            for at, value in series["values"]
        }

    def spellings(self, histogram: str, bound: float) -> str:
        """Every way in which the histogram writes this bound, as a regular expression."""
        name = urllib.parse.quote(f"{histogram}_bucket")
        with urllib.request.urlopen(f"{self.url}/api/v1/label/le/values?match[]={name}", timeout=60) as reply:
            written = json.load(reply)["data"]
        return "|".join(le.replace("+", "[+]").replace(".", "[.]") for le in written if float(le) == bound)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    data = tmp_path_factory.mktemp("recorded") / "data"
    recording = demo_data.unpack(data)
    start, end = int(recording.start.timestamp()), int(recording.end.timestamp())
    slots = range(-(-start // 60) * 60, end + 1, 60)
    assert all(slo.interval == 60 for slo in SLOS)
    with Prometheus(data) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        yield Recorded(server.url, slots, source)
        source.close()


@pytest.fixture(scope="module")
def figures() -> dict[str, Figures]:
    return {}


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_every_quantile_and_share_is_prometheus_s_own(
    recorded: Recorded, figures: dict[str, Figures], slo: SLO
) -> None:
    ours = recorded.judged(slo)
    assert ours, "the recording has no such series"
    counted = figures[slo.name] = Figures(series_slots=len(ours))
    counted.idle = sum(row.verdict.outcome is Outcome.NO_DATA for row in ours.values())
    counted.falling = sum(raised(row.distribution.counts) != row.distribution.counts for row in ours.values())
    for position, percentile in enumerate(slo.quantiles):
        theirs = _by_query(recorded, ours, f"histogram_quantile({percentile / 100!r}, %s)")
        for key, row in ours.items():
            expected = theirs[row.query][key]
            if row.verdict.outcome is Outcome.NO_DATA:
                assert isnan(expected), (key, expected)
                continue
            quantile = row.verdict.quantiles[position]
            assert quantile is not None
            _compare(counted, f"{slo.name} {key} P{percentile:g}", quantile, expected, row.distribution, percentile)
    _shares(recorded, slo, ours, counted)


def _by_query(recorded: Recorded, ours: dict[tuple[Labels, int], Judged], form: str) -> dict[str, Numbers]:
    return {query: recorded.ask(form % query) for query in {row.query for row in ours.values()}}


def _compare(
    counted: Figures, what: str, ours: Quantile, theirs: float, distribution: Distribution, percentile: float
) -> None:
    counted.quantiles += 1
    difference = abs(ours.value - theirs) / abs(theirs) if theirs else abs(ours.value)
    if difference > RELATIVE:
        counts = raised(distribution.counts)
        rank = percentile / 100 * counts[-1]
        edges = [b for b, count in zip(distribution.bounds, counts, strict=True) if isclose(rank, count, rel_tol=1e-9)]
        assert edges, f"{what}: {ours} but Prometheus says {theirs!r}"
        counted.ties.append(f"{what}: {ours.value!r} and {theirs!r} at {edges}")
        return
    counted.greatest_difference = max(counted.greatest_difference, difference)
    slack = RELATIVE * abs(theirs)
    assert ours.lower - slack <= theirs <= ours.upper + slack, what


def _shares(recorded: Recorded, slo: SLO, ours: dict[tuple[Labels, int], Judged], counted: Figures) -> None:
    sli = slo.sli
    assert isinstance(sli, LatencySLI)
    ratios: dict[tuple[str, float], Numbers] = {}

    def ratio(histogram: str, bound: float, key: tuple[Labels, int]) -> float:
        if (histogram, bound) not in ratios:
            by = ", ".join(sli.by)
            where = {bound.histogram: bound.where for bound in sli.lower_bounds}.get(histogram, sli.where)
            at, all_events = (
                f'sum by ({by}) (rate({histogram}_bucket{{{where}{"," if where else ""} le=~"{le}"}}[5m]))'
                for le in (recorded.spellings(histogram, bound), recorded.spellings(histogram, inf))
            )
            ratios[histogram, bound] = recorded.ask(f"{at} / {all_events}")
        return ratios[histogram, bound][key]

    for key, row in ours.items():
        share, limit = row.verdict.good_share, row.verdict.limit
        if share is None or limit is None or limit.at_most is None:
            continue
        bounds = row.distribution.bounds
        low = max((b for b in bounds if b <= limit.at_most), default=None)
        high = min(b for b in bounds if b >= limit.at_most)
        expected_low = 0.0 if low is None else ratio(row.histogram, low, key)
        expected_high = ratio(row.histogram, high, key)
        what = (slo.name, key, share, expected_low, expected_high)
        if raised(row.distribution.counts) != row.distribution.counts:
            assert share.lower <= min(expected_low, 1.0) + RELATIVE, what
            assert min(expected_high, 1.0) <= share.upper + RELATIVE, what
            counted.shares_with_falling_counts += 1
            continue
        difference = max(abs(share.lower - expected_low), abs(share.upper - expected_high))
        assert difference <= RELATIVE, what
        counted.greatest_share_difference = max(counted.greatest_share_difference, difference)
        if low == high:
            assert share.lower == share.upper, what
            counted.shares_at_a_bound += 1
        else:
            counted.shares_between_bounds += 1


def test_what_was_compared(recorded: Recorded, figures: dict[str, Figures]) -> None:
    """Prints the figures; that nothing was left out is asserted, so that an empty comparison cannot pass."""
    total = Figures()
    for one in figures.values():
        for name, value in vars(one).items():
            before = getattr(total, name)
            greatest = name.startswith("greatest")
            setattr(total, name, max(before, value) if greatest else before + value)
    text = _told(recorded.slots, figures, total)
    print(f"\n{text}")
    assert len(figures) == len(SLOS), text
    assert total.quantiles == 3 * (total.series_slots - total.idle) + _extra(figures), text
    assert total.quantiles > 8_000, text
    assert total.shares_at_a_bound > 2_000, text
    assert total.shares_between_bounds > 0, text
    assert total.greatest_difference <= RELATIVE, text


def _extra(figures: dict[str, Figures]) -> int:
    """Percentiles promised beside P50, P90 and P99."""
    return sum(
        (len(slo.quantiles) - 3) * (figures[slo.name].series_slots - figures[slo.name].idle)
        for slo in SLOS
        if slo.name in figures
    )


def _told(slots: Sequence[int], figures: dict[str, Figures], total: Figures) -> str:
    lines = [
        (
            f"{len(figures)} latency SLOs, {len(slots)} slots: {total.series_slots:,} series-slots, of which "
            f"{total.idle:,} without events on both sides and {total.falling:,} with falling counts"
        ),
        (
            f"{total.quantiles:,} quantiles, greatest relative difference {total.greatest_difference:.2g}, "
            f"{len(total.ties)} rank ties on the other side of an edge"
        ),
        (
            f"{total.shares_at_a_bound:,} good shares at a bound, {total.shares_between_bounds:,} between two, greatest "
            f"difference {total.greatest_share_difference:.2g}; {total.shares_with_falling_counts:,} within the interval "
            f"that falling counts leave"
        ),
    ]
    by_slo: dict[str, int] = defaultdict(int)
    for tie in total.ties:
        by_slo[tie.split()[0]] += 1
    return "\n".join([*lines, *(f"ties in {name}: {n}" for name, n in by_slo.items()), *total.ties[:20]])
