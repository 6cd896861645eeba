"""Prometheus itself as the oracle: one server holds hundreds of random histograms, and ours must say what it says."""

from __future__ import annotations

import json
import math
import random
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from math import inf, isclose, isnan
from pathlib import Path

import pytest

from sloagent.evaluation.quantiles import quantile, raised
from sloagent.model.distribution import Distribution
from tests.prometheus import Prometheus, blocks_from_openmetrics
from tests.unit.evaluation.build import share_within

START = 1_790_000_040
STEP = 60
SAMPLES = 10
AT = START + STEP * (SAMPLES - 1)
WINDOW = "5m"
PER_KIND = 40
PERCENTILES = (1, 50, 90, 95, 99, 99.9, 100)
RELATIVE = 1e-9

KARMADA = [0.001 * 2**i for i in range(12)]
APISERVER = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
Rows = dict[str, list[float | None]]
"""`le` as written to the counter's samples, None where there is none."""


def _plain(chance: random.Random, bounds: list[float], weights: list[float] | None = None) -> Rows:
    """A histogram that counts: at each step some events fall into buckets, `weights` saying how likely each is."""
    weights = weights or [chance.choice((0, 0, 1, chance.random() * 9)) for _ in range(len(bounds) + 1)]
    counts = [0] * (len(bounds) + 1)
    rows: list[list[float]] = [[] for _ in counts]
    for _ in range(SAMPLES):
        for index, weight in enumerate(weights):
            counts[index] += int(weight * chance.random() * 20)
        for index in range(len(counts)):
            rows[index].append(float(sum(counts[: index + 1])))
    return dict(zip([*map(repr, bounds), "+Inf"], rows, strict=True))


def _ordinary(chance: random.Random) -> Rows:
    return _plain(chance, chance.choice((KARMADA, APISERVER)))


def _infinity_heavy(chance: random.Random) -> Rows:
    return _plain(chance, KARMADA, [chance.random() * 0.2] * len(KARMADA) + [50.0])


def _first_bucket_only(chance: random.Random) -> Rows:
    return _plain(chance, APISERVER, [5.0 + chance.random()] + [0.0] * len(APISERVER))


def _empty(chance: random.Random) -> Rows:
    bounds = chance.choice((KARMADA, APISERVER))
    return _plain(chance, bounds, [0.0] * (len(bounds) + 1))


def _tied(chance: random.Random) -> Rows:
    """Ranks that fall on edges: every bucket counts the same whole number, as many buckets as make 50, 90 and 99 exact."""
    bounds = [float(i + 1) for i in range(99)]
    each = chance.randint(1, 5)
    rows: Rows = {repr(b): [float(each * (i + 1) * s) for s in range(SAMPLES)] for i, b in enumerate(bounds)}
    return rows | {"+Inf": [float(each * 100 * s) for s in range(SAMPLES)]}


def _resets_and_gaps(chance: random.Random) -> Rows:
    """Buckets that restart, begin late or miss samples by themselves, so that rates fall from bound to bound."""
    rows: Rows = _plain(chance, KARMADA, [1.0 + chance.random() * 9 for _ in range(len(KARMADA) + 1)])
    for le in chance.sample(sorted(rows), 4):
        column = rows[le]
        match chance.randrange(3):
            case 0:
                at = chance.randrange(5, SAMPLES)
                rows[le] = [v if i < at or v is None else v * 0.1 for i, v in enumerate(column)]
            case 1:
                late = chance.randrange(5, SAMPLES - 1)
                rows[le] = [None if i < late else v for i, v in enumerate(column)]
            case _:
                rows[le] = [None if chance.random() < 0.3 else v for v in column]
    return rows


def _written_otherwise(chance: random.Random) -> Rows:
    """The same bound written in several ways, in one histogram: processes of different versions behind one `sum`."""
    one, other = (_plain(chance, [0.5, 1.0, 2.5]) for _ in range(2))
    ways = {"0.5": ("0.5", "5e-1"), "1.0": ("1", "1e0"), "2.5": ("2.5", "2.50"), "+Inf": ("+Inf", "+inf")}
    third = _plain(chance, [1.0])
    return (
        {ways[le][0]: v for le, v in one.items()} | {ways[le][1]: v for le, v in other.items()} | {"1.0": third["1.0"]}
    )


def _negative(chance: random.Random) -> Rows:
    return _plain(chance, sorted({chance.uniform(-9, 1) for _ in range(4)} | {0.0, 3.0}))


def _first_bound_negative_and_full(chance: random.Random) -> Rows:
    return _plain(chance, [-chance.random(), 0.5, 1.0], [9.0, 0.1, 0.1, 0.1])


def _only_infinity(chance: random.Random) -> Rows:
    return _plain(chance, [])


def _one_bound(chance: random.Random) -> Rows:
    return _plain(chance, [chance.choice((-1.0, 0.0, 1.0))], [chance.random(), 9.0 * chance.random() + 1])


KINDS = {
    make.__name__[1:]: make
    for make in (
        _ordinary, _infinity_heavy, _first_bucket_only, _empty, _tied, _resets_and_gaps, _written_otherwise, _negative,
        _first_bound_negative_and_full, _only_infinity, _one_bound,
    )
}  # fmt: skip


