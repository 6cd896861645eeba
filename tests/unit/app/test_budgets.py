"""What metrics say of error budgets: over a real store, slot by slot and read anew, with days that are sums by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sloagent.app.alert_history import History
from sloagent.app.alerting import AlertFollower
from sloagent.app.budgets import Budgets
from sloagent.app.wiring import Agent, open_agent
from sloagent.evaluation.judge import judge
from sloagent.model.alert import Checkpoint
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted, Piece
from sloagent.model.run import Exclusion, Run
from sloagent.model.samples import Answer, Events, Question, Sample
from sloagent.model.slo import SLO, Labels, LatencySLI, ValueSLI
from sloagent.model.timerange import TimeRange, at

HOUR, DAY = 3_600, 86_400
START = 19_676 * DAY
"""Long past: whatever is read of the store is older than full rows are kept, and may be there still."""
BOUNDS = (1.0, 2.0, float("inf"))
SETS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 5m, window: 5m}
slos:
  - name: latency
    sli: {latency: {histogram: h_seconds, by: [pod]}}
    objective: {percentile: 99, at_most: 1s}
  - name: ratio
    sli: {ratio: {bad: 'sum by (pod) (rate(b[$window]))', total: 'sum by (pod) (rate(t[$window]))'}}
    objective: {at_least: 99%}
  - name: value
    sli: {value: {query: 'max by (pod) (depth)', unit: items}}
    objective: {at_most: 5}
  - name: not-promised
    sli: {value: {query: 'max by (pod) (depth)', unit: items}}
    objective: tbd
"""
CONFIGURATION = "prometheus: {url: 'http://127.0.0.1:1'}\nslos: [own.yaml]\nalerts: {period: 2d}\n"
PODS = ("a", "b")
Shares = Mapping[str, float]


def counted(slo: SLO, share: float, events: float) -> Counted:
    """So many events, of which this share is bad."""
    if isinstance(slo.sli, LatencySLI):
        return Distribution(BOUNDS, (events * (1 - share), events, events))
    return Events(events * share, events)


def sample(slo: SLO, share: float) -> Sample:
    """What a slot gives: a hundred events, or of a value a number that is bad or good."""
    if isinstance(slo.sli, ValueSLI):
        return 6.0 if share > 0.5 else 1.0
    return counted(slo, share, 100 / 300)


class World:
    """An agent over a store in a directory."""

    def __init__(self, directory: Path) -> None:
        self.agent: Agent = open_agent(directory / "sloagent.yaml")
        self.slos = {slo.name: slo for slo in self.agent.slos}
        self.store = self.agent.store
        self.begin_anew()

    def begin_anew(self) -> None:
        """As after a restart."""
        self.follower = AlertFollower(self.agent)
        self.budgets = Budgets(self.agent, self.follower)

    def record(self, slot: int, shares: Shares) -> None:
        """One slot of every SLO, in which these shares of each pod are bad."""
        question = Question("q", "h_seconds")
        self.store.append(self.agent.source.name, [
            judge(slo, slot, Answer(question, {(("pod", pod),): sample(slo, share) for pod, share in shares.items()}))
            for slo in self.agent.slos
        ])  # fmt: skip

    def record_days(self, first: int, last: int, bad_at: Mapping[int, float], missing: frozenset[int]) -> None:
        """Every slot, good but for some of pod a, with the pieces of the hours that are whole."""
        for slot in range(first, last + 1, 300):
            if slot not in missing:
                self.record(slot, {"a": bad_at.get(slot, 0.0), "b": 0.0})
        for hour in range(first // HOUR * HOUR, last - HOUR + 1, HOUR):
            bad = sum(share for slot, share in bad_at.items() if hour < slot <= hour + HOUR) / 12
            for slo in self.agent.slos[:2]:
                series: dict[Labels, Counted] = {
                    (("pod", pod),): counted(slo, bad if pod == "a" else 0.0, 1200) for pod in PODS
                }
                piece = Piece(hour * 1000, (hour + HOUR) * 1000, "q", series)
                self.store.append_piece(self.agent.source.name, slo, piece)

    def left(self) -> dict[str, dict[str, float]]:
        """What is left, by SLO and run, when all that was recorded has been followed."""
        self.follower.follow()
        self.budgets.round()
        return self.shown()

    def shown(self) -> dict[str, dict[str, float]]:
        """What is known of it now."""
        return {
            one.slo.name: {run: round(ratio, 9) for run, ratio in one.left.items()} for one in self.budgets.standings()
        }


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "own.yaml").write_text(SETS)
    (tmp_path / "sloagent.yaml").write_text(CONFIGURATION)
    made = World(tmp_path)
    with made.agent:
        yield made


