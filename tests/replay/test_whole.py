"""All nine minutes of the recording: stalled components, clusters that come and go, a restart. `make e2e-probes`."""

from __future__ import annotations

import pytest

from tests.replay.playing import NEAR_SECONDS, Played, play


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> Played:
    whole = play(tmp_path_factory.mktemp("whole"))
    print(f"\n{whole.table()}")
    print(
        f"\nlargest error {max(whole.errors.values()) * 1000:.1f} ms; lost: {whole.losses or 'none'}; others: {whole.others}"
    )
    print(f"registrations, said and true: {sorted(s for _, _, s in whole.registrations)} {whole.true_registrations}")
    return whole


def test_at_least_995_of_a_thousand_arrivals_are_timed_within_20_ms(played):
    assert len(played.truth) == 562
    near = [key for key, error in played.errors.items() if error <= NEAR_SECONDS]
    assert len(near) >= 0.995 * len(played.truth)


def test_no_arrival_is_invented_and_what_is_not_timed_is_lost_by_name(played):
    assert played.arrivals.keys() <= played.truth.keys()
    assert played.truth.keys() == played.arrivals.keys() | played.losses.keys()


def test_what_was_made_again_is_counted(played):
    assert sum(played.others.values()) == 14
    assert {kind for _, kind in played.others} == {"recreated"}


def test_registrations_and_unregistrations_take_as_long_as_they_took(played):
    said = sorted((what, seconds) for _, what, seconds in played.registrations)
    assert len(said) == len(played.true_registrations) == 6
    for (what, seconds), (truly, took) in zip(said, played.true_registrations, strict=True):
        assert what == truly
        assert abs(seconds - took) <= NEAR_SECONDS
