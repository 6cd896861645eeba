"""Latencies as a table, as the capacity test of Karmada's proxy prints them."""

from __future__ import annotations

import pytest

from sloagent.probes.summary import summarize, table, written

SHOWN = """\
Update pods [errors]: 40/343
Update pods [unfinished]: 9/343
Name                   | N   | Min     | Median  | Mean    | StdDev | Max    
=============================================================================
Update pods [duration] | 294 | 204.3ms | 228.1ms | 232.5ms | 28.3ms | 490.4ms
"""  # noqa: W291 - the head is padded, as gmeasure does


def test_the_table_has_the_form_that_gmeasure_gives_it():
    latencies = [0.2281] * 196 + [0.2043] * 49 + [0.2633] * 43 + [0.3633] * 5 + [0.4904]
    assert table([summarize("Update pods", latencies, errors=40, unfinished=9)]) == SHOWN


def test_what_was_never_measured_is_a_dash_and_no_zero():
    text = table([summarize("Get pods", [], errors=3)])
    assert "Get pods [errors]: 3/3" in text
    assert text.splitlines()[-1].split(" | ")[1:] == ["0", "-  ", "-     ", "-   ", "-     ", "-"]


def test_the_median_of_an_even_count_is_between_the_two_in_the_middle():
    assert summarize("", [4.0, 1.0, 2.0, 3.0]).median == 2.5


def test_the_deviation_is_that_of_the_sample_itself():
    assert summarize("", [2, 4, 4, 4, 5, 5, 7, 9]).deviation == 2.0


@pytest.mark.parametrize(
    ("percent", "latency"), [(0, 1), (1, 1), (50, 50), (90, 90), (99, 99), (99.1, 100), (100, 100)]
)
def test_a_percentile_is_a_latency_that_was_measured(percent, latency):
    assert summarize("", range(100, 0, -1)).percentile(percent) == latency


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0017, "1.7ms"), (0.7073, "707.3ms"), (0.000931, "931µs"), (0.010412, "10.4ms"), (0.002, "2ms"),
        (1.23456, "1.2346s"), (0.99996, "1s"), (62.5, "1m2.5s"), (3600.0, "1h0m0s"), (None, "-"),
    ],
)  # fmt: skip
def test_durations_are_written_as_gmeasure_writes_them(seconds, text):
    assert written(seconds) == text