def _openmetrics() -> str:
    lines = []
    for kind, make in KINDS.items():
        for number in range(PER_KIND if kind != "tied" else 5):
            chance = random.Random(f"{kind}-{number}")
            for le, column in make(chance).items():
                lines += [
                    f'h_bucket{{id="{kind}-{number}",le="{le}"}} {value!r} {START + STEP * i}'
                    for i, value in enumerate(column)
                    if value is not None
                ]
    return "\n".join(["# TYPE h_bucket unknown", *lines, "# EOF", ""])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory: Path = tmp_path_factory.mktemp("oracle") / "tsdb"
    blocks_from_openmetrics(_openmetrics(), directory)
    with Prometheus(directory) as server:
        yield server


def ask(server: Prometheus, query: str) -> list[tuple[dict[str, str], float]]:
    body = urllib.parse.urlencode({"query": query, "time": AT}).encode()
    with urllib.request.urlopen(f"{server.url}/api/v1/query", data=body, timeout=60) as reply:
        answer = json.load(reply)
    assert answer["status"] == "success"
    return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]


@pytest.fixture(scope="module")
def distributions(prometheus: Prometheus) -> dict[str, Distribution]:
    """Each histogram's one answer, bounds read as numbers; those without `+Inf` are left out."""
    buckets: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for labels, count in ask(prometheus, f"sum by (id, le) (rate(h_bucket[{WINDOW}]))"):
        buckets[labels["id"]][float(labels["le"])].append(count)
    complete = {name: sorted(by_bound.items()) for name, by_bound in buckets.items() if inf in by_bound}
    return {
        name: Distribution(tuple(b for b, _ in rows), tuple(math.fsum(counts) for _, counts in rows))
        for name, rows in complete.items()
    }


def _on_an_edge(distribution: Distribution, percentile: float) -> bool:
    counts = raised(distribution.counts)
    rank = percentile / 100 * counts[-1]
    return any(isclose(rank, count, rel_tol=RELATIVE) for count in counts)


@pytest.mark.parametrize("percentile", PERCENTILES)
def test_every_quantile_equals_histogram_quantile(prometheus, distributions, percentile):
    asked = f"histogram_quantile({percentile / 100!r}, sum by (id, le) (rate(h_bucket[{WINDOW}])))"
    theirs = {labels["id"]: value for labels, value in ask(prometheus, asked)}
    assert len(distributions) > 350
    ties = []
    for name, distribution in distributions.items():
        ours, expected = quantile(distribution, percentile), theirs[name]
        if ours is None or isnan(expected):
            assert ours is None and isnan(expected), f"{name}: {ours} but Prometheus says {expected}"
        elif not isclose(ours.value, expected, rel_tol=RELATIVE, abs_tol=1e-300):
            assert _on_an_edge(distribution, percentile), f"{name}: {ours} but Prometheus says {expected}"
            ties.append(name)
        else:
            # Where Prometheus's rounding meets the edge, the value may pass it in its last bit.
            assert ours.lower <= expected * (1 + RELATIVE * (1 if expected > 0 else -1)), name
            assert expected * (1 - RELATIVE * (1 if expected > 0 else -1)) <= ours.upper, name
    assert not ties, f"rank ties that came out on the other side of an edge: {ties}"


def test_the_share_at_every_bound_holds_the_ratio_of_buckets(prometheus, distributions):
    """Equal where counts rise; within the stated interval where they fall."""
    query = (
        f"sum by (id, le) (rate(h_bucket[{WINDOW}]))"
        f' / on (id) group_left sum by (id) (rate(h_bucket{{le=~"[+][Ii]nf"}}[{WINDOW}]))'
    )
    ratios: dict[tuple[str, float], list[float]] = defaultdict(list)
    for labels, value in ask(prometheus, query):
        if labels["id"] in distributions:
            ratios[labels["id"], float(labels["le"])].append(value)
    exact = within = 0
    for (name, bound), parts in ratios.items():
        distribution = distributions[name]
        if max(distribution.counts) == 0:
            assert all(map(isnan, parts)), name
            continue
        low, high = share_within(distribution, bound)
        expected = math.fsum(parts)
        assert low == high, name
        if raised(distribution.counts) == distribution.counts:
            assert isclose(low.lower, expected, rel_tol=RELATIVE, abs_tol=1e-300), (name, bound)
            assert low.lower == low.upper, name
            exact += 1
        elif distribution.total > 0:
            assert low.lower - RELATIVE <= min(expected, 1.0) <= low.upper + RELATIVE, (name, bound)
            within += 1
    assert exact > 2000
    assert within > 100


def test_the_histograms_are_as_nasty_as_meant(distributions):
    def named(kind: str) -> list[Distribution]:
        return [d for name, d in distributions.items() if name.startswith(f"{kind}-")]

    assert sum(raised(d.counts) != d.counts for d in named("resets_and_gaps")) > PER_KIND / 2
    assert all(d.total == 0 for d in named("empty"))
    assert all(len(d.bounds) == 1 for d in named("only_infinity"))
    assert all(d.bounds == (0.5, 1.0, 2.5, inf) for d in named("written_otherwise"))
    assert all(d.bounds[0] < 0 for d in named("negative"))
    assert any(_on_an_edge(d, 50) and _on_an_edge(d, 90) for d in named("tied"))
    assert all(quantile(d, 50).upper == inf for d in named("infinity_heavy"))
    assert all(quantile(d, 99).upper == 0.005 for d in named("first_bucket_only"))
