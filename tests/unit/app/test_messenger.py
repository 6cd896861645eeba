"""Who is told what, when: over a real store and slots judged by the real judge, at made-up times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sloagent.app.alerting import AlertFollower
from sloagent.app.messenger import LEASE_SECONDS, RENEWED_SECONDS, Messenger
from sloagent.app.wiring import Agent, open_agent
from sloagent.evaluation.judge import judge
from sloagent.model.alert import Notice
from sloagent.model.pending import Pending
from sloagent.model.samples import Answer, Kind, Question, Refusal
from sloagent.sinks import Taken

MINUTE = 60
START = 1_700_000_040
SET = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1m, window: 1m}
slos:
  - name: queue
    sli: {value: {query: 'max by (queue) (depth)', unit: items}}
    objective: {at_most: 5}
    alerts: {burn_rate: {enabled: false}}
"""
CONFIGURATION = """
prometheus: {url: 'http://127.0.0.1:1'}
slos: [own.yaml]
evaluation: {catch_up: 1h}
alerts: {labels: {cluster: test}, external_url: 'http://sloagent.example.com'}
"""


@dataclass
class Listener:
    """A receiver that keeps what it was offered, and takes it at once while it is not deaf."""

    name: str
    repeats: bool
    taken: Taken
    now: Callable[[], float]
    heard: list[Notice] = field(default_factory=list)
    deaf: bool = False

    def offer(self, notices: Sequence[Notice]) -> None:
        if not self.deaf:
            self.heard += notices
            self.pending = list(notices)

    def answer(self) -> None:
        """Say what was taken: a receiver does it from a thread of its own, after the round."""
        taken, self.pending = getattr(self, "pending", []), []
        self.taken(self.name, taken, self.now())

    def test(self, notice: Notice) -> str:
        return notice.labels[0][1]

    def close(self) -> None:
        self.closed = True


class World:
    """One agent with its alerts, and the clock of the test."""

    def __init__(self, directory: Path, name: str = "sloagent.yaml") -> None:
        self.now = float(START)
        self.directory = directory
        (directory / name).write_text(CONFIGURATION)
        self.agent: Agent = open_agent(directory / name)
        (self.slo,) = self.agent.slos
        self.follower = AlertFollower(self.agent)
        self.repeating: Listener
        self.once: Listener
        self.messenger = Messenger(self.agent, self.follower, self._receivers)

    def _receivers(self, taken: Taken) -> Sequence[Listener]:
        self.repeating = Listener("alertmanager", True, taken, lambda: self.now)
        self.once = Listener("webhook", False, taken, lambda: self.now)
        return self.repeating, self.once

    def slot(self, number: int, depth: float | None, *, tell: bool = True) -> None:
        """Record the slot of this number and, if it is told, have a round 30 s after it; None: nothing was found."""
        self.record(number, depth)
        if tell:
            self.now = START + number * MINUTE + 30.0
            self.round()

    def record(self, number: int, depth: float | None) -> None:
        series = {} if depth is None else {(("queue", "a"),): depth}
        slot = START + number * MINUTE
        self.agent.store.append(self.agent.source.name, [judge(self.slo, slot, Answer(Question("q"), series))])

    def round(self, pending: Sequence[Pending] = ()) -> None:
        self.messenger.round(self.now, pending, self.follower.follow())
        self.repeating.answer()
        self.once.answer()

    def killed(self) -> World:
        """The same agent in a new process: nothing but the store is left."""
        self.agent.close()
        after = World(self.directory)
        after.now = self.now + 5
        return after


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "own.yaml").write_text(SET)
    found = World(tmp_path)
    yield found
    found.agent.close()


def stages(listener: Listener) -> list[str]:
    return ["over" if notice.resolved else "firing" for notice in listener.heard]


def test_three_slots_fire_and_three_resolve(world: World) -> None:
    for number, depth in enumerate((9, 9, 9, 9, 1, 1, 1)):
        world.slot(number, depth)
    assert stages(world.once) == ["firing", "over"]
    firing, over = world.once.heard
    assert firing.starts_at == START + 2 * MINUTE
    assert firing.ends_at == START + 2 * MINUTE + 30 + 4 * 60
    assert over.ends_at == START + 6 * MINUTE
    assert over.labels == firing.labels
    assert dict(firing.labels) == {
        "alertname": "SLOViolated", "cluster": "test", "queue": "a", "set": "own", "severity": "ticket", "slo": "queue",
    }  # fmt: skip
    said = dict(firing.annotations)
    assert said["summary"] == "own/queue is violated: queue=a"
    assert said["description"] == "9 items, at most 5 items promised."
    assert said["dashboard_url"] == "http://sloagent.example.com/api/v1/alerts"
    assert firing.generator_url.startswith("http://127.0.0.1:1/graph?g0.expr=max+by+%28queue%29+%28depth%29&")


