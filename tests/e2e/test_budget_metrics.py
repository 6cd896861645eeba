"""Error budgets beside a real Prometheus that has the same samples: the same rates, and the same left.

Over the SLO's own window both ask the same question. Over longer ones, and over a run, sloagent adds up windows, and
Prometheus's `rate` and `increase` extrapolate once: where the share of bad events goes up and down they differ by little.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloagent.app.alerting import AlertFollower
from sloagent.app.assess import Stretch, fill
from sloagent.app.budgets import Budgets
from sloagent.app.wiring import open_agent
from sloagent.model.run import Exclusion, Run
from sloagent.model.standing import Standing
from sloagent.model.timerange import TimeRange, at
from tests.prometheus import Prometheus, blocks_from_openmetrics
from tests.rules import asked

MINUTE, HOUR = 60, 3_600
START = 497_222 * HOUR
HOURS = 12
END = START + HOURS * HOUR
SCRAPE, EVENTS = 15, 250
BUDGET = 0.01
LONGER = 0.005
PODS = ("calm", "moody")
SETS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1m, window: 5m}
slos:
  - name: latency
    sli: {latency: {histogram: request_seconds, by: [pod]}}
    objective: {percentile: 99, at_most: 1s}
  - name: ratio
    sli:
      ratio: {good: 'sum by (pod) (rate(request_seconds_bucket{le="1.0"}[$window]))',
              total: 'sum by (pod) (rate(request_seconds_bucket{le="+Inf"}[$window]))'}
    objective: {at_least: 99%}
  - name: value
    sli: {value: {query: max by (pod) (depth), unit: items}}
    objective: {at_most: 5}
"""


def samples() -> str:
    """A histogram and a gauge of two pods, as OpenMetrics; the moody one is bad for stretches of a few minutes."""
    chance = random.Random(5)
    counts = {pod: [0, 0] for pod in PODS}
    lines: dict[str, list[str]] = {}
    share = depth = 0.0
    for moment in range(START - MINUTE, END + MINUTE, SCRAPE):
        if moment % (7 * MINUTE) == 0:
            share, depth = chance.choice((0.0, 0.0, 0.004, 0.02, 0.06)), chance.choice((1.0,) * 30 + (9.0,))
        for pod in PODS:
            slow = round(EVENTS * share) if pod == "moody" else 0
            counts[pod][0] += EVENTS - slow
            counts[pod][1] += EVENTS
            for le, count in zip(("1.0", "+Inf"), counts[pod], strict=True):
                name = f'request_seconds_bucket{{pod="{pod}",le="{le}"}}'
                lines.setdefault(name, []).append(f"{name} {count} {moment}")
            name = f'depth{{pod="{pod}"}}'
            lines.setdefault(name, []).append(f"{name} {depth if pod == 'moody' else 1.0} {moment}")
    return "\n".join(line for of_one in lines.values() for line in of_one) + "\n# EOF\n"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("samples")
    blocks_from_openmetrics(samples(), directory / "data")
    with Prometheus(directory / "data") as server:
        yield server.url


def standings(directory: Path, url: str, *runs: Run, period_hours: int = HOURS // 2) -> dict[str, Standing]:
    """By SLO, when every slot is recorded: the first half is read of the store, the second is followed slot by slot."""
    (directory / "own.yaml").write_text(SETS)
    (directory / "sloagent.yaml").write_text(
        f"prometheus: {{url: '{url}'}}\nslos: [own.yaml]\nalerts: {{period: {period_hours}h}}\n"
    )
    with open_agent(directory / "sloagent.yaml") as agent:
        for run in runs:
            agent.store.save_run(run)
        follower = AlertFollower(agent)
        budgets = Budgets(agent, follower)
        for end in (START + HOURS // 2 * HOUR, END):
            stretch = Stretch(TimeRange(at(START), at(end)), inside=True)
            assert not fill(agent, agent.slos, stretch)
            follower.follow()
            budgets.round()
        return {one.slo.name: one for one in budgets.standings()}


def by_pod(url: str, query: str, time: int = END) -> dict[str, float]:
    found = asked(url, "query", {"query": query, "time": time})
    return {series["metric"]["pod"]: float(series["value"][1]) for series in found}


def bad_and_all(url: str, start: int, end: int) -> tuple[float, float]:
    """The events of the moody pod from one moment to the other, as Prometheus counts them."""
    counted = f'increase(request_seconds_bucket{{le="%s"}}[{end - start}s])'
    good, whole = (by_pod(url, counted % le, end)["moody"] for le in ("1.0", "+Inf"))
    return whole - good, whole


def windows_left(url: str, start: int, end: int) -> float:
    """What is left after the slots after a start up to an end, each of which has a value."""
    share = by_pod(url, f"avg_over_time((depth > bool 5)[{end - start - 1}s:1m])", end)["moody"]
    return 1 - share / BUDGET


def test_a_burn_rate_is_what_prometheus_says_over_the_same_window(prometheus: str, tmp_path: Path) -> None:
    found = standings(tmp_path, prometheus, period_hours=30 * 24)
    for name in ("latency", "ratio"):
        windows = {window for rates in found[name].rates.values() for window in rates}
        assert windows == {5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 24 * HOUR, 72 * HOUR}
        for window in sorted(windows):
            rate = f'sum by (pod) (rate(request_seconds_bucket{{le="%s"}}[{window}s]))'
            share = by_pod(prometheus, f"1 - {rate % '1.0'} / {rate % '+Inf'}")
            for (pod,), rates in found[name].rates.items():
                expected = share[pod[1]] / BUDGET
                slack = 1e-9 if window == 5 * MINUTE else LONGER
                assert rates[window] == pytest.approx(expected, rel=slack, abs=1e-9), (name, window, pod)


def test_what_is_left_of_runs_is_what_prometheus_counts_in_them(prometheus: str, tmp_path: Path) -> None:
    hole = (START + 4 * HOUR, START + 6 * HOUR)
    whole = Run("whole", at(START), None)
    holed = Run("holed", at(START), None, exclusions=(Exclusion(TimeRange(*map(at, hole)), "restarts"),))
    short = Run("short", at(END - 2 * HOUR), None)
    found = standings(tmp_path, prometheus, whole, holed, short)
    expected = {"whole": [(START, END)], "holed": [(START, hole[0]), (hole[1], END)], "short": [(END - 2 * HOUR, END)]}
    for run, stretches in expected.items():
        counted = [bad_and_all(prometheus, *stretch) for stretch in stretches]
        bad, events = map(sum, zip(*counted, strict=True))
        left = 1 - bad / events / BUDGET
        for name in ("latency", "ratio"):
            assert found[name].left[run] == pytest.approx(left, abs=LONGER), (name, run)
    assert len({round(left, 2) for left in found["latency"].left.values()}) == 3, "they can be told apart"
    assert found["value"].left["whole"] == pytest.approx(windows_left(prometheus, START + 4 * MINUTE, END))
    assert found["value"].left["short"] == pytest.approx(windows_left(prometheus, END - 2 * HOUR + 4 * MINUTE, END))


def test_without_a_run_the_last_period_counts(prometheus: str, tmp_path: Path) -> None:
    found = standings(tmp_path, prometheus)
    bad, events = bad_and_all(prometheus, END - HOURS // 2 * HOUR, END)
    for name in ("latency", "ratio"):
        assert found[name].left == {"": pytest.approx(1 - bad / events / BUDGET, abs=LONGER)}
