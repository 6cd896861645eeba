from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sloagent.evaluation.tallying import badness
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.slo import Limit
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import Cause, Outcome, Quantile, Share, Verdict
from sloagent.store import hour_sums, tables
from sloagent.store.damage import DamagedError
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import HOUR, LATENCY, VALUE, plain_slot, series

ALWAYS = (0, 2**40)
FIRST = series(resource="r0", verb="POST")
WORST = HOUR + 60 * 7


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "sloagent.db"


@pytest.fixture
def store(path) -> Iterator[SQLiteStore]:
    """Two hours of two series, one window of which fails."""
    store = SQLiteStore(path)
    for slo in (LATENCY, VALUE):
        store.append(
            "p",
            [
                plain_slot(slot, slo=slo, outcome=Outcome.FAIL if slot == WORST else Outcome.PASS)
                for slot in range(HOUR, HOUR + 7200, 60)
            ],
        )
    yield store
    store.close()


def change(path: Path, statement: str, *parameters: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, parameters)
    connection.commit()
    connection.close()


def sums(path: Path) -> list[tuple[int, int, bool]]:
    """(first slot, format, whether its windows are known) of each sum of the first SLO."""
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT first_slot, format, windows IS NOT NULL FROM hour_sums WHERE slo_id = 1 ORDER BY 1"
    ).fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("slo", [LATENCY, VALUE], ids=lambda slo: slo.name)
def test_whole_hours_are_summed_up_without_their_rows(store, path, slo):
    before = store.tally("p", slo, [ALWAYS])
    assert store.sum_hours(HOUR + 7200) == 4
    change(path, "DELETE FROM verdicts WHERE slot NOT IN (?, ?)", HOUR, WORST)
    assert store.tally("p", slo, [ALWAYS]) == before
    assert store.tally("p", slo, [(HOUR, HOUR + 3540)]).series[FIRST].bad == 1


@pytest.mark.parametrize("stretch", [(HOUR + 600, HOUR + 7140), (HOUR, HOUR + 3600), (HOUR + 60, HOUR + 60)])
def test_an_hour_that_is_asked_for_in_part_is_read_from_its_rows(store, stretch):
    before = store.tally("p", VALUE, [stretch])
    store.sum_hours(2**40)
    assert store.tally("p", VALUE, [stretch]) == before


def test_of_windows_that_are_equally_bad_the_earliest_is_the_worst(store):
    store.append("q", [plain_slot(slot) for slot in range(HOUR, HOUR + 7200, 60)])
    store.sum_hours(2**40)
    assert store.tally("q", LATENCY, [ALWAYS]).series[FIRST].worst.slot == HOUR


@pytest.mark.parametrize("lesser", [HOUR + 1200, HOUR + 1260])
def test_a_stretch_of_two_minutes_with_a_border_in_it_has_one_minimum(store, lesser):
    border = datetime.fromtimestamp(HOUR + 1200, UTC)
    store.save_run(Run("soak", datetime.fromtimestamp(0, UTC), None, (), (Phase("", TimeRange(border, border)),)))
    for slot in (HOUR + 1200, HOUR + 1260):
        judged = plain_slot(slot, slo=VALUE, n=1)
        value = -1.0 if slot == lesser else 1.0
        store.append("q", [replace(judged, verdicts=(replace(judged.verdicts[0], value=value),))])
    assert store.sum_hours(2**40) == 5
    assert store.tally("q", VALUE, [ALWAYS]).series[FIRST].minima == ((HOUR + 1200, -1.0),)


def test_a_chart_that_begins_inside_an_hour_has_no_window_before(store):
    before = store.lines("p", LATENCY, (HOUR + 600, HOUR + 6000), [FIRST], 100)
    store.sum_hours(2**40)
    assert store.lines("p", LATENCY, (HOUR + 600, HOUR + 6000), [FIRST], 100) == before
    assert (before[0].windows[0][0], before[0].seen) == (HOUR + 600, 91)


