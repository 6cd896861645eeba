"""Prometheus as the oracle for native histograms: random ones, through remote write, the source and our quantiles."""

from __future__ import annotations

import json
import random
import urllib.parse
import urllib.request
from collections.abc import Iterator
from math import isclose, isnan

import pytest

from sloagent.evaluation.quantiles import quantile
from sloagent.model.distribution import Distribution
from sloagent.model.samples import Answer
from sloagent.model.slo import SLO, LatencySLI
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests import remote_write
from tests.prometheus import Prometheus
from tests.remote_write import Native
from tests.unit.evaluation.build import share_within

START = 1_790_000_040
STEP = 60
AT = START + 9 * STEP
HISTOGRAMS = 90
PERCENTILES = (1, 50, 90, 95, 99, 99.9, 100)
RELATIVE = 1e-9
SLI = LatencySLI(("rpc_seconds",), "", ("id",), native=True)
RATE = "sum by (id) (rate(rpc_seconds[5m]))"


def _samples(chance: random.Random) -> list[tuple[int, Native]]:
    """One histogram that grows: dense, sparse or of one bucket, at any resolution, with and without a zero bucket."""
    schema = chance.randint(-2, 6)
    size = chance.choice((1, 3, 30))
    farthest = 20 if schema < 0 else 60  # no bucket below the zero bucket's threshold, which no client would send
    counts = dict.fromkeys(sorted(chance.sample(range(-farthest, farthest), size)), 0)
    zero_rate = chance.choice((0, 0, 1, 50))
    zero_count = 0
    restart = chance.choice((None, None, 6))
    made = []
    for step in range(10):
        if step == restart:
            counts, zero_count = dict.fromkeys(counts, 0), 0
        for index in counts:
            counts[index] += chance.randrange(1, 30)
        zero_count += zero_rate
        made.append(((START + STEP * step) * 1000, Native(schema, dict(counts), zero_count, 2.0**-100)))
    return made


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("natives") / "tsdb"
    directory.mkdir()
    with Prometheus(
        directory, flags=["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
    ) as server:
        made = [
            ({"__name__": "rpc_seconds", "id": str(i)}, _samples(random.Random(f"native-{i}")))
            for i in range(HISTOGRAMS)
        ]
        remote_write.write(server.url, made)
        yield server


@pytest.fixture(scope="module")
def distributions(prometheus: Prometheus) -> dict[str, Distribution]:
    source = PrometheusSource(PrometheusSettings(url=prometheus.url))
    answer = source.at(SLO("set", "native", SLI, None, 60, 300), AT)
    source.close()
    assert isinstance(answer, Answer), answer
    found = {dict(labels)["id"]: sample for labels, sample in answer.series.items()}
    assert len(found) == HISTOGRAMS
    assert [s for s in found.values() if not isinstance(s, Distribution)] == []
    return found


def ask(server: Prometheus, query: str) -> dict[str, float]:
    form = urllib.parse.urlencode({"query": query, "time": AT}).encode()
    with urllib.request.urlopen(f"{server.url}/api/v1/query", data=form, timeout=60) as reply:
        rows = json.load(reply)["data"]["result"]
    return {row["metric"]["id"]: float(row["value"][1]) for row in rows}


@pytest.mark.parametrize("percentile", PERCENTILES)
def test_every_quantile_of_a_native_histogram_equals_histogram_quantile(prometheus, distributions, percentile):
    theirs = ask(prometheus, f"histogram_quantile({percentile / 100!r}, {RATE})")
    for name, distribution in distributions.items():
        ours, expected = quantile(distribution, percentile), theirs[name]
        assert ours is not None and not isnan(expected), name
        assert ours.lower <= ours.value <= ours.upper, name
        assert isclose(ours.value, expected, rel_tol=RELATIVE), (name, ours, expected)


def test_the_share_at_a_bound_of_a_native_histogram_equals_histogram_fraction(prometheus, distributions):
    compared = 0
    for name in ("0", "1", "2", "3", "4", "5"):
        distribution = distributions[name]
        for bound in random.Random(name).sample(distribution.bounds[:-1], min(4, len(distribution.bounds) - 1)):
            query = f'histogram_fraction(-Inf, {bound!r}, sum by (id) (rate(rpc_seconds{{id="{name}"}}[5m])))'
            low, high = share_within(distribution, bound)
            assert low == high
            assert isclose(low.lower, ask(prometheus, query)[name], rel_tol=RELATIVE, abs_tol=1e-12), (name, bound)
            compared += 1
    assert compared >= 12
