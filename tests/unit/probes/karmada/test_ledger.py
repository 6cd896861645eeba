"""Each expected arrival ends in one way: timed, lost with a reason, or awaited; everything else is told apart."""

from __future__ import annotations

import random
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.probes.karmada.ledger import EARLY_SECONDS, HELD_SECONDS, Ledger
from sloagent.probes.seen import Change, Doubt
from tests.unit.probes.karmada.tallies import Remembering, arrival, binding, template, work

TIMEOUT = 600.0


@pytest.fixture
def tally():
    return Remembering()


@pytest.fixture
def bindings():
    """Set while bindings are watched."""
    watched = Event()
    watched.set()
    return watched


@pytest.fixture
def ledger(tally, bindings):
    made = Ledger(
        tally, timeout=TIMEOUT, watched=lambda member: member != "unwatched", placements_watched=bindings.is_set
    )
    made.joined("a", "Push")
    made.joined("b", "Pull")
    return made


def placed(ledger, *members, at=0.0, doubt=Doubt.NONE, uid="t1"):
    """A template of which the binding and the first placement are seen."""
    ledger.template(template(uid, at, doubt=doubt))
    ledger.binding(binding(uid, at + 0.1))
    ledger.binding(binding(uid, at + 0.15, members, Change.MODIFIED))


def test_an_arrival_is_timed_from_the_templates_appearance_in_each_member_of_the_placement(ledger, tally):
    placed(ledger, "a", "b", at=10.0)
    ledger.work(work("a", at=10.2))
    ledger.member("a", arrival(at=10.5))
    ledger.member("b", arrival(at=11.0))
    assert tally.latencies == [("a", "Push", 0.5), ("b", "Pull", 1.0)]
    assert tally.stages == [("binding", 0.1), ("scheduled", 0.05), ("work", 0.05), ("member", 0.3)]
    assert tally.untimed_stages == {"member": 1}  # the work of b was not shown
    assert (tally.losses, tally.others, tally.awaited) == ({}, {}, {"a": 0, "b": 0})


def test_what_has_not_arrived_is_awaited_and_after_the_timeout_lost(ledger, tally):
    placed(ledger, "a", "unwatched")
    ledger.look_at_clock(TIMEOUT - 1)
    assert tally.awaited == {"a": 1, "unwatched": 1}
    ledger.look_at_clock(TIMEOUT)
    assert tally.losses == {("a", "timeout"): 1, ("unwatched", "unwatched"): 1}
    ledger.member("a", arrival(at=TIMEOUT + 5))
    assert tally.others == {("a", "after_timeout"): 1}
    assert (tally.latencies, tally.balanced()) == ([], True)


@pytest.mark.parametrize("doubt", [Doubt.GAP, Doubt.RESUMED, Doubt.LATE, Doubt.STALLED])
def test_an_arrival_whose_moment_is_in_doubt_is_lost_by_the_name_of_the_doubt(ledger, tally, doubt):
    placed(ledger, "a")
    ledger.member("a", arrival(doubt=doubt))
    assert (tally.latencies, tally.losses, tally.balanced()) == ([], {("a", str(doubt)): 1}, True)


@pytest.mark.parametrize("doubt", [Doubt.GAP, Doubt.RESUMED, Doubt.LATE, Doubt.STALLED])
def test_nothing_is_timed_from_a_template_whose_moment_is_in_doubt(ledger, tally, doubt):
    placed(ledger, "a", doubt=doubt)
    ledger.member("a", arrival())
    assert (tally.latencies, tally.losses) == ([], {("a", "template_unseen"): 1})


def test_a_template_that_was_there_before_the_probe_is_not_timed(ledger, tally):
    ledger.template(template(doubt=Doubt.EXISTED))
    ledger.binding(binding(clusters=("a",)))
    ledger.member("a", arrival(doubt=Doubt.EXISTED))
    assert not tally.others
    ledger.member("a", arrival(own="again"))
    assert (tally.latencies, tally.losses, tally.expectations) == ([], {}, {})
    assert tally.others == {("a", "existed"): 1}


def test_what_a_member_had_when_its_watch_began_was_not_seen_coming(ledger, tally):
    placed(ledger, "a")
    ledger.member("a", arrival(doubt=Doubt.EXISTED))
    assert tally.losses == {("a", "unwatched"): 1}