def test_a_series_that_is_not_in_every_slot_keeps_its_own_windows(store):
    store.append("q", [plain_slot(HOUR + 60 * n, n=1 + n % 2) for n in range(60)])
    now_and_then = [series(resource="r1", verb="POST")]
    before = store.lines("q", LATENCY, (HOUR, HOUR + 3540), now_and_then, 7)
    assert before[0].seen == 30
    store.sum_hours(2**40)
    assert store.lines("q", LATENCY, (HOUR, HOUR + 3540), now_and_then, 7) == before


def test_which_windows_a_chart_shows_is_known_without_their_rows(store, path):
    before = [slot for slot, _ in store.lines("p", LATENCY, (HOUR, HOUR + 7140), [FIRST], 3)[0].windows]
    store.sum_hours(HOUR + 7200)
    change(path, "UPDATE verdicts SET value = slot")
    (line,) = store.lines("p", LATENCY, (HOUR, HOUR + 7140), [FIRST], 3)
    assert ([slot for slot, _ in line.windows], line.seen) == (before, 120)
    assert [verdict.value for _, verdict in line.windows] == before


def test_hours_are_summed_once_and_only_when_they_are_over(store):
    assert store.sum_hours(HOUR + 7199) == 2
    assert store.sum_hours(HOUR + 7199) == 0
    assert store.sum_hours(HOUR + 7200) == 2
    assert store.sum_hours(2**40) == 0


def test_at_most_so_many_are_summed_at_a_time_the_newest_first(store, path, monkeypatch):
    monkeypatch.setattr(tables, "_HOURS_AT_ONCE", 3)
    assert store.sum_hours(2**40) == 3
    assert sums(path)[-1][0] == HOUR + 3600
    assert (store.sum_hours(2**40), store.sum_hours(2**40)) == (1, 0)


def test_a_late_slot_has_its_hour_summed_anew(store, path):
    change(path, "DELETE FROM verdicts WHERE slot = ?", HOUR + 1860)
    change(path, "DELETE FROM slots WHERE slot = ?", HOUR + 1860)
    store.sum_hours(2**40)
    store.append("p", [plain_slot(HOUR + 1860)])
    assert store.tally("p", LATENCY, [ALWAYS]).recorded == 120
    assert (store.sum_hours(2**40), store.sum_hours(2**40)) == (1, 0)


def test_a_late_slot_that_was_folded_with_the_others_is_counted_with_them(store, path):
    store.append("q", [plain_slot(HOUR + 60 * n) for n in range(59)])
    store.sum_hours(2**40)
    store.append("q", [plain_slot(HOUR + 3540, outcome=Outcome.FAIL)])
    store.roll_up(HOUR + 3600)
    counted = store.tally("q", LATENCY, [ALWAYS])
    assert (counted.recorded, counted.series[FIRST].good, counted.series[FIRST].bad) == (60, 59, 1)


def test_a_border_that_is_drawn_later_has_its_hour_summed_anew(store, path):
    store.sum_hours(2**40)
    start, end = (datetime.fromtimestamp(HOUR + shift, UTC) for shift in (1200, 1800))
    store.save_run(
        Run("soak", datetime.fromtimestamp(HOUR, UTC), None, (), (), (Exclusion(TimeRange(start, end), ""),))
    )
    assert store.sum_hours(2**40) == 2
    assert [first for first, _, _ in sums(path)] == [
        HOUR, HOUR + 300, HOUR + 1260, HOUR + 2100, HOUR + 3600,
    ]  # fmt: skip