def test_nobody_hears_of_what_is_pending(world: World) -> None:
    for number, depth in enumerate((9, 9, 1, 9, 9, 1)):
        world.slot(number, depth)
    assert world.repeating.heard == []
    assert world.once.heard == []


def test_a_receiver_that_forgets_is_told_again_each_minute_and_of_an_end_for_a_quarter_of_an_hour(world: World) -> None:
    for number in range(5):
        world.slot(number, 9)
    assert stages(world.repeating) == ["firing"] * 3
    assert [notice.ends_at for notice in world.repeating.heard] == [START + n * 60 + 30 + 240 for n in (2, 3, 4)]
    for number in range(5, 40):
        world.slot(number, 1)
    ends = [notice for notice in world.repeating.heard if notice.resolved]
    assert len(ends) == 15
    assert {notice.ends_at for notice in ends} == {float(START + 7 * MINUTE)}
    assert stages(world.once) == ["firing", "over"]


def test_between_two_sendings_nothing_is_said_twice(world: World) -> None:
    for number in range(3):
        world.slot(number, 9)
    for _ in range(11):
        world.now += 5
        world.round()
    assert stages(world.repeating) == ["firing"]


def test_after_a_kill_there_is_no_end_and_no_second_word_to_whoever_remembers(world: World) -> None:
    for number in range(4):
        world.slot(number, 9)
    first = world.once.heard[0]
    after = world.killed()
    after.round()
    assert stages(after.repeating) == ["firing"]
    assert after.repeating.heard[0].labels == first.labels
    assert after.repeating.heard[0].starts_at == first.starts_at
    assert "nothing was told" not in dict(after.repeating.heard[0].annotations)["description"]
    assert after.once.heard == []
    for number in range(5, 8):
        after.slot(number, 1)
    assert stages(after.once) == ["over"]
    assert after.once.heard[0].labels == first.labels
    after.agent.close()


def test_after_a_silence_longer_than_its_end_an_alert_fires_anew_and_says_so(world: World) -> None:
    for number in range(4):
        world.slot(number, 9)
    after = world.killed()
    for number in range(4, 10):
        after.record(number, 9)
    after.now = START + 9 * MINUTE + 30.0
    after.round()
    said = dict(after.repeating.heard[0].annotations)["description"]
    assert "nothing was told for 360 s, so that it may have been taken for over" in said
    after.agent.close()


def test_what_ended_while_the_agent_was_away_is_told_as_over(world: World) -> None:
    for number in range(4):
        world.slot(number, 9)
    after = world.killed()
    for number in range(4, 10):
        after.record(number, 1)
    after.now = START + 9 * MINUTE + 30.0
    after.round()
    assert stages(after.once) == ["over"]
    assert after.once.heard[0].ends_at == START + 6 * MINUTE
    after.agent.close()


def test_what_began_and_ended_unseen_is_one_event_for_information(world: World) -> None:
    world.slot(0, 1)
    world.slot(20, 1)
    for number in range(1, 20):
        world.record(number, 9 if 3 <= number < 8 or 10 <= number < 15 else 1)
    world.round()
    (event,) = world.once.heard
    labels = dict(event.labels)
    assert (labels["severity"], labels["past"], event.resolved) == ("info", "true", False)
    assert event.ends_at == world.now + 240
    assert (
        "It fired from 2023-11-14 22:19:00 UTC to 2023-11-14 22:31:00 UTC and is over"
        in dict(event.annotations)["description"]
    )
    for number in range(21, 26):
        world.slot(number, 1)
    after = world.killed()
    after.round()
    assert len(world.once.heard) == 1
    assert len(world.repeating.heard) == 1
    assert after.once.heard == after.repeating.heard == []
    after.agent.close()


def test_what_nobody_took_is_told_afterwards_as_past(world: World) -> None:
    world.once.deaf = True
    for number, depth in enumerate((9, 9, 9, 9, 1, 1, 1, 1)):
        world.slot(number, depth)
    world.once.deaf = False
    world.slot(8, 1)
    assert [dict(notice.labels).get("past") for notice in world.once.heard] == ["true"]
    assert stages(world.repeating)[0] == "firing"


