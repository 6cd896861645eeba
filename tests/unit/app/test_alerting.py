"""Alert state followed through a real store: late slots, restarts, runs, baselines and leaks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from sloagent.app.alert_trends import lacking_baseline
from sloagent.app.alerting import AlertFollower
from sloagent.app.wiring import Agent, open_agent
from sloagent.evaluation.judge import judge
from sloagent.model.alert import Rule, Stage, Transition
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Piece
from sloagent.model.run import Run
from sloagent.model.samples import Answer, Question, Sample
from sloagent.model.slo import SLO, Labels
from sloagent.model.timerange import at

MINUTE, HOUR = 60, 3_600
START = 472_222 * HOUR
SET = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1m, window: 5m}
slos:
  - name: latency
    sli: {latency: {histogram: x_seconds}}
    objective: {percentile: 99, at_most: 2s}
  - name: memory
    sli: {value: {query: memory, unit: bytes}}
    objective: {at_most: 8GiB, grows_at_most: 20MiB/h}
"""
INF = float("inf")
BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 2.0, 4.0, INF)


class World:
    def __init__(self, directory: Path, alerts: str = "", slos: str = SET) -> None:
        directory.mkdir(exist_ok=True)
        (directory / "own.yaml").write_text(slos)
        (directory / "sloagent.yaml").write_text(
            f"prometheus: {{url: 'http://127.0.0.1:1'}}\nslos: [own.yaml]\nalerts: {{{alerts}}}\n"
        )
        self.agent: Agent = open_agent(directory / "sloagent.yaml")
        self.source = self.agent.source.name
        self.latency, self.memory = self.agent.slos
        self.follower = AlertFollower(self.agent)

    def record(self, slo: SLO, slots: Mapping[int, Sample]) -> None:
        series: list[tuple[int, Mapping[Labels, Sample]]] = [(slot, {(): sample}) for slot, sample in slots.items()]
        self.agent.store.append(self.source, [judge(slo, slot, Answer(Question("q"), one)) for slot, one in series])

    def transitions(self, slo: SLO) -> list[Transition]:
        return self.agent.store.transitions(self.source, slo, (0, 2**40))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path / "agent")
    yield found
    found.agent.close()


def events(chance: random.Random, factor: float = 1.0, rate: float = 10.0) -> Distribution:
    """Five minutes of events, log-normal around 0.2 s × `factor`, as rates by bound."""
    drawn = [chance.lognormvariate(-1.6, 0.5) * factor for _ in range(int(rate * 30))]
    return Distribution(BOUNDS, tuple(sum(x <= bound for x in drawn) / 300 * 10 for bound in BOUNDS))


def failing(chance: random.Random) -> Distribution:
    return events(chance, 20.0)


def test_a_store_that_was_filled_in_any_order_says_the_same(tmp_path: Path) -> None:
    chance = random.Random(5)
    slots = {
        START + n * MINUTE: failing(chance) if 20 <= n < 40 or 70 <= n < 72 or 90 <= n < 110 else events(chance)
        for n in range(160)
    }
    dumps = []
    for order in ("forward", "backward", "at random"):
        world = World(tmp_path / order.replace(" ", "-"))
        left = list(slots)
        if order == "backward":
            left.reverse()
        elif order == "at random":
            chance.shuffle(left)
        while left:
            now, left = left[:13], left[13:]
            world.record(world.latency, {slot: slots[slot] for slot in sorted(now)})
            world.follower.follow()
        dumps.append([line for line in world.agent.store.dump() if '"kind":"alert_transition"' in line])
        world.agent.close()
    assert len(dumps[0]) >= 4
    assert dumps[0] == dumps[1] == dumps[2]


def test_a_follower_that_begins_anew_goes_on_where_the_last_one_was(world: World) -> None:
    chance = random.Random(6)
    for n in range(60):
        world.record(world.latency, {START + n * MINUTE: failing(chance) if 20 <= n < 45 else events(chance)})
        AlertFollower(world.agent).follow()
    whole = world.transitions(world.latency)
    world.record(world.latency, {START - MINUTE: events(chance)})  # throws away all that was concluded
    AlertFollower(world.agent).follow()
    assert world.transitions(world.latency) == whole
    assert {one.key.rule for one in whole} == {Rule.VIOLATED, Rule.BURN_RATE}