def everywhere(share: float, run: str = "") -> dict[str, dict[str, float]]:
    """The same left of every SLO that has a budget."""
    return {**{name: {run: share} for name in ("latency", "ratio", "value")}, "not-promised": {}}


def soak(*holes: tuple[int, int], start: int = START) -> Run:
    exclusions = tuple(Exclusion(TimeRange(at(begin), at(end)), "chaos") for begin, end in holes)
    return Run("soak", at(start), None, exclusions=exclusions)


def test_what_is_followed_slot_by_slot_is_what_a_restart_reads_of_the_store(world: World) -> None:
    world.store.save_run(soak())
    world.record(START + 300, {"a": 0.0, "b": 0.0})
    world.left()
    for number in range(2, 51):
        world.record(START + 300 * number, {"a": 1.0 if number == 9 else 0.0, "b": 0.0})
        if number % 7 == 0:
            world.left()
    # One of fifty is bad, one of a hundred may be.
    assert world.left() == everywhere(-1.0, "soak")
    rates = [one.rates for one in world.budgets.standings()]
    world.begin_anew()
    assert world.left() == everywhere(-1.0, "soak"), "before anything new is recorded"
    assert [one.rates for one in world.budgets.standings()] == rates
    world.record(START + 300 * 51, {"a": 0.0, "b": 0.0})
    assert world.left() == everywhere(round(1 - 100 / 51, 9), "soak")


def test_of_days_that_are_sums_by_now_events_are_in_pieces_and_windows_in_the_sums(world: World) -> None:
    world.store.save_run(soak())
    # In 288 slots a day two are wholly bad; the last day, and an hour more, still has its rows.
    bad = {START + 3 * HOUR: 1.0, START + 7 * HOUR: 1.0, START + DAY + HOUR: 1.0, START + 2 * DAY + 600: 1.0}
    world.record_days(START + 300, START + 2 * DAY + HOUR, bad, frozenset())
    expected = everywhere(round(1 - 4 / (2 * 288 + 12) / 0.01, 9), "soak")
    assert world.left() == expected
    assert world.store.roll_up(START + DAY + 9 * HOUR) > 0
    world.begin_anew()
    world.record(START + 2 * DAY + HOUR + 300, {})
    assert world.left() == expected


def test_an_hour_with_an_exclusion_is_not_taken_from_its_piece(world: World) -> None:
    world.store.save_run(soak((START + 3 * HOUR + 700, START + 3 * HOUR + 1200)))
    bad = {START + 3 * HOUR + 900: 1.0, START + 3 * HOUR + 1200: 1.0, START + 5 * HOUR: 1.0}
    world.record_days(START + 300, START + 8 * HOUR, bad, frozenset())
    # The windows that end at 900 and at 1200 touch it.
    assert world.left() == everywhere(round(1 - 1 / (8 * 12 - 2) / 0.01, 9), "soak")
    world.store.roll_up(START + 6 * HOUR)
    world.begin_anew()
    world.record(START + 8 * HOUR + 300, {})
    left = world.left()
    assert left["value"] == {"soak": round(1 - 1 / (8 * 12 - 2) / 0.01, 9)}
    without_the_hour = {"soak": round(1 - 1 / (7 * 12) / 0.01, 9)}
    assert left["latency"] == left["ratio"] == without_the_hour


def test_what_was_excluded_after_it_became_a_sum_takes_the_hour_with_it(world: World) -> None:
    world.store.save_run(soak())
    world.record_days(START + 300, START + 8 * HOUR, {START + 3 * HOUR + 1200: 1.0, START + 5 * HOUR: 1.0}, frozenset())
    world.store.roll_up(START + 6 * HOUR)
    world.store.save_run(soak((START + 3 * HOUR + 700, START + 3 * HOUR + 1200)))
    # The sum of a value's hour has the slots from its beginning on, that of its piece the ones up to its end.
    assert world.left() == everywhere(round(1 - 1 / (7 * 12) / 0.01, 9), "soak")


