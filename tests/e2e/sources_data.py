"""Half an hour of made-up metrics: histograms that come, go, change their name and are broken, counters and a gauge."""

from __future__ import annotations

import random
from collections.abc import Iterator

from sloagent.model.slo import SLI, SLO, LatencySLI, RatioSLI, ValueSLI

START = 1_699_999_200
"""A border of Prometheus's two-hour blocks, so that all samples lie in one."""
END = START + 1_800
STEP = 15
MINUTE = 60

Series = tuple[dict[str, str], list[tuple[int, float]]]

BOUNDS = ("0.005", "0.1", "0.25", "1", "2.5", "10", "+Inf")


def slo(sli: SLI, *, window: int = 300, allow_partial: bool = False) -> SLO:
    """An SLO without an objective around an SLI."""
    return SLO("made-up", "slo", sli, None, MINUTE, window, allow_partial=allow_partial)


LATENCY = slo(LatencySLI(("req_seconds",), 'verb!="WATCH"', ("resource", "verb")))
RENAMED = slo(LatencySLI(("absent_seconds", "new_seconds", "old_seconds"), "", ("verb",)))
RATIO = slo(
    RatioSLI(
        "bad", 'sum by (zone) (rate(calls_total{code="500"}[$window]))', "sum by (zone) (rate(calls_total[$window]))"
    )
)
VALUE = slo(ValueSLI("max by (pod) (memory_bytes)", "bytes"))
SCALAR = slo(ValueSLI("scalar(max(memory_bytes)) / 0", "ratio"))
NOTHING = slo(LatencySLI(("no_such_seconds",), "", ("verb",)))
TWICE = slo(LatencySLI(("twice_seconds",), "", ()))
UNBOUNDED = slo(LatencySLI(("unbounded_seconds",), "", ("pod",)))
ALL = {
    "latency": LATENCY, "renamed": RENAMED, "ratio": RATIO, "value": VALUE, "scalar": SCALAR, "nothing": NOTHING,
    "twice": TWICE, "unbounded": UNBOUNDED,
}  # fmt: skip


def series() -> list[Series]:
    """Every series with its samples (seconds since the epoch, value); the same at every call."""
    made: list[Series] = []
    made += _histogram("req_seconds", {"verb": "GET", "resource": "pods"}, 0, 1_800)
    made += _histogram("req_seconds", {"verb": "POST", "resource": "pods"}, 605, 1_800)
    made += _histogram("req_seconds", {"verb": "GET", "resource": ""}, 0, 900)
    made += _histogram("req_seconds", {"verb": "WATCH", "resource": "pods"}, 0, 1_800)
    made += _histogram("old_seconds", {"verb": "GET"}, 0, 500)
    made += _histogram("new_seconds", {"verb": "GET"}, 1_000, 1_800)
    made += _histogram("twice_seconds", {"pod": "a"}, 0, 1_800, ("0.5", "1", "2", "+Inf"))
    made += _histogram("twice_seconds", {"pod": "b"}, 0, 1_800, ("0.5", "1.0", "1e0", "2.0", "+Inf"))
    made += _histogram("unbounded_seconds", {"pod": "good"}, 0, 1_800)
    made += _histogram("unbounded_seconds", {"pod": "no-inf"}, 0, 1_800, ("0.5", "1", "2"))
    made += _histogram("unbounded_seconds", {"pod": "no-number"}, 0, 1_800, ("0.5", "fast", "+Inf"))
    made.append(({"__name__": "unbounded_seconds_bucket", "pod": "no-le"}, _counter("no-le", 0, 1_800)))
    made.append(({"__name__": "calls_total", "zone": "a", "code": "200"}, _counter("a", 0, 1_800)))
    made.append(({"__name__": "calls_total", "zone": "b", "code": "200"}, _counter("b", 0, 1_800)))
    made.append(({"__name__": "calls_total", "zone": "a", "code": "500"}, _counter("a5", 725, 1_800)))
    chance = random.Random("memory")
    gauge = [(at, chance.uniform(1e6, 2e9)) for at in _times(30, 1_700)]
    made.append(({"__name__": "memory_bytes", "pod": "a"}, gauge))
    made.append(({"__name__": "memory_bytes", "pod": "b"}, [(at, float("inf")) for at, _ in gauge[40:60]]))
    return made


def openmetrics() -> str:
    """The same as OpenMetrics text, each metric's samples together."""
    by_name: dict[str, list[str]] = {}
    for labels, samples in series():
        shown = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
        lines = by_name.setdefault(labels["__name__"], [])
        lines += [
            f"{labels['__name__']}{{{shown}}} {'+Inf' if v == float('inf') else repr(v)} {at}" for at, v in samples
        ]
    return "\n".join(line for lines in by_name.values() for line in lines) + "\n# EOF\n"


def _times(first: int, last: int) -> Iterator[int]:
    return iter(range(START + -(-first // STEP) * STEP, START + last + 1, STEP))


def _counter(seed: str, first: int, last: int) -> list[tuple[int, float]]:
    chance = random.Random(seed)
    total, samples = 0.0, []
    for at in _times(first, last):
        # A restart now and then: counters fall back to zero.
        total = 0.0 if chance.random() < 0.01 else total + chance.randrange(0, 40)
        samples.append((at, total))
    return samples


def _histogram(
    name: str, labels: dict[str, str], first: int, last: int, bounds: tuple[str, ...] = BOUNDS
) -> Iterator[Series]:
    chance = random.Random(f"{name}{labels}")
    counts = [0] * len(bounds)
    samples: list[list[tuple[int, float]]] = [[] for _ in bounds]
    for at in _times(first, last):
        for _ in range(chance.randrange(0, 12)):
            for index in range(min(int(chance.expovariate(0.5)), len(bounds) - 1), len(bounds)):
                counts[index] += 1
        for index, count in enumerate(counts):
            samples[index].append((at, float(count)))
    for bound, column in zip(bounds, samples, strict=True):
        yield {"__name__": f"{name}_bucket", "le": bound, **{k: v for k, v in labels.items() if v}}, column
