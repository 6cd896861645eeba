"""Scrape intervals and gaps, from small windows: jitter and a single failure are no gap, two in a row are."""

from __future__ import annotations

import random
from math import ceil

import pytest

from sloagent.sources import scrapes

START = 1_700_000_000


def windows(times: list[float], tile: int, end: int) -> list[int]:
    """The ends of the tiles, counted back from `end`, that hold one of the times."""
    return sorted({end - int((end - at) // tile) * tile for at in times if at <= end})


def test_a_jobs_interval_is_the_lower_median_of_its_windows_to_ten_milliseconds() -> None:
    found = scrapes.intervals({"a": [5.0003, 5.45, None, 4.9998], "b": [None, None], "c": [14.9999, 30.0], "d": [0.0]})
    assert found == {"a": 5.0, "c": 15.0}


def test_the_usual_interval_is_that_of_most_targets_and_of_equally_many_the_shorter() -> None:
    assert scrapes.usual({"nodes": 60, "a": 15, "b": 15}, {"nodes": 5, "a": 2, "b": 2}) == 60
    assert scrapes.usual({"nodes": 60, "a": 15, "b": 15}, {"nodes": 4, "a": 2, "b": 2}) == 15
    assert scrapes.usual({"a": 30, "b": 15, "c": 15}, {}) == 15


@pytest.mark.parametrize("interval", [5, 15, 60])
@pytest.mark.parametrize("hours", [1, 24, 168])
def test_jitter_and_single_failures_are_no_gap_and_two_in_a_row_are_one_unless_the_tiles_are_too_large(
    interval: int, hours: int
) -> None:
    chance = random.Random(f"{interval} {hours}")
    seconds = hours * 3600
    end = START + seconds
    tile = scrapes.tile(seconds, 1, 16 * 2**20)
    times = [at + chance.uniform(0, 0.004) for at in range(START + 3, end, interval)]
    lone = [at for index, at in enumerate(times) if index % 7 != 3]
    for kept in (times, lone):
        assert scrapes.gaps(windows(kept, tile, end), START, end, interval, tile) == ()
    missing = max(2, 1 + ceil(2 * tile / interval))
    hole = len(times) // 2
    holed = times[:hole] + times[hole + missing :]
    ((before, after),) = scrapes.gaps(windows(holed, tile, end), START, end, interval, tile)
    assert 0 <= before - times[hole - 1] <= tile
    assert 0 <= after - times[hole + missing] <= tile


def test_the_ends_of_the_run_are_ends_of_gaps() -> None:
    assert scrapes.gaps([START + 50], START, START + 100, 15, 1) == ((START, START + 50), (START + 50, START + 100))
    assert scrapes.gaps([], START, START + 100, 15, 1) == ((START, START + 100),)
    assert scrapes.gaps([], START, START + 30, 15, 1) == ()


def test_a_gap_of_everything_is_no_gap_of_each_job_unless_the_job_was_away_for_longer() -> None:
    away = [(START + 100, START + 160)]
    assert scrapes.beyond([(START + 96, START + 163)], away, 6) == ()
    assert scrapes.beyond([(START + 93, START + 163)], away, 6) == ((START + 93, START + 163),)
    assert scrapes.beyond([(START + 96, START + 167)], away, 6) == ((START + 96, START + 167),)
    assert scrapes.beyond([(START + 10, START + 40)], away, 6) == ((START + 10, START + 40),)


def test_tiles_keep_the_bounds_on_points_and_bytes_and_are_never_below_a_second() -> None:
    assert scrapes.tile(1_800, 20, 16 * 2**20) == 1
    for seconds, jobs, most_bytes in [
        (604_800, 10, 2**24),
        (604_800, 400, 2**24),
        (86_400, 3, 65_536),
        (60, 50_000, 2**20),
    ]:
        points = ceil(seconds / scrapes.tile(seconds, jobs, most_bytes))
        assert points < scrapes.MOST_POINTS
        assert points * jobs * scrapes.POINT_BYTES <= max(most_bytes, jobs * scrapes.POINT_BYTES)


def test_targets_are_looked_at_as_often_as_they_are_scraped_but_not_ten_million_times() -> None:
    assert scrapes.look(1_800, 5.0, 20) == 5
    assert scrapes.look(1_800, 0.5, 20) == 1
    assert 604_800 * 5_000 / scrapes.look(604_800, 15.0, 5_000) <= scrapes.MOST_EVALUATED