def test_a_sum_that_is_not_as_it_was_written_is_not_used_and_said(store, path):
    before = store.tally("p", LATENCY, [ALWAYS])
    lines = store.lines("p", LATENCY, (HOUR, HOUR + 7140), [FIRST], 3)
    store.sum_hours(2**40)
    for column in ("content", "windows"):
        change(path, f"UPDATE hour_sums SET {column} = CAST(substr({column}, 1, 20) || x'00' AS BLOB)")
    assert store.tally("p", LATENCY, [ALWAYS]) == before
    assert store.lines("p", LATENCY, (HOUR, HOUR + 7140), [FIRST], 3) == lines
    assert store.check() == [
        f"{slo.set}/{slo.name}: sums kept ahead of time are not as they were written: 2, and are not used"
        for slo in (LATENCY, VALUE)
    ]


def test_a_sum_of_slots_that_are_not_there_is_not_used_and_said(store, path):
    store.sum_hours(2**40)
    for table in ("verdicts", "slots", "tile_series", "tiles", "seals"):
        column = "second" if table == "seals" else "slot"
        change(path, f"DELETE FROM {table} WHERE {column} = ?", HOUR + 1800)
    assert store.tally("p", LATENCY, [ALWAYS]).recorded == 119
    assert store.check() == [
        f"{slo.set}/{slo.name}: sums kept ahead of time stand for slots that are not recorded: 1"
        for slo in (LATENCY, VALUE)
    ]


def test_sums_of_another_format_are_not_read_but_made_anew(store, path, monkeypatch):
    before = store.tally("p", LATENCY, [ALWAYS])
    store.sum_hours(2**40)
    change(path, "UPDATE hour_sums SET content = x'00', windows = x'00'")
    monkeypatch.setattr(hour_sums, "FORMAT", hour_sums.FORMAT + 1)
    assert store.tally("p", LATENCY, [ALWAYS]) == before
    assert store.sum_hours(2**40) == 4
    assert sums(path) == [(HOUR, hour_sums.FORMAT, True), (HOUR + 3600, hour_sums.FORMAT, True)]


def test_what_is_folded_keeps_its_sum_without_single_values_and_what_is_forgotten_loses_it(store, path):
    store.sum_hours(2**40)
    before = store.tally("p", LATENCY, [ALWAYS])
    store.roll_up(HOUR + 3600)
    assert [known for _, _, known in sums(path)] == [False, True]
    change(path, "UPDATE roll_up_series SET good = 1000 WHERE first_slot = ?", HOUR)
    assert store.tally("p", LATENCY, [ALWAYS]) == before
    store.prune(HOUR + 3600)
    assert [first for first, _, _ in sums(path)] == [HOUR + 3600]


def test_an_hour_that_is_folded_in_part_is_left_alone(store, path):
    store.roll_up(HOUR + 1800)
    assert store.sum_hours(2**40) == 2
    assert [first for first, _, _ in sums(path)] == [HOUR + 3600]


def test_a_worst_window_that_is_gone_is_damage(store, path):
    store.sum_hours(2**40)
    change(path, "DELETE FROM verdicts WHERE slot = ?", WORST)
    with pytest.raises(DamagedError, match=f"the worst window of a series, at slot {WORST}, is not there"):
        store.tally("p", LATENCY, [ALWAYS])


def test_how_bad_a_window_is_goes_with_the_format():
    """Sums remember how bad their worst window is: whoever changes a number here makes `hour_sums.FORMAT` another one."""
    quantile = Quantile(0.9, 0.5, 1.0)
    latency = Verdict(
        (), Outcome.FAIL, Cause.DECIDED, True, 9.0, 0.9, (quantile,), Share(0.98, 0.99), Limit(at_most=0.5)
    )
    assert hour_sums.FORMAT == 1
    assert badness(latency) == (0.0, 0.98, -0.5, -0.9)
    assert badness(Verdict((), Outcome.PASS, Cause.DECIDED, True, value=3.0, limit=Limit(at_most=4.0))) == (5.0, -3.0)
    assert badness(Verdict((), Outcome.WARN, Cause.DECIDED, True, value=3.0, limit=Limit(at_least=2.0))) == (4.0, 3.0)
    assert badness(Verdict((), Outcome.ERROR, Cause.MALFORMED, True)) == (1.0, float("inf"))