def test_an_object_made_again_and_one_that_was_moved_are_told_apart(ledger, tally):
    placed(ledger, "a")
    ledger.member("a", arrival(at=0.5))
    ledger.member("a", arrival(change=Change.DELETED))
    ledger.member("a", arrival(at=100.0, own="again"))
    ledger.binding(binding(at=200.0, clusters=("a", "b"), change=Change.MODIFIED))
    ledger.member("b", arrival(at=201.0))
    assert tally.others == {("a", "recreated"): 1, ("b", "moved"): 1}
    assert tally.latencies == [("a", "Push", 0.5)]


def test_an_update_of_an_object_in_a_member_is_no_arrival(ledger, tally):
    placed(ledger, "a")
    ledger.member("a", arrival())
    ledger.member("a", arrival(at=7.0, change=Change.MODIFIED))
    ledger.template(template(at=8.0, change=Change.MODIFIED, generation=2))
    assert (len(tally.latencies), tally.others, tally.templates["updated"]) == (1, {}, 1)


def test_an_object_that_was_in_the_member_already_arrives_when_it_becomes_the_templates(ledger, tally):
    placed(ledger, "a")
    ledger.member("a", arrival(at=0.7, change=Change.MODIFIED))
    assert tally.latencies == [("a", "Push", 0.7)]


def test_a_template_that_comes_back_under_its_name_is_another_one(ledger, tally):
    placed(ledger, "a")
    ledger.member("a", arrival(at=0.5))
    ledger.template(template(at=20.0, change=Change.DELETED))
    placed(ledger, "a", at=30.0, uid="t2")
    ledger.member("a", arrival("t2", at=30.4, change=Change.MODIFIED))
    assert [seconds for _, _, seconds in tally.latencies] == [0.5, 0.4]


def test_what_will_not_come_any_more_is_lost_by_its_reason(ledger, tally):
    placed(ledger, "a", "b")
    ledger.binding(binding(at=1.0, clusters=("b",), change=Change.MODIFIED))
    placed(ledger, "a", uid="t2")
    ledger.template(template("t2", change=Change.DELETED))
    ledger.left("b")
    assert tally.losses == {("a", "unscheduled"): 1, ("a", "withdrawn"): 1, ("b", "cluster_left"): 1}
    assert (tally.awaited, tally.balanced()) == ({"a": 0, "b": 0}, True)


def test_an_arrival_before_the_placement_is_known_waits_for_it_and_keeps_its_moment(ledger, tally):
    ledger.template(template())
    ledger.member("a", arrival(at=0.3))
    ledger.member("b", arrival(at=0.4))
    ledger.binding(binding(at=3.0, clusters=("a",)))
    assert tally.latencies == [("a", "Push", 0.3)]
    assert tally.others == {("b", "moved"): 1}


def test_a_placement_found_by_listing_may_not_be_the_first(ledger, tally):
    ledger.template(template())
    ledger.binding(binding(clusters=("a",), doubt=Doubt.GAP))
    ledger.member("a", arrival())
    assert (tally.latencies, tally.losses) == ([], {("a", "placement_unseen"): 1})


def test_a_template_shown_after_what_follows_from_it_was_shown_late(ledger, tally):
    ledger.binding(binding(at=1.0, clusters=("a", "b")))
    ledger.member("a", arrival(at=1.5))
    ledger.template(template(at=3.0))
    ledger.member("b", arrival(at=3.5))  # 0.5 s would be wrong: the template was there before 1.0
    assert tally.latencies == []
    assert tally.losses == {("a", "template_unseen"): 1, ("b", "template_unseen"): 1}


def test_watches_that_differ_by_milliseconds_are_not_taken_for_late(ledger, tally):
    ledger.binding(binding(at=1.0, clusters=("a",)))
    ledger.template(template(at=1.005))
    ledger.member("a", arrival(at=1.1))
    assert tally.latencies == [("a", "Push", 0.095)]
    assert tally.untimed_stages["binding"] == 1


def test_an_arrival_of_which_no_template_is_ever_shown_is_counted_as_unknown(ledger, tally):
    ledger.member("a", arrival(at=5.0))
    ledger.look_at_clock(5.0 + EARLY_SECONDS)
    assert tally.others == {("a", "unknown"): 1}