def test_a_slot_that_comes_late_counts_and_nothing_counts_twice(world: World) -> None:
    world.store.save_run(soak())
    late = frozenset({START + 3 * HOUR, START + DAY + 3 * HOUR, START + DAY + 4 * HOUR})
    world.record_days(START + 300, START + DAY + 6 * HOUR, {START + HOUR: 1.0}, late)
    total = 30 * 12
    assert world.left()["value"] == {"soak": round(1 - 100 / (total - 3), 9)}
    for number, slot in enumerate(sorted(late, reverse=True), 1):
        world.record(slot, {"a": 1.0, "b": 0.0})
        assert world.left()["value"] == {"soak": round(1 - 100 * (1 + number) / (total - 3 + number), 9)}
    world.begin_anew()
    world.record(START + DAY + 6 * HOUR + 300, {})
    assert world.left()["value"] == {"soak": round(1 - 400 / total, 9)}


def test_of_two_agents_on_a_store_both_know_whoever_looked_first(world: World) -> None:
    other = Budgets(world.agent, follower := AlertFollower(world.agent))
    for number in range(1, 20):
        world.record(START + 300 * number, {"a": 1.0 if number == 9 else 0.0, "b": 0.0})
        world.left()
        follower.follow()
        other.round()
        assert other.standings() == world.budgets.standings()


def test_each_run_that_goes_on_is_shown_and_the_period_where_none_does(world: World) -> None:
    world.record_days(START + 300, START + 3 * HOUR, {START + HOUR: 1.0}, frozenset())
    assert world.left() == everywhere(round(1 - 100 / 36, 9))
    world.store.save_run(soak(start=START + 2 * HOUR))
    world.store.save_run(replace(soak(), name="longer"))
    assert world.left()["ratio"] == {"longer": round(1 - 100 / 36, 9), "soak": 1.0}
    world.store.save_run(soak((START, START + HOUR)))
    assert world.left()["ratio"]["soak"] == 1.0
    for name in ("soak", "longer"):
        world.store.save_run(Run(name, at(START), at(START + 3 * HOUR - 1)))
    assert world.left() == everywhere(round(1 - 100 / 36, 9))


def test_the_rates_are_those_of_the_newest_slot_that_ends_a_window_and_a_window_without_events_has_none(
    world: World,
) -> None:
    for number in range(1, 13):
        world.record(START + 300 * number, {"a": 0.5 if number == 12 else 0.0, "b": 0.0})
    world.left()
    ratio = world.budgets.standings()[1]
    a, b = ratio.rates[("pod", "a"),], ratio.rates[("pod", "b"),]
    # 2 d of 30 scale an hour to 4 m, a window; 6 h to 24 m, five of them; 1 d to 96 m and 3 d to 288 m.
    assert a == {300: pytest.approx(50.0), 600: pytest.approx(25.0), 1500: pytest.approx(10.0),
                 6000: pytest.approx(50 / 12), 17400: pytest.approx(50 / 12)}  # fmt: skip
    assert set(b.values()) == {0.0}
    world.record(START + 300 * 13, {"b": 0.0})
    world.left()
    assert 300 not in world.budgets.standings()[1].rates[("pod", "a"),]


def test_nothing_is_known_before_a_slot_was_followed(world: World) -> None:
    world.budgets.round()
    assert [(one.active, one.rates, one.left) for one in world.budgets.standings()] == [(None, {}, {})] * 4


def test_a_fold_that_broke_off_counts_nothing_twice(world: World) -> None:
    slo = world.slos["ratio"]
    for number in range(1, 4):
        world.record(START + 300 * number, {"a": 0.01 * number})
    slots = list(world.store.slots(world.agent.source.name, slo, (START, START + DAY)))
    history, known = History(world.agent, slo), Checkpoint(START + 300, {}, 1)
    history.reach(None, START + 300)
    history.add(slots[0])
    history.looked_at = known
    for _ in range(2):  # the store failed before the step was whole: it is done again
        history.reach(known, START + 600)
        for slot in slots[1:]:
            history.add(slot)
    burn = history.burnt.burn((("pod", "a"),), 1500, START + 900)
    assert burn is not None
    assert burn.rate == pytest.approx(2.0)
    assert burn.counted == pytest.approx(300.0)


def test_what_is_being_read_is_not_shown_until_it_is_whole_and_meanwhile_what_was_known_is(world: World) -> None:
    world.store.save_run(soak())
    world.record_days(START + 300, START + 3 * HOUR, {START + HOUR: 1.0}, frozenset({START + 2 * HOUR}))
    world.follower.follow()
    world.budgets.round(stopping=lambda: True)
    assert set(map(str, world.shown().values())) == {"{}"}
    before = world.left()
    world.record(START + 2 * HOUR, {"a": 1.0})
    world.follower.follow()
    world.budgets.round(stopping=lambda: True)
    assert world.shown() == before
    assert world.left() != before
