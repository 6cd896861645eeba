"""Native histograms, written into the head of a real Prometheus, as the same distributions that classic ones give."""

from __future__ import annotations

import json
import math
import random
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from sloagent.model.distribution import Distribution
from sloagent.model.piece import Piece
from sloagent.model.samples import Answer, Malformed
from sloagent.model.slo import LatencySLI, ValueSLI
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests import remote_write
from tests.e2e.sources_data import MINUTE, START, STEP, slo
from tests.prometheus import Prometheus
from tests.remote_write import Native

AT = START + 600
NATIVE = slo(LatencySLI(("absent_seconds", "rpc_seconds"), 'verb!=""', ("verb",), native=True))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("native") / "tsdb"
    directory.mkdir()
    flags = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    with Prometheus(directory, flags=flags) as running:
        remote_write.write(
            running.url,
            [
                ({"__name__": "rpc_seconds", "verb": "dense"}, _growing("dense", 3, range(-20, 30))),
                ({"__name__": "rpc_seconds", "verb": "gaps"}, _growing("gaps", 0, [-9, -8, 2, 3, 9])),
                ({"__name__": "rpc_seconds", "verb": "zero"}, _growing("zero", 1, [-3, 4], zero=5)),
                ({"__name__": "rpc_seconds", "verb": "negative"}, _growing("negative", 0, [1], negative=2)),
                ({"__name__": "rpc_seconds", "verb": "idle"}, [(at * 1000, Native(0, {1: 7})) for at in _times()]),
                ({"__name__": "rpc_seconds", "verb": "float"}, [(at * 1000, float(at - START)) for at in _times()]),
            ],
        )
        yield running


@pytest.fixture(scope="module")
def source(prometheus: Prometheus) -> Iterator[PrometheusSource]:
    made = PrometheusSource(PrometheusSettings(url=prometheus.url))
    yield made
    made.close()


def _times() -> range:
    return range(START, AT + 300, STEP)


def _growing(seed: str, schema: int, indexes: object, *, zero: int = 0, negative: int = 0) -> list[tuple[int, Native]]:
    chance = random.Random(seed)
    counts = dict.fromkeys(indexes, 0)
    made = []
    for step, at in enumerate(_times()):
        for index in counts:
            counts[index] += chance.randrange(0, 9)
        below = {1: negative * step + 1} if negative else None
        made.append(
            (at * 1000, Native(schema, dict(counts), zero_count=zero * step, zero_threshold=2**-10, negative=below))
        )
    return made


def asked(url: str, query: str, at: float) -> dict[str, str]:
    form = urllib.parse.urlencode({"query": query, "time": at})
    with urllib.request.urlopen(f"{url}/api/v1/query?{form}") as reply:
        return {s["metric"]["verb"]: s["value"][1] for s in json.load(reply)["data"]["result"]}


def quantile(histogram: Distribution, share: float) -> float:
    """Linear within a bucket, as Prometheus 2.42 does; the first bucket begins at 0 if its bound is positive."""
    rank = share * histogram.total
    i = next(i for i, count in enumerate(histogram.counts) if count >= rank)
    below, start = (histogram.counts[i - 1], histogram.bounds[i - 1]) if i else (0.0, 0.0)
    return start + (histogram.bounds[i] - start) * (rank - below) / (histogram.counts[i] - below)


def series(source: PrometheusSource) -> dict[str, object]:
    found = source.at(NATIVE, AT)
    assert isinstance(found, Answer), found
    assert found.question.histogram == "rpc_seconds"
    assert found.question.query == 'sum by (verb) (rate(rpc_seconds{verb!=""}[5m]))'
    return {dict(labels)["verb"]: sample for labels, sample in found.series.items()}


@pytest.mark.parametrize("verb", ["dense", "gaps", "zero"])
def test_quantiles_of_the_distribution_are_prometheus_s_own(
    source: PrometheusSource, prometheus: Prometheus, verb: str
):
    histogram = series(source)[verb]
    assert isinstance(histogram, Distribution)
    for share in (0.01, 0.1, 0.5, 0.9, 0.99, 1.0):
        said = float(asked(prometheus.url, f"histogram_quantile({share}, rate(rpc_seconds[5m]))", AT)[verb])
        assert quantile(histogram, share) == pytest.approx(said, rel=1e-9)


@pytest.mark.parametrize("verb", ["dense", "gaps", "zero", "negative"])
def test_the_total_and_the_share_below_a_bound_are_prometheus_s_own(
    source: PrometheusSource, prometheus: Prometheus, verb: str
):
    histogram = series(source)[verb]
    assert isinstance(histogram, Distribution)
    count = float(asked(prometheus.url, "histogram_count(rate(rpc_seconds[5m]))", AT)[verb])
    assert histogram.total == pytest.approx(count, rel=1e-9)
    assert histogram.bounds[-1] == math.inf
    assert list(histogram.bounds) == sorted(set(histogram.bounds))
    for bound, cumulative in zip(histogram.bounds[:-1], histogram.counts[:-1], strict=True):
        if bound > 0.001:
            query = f"histogram_fraction(-Inf, {bound!r}, rate(rpc_seconds[5m]))"
            assert cumulative / count == pytest.approx(float(asked(prometheus.url, query, AT)[verb]), abs=1e-9)


def test_an_empty_stretch_between_two_buckets_stays_empty(source: PrometheusSource):
    histogram = series(source)["gaps"]
    assert isinstance(histogram, Distribution)
    at = dict(zip(histogram.bounds, histogram.counts, strict=True))
    assert at[2.0**-8] == at[2.0], "nothing between the two"
    assert at[2.0**-10] == 0


def test_a_histogram_without_events_has_no_buckets(source: PrometheusSource):
    assert series(source)["idle"] == Distribution((math.inf,), (0.0,))


def test_a_number_among_native_histograms_is_malformed(source: PrometheusSource):
    sample = series(source)["float"]
    assert isinstance(sample, Malformed)
    assert "not a native histogram" in sample.reason


def test_a_range_gives_what_its_slots_give_one_by_one(source: PrometheusSource):
    slots = list(range(START - MINUTE, AT + 10 * MINUTE, MINUTE))
    assert repr(source.over(NATIVE, slots)) == repr([source.at(NATIVE, slot) for slot in slots])


def test_a_native_histogram_asked_as_a_value_is_malformed(source: PrometheusSource):
    asked_for = slo(ValueSLI('rpc_seconds{verb="dense"}', "seconds"))
    for found in (source.at(asked_for, AT), *source.over(asked_for, [AT, AT + MINUTE])):
        assert isinstance(found, Answer)
        assert list(found.series.values()) == [Malformed("the series is a native histogram, not a number")]


def test_a_piece_of_a_native_histogram_counts_its_events(source: PrometheusSource, prometheus: Prometheus):
    only = slo(LatencySLI(("rpc_seconds",), 'verb="dense"', ("verb",), native=True))
    piece = source.piece(only, START * 1000, AT * 1000)
    assert isinstance(piece, Piece)
    (counted,) = piece.series.values()
    assert isinstance(counted, Distribution)
    said = float(asked(prometheus.url, "histogram_count(increase(rpc_seconds[600s]))", AT)["dense"])
    assert counted.total == pytest.approx(said, rel=1e-9)
