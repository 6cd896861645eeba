"""Good minutes per day, as Kubernetes explains its promise of a 99th percentile per cluster-day."""

from __future__ import annotations

from sloagent.model.record import Day, SLORecord
from sloagent.model.tally import SeriesTally
from sloagent.report.cluster_days import MOST_DAYS
from sloagent.report.content import Report
from tests.unit.report.built import DAY, part, record, report_of
from tests.unit.report.sample import FSYNC, MUTATING, REGISTRATION, START
from tests.unit.report.showing import shown, table, texts

MIDNIGHT = int(START.timestamp()) // DAY * DAY
POST, PUT = (("verb", "POST"),), (("verb", "PUT"),)


def day(number: int, **minutes: tuple[int, int]) -> Day:
    """A day whose series, by verb, have so many good and bad minutes."""
    rows = {(("verb", verb),): SeriesTally(good=good, bad=bad) for verb, (good, bad) in minutes.items()}
    return Day(MIDNIGHT + number * DAY, part(rows))


def over(*days: Day) -> SLORecord:
    good = sum(row.good for one in days for row in one.part.tally.series.values())
    return record(MUTATING, {POST: SeriesTally(good=good)}, days=days)


def shown_of(*records: SLORecord) -> tuple[tuple[str, ...], list[list[str]]]:
    (grid,) = table(report_of(*records), "cluster-days").grids
    return grid.columns, texts(grid)


def test_twenty_bad_minutes_of_a_day_are_98_6_percent() -> None:
    columns, (row,) = shown_of(over(day(0, POST=(1420, 20))))
    assert columns == ("SLO", "2026-11-22")
    assert row[1] == "98.6 % (1,420 of 1,440 POST)"


def test_each_day_has_a_column_and_its_worst_series_is_told() -> None:
    columns, (row,) = shown_of(over(day(0, POST=(1440, 0), PUT=(1439, 1)), day(1, POST=(720, 720), PUT=(1440, 0))))
    assert columns[1:] == ("2026-11-22", "2026-11-23")
    assert row[1] == "99.9 % (1,439 of 1,440 PUT)"
    assert row[2] == "50 % (720 of 1,440 POST)"


def test_a_day_that_an_slo_does_not_have_is_a_dash_and_no_hundred_percent() -> None:
    _, rows = shown_of(over(day(0, POST=(1440, 0)), day(1, POST=(1440, 0))), record(
        FSYNC, {POST: SeriesTally(good=1440)}, days=(day(1, POST=(1440, 0)),)
    ))  # fmt: skip
    assert [row[1:] for row in rows] == [
        ["100 % (1,440 of 1,440 POST)", "100 % (1,440 of 1,440 POST)"], ["—", "100 % (1,440 of 1,440 POST)"],
    ]  # fmt: skip


def test_undecided_minutes_make_the_share_an_interval() -> None:
    part_of_a_day = part({POST: SeriesTally(good=90, bad=0, undecided=10)})
    _, (row,) = shown_of(over(Day(MIDNIGHT, part_of_a_day)))
    assert row[1] == "90–100 % (90–100 of 100 POST)"


def test_of_more_than_eight_days_the_worst_is_told_with_its_date() -> None:
    days = [day(number, POST=(1440 - number % 5, number % 5)) for number in range(MOST_DAYS + 1)]
    columns, (row,) = shown_of(over(*days))
    assert columns == ("SLO", "Worst day")
    assert row[1] == "99.7 % (2026-11-26 1,436 of 1,440 POST)"  # of two that are equal, the earlier
    columns, _ = shown_of(over(*days[:-1]))
    assert len(columns) == 1 + MOST_DAYS


def test_what_promises_nothing_has_no_row_and_a_run_without_a_judged_day_no_table() -> None:
    tbd = record(
        REGISTRATION, {POST: SeriesTally(measured=60)}, days=(Day(MIDNIGHT, part({POST: SeriesTally(measured=60)})),)
    )
    _, rows = shown_of(over(day(0, POST=(10, 0))), tbd)
    assert len(rows) == 1
    nothing: Report = report_of(tbd, record(MUTATING, {POST: SeriesTally(idle=5)}))
    assert shown(nothing, "cluster-days") == ()
