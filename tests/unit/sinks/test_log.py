"""What is refused for good is said: once when it begins, once when it ends, for each SLO."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from sloagent.evaluation.judge import judge
from sloagent.model.samples import Answer, Kind, Question, Refusal
from sloagent.model.slo import SLO, Limit, Objective, ValueSLI
from sloagent.model.verdict import SlotVerdict
from sloagent.sinks.log import LogSink

UP = SLO("own", "up", ValueSLI("up", "count"), Objective(Limit(at_least=1.0)), 60, 60)


def answered(slot: int) -> SlotVerdict:
    return judge(UP, slot, Answer(Question("up"), {(): 1.0}))


def refused(slot: int, kind: Kind = Kind.EXECUTION, *, final: bool = True) -> SlotVerdict:
    return judge(UP, slot, Refusal(Question("up"), kind, "many-to-many matching", final=final))


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="sloagent")
    return caplog


def test_the_beginning_and_the_end_are_a_line_each(said: pytest.LogCaptureFixture) -> None:
    sink = LogSink()
    for slot in (answered(60), refused(120), refused(180), answered(240), answered(300)):
        sink.tell([slot])
    assert said.messages == [
        "own/up is an error at 1970-01-01 00:02:00 UTC: many-to-many matching",
        "own/up is answered again, at 1970-01-01 00:04:00 UTC",
    ]


def test_slots_that_were_lost_are_counted_with_their_times(said: pytest.LogCaptureFixture) -> None:
    LogSink().tell([answered(300), *(refused(60 * n, Kind.HISTORY_LOST) for n in (4, 3, 2))])
    assert said.messages == [
        "own/up is an error at 3 slots from 1970-01-01 00:02:00 UTC to 1970-01-01 00:04:00 UTC: many-to-many matching",
        "own/up is answered again, at 1970-01-01 00:05:00 UTC",
    ]


def test_another_reason_is_said_too_and_each_slo_has_its_own(said: pytest.LogCaptureFixture) -> None:
    sink = LogSink()
    sink.tell([refused(60), replace(refused(60), slo=replace(UP, name="down"))])
    sink.tell([refused(120, Kind.TOO_MANY_SERIES)])
    assert [message.split(" is ")[0] for message in said.messages] == ["own/up", "own/down", "own/up"]


def test_a_pending_slot_is_not_said_here(said: pytest.LogCaptureFixture) -> None:
    LogSink().tell([refused(60, Kind.TIMEOUT, final=False)])
    assert said.messages == []