def test_a_pair_tells_nothing_before_its_short_window_is_known(world: World) -> None:
    chance = random.Random(4)
    for n in range(0, 125, 5):
        world.record(world.latency, {START + n * MINUTE: failing(chance)})
    world.follower.follow()
    first = {one.key.window: one.slot for one in world.transitions(world.latency) if one.key.rule is Rule.BURN_RATE}
    minutes = {window: (slot - START) // MINUTE for window, slot in first.items()}
    assert minutes == {3_600: 0, 6 * 3_600: 25, 86_400: 115}, "5 m, 30 m and 2 h: so many windows of five minutes"


def test_a_rule_that_was_switched_off_ends_its_alerts_at_the_next_slot_and_once(tmp_path: Path) -> None:
    chance = random.Random(3)
    world = World(tmp_path / "agent")
    world.record(world.latency, {START + n * MINUTE: failing(chance) for n in range(1, 5)})
    world.follower.follow()
    world.agent.close()
    world = World(
        tmp_path / "agent", slos=SET.replace("at_most: 2s}", "at_most: 2s}\n    alerts: {violated: {enabled: false}}")
    )
    world.record(world.latency, {START + n * MINUTE: failing(chance) for n in range(5, 8)})
    world.follower.follow()
    told = [
        (one.slot, one.stage, one.reason) for one in world.transitions(world.latency) if one.key.rule is Rule.VIOLATED
    ]
    assert told[1:] == [(START + 5 * MINUTE, Stage.RESOLVED, "the rule is not in force any more")]
    world.agent.close()


def run_of(name: str, start: int, end: int | None) -> Run:
    return Run(name, at(start), at(end) if end is not None else None)


def baseline_of(world: World, hours: int, chance: random.Random) -> None:
    """A run of so many hours, remembered as the daemon does: tiles, and a piece for each hour."""
    world.agent.store.save_run(run_of("v1", START, START + hours * HOUR))
    for hour in range(hours):
        tiles = [events(chance) for _ in range(12)]
        world.record(world.latency, {START + hour * HOUR + (n + 1) * 5 * MINUTE: tile for n, tile in enumerate(tiles)})
        counts = tuple(sum(tile.counts[place] for tile in tiles) * 300 for place in range(len(BOUNDS)))
        start_ms = (START + hour * HOUR) * 1000
        piece = Piece(start_ms, start_ms + HOUR * 1000, "q", {(): Distribution(BOUNDS, counts)})
        world.agent.store.append_piece(world.source, world.latency, piece)


@pytest.mark.parametrize(("factor", "fires"), [(1.0, False), (1.25, True)])
def test_a_run_that_is_slower_than_its_baseline_is_told_and_the_same_is_not(
    tmp_path: Path, factor: float, fires: bool
) -> None:
    world = World(tmp_path / "agent", "baseline: v1")
    chance = random.Random(7)
    baseline_of(world, 8, chance)
    begin = START + 24 * HOUR
    world.agent.store.save_run(run_of("v2", begin, None))
    told: list[Transition] = []
    for n in range(1, 37):
        world.record(world.latency, {begin + n * 5 * MINUTE: events(chance, factor if n > 12 else 1.0)})
        world.follower.follow()
        told = [one for one in world.transitions(world.latency) if one.key.rule is Rule.REGRESSION]
        if told and n <= 18:
            break
    assert bool(told) == fires, told
    if fires:
        assert told[0].stage is Stage.FIRING
        assert told[0].run == "v2"
        assert told[0].slot <= begin + HOUR + 30 * MINUTE, "within 30 minutes of data"
        assert "beside v1: P99 " in told[0].reason
    world.agent.close()


def test_a_baseline_that_is_not_there_is_said_and_used_once_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path / "agent", "baseline: v1")
    chance = random.Random(9)
    begin = START + 24 * HOUR
    assert lacking_baseline(world.agent) == (
        "the store knows no run v1 that could be the baseline; of its own that have ended it knows: none"
    )
    world.agent.store.save_run(run_of("v1", START, None))
    assert lacking_baseline(world.agent) == "the baseline v1 has not ended yet"
    world.agent.store.save_run(run_of("v2", begin, None))
    world.record(world.latency, {begin + n * 5 * MINUTE: events(chance, 1.5) for n in range(1, 13)})
    world.follower.follow()
    assert [record.message for record in caplog.records] == [
        f"own/{world.latency.name} is not watched for regressions: the baseline v1 knows nothing of it as it is asked now"
    ], "once"
    baseline_of(world, 8, chance)
    assert lacking_baseline(world.agent) == ""
    world.record(world.latency, {begin + n * 5 * MINUTE: events(chance, 1.5) for n in range(13, 25)})
    world.follower.follow()
    assert [one.stage for one in world.transitions(world.latency) if one.key.rule is Rule.REGRESSION] == [Stage.FIRING]
    world.agent.close()


def test_a_regression_ends_with_its_run(tmp_path: Path) -> None:
    world = World(tmp_path / "agent", "baseline: v1")
    chance = random.Random(8)
    baseline_of(world, 8, chance)
    begin = START + 24 * HOUR
    world.agent.store.save_run(run_of("v2", begin, None))
    world.record(world.latency, {begin + n * 5 * MINUTE: events(chance, 1.5) for n in range(1, 13)})
    world.follower.follow()
    assert [one.stage for one in world.transitions(world.latency) if one.key.rule is Rule.REGRESSION] == [Stage.FIRING]
    world.agent.store.save_run(run_of("v2", begin, begin + HOUR))
    world.record(world.latency, {begin + 13 * 5 * MINUTE: events(chance, 1.5)})
    world.follower.follow()
    ended = [one for one in world.transitions(world.latency) if one.key.rule is Rule.REGRESSION][-1]
    assert (ended.stage, ended.reason) == (Stage.RESOLVED, "its run is over")
    world.agent.close()


def memory(hours: float, per_hour: float) -> Sequence[tuple[int, float]]:
    chance = random.Random(9)
    return [
        (START + n * MINUTE, 2**30 + per_hour * n / 60 * 2**20 + chance.random() * 2**20)
        for n in range(int(hours * 60) + 1)
    ]


@pytest.mark.parametrize(("per_hour", "fires"), [(5.0, False), (60.0, True)])
def test_memory_that_grows_all_through_a_run_is_told_as_a_leak(world: World, per_hour: float, fires: bool) -> None:
    world.agent.store.save_run(run_of("soak", START - 5 * MINUTE, None))
    for slot, size in memory(5, per_hour):
        world.record(world.memory, {slot: size})
    world.follower.follow()
    told = [one for one in world.transitions(world.memory) if one.key.rule is Rule.LEAK]
    assert bool(told) == fires
    if fires:
        assert timedelta(seconds=told[0].slot - START) <= timedelta(hours=4)
        assert "MiB/h" in told[0].reason


def test_without_a_run_nothing_is_said_of_leaks(world: World) -> None:
    for slot, size in memory(3, 60.0):
        world.record(world.memory, {slot: size})
    world.follower.follow()
    assert [one for one in world.transitions(world.memory) if one.key.rule is Rule.LEAK] == []
