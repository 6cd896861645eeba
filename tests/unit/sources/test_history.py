"""What knowledge of the past holds for which answers."""

from __future__ import annotations

import pytest

from sloagent.errors import SourceError
from sloagent.sources.connection import PrometheusConnection, Reply
from sloagent.sources.history import VOUCHES_SECONDS, History
from sloagent.sources.http_config import PrometheusSettings
from tests.prometheus import free_port


def reply(received_at: float, connected_at: float = 0.0) -> Reply:
    return Reply(b"", None, received_at, connected_at)


@pytest.fixture
def history() -> History:
    # Nobody listens there, so that asking is an error.
    nobody = PrometheusSettings(url=f"http://127.0.0.1:{free_port()}")
    known = History(PrometheusConnection(nobody, timeout_seconds=1, max_queries=1, max_response_bytes=1_000))
    known.witness(1_000, reply(100.0))
    return known


@pytest.mark.parametrize(
    ("slot", "answer"),
    [
        (1_000, reply(100.0)),
        (1_060, reply(101.0)),
        (1_000, reply(99.0, connected_at=98.0)),
        (1_000, reply(100.0 + VOUCHES_SECONDS)),
    ],
)
def test_a_fact_holds_for_later_slots_on_an_older_connection(history: History, slot: int, answer: Reply):
    assert history.reaches(slot, answer)
    assert history.first_reached([slot, slot + 60], answer) == 0


@pytest.mark.parametrize(
    ("slot", "answer"),
    [
        (999, reply(100.0)),
        (1_000, reply(102.0, connected_at=101.0)),
        (1_000, reply(100.1 + VOUCHES_SECONDS)),
    ],
    ids=["an earlier slot", "a connection made since, perhaps after a restart", "a fact too old"],
)
def test_a_fact_does_not_hold_for_what_it_cannot_know(history: History, slot: int, answer: Reply):
    with pytest.raises(SourceError):
        history.reaches(slot, answer)


def test_a_newer_fact_replaces_one_that_no_longer_vouches(history: History):
    history.witness(1_060, reply(120.0))
    assert history.reaches(1_060, reply(121.0))
    history.witness(1_120, reply(122.0, connected_at=121.5))
    assert history.reaches(1_120, reply(123.0, connected_at=121.5))


def test_a_fact_of_an_earlier_slot_is_worth_more(history: History):
    history.witness(940, reply(101.0))
    history.witness(1_000, reply(102.0))
    assert history.reaches(940, reply(103.0))
