from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sloagent.model.run import Run
from sloagent.store.runs import cuts, microseconds, moment
from tests.unit.store.strategies import HOUR, moments, runs

slots = st.integers(-200, 400).map(lambda n: HOUR + n * 60)


def memberships(run: Run, slot: int, window: int) -> list[bool]:
    """Which of a run's stretches a slot belongs to, as the contract says it."""
    at, start = slot * 1_000_000, (slot - window) * 1_000_000
    ranges = [(run.start, run.end), *((phase.range.start, phase.range.end) for phase in run.phases)]
    return [
        *(microseconds(a) <= start and (b is None or at <= microseconds(b)) for a, b in ranges),
        *(at > microseconds(x.range.start) and start < microseconds(x.range.end) for x in run.exclusions),
    ]


@given(runs(), slots, slots, st.sampled_from([60, 300]))
def test_slots_between_the_same_cuts_belong_to_the_same_runs_phases_and_exclusions(run, one, other, window):
    first, last = sorted((one, other))
    if not any(first * 1_000_000 < cut <= last * 1_000_000 for cut in cuts([run], window)):
        assert memberships(run, first, window) == memberships(run, last, window)


@given(moments)
def test_moments_come_back_to_the_microsecond(time):
    assert moment(microseconds(time)) == time
