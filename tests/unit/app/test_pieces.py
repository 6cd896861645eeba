"""Cuts, and the sums made from them."""

import itertools
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sloagent.app.pieces import HOUR_MS, answered, cuts
from sloagent.app.wiring import open_agent
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Piece
from sloagent.model.slo import SLO, LatencySLI, LowerBound
from sloagent.model.timerange import TimeRange
from sloagent.sources import promql

START = datetime(2026, 11, 22, 5, 40, tzinfo=UTC)


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def test_pieces_are_cut_at_full_hours_so_that_the_daemon_s_hourly_ones_serve_every_report() -> None:
    edges = [edge for pair in cuts(TimeRange(minutes(0), minutes(130)), [], []) for edge in pair]
    assert all(edge % HOUR_MS == 0 for edge in edges[1:-1])
    assert len(edges) == 6


def test_a_piece_inside_an_exclusion_is_not_asked() -> None:
    hole = TimeRange(minutes(5), minutes(7))
    found = cuts(TimeRange(minutes(0), minutes(10)), [], [hole])
    assert [(end - start) // 60_000 for start, end in found] == [5, 3]


@given(
    st.floats(1, 600),
    st.lists(st.floats(-50, 700), max_size=5),
    st.lists(st.tuples(st.floats(-50, 700), st.floats(0.1, 100)), max_size=3),
)
def test_pieces_tile_the_stretch_less_its_exclusions(
    length: float, borders: list[float], holes: list[tuple[float, float]]
) -> None:
    stretch = TimeRange(minutes(0), minutes(length))
    excluded = [TimeRange(minutes(at), minutes(at + wide)) for at, wide in holes]
    found = cuts(stretch, [minutes(border) for border in borders], excluded)
    assert all(start < end for start, end in found)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(found))
    assert all(end - start <= HOUR_MS for start, end in found)
    for border in borders:
        inner = int(minutes(border).timestamp() * 1000 // 1)
        assert not any(start < inner - 1 and inner + 1 < end for start, end in found)


def test_each_series_knows_the_metrics_that_its_pieces_were_read_from(tmp_path: Path) -> None:
    sli = LatencySLI(("whole_seconds",), "", ("mode",), lower_bounds=(LowerBound("part_seconds", 'a="b"'),))
    slo = SLO("s", "n", sli, None, 60, 300)
    (tmp_path / "own.yaml").write_text(
        "apiVersion: sloagent/v1\nkind: SLOSet\nmetadata: {name: own}\n"
        "slos: [{name: up, sli: {value: {query: up}}, objective: tbd}]\n"
    )
    (tmp_path / "sloagent.yaml").write_text(
        "prometheus: {url: 'http://127.0.0.1:1'}\nslos: [own.yaml]\nstore: {path: ':memory:'}\n"
    )
    events = Distribution((1.0, inf), (1.0, 2.0))
    push, pull = (("mode", "Push"),), (("mode", "Pull"),)
    wanted = [(hour * HOUR_MS, (hour + 1) * HOUR_MS) for hour in range(4)]
    (whole, _), (part, _) = promql.piece_questions(sli, HOUR_MS)
    asked = [(whole, {push: events}), (part, {push: events, (): events}), (whole, {pull: events})]
    with open_agent(tmp_path / "sloagent.yaml") as agent:
        store = agent.cycle.store
        for cut, (query, series) in zip(wanted, asked, strict=False):
            store.append_piece("p", slo, Piece(*cut, query, series))
        assert answered(store, "p", slo, wanted[:1]) == {}
        expected = {push: ("whole_seconds", "part_seconds"), pull: ("whole_seconds",), (): ("part_seconds",)}
        assert answered(store, "p", slo, wanted[:3]) == expected
        store.append_piece("p", slo, Piece(*wanted[3], "asked by another version", {pull: events}))
        assert answered(store, "p", slo, wanted)[pull] == ("whole_seconds", "part_seconds")
