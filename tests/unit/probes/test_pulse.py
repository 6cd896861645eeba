"""What an API's answers prove of a version: after which moment it came about, and before which."""

from __future__ import annotations

import random
from math import inf

import pytest
from prometheus_client import CollectorRegistry

from sloagent.probes.endpoint import Endpoint
from sloagent.probes.pulse import Pulse
from sloagent.probes.settings import EndpointSettings
from sloagent.probes.telemetry import ProbeTelemetry


@pytest.fixture
def pulse():
    telemetry = ProbeTelemetry(CollectorRegistry())
    made = Pulse(Endpoint("a", EndpointSettings()), "/", 1.0, telemetry=telemetry, chance=random.Random(1))
    for asked, answered, version in ((10.0, 10.1, 100), (11.0, 11.3, 100), (12.0, 12.1, 120), (13.0, 13.1, 130)):
        made.note(asked, answered, version)
    return made


@pytest.mark.parametrize(
    ("version", "after", "before"),
    [(90, -inf, 10.1), (100, -inf, 10.1), (101, 11.0, 12.1), (120, 11.0, 12.1), (125, 12.0, 13.1), (131, 13.0, inf)],
)
def test_a_version_came_about_after_the_last_question_without_it_and_before_the_first_answer_with_it(
    pulse, version, after, before
):
    assert pulse.happened_within(version) == (after, before)


def test_what_had_happened_when_a_watch_was_opened_is_told_by_the_first_question_asked_since(pulse):
    assert pulse.version_after(11.5) == 120
    assert pulse.version_after(9.0) == 100
    assert pulse.version_after(13.5) is None


def test_an_answer_from_a_cache_that_lags_behind_an_earlier_one_proves_nothing(pulse):
    pulse.note(14.0, 14.1, 110)
    assert pulse.happened_within(131) == (13.0, inf)
    assert pulse.version_after(13.5) is None
