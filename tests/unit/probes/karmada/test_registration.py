"""A cluster is timed from its object's appearance to Ready, and from its deletion to its end, where both were seen."""

from __future__ import annotations

import pytest

from sloagent.probes.karmada.registration import Registrations
from sloagent.probes.seen import Change, Doubt, Seen
from tests.unit.probes.karmada.tallies import Remembering, cluster

GOING = "2026-11-22T07:00:00Z"


@pytest.fixture
def tally():
    return Remembering()


@pytest.fixture
def registrations(tally):
    return Registrations(tally)


def test_registration_and_unregistration_are_timed_by_mode(registrations, tally):
    registrations.cluster(cluster(at=10.0, mode="Pull"))
    assert tally.states == (1, 0, 0)
    registrations.cluster(cluster(at=10.2, mode="Pull", change=Change.MODIFIED))
    registrations.cluster(cluster(at=14.0, mode="Pull", change=Change.MODIFIED, ready=True))
    assert tally.states == (0, 1, 0)
    registrations.cluster(cluster(at=50.0, mode="Pull", change=Change.MODIFIED, ready=True, going=GOING))
    assert tally.states == (0, 0, 1)
    registrations.cluster(cluster(at=71.0, mode="Pull", change=Change.DELETED, going=GOING))
    assert tally.registrations == [("registration", "Pull", 4.0), ("unregistration", "Pull", 21.0)]
    assert tally.states == (0, 0, 0)


def test_a_cluster_that_was_there_is_not_timed_and_one_that_was_not_ready_is_counted(registrations, tally):
    registrations.cluster(cluster("old", doubt=Doubt.EXISTED, ready=True))
    registrations.cluster(cluster("joining", doubt=Doubt.EXISTED))
    registrations.cluster(cluster("joining", at=3.0, change=Change.MODIFIED, ready=True))
    assert tally.registrations == []
    assert tally.not_registered == {("registration", "existed"): 1}


def test_a_cluster_that_is_not_ready_for_a_while_is_not_registered_twice(registrations, tally):
    for at, ready in ((0.0, False), (2.0, True), (50.0, False), (60.0, True)):
        registrations.cluster(cluster(at=at, change=Change.MODIFIED if at else Change.ADDED, ready=ready))
    assert tally.registrations == [("registration", "Push", 2.0)]


def test_a_cluster_that_comes_back_under_its_name_is_another_one(registrations, tally):
    registrations.cluster(cluster(at=0.0, uid="first", ready=True, doubt=Doubt.EXISTED))
    registrations.cluster(cluster(at=5.0, uid="first", change=Change.MODIFIED, ready=True, going=GOING))
    registrations.cluster(cluster(at=25.0, uid="first", change=Change.DELETED))
    registrations.cluster(cluster(at=30.0, uid="second"))
    registrations.cluster(cluster(at=30.1, uid="second", change=Change.MODIFIED, ready=True))
    assert tally.registrations == [("unregistration", "Push", 20.0), ("registration", "Push", 0.1)]


@pytest.mark.parametrize("doubt", [Doubt.GAP, Doubt.RESUMED, Doubt.LATE, Doubt.STALLED])
def test_a_moment_in_doubt_is_not_timed(registrations, tally, doubt):
    registrations.cluster(cluster(at=0.0, doubt=doubt))
    registrations.cluster(cluster(at=2.0, change=Change.MODIFIED, ready=True))
    registrations.cluster(cluster("other", at=0.0))
    registrations.cluster(cluster("other", at=2.0, change=Change.MODIFIED, ready=True, doubt=doubt))
    registrations.cluster(cluster("other", at=3.0, change=Change.MODIFIED, ready=True, going=GOING))
    registrations.cluster(Seen(Change.DELETED, "other", None, 9.0, Doubt.GAP))
    assert tally.registrations == []
    assert tally.not_registered == {("registration", str(doubt)): 2, ("unregistration", "gap"): 1}


def test_a_cluster_that_leaves_before_it_was_ready_or_without_a_deletion_seen_is_counted(registrations, tally):
    registrations.cluster(cluster(at=0.0))
    registrations.cluster(cluster(at=5.0, change=Change.DELETED))
    assert tally.not_registered == {("registration", "left"): 1, ("unregistration", "deletion_unseen"): 1}
