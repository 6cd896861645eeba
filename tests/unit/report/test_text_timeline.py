from __future__ import annotations

import dataclasses
from datetime import timedelta

from sloagent.model.record import SLORecord
from sloagent.model.run import Phase
from sloagent.model.slo import SLO
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import Outcome
from sloagent.report.content import Report, content
from sloagent.report.text_timeline import text_timeline
from tests.unit.report.sample import FSYNC, MUTATING, RUN, START, definition, made_of, slo_record
from tests.unit.report.showing import ENGLISH


def over(
    minutes: float, failing: set[int], *, late: float = 0, every: int = 1, phases: tuple[Phase, ...] = ()
) -> Report:
    """A report of a run that begins `late` minutes after a slot, in which the slots of those numbers failed."""
    first = int(START.timestamp())
    whole = TimeRange(START + timedelta(minutes=late), START + timedelta(minutes=minutes))
    run = dataclasses.replace(RUN, start=whole.start, end=whole.end, phases=phases, exclusions=())

    def one(slo: SLO, step: int) -> SLORecord:
        slots = range(first + 60 * step, first + 60 * int(minutes) + 1, 60 * step)
        states = tuple(Outcome.FAIL if (slot - first) // 60 in failing else Outcome.PASS for slot in slots)
        record = dataclasses.replace(slo_record(slo), phases=(), slots=slots, states=states)
        return dataclasses.replace(record, slo=dataclasses.replace(slo, interval=60 * step))

    records = [one(FSYNC, 1)] + ([one(MUTATING, every)] if every > 1 else [])
    return content(made_of(*records, run=run, span=whole), definition())


def line(report: Report, name: str = FSYNC.name) -> str:
    (found,) = [line for line in text_timeline(report, ENGLISH).split("\n") if line.startswith(name)]
    return found


def test_a_slot_is_one_character_wherever_the_run_begins() -> None:
    for late in (0, 0.4, 0.9):
        for minutes in (28, 73, 100, 120):
            assert line(over(minutes, {13}, late=late)).count("█") == 1
            assert line(over(minutes, set(range(9, 18)), late=late)).count("█") == 9
    assert "One character is one slot, every 1 min." in text_timeline(over(100, {13}), ENGLISH)


def test_beyond_a_hundred_and_twenty_slots_a_column_shows_its_worst_and_the_legend_says_how_long_it_is() -> None:
    for failing in (599, 600, 601):
        long = over(1000, {failing})
        assert line(long).count("█") == 1
        assert len(line(long)) <= len(FSYNC.name) + 2 + 120
    assert "One character is 9 min: it shows the worst slot in it." in text_timeline(over(1000, {1}), ENGLISH)


def test_a_slot_that_is_asked_less_often_is_one_character_too() -> None:
    mixed = over(30, {12}, every=3)
    assert line(mixed, MUTATING.name).count("█") == 1
    assert line(mixed, MUTATING.name).count("▁") == 9
    assert "- between slots" in text_timeline(mixed, ENGLISH)


def test_numbers_of_phases_never_touch() -> None:
    def phase(begin: float) -> Phase:
        start = START + timedelta(minutes=begin)
        return Phase(f"p{begin}", TimeRange(start, start + timedelta(minutes=1)))

    crowded = tuple(phase(begin) for begin in (0, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 20))
    ruler = text_timeline(over(28, set(), phases=crowded), ENGLISH).split("\n")[0]
    place = len(FSYNC.name) + 2
    assert ruler.split() == ["1", "2", "4", "6", "7", "9", "11", "12"]
    assert all(ruler[place + at] == number for at, number in ((0, "1"), (5, "2"), (7, "4"), (14, "9")))
    assert [ruler[place + at : place + at + 2] for at in (16, 20)] == ["11", "12"]