def test_objects_that_karmada_did_not_bring_do_not_count(ledger, tally):
    seen = arrival()
    seen.object.metadata.annotations.clear()
    ledger.member("a", seen)
    ledger.look_at_clock(1000.0)
    assert not tally.others


def test_templates_without_a_placement_are_told_by_whether_a_policy_claimed_them(ledger, tally):
    ledger.template(template("unclaimed"))
    ledger.template(template("stuck"))
    ledger.binding(binding("stuck"))
    assert ledger.unplaced == 2
    ledger.look_at_clock(TIMEOUT)
    assert tally.templates == {"unclaimed": 1, "never_placed": 1}
    assert ledger.unplaced == 0


def test_a_template_is_not_given_up_while_nobody_watches_whether_it_is_placed(ledger, tally, bindings):
    ledger.template(template())
    ledger.member("a", arrival(at=1.0))
    bindings.clear()
    ledger.look_at_clock(TIMEOUT + HELD_SECONDS - 1)
    assert (tally.templates, ledger.unplaced) == ({}, 1)
    ledger.binding(binding(at=TIMEOUT + HELD_SECONDS - 1, clusters=("a", "b"), doubt=Doubt.GAP))
    bindings.set()
    ledger.look_at_clock(TIMEOUT + HELD_SECONDS)
    assert (tally.templates, ledger.unplaced) == ({"placed": 1}, 0)
    assert (tally.losses, tally.others) == ({("a", "placement_unseen"): 1, ("b", "timeout"): 1}, {})
    assert tally.balanced()


def test_what_arrived_is_lost_where_bindings_are_not_watched_again(ledger, tally, bindings):
    ledger.template(template())
    ledger.member("a", arrival(at=1.0))
    bindings.clear()
    ledger.look_at_clock(TIMEOUT + HELD_SECONDS)
    assert (tally.templates, ledger.unplaced) == ({"unwatched": 1}, 0)
    ledger.member("b", arrival(at=TIMEOUT + HELD_SECONDS + 1))
    assert (tally.losses, tally.others) == ({("a", "placement_unseen"): 1}, {("b", "after_timeout"): 1})
    assert (tally.expectations, tally.balanced()) == ({"a": 1}, True)


@given(seed=st.integers(0, 2**32))
def test_however_the_watches_fare_no_latency_is_wrong_and_every_expectation_is_accounted_for(seed):
    chance = random.Random(seed)
    tally = Remembering()
    ledger = Ledger(tally, timeout=TIMEOUT, watched=lambda _: True, placements_watched=lambda: True)
    doubts = [Doubt.NONE] * 6 + [Doubt.GAP, Doubt.RESUMED, Doubt.LATE, Doubt.STALLED, Doubt.EXISTED]
    truth, events = {}, []
    for number in range(chance.randint(1, 12)):
        uid, born = f"t{number}", chance.uniform(0, 100)
        members = chance.sample(["a", "b", "c"], chance.randint(1, 3))
        shown = chance.choice(doubts[:-1])
        late = 0.0 if not shown else chance.uniform(0, 5)
        events.append((born + late, ledger.template, template(uid, born + late, doubt=shown)))
        events.append((born + 0.1, ledger.binding, binding(uid, born + 0.1, doubt=chance.choice(doubts))))
        events.append((born + 0.2, ledger.binding, binding(uid, born + 0.2, members, Change.MODIFIED)))
        for member in members:
            came, doubt = born + chance.uniform(0.3, 20), chance.choice(doubts)
            seen_at = came if not doubt else came + chance.uniform(0, 5)
            if chance.random() < 0.9:
                events.append(
                    (seen_at, lambda seen, m=member: ledger.member(m, seen), arrival(uid, seen_at, doubt=doubt))
                )
            truth[uid, member] = round(came - born, 6)
        if chance.random() < 0.3:
            gone = born + chance.uniform(0, 30)
            events.append((gone, ledger.template, template(uid, gone, Change.DELETED, chance.choice(doubts))))
    for at, tell, seen in sorted(events, key=lambda event: event[0]):
        tell(seen)
        ledger.look_at_clock(at)
        assert tally.balanced()
    allowed = set(truth.values())
    assert {seconds for _, _, seconds in tally.latencies} <= allowed
    ledger.look_at_clock(10_000.0)
    assert tally.balanced()
    assert sum(tally.awaited.values()) == 0
