"""What is counted of calls: in the tally, in the metrics, in the rows."""

from __future__ import annotations

import io

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from sloagent.cli.probe import api_text
from sloagent.probes.api.call import UNFINISHED, Call
from sloagent.probes.api.metrics import Achieved, ApiMetrics
from sloagent.probes.api.rows import Rows
from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.api.tally import Tally

LOAD = ApiLoadSettings.model_validate(
    {
        "name": "load", "targets": ("member1", "proxy"), "resource": "v1/pods", "namespace": "default",
        "call": "get", "open": {"rate": "5/s"},
    }
)  # fmt: skip
CALLS = [
    Call("get", "default/a", 1.0, 1.0, 1.002, "200", ok=True),
    Call("get", "default/b", 1.2, 1.5, 1.7, "200", ok=True),
    Call("get", "default/c", 1.4, 1.4, 31.4, "timeout", ok=False, why="one: no answer in time"),
    Call("get", "default/d", 1.6, 1.6, 1.61, "404", ok=False, why='one: 404 pods "d"\x1b[31m not found'),
    Call("get", "", 1.8, None, 2.0, UNFINISHED, ok=False),
]


def tally(calls: list[Call] = CALLS) -> Tally:
    told = Tally("member1", seconds=2.0)
    for call in calls:
        told.tell(call)
    return told


def test_failures_are_counted_and_their_latencies_are_not_among_the_others():
    summary = tally().summary("get", "pods")
    assert summary.name == "Get pods"
    assert list(summary.latencies) == pytest.approx([0.002, 0.5])
    assert (summary.errors, summary.unfinished, summary.calls) == (2, 1, 5)


def test_the_latency_counts_from_when_the_call_was_due_and_lateness_is_told():
    assert tally().late.percentile(100) == pytest.approx(0.3)


def test_a_target_where_nothing_succeeded_says_why():
    assert "no answer in time" in tally([CALLS[2]]).failure
    assert tally().failure == ""
    assert "nothing was called" in tally([]).failure


def test_the_text_says_what_was_due_what_failed_and_how_with_nothing_that_moves_the_terminal():
    text = api_text.text(LOAD, [tally(), Tally("proxy", why_not="proxy: cannot connect")])
    assert "Get pods [errors]: 2/5\nGet pods [unfinished]: 1/5\n" in text
    assert "asked 5 gets/s, achieved 1 gets/s over 2s: 40.0% of the 5 that were due" in text
    assert "get timeout: 1 times; first: one: no answer in time" in text
    assert "proxy\nproxy: cannot connect" in text
    assert "\x1b" not in text


def test_targets_stand_side_by_side_and_one_without_numbers_has_none():
    slow = tally([Call("get", "", 0.0, 0.0, 0.502, "200", ok=True)])
    head, _, first, second = api_text.side_by_side([(LOAD, [tally(), slow])]).splitlines()
    assert head.split(" | ")[-1] == "P99 to first"
    assert first.split(" | ")[3:6] == ["member1", "2", "40.00%"]
    assert second.split(" | ")[-2:] == ["251.00×     ", "1.00×"]
    *_, missing = api_text.side_by_side([(LOAD, [tally(), Tally("proxy")])]).splitlines()
    assert [cell.strip() for cell in missing.split(" | ")][4:] == ["0", "-", "-", "-", "-", "-", "-"]


def test_the_rows_have_the_columns_of_the_drivers_first():
    file = io.StringIO()
    told = Rows(file, ahead_seconds=1_700_000_000.0).of("member1")
    for call in CALLS:
        told(call)
    head, first, *_, last = file.getvalue().splitlines()
    assert head == "before,after,op,key,err,intended,target"
    assert first == (
        "2023-11-14 22:13:21.000000,2023-11-14 22:13:21.002000,get,default/a,,2023-11-14 22:13:21.000000,member1"
    )
    assert last == ",2023-11-14 22:13:22.000000,get,,unfinished,2023-11-14 22:13:21.800000,member1"


def test_the_metrics_count_all_calls_and_time_those_that_succeeded():
    registry = CollectorRegistry()
    metrics = ApiMetrics(registry).of(LOAD, "member1")
    for call in CALLS:
        metrics.tell(call)
    said = generate_latest(registry).decode()
    labels = 'load="load",resource="pods",scope="resource",target="member1",verb="get"'
    assert f"sloagent_probe_api_seconds_count{{{labels}}} 2.0" in said
    for code in ("200", "404", "timeout", "unfinished"):
        count = 2.0 if code == "200" else 1.0
        assert (
            f'_requests_total{{code="{code}",load="load",resource="pods",target="member1",verb="get"}} {count}' in said
        )


def test_the_achieved_rate_is_that_of_the_last_seconds_and_nothing_between_runs():
    now = 100.0
    achieved = Achieved(clock=lambda: now)
    assert achieved.rate() == 0.0
    achieved.begin()
    for at in range(100, 130):
        now = float(at)
        achieved.count(now)
    assert achieved.rate() == pytest.approx(1.1)  # both ends of the ten seconds
    now = 134.5
    assert achieved.rate() == pytest.approx(0.5)
    achieved.end()
    assert achieved.rate() == 0.0
