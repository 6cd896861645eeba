"""From SLIs to queries, word for word."""

from __future__ import annotations

import pytest

from sloagent.model.slo import SLI, LatencySLI, LowerBound, RatioSLI, ValueSLI
from sloagent.sources import promql

LATENCY = LatencySLI(("a_seconds", "b_seconds"), 'verb="GET", code!~"5.."', ("resource", "verb"))
RATIO = RatioSLI("bad", "sum(rate(e[$window]))", "sum(rate(t[$window]))")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(300, "5m"), (60, "1m"), (90, "90s"), (3600, "1h"), (5400, "90m"), (86_400, "1d"), (129_600, "36h"), (1, "1s")],
)
def test_a_window_is_written_in_the_largest_unit_that_fits(seconds: int, written: str):
    assert promql.duration(seconds) == written


@pytest.mark.parametrize(
    ("sli", "queries"),
    [
        (
            LATENCY,
            [
                'sum by (le, resource, verb) (rate(a_seconds_bucket{verb="GET", code!~"5.."}[5m]))',
                'sum by (le, resource, verb) (rate(b_seconds_bucket{verb="GET", code!~"5.."}[5m]))',
            ],
        ),
        (
            LatencySLI(
                ("a_seconds",),
                'verb="GET"',
                ("resource",),
                lower_bounds=(LowerBound("b_seconds", 'code="200"'), LowerBound("c_seconds", "")),
            ),
            [
                'sum by (le, resource) (rate(a_seconds_bucket{verb="GET"}[5m]))',
                'sum by (le, resource) (rate(b_seconds_bucket{code="200"}[5m]))',
                "sum by (le, resource) (rate(c_seconds_bucket{}[5m]))",
            ],
        ),
        (LatencySLI(("a_seconds",), "", ()), ["sum by (le) (rate(a_seconds_bucket{}[5m]))"]),
        (LatencySLI(("a_seconds",), "", ("verb",), native=True), ["sum by (verb) (rate(a_seconds{}[5m]))"]),
        (
            RATIO,
            [
                'label_replace((sum(rate(e[5m]))), "sloagent_side", "part", "", "")'  # noqa: ISC004 - one string
                ' or label_replace((sum(rate(t[5m]))), "sloagent_side", "total", "", "")'
            ],
        ),
        (ValueSLI("max(m) - min_over_time(m[$window])", "bytes"), ["max(m) - min_over_time(m[5m])"]),
    ],
)
def test_an_sli_becomes_its_questions(sli: SLI, queries: list[str]):
    assert [query for query, _ in promql.questions(sli, "5m")] == queries


def test_each_histogram_s_question_carries_its_name():
    assert [name for _, name in promql.questions(LATENCY, "5m")] == ["a_seconds", "b_seconds"]


def test_a_comment_at_the_end_of_a_side_swallows_nothing():
    ((query, _),) = promql.questions(RatioSLI("bad", "e # bad\n", "t # all"), "5m")
    assert query.splitlines() == [
        "label_replace((e # bad",
        '), "sloagent_side", "part", "", "") or label_replace((t # all',
        '), "sloagent_side", "total", "", "")',
    ]


def test_a_piece_asks_for_increases_to_the_millisecond():
    ((latency, _), _) = promql.piece_questions(LATENCY, 90_500)
    assert latency == 'sum by (le, resource, verb) (increase(a_seconds_bucket{verb="GET", code!~"5.."}[90500ms]))'
    ((ratio, _),) = promql.piece_questions(RATIO, 90_500)
    assert "rate(e[90500ms])" in ratio
    assert "rate(t[90500ms])" in ratio