def test_a_late_slot_that_breaks_the_row_ends_the_alert(world: World) -> None:
    for number in (0, 1, 3):
        world.slot(number, 9)
    assert stages(world.once) == ["firing"], "what is missing does not break a row"
    world.record(2, 1)
    world.now += 5
    world.round()
    assert stages(world.once) == ["firing", "over"]


def test_slots_without_an_answer_fire_and_end_with_the_answer(world: World) -> None:
    world.slot(0, 1)
    refusal = Refusal(Question("q"), Kind.UNREACHABLE, "connection refused", final=False)
    owed = Pending(world.slo, tuple(START + n * MINUTE for n in range(1, 12)), refusal.message)
    world.now = START + 12.5 * MINUTE
    world.round([replace(owed, slots=owed.slots[:9])])
    assert world.once.heard == []
    world.round([replace(owed, reason="")])
    assert world.once.heard == [], "they have not been asked for yet"
    world.round([owed])
    (notice,) = world.once.heard
    assert dict(notice.labels)["alertname"] == "SLOCannotBeJudged"
    assert "11 slots have no answer: connection refused" in dict(notice.annotations)["description"]
    world.now += 60
    world.round([])
    assert stages(world.once) == ["firing", "over"]


def test_of_two_agents_on_one_store_one_tells_and_the_other_takes_over(world: World) -> None:
    other = World(world.directory, "other.yaml")
    for number in range(3):
        world.slot(number, 9)
        other.now = world.now
        other.round()
    assert stages(world.once) == ["firing"]
    assert other.once.heard == other.repeating.heard == []
    other.now = world.now + LEASE_SECONDS - 1
    other.round()
    assert other.repeating.heard == []
    other.now += 2
    other.round()
    assert stages(other.repeating) == ["firing"]
    assert other.once.heard == [], "it knows what was told"
    world.now = other.now + RENEWED_SECONDS
    world.round()
    assert stages(world.repeating) == ["firing"]
    other.agent.close()


def test_an_agent_that_ends_gives_the_lease_up(world: World) -> None:
    world.slot(0, 1)
    other = World(world.directory, "other.yaml")
    world.messenger.close()
    other.now = world.now
    for number in range(1, 4):
        other.slot(number, 9)
    assert stages(other.once) == ["firing"]
    other.agent.close()


def test_what_was_told_before_a_restart_is_not_told_again_as_past(world: World) -> None:
    for number in range(40):
        world.slot(number, 9 if number % 10 < 4 else 1)
    assert stages(world.once) == ["firing", "over"] * 4
    after = world.killed()
    after.round()
    assert after.once.heard == []
    assert [dict(one.labels).get("past") for one in after.repeating.heard if not one.resolved] == []
    after.agent.close()


def test_a_receiver_that_is_new_is_not_told_of_what_was_before(world: World) -> None:
    for number in range(10):
        world.record(number, 9 if number < 5 else 1)
    world.follower.follow()
    world.now = START + 9 * MINUTE + 30.0
    world.messenger.round(world.now, (), ())
    assert world.once.heard == world.repeating.heard == []


def test_an_slo_that_is_gone_after_a_restart_is_told_as_over_under_the_labels_it_was_told_by(world: World) -> None:
    for number in range(4):
        world.slot(number, 9)
    (world.directory / "own.yaml").write_text(SET.replace("at_most: 5", "at_most: 50"))
    after = world.killed()
    after.round()
    assert stages(after.once) == ["over"]
    assert after.once.heard[0].labels == world.once.heard[0].labels
    assert "its SLO was changed or taken away" in dict(after.once.heard[0].annotations)["summary"]
    after.agent.close()


def test_labels_that_changed_end_the_old_alert_and_begin_a_new_one(world: World) -> None:
    for number in range(4):
        world.slot(number, 9)
    (world.directory / "own.yaml").write_text(SET.replace("{burn_rate:", "{labels: {team: a}, burn_rate:"))
    after = world.killed()
    after.round()
    assert stages(after.once) == ["over", "firing"]
    assert after.once.heard[0].labels == world.once.heard[0].labels
    assert ("team", "a") in after.once.heard[1].labels
    after.agent.close()


def test_while_the_store_is_away_what_is_evaluated_still_alerts(world: World) -> None:
    world.slot(0, 9)
    unwritten = [judge(world.slo, START + n * MINUTE, Answer(Question("q"), {(("queue", "a"),): 9.0})) for n in (1, 2)]
    world.follower.follow_unremembered(unwritten)
    world.now += 120
    world.messenger.round(world.now, (), ())
    assert stages(world.once) == ["firing"]
