"""What an agent owes: over a real store, by a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sloagent.app.ledger import Ledger
from sloagent.app.wiring import Agent, open_agent
from sloagent.evaluation.judge import judge
from sloagent.model.samples import Answer, Question
from sloagent.model.slo import SLO

NOW = 1_800_000_000.0
DAY = 86_400
SET = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 60s, window: 60s}
slos:
  - name: up
    sli: {value: {query: 'up', unit: count}}
    objective: {at_least: 1}
"""


class Wall:
    """The wall clock as the ledger sees it."""

    def __init__(self) -> None:
        self.now = NOW

    def time(self) -> float:
        return self.now


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    clock = Wall()
    monkeypatch.setattr("sloagent.app.ledger.time", clock)
    return clock


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    (tmp_path / "own.yaml").write_text(SET)
    (tmp_path / "sloagent.yaml").write_text(
        "prometheus: {url: 'http://127.0.0.1:1'}\nslos: [own.yaml]\nevaluation: {delay: 0s, catch_up: 1h}\n"
    )
    with open_agent(tmp_path / "sloagent.yaml") as made:
        yield made


def record(agent: Agent, *slots: int) -> None:
    (slo,) = agent.slos
    agent.store.append(agent.source.name, [judge(slo, slot, Answer(Question("up"), {(): 1.0})) for slot in slots])


def test_slots_are_expected_since_the_first_start_and_the_next_process_knows_it(agent: Agent, wall: Wall) -> None:
    (slo,) = agent.slos
    Ledger(agent, {}).watch()
    wall.now += 600
    later = Ledger(agent, {})
    later.watch()
    assert later.lacking(slo, int(NOW) + 600) == [int(NOW) + 60 * n for n in range(11)]


def test_what_was_read_before_the_beginning_was_known_is_read_again(agent: Agent, wall: Wall) -> None:
    """A restart while the clocks disagreed for a moment: the slots before it are sought once they agree."""
    (slo,) = agent.slos
    Ledger(agent, {}).watch()
    wall.now += 600
    later = Ledger(agent, {})
    record(agent, int(NOW) + 600)
    assert later.lacking(slo, int(NOW) + 600) == []
    later.watch()
    assert len(later.lacking(slo, int(NOW) + 600)) == 10


def test_after_a_wrong_clock_is_put_right_the_missing_slots_are_sought(agent: Agent, wall: Wall) -> None:
    (slo,) = agent.slos
    ledger = Ledger(agent, {})
    ledger.watch()
    wall.now += 30 * DAY
    ledger.clock_was_set()
    assert ledger.lacking(slo, ledger.due(slo).live)
    wall.now = NOW + 120
    ledger.clock_was_set()
    assert ledger.lacking(slo, int(NOW) + 120) == [int(NOW), int(NOW) + 60, int(NOW) + 120]


def test_a_round_under_way_while_the_clock_is_put_right_leaves_nothing_behind(
    agent: Agent, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    (slo,) = agent.slos
    ledger = Ledger(agent, {})
    ledger.watch()
    read = agent.store.recorded

    def put_right_meanwhile(source: str, asked: SLO, stretch: tuple[int, int]) -> frozenset[int]:
        wall.now = NOW + 120
        ledger.clock_was_set()
        return read(source, asked, stretch)

    wall.now += 30 * DAY
    monkeypatch.setattr(agent.store, "recorded", put_right_meanwhile)
    ledger.lacking(slo, int(NOW) + 30 * DAY)
    monkeypatch.undo()
    monkeypatch.setattr("sloagent.app.ledger.time", wall)
    assert ledger.lacking(slo, int(NOW) + 120) == [int(NOW), int(NOW) + 60, int(NOW) + 120]


def test_a_start_by_a_clock_that_is_far_behind_expects_nothing_of_the_time_in_between(agent: Agent, wall: Wall) -> None:
    (slo,) = agent.slos
    wall.now -= 30 * DAY
    ledger = Ledger(agent, {})  # nobody confirms this clock, so nothing is watched
    wall.now = NOW
    ledger.clock_was_set()
    ledger.watch()
    assert ledger.expected_since(slo) == int(NOW)
    assert ledger.never_asked_again(slo, wall.now) == []


def test_a_start_by_a_clock_that_is_ahead_loses_nothing_when_it_is_put_right(agent: Agent, wall: Wall) -> None:
    (slo,) = agent.slos
    wall.now += 3600
    ledger = Ledger(agent, {})
    ledger.watch()
    ledger.note(slo, int(NOW) + 3600)
    wall.now = NOW
    ledger.clock_was_set()
    ledger.watch()
    wall.now = NOW + 60
    assert ledger.lacking(slo, int(NOW) + 60) == [int(NOW), int(NOW) + 60]
    assert ledger.lag_seconds() == 60.0


def test_a_store_that_failed_is_read_anew_from_the_beginning(agent: Agent, wall: Wall) -> None:
    (slo,) = agent.slos
    ledger = Ledger(agent, {})
    ledger.watch()
    record(agent, int(NOW))
    assert ledger.lacking(slo, int(NOW)) == []
    ledger.begin_anew()
    assert ledger.unwatched == [slo]
    wall.now += 60
    ledger.watch()
    assert ledger.expected_since(slo) == int(NOW)
    assert ledger.lacking(slo, int(NOW) + 60) == [int(NOW) + 60]


def test_while_the_store_cannot_be_read_everything_after_the_newest_known_slot_is_owed(
    agent: Agent, wall: Wall
) -> None:
    (slo,) = agent.slos
    ledger = Ledger(agent, {})
    ledger.note(slo, int(NOW))
    wall.now += 180
    assert ledger.unremembered(slo, int(NOW) + 180) == [int(NOW) + 60, int(NOW) + 120, int(NOW) + 180]


def test_only_what_the_store_would_still_hold_can_be_missing(agent: Agent, wall: Wall) -> None:
    (slo,) = agent.slos
    ledger = Ledger(agent, {})
    ledger.watch()
    wall.now += 2 * 3600
    lost = ledger.never_asked_again(slo, wall.now)
    assert lost == list(range(int(NOW), int(NOW) + 3600, 60))
    record(agent, *lost)
    assert ledger.never_asked_again(slo, wall.now) == []


def test_what_is_lost_is_said_of_the_moment_that_was_confirmed_although_the_clock_is_set_meanwhile(
    agent: Agent, wall: Wall
) -> None:
    (slo,) = agent.slos
    ledger = Ledger(agent, {})
    ledger.watch()
    confirmed = wall.now
    wall.now += 7 * DAY
    assert ledger.never_asked_again(slo, confirmed) == []
    assert ledger.never_asked_again(slo, wall.now) != []
