"""The probe against two minutes of a real control plane's watches: a member's API server stalls; a cluster leaves and joins.

The whole nine minutes: `make e2e-probes`.
"""

from __future__ import annotations

import pytest

from tests.replay.playing import NEAR_SECONDS, Played, play_at_once

STALLS, JOINS = (165.0, 60.0), (315.0, 60.0)


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> list[Played]:
    return play_at_once(tmp_path_factory.mktemp("replay"), (STALLS, JOINS))


def test_the_arrivals_are_timed_as_they_were_and_none_is_invented(played):
    for one in played:
        print(one.table())
        assert len(one.truth) >= 24
        near = [key for key, error in one.errors.items() if error <= NEAR_SECONDS]
        assert len(near) >= 0.995 * len(one.truth), one.losses
        assert one.arrivals.keys() <= one.truth.keys()
        assert one.truth.keys() <= one.arrivals.keys() | one.losses.keys()


def test_what_came_again_is_counted_and_not_timed(played):
    stalls, joins = played
    assert stalls.others == {}
    assert {kind for _, kind in joins.others} == {"existed"}  # its template is older than the stretch
    assert sum(joins.others.values()) == 1


def test_each_stage_is_timed(played):
    for one in played:
        assert one.stages["member"] >= 0.9 * len(one.truth)
        assert min(one.stages.values()) > 0


def test_a_registration_and_an_unregistration_take_as_long_as_they_took(played):
    joins = played[1]
    said = sorted((what, seconds) for _, what, seconds in joins.registrations)
    assert len(said) == 2
    for (what, seconds), (truly, took) in zip(said, joins.true_registrations, strict=True):
        assert what == truly
        assert abs(seconds - took) <= NEAR_SECONDS
