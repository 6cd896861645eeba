"""Budgets, the windows that burn rates are told over, and when they are told, computed by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.alert_looks import burn_looks
from sloagent.evaluation.alerting import advance
from sloagent.evaluation.budget import BadAndAll, BurnHistory, bad_and_all, budget, pairs_in_force
from sloagent.model.alert import Active, Burning, BurnPair, Key, Severity, Stage
from sloagent.model.alert_defaults import BURN_PAIRS, PERIOD_SECONDS, STANDARD_ALERTS
from sloagent.model.samples import Events, Malformed, Sample
from sloagent.model.slo import SLO, Gate, Labels, Limit
from tests.unit.evaluation.build import (
    NODES,
    PODS,
    bucketed,
    judged,
    latency,
    overriding,
    promising,
    ratio,
    slot_of,
    value,
)  # fmt: skip

PAGE, TICKET = Severity.PAGE, Severity.TICKET
MINUTE, HOUR, DAY = 60, 3_600, 86_400
RATIO = ratio(at_least=0.99)
BOUNDS = (1.0, 2.0, 4.0, inf)


def burning(*pairs: BurnPair, period: int | None = None, slo: SLO = RATIO) -> SLO:
    return replace(slo, alerts=replace(STANDARD_ALERTS, burn_rate=Burning(pairs or BURN_PAIRS, period)))


# ---- what may be bad -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slo", "expected"),
    [
        (latency(percentile=99.9), 0.001),
        (latency(percentile=99.99), 0.0001),
        (latency(percentile=100.0), None),
        (ratio(at_least=0.999), 0.001),
        (ratio(at_least=1.0), None),
        (value(), 0.01),
        (promising(value(), windows_at_least=0.95), 0.05),
        (promising(value(), windows_at_least=1.0), None),
        (promising(value(), gate=Gate.WORST_WINDOW), None),
        (promising(value(), limit=Limit(), grows_at_most=1.0), None),
        (replace(RATIO, objective=None), None),
    ],
)  # fmt: skip
def test_a_budget_is_what_is_not_promised_and_none_is_no_budget_of_zero(slo: SLO, expected: float | None) -> None:
    assert budget(slo) == expected


def test_a_ratio_s_override_is_a_budget_of_its_own_and_a_latency_s_is_not() -> None:
    own = overriding(RATIO, PODS, Limit(at_least=0.5))
    assert (budget(own, PODS), budget(own, NODES)) == (0.5, 0.01)
    assert budget(overriding(RATIO, PODS, Limit(at_least=1.0)), PODS) is None
    assert budget(overriding(latency(), PODS, Limit(at_most=9.0)), PODS) == 0.01


@pytest.mark.parametrize(
    ("slo", "sample", "expected"),
    [
        pytest.param(latency(2.0), bucketed(BOUNDS, [0.5] * 90 + [3.0] * 10), (10, 100), id="at a bound it is exact"),
        pytest.param(
            latency(3.0), bucketed(BOUNDS, [0.5] * 80 + [2.5] * 15 + [5.0] * 5), (5, 100),
            id="inside a bucket those are bad that are so surely",
        ),
        pytest.param(latency(8.0), bucketed(BOUNDS, [9.0] * 100), (0, 100), id="beyond the last bound none is, surely"),
        pytest.param(latency(2.0), bucketed(BOUNDS, []), None, id="no events of a latency"),
        pytest.param(latency(2.0), Malformed("no"), None, id="an error"),
        pytest.param(RATIO, Events(0.25, 1.0), (75, 300), id="bad events"),
        pytest.param(ratio("good"), Events(0.25, 1.0), (225, 300), id="good events"),
        pytest.param(RATIO, Events(0.0, 0.0), None, id="no events of a ratio"),
        pytest.param(RATIO, Events(None, 1.0), None, id="bad events that have no series"),
        pytest.param(RATIO, Events(2.0, 1.0), None, id="more than all"),
        pytest.param(value(), 101.0, (1, 1), id="a bad window"),
        pytest.param(value(), 1.0, (0, 1), id="a good window"),
        pytest.param(value(Limit(at_most=100.0, warn_at=50.0)), 60.0, (0, 1), id="a warning is no spending"),
        pytest.param(value(), float("nan"), None, id="not a number"),
    ],
)  # fmt: skip
def test_what_a_window_takes_of_the_budget(slo: SLO, sample: Sample, expected: tuple[int, int] | None) -> None:
    counted = bad_and_all(slo, judged(slo, sample))
    assert counted == (None if expected is None else pytest.approx(expected))


# ---- the windows ---------------------------------------------------------------------------------------------------


def test_over_30_days_the_pairs_are_those_of_the_workbook() -> None:
    assert pairs_in_force(RATIO, PERIOD_SECONDS) == BURN_PAIRS == (
        BurnPair(14.4, HOUR, 5 * MINUTE, PAGE), BurnPair(6.0, 6 * HOUR, 30 * MINUTE, PAGE),
        BurnPair(3.0, DAY, 2 * HOUR, TICKET), BurnPair(1.0, 3 * DAY, 6 * HOUR, TICKET),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        # A 360th: 10 s, 60 s, 240 s and 720 s, all of them below the window but the last. Both pages become 5 min, so
        # the one that is told sooner is left; the tickets follow a window later each.
        (2 * HOUR, [(6.0, 5 * MINUTE, 5 * MINUTE, PAGE), (3.0, 10 * MINUTE, 5 * MINUTE, TICKET),
                    (1.0, 15 * MINUTE, 5 * MINUTE, TICKET)]),
        # A 30th: 2 min, 12 min, 48 min, 144 min and 10 s, 1 min, 4 min, 12 min.
        (DAY, [(14.4, 5 * MINUTE, 5 * MINUTE, PAGE), (6.0, 15 * MINUTE, 5 * MINUTE, PAGE),
               (3.0, 50 * MINUTE, 5 * MINUTE, TICKET), (1.0, 145 * MINUTE, 15 * MINUTE, TICKET)]),
        # 7 of 30: 14 min, 84 min, 336 min, 1,008 min and 70 s, 7 min, 28 min, 84 min.
        (7 * DAY, [(14.4, 15 * MINUTE, 5 * MINUTE, PAGE), (6.0, 85 * MINUTE, 10 * MINUTE, PAGE),
                   (3.0, 340 * MINUTE, 30 * MINUTE, TICKET), (1.0, 1_010 * MINUTE, 85 * MINUTE, TICKET)]),
    ],
    ids=["2 h", "24 h", "7 d"],
)  # fmt: skip
def test_for_a_run_the_windows_are_scaled_to_it_and_never_shorter_than_the_slo_s_own(
    period: int, expected: list[tuple[float, int, int, Severity]]
) -> None:
    pairs = tuple(BurnPair(*one) for one in expected)
    assert pairs_in_force(RATIO, period) == pairs
    assert pairs_in_force(burning(period=period), PERIOD_SECONDS) == pairs, "the SLO's own period comes first"


def test_a_period_beyond_30_days_has_the_windows_of_30_days() -> None:
    assert pairs_in_force(RATIO, 90 * DAY) == BURN_PAIRS


def test_windows_are_whole_multiples_of_the_slo_s_own() -> None:
    slow = replace(RATIO, window=7 * MINUTE)
    windows = [(pair.long // (7 * MINUTE), pair.short // (7 * MINUTE)) for pair in pairs_in_force(slow, PERIOD_SECONDS)]
    assert windows == [(9, 1), (52, 5), (206, 18), (618, 52)]


def test_what_no_budget_can_reach_is_left_out() -> None:
    def factors(slo: SLO) -> list[float]:
        return [pair.factor for pair in pairs_in_force(slo, PERIOD_SECONDS)]

    assert factors(ratio(at_least=0.9)) == [6.0, 3.0, 1.0]
    assert factors(ratio(at_least=0.75)) == [3.0, 1.0]
    assert factors(burning(BurnPair(4.0, HOUR, HOUR, PAGE), slo=ratio(at_least=0.75))) == [], "1 is not exceeded"


def test_a_wide_budget_of_some_series_takes_no_pair_from_the_others() -> None:
    for slo in (overriding(RATIO, PODS, Limit(at_least=0.5)), overriding(ratio(at_least=0.5), PODS, Limit(0, 0.99))):
        assert pairs_in_force(slo, PERIOD_SECONDS) == BURN_PAIRS
    assert len(pairs_in_force(overriding(ratio(at_least=0.5), PODS, Limit(at_least=0.9)), PERIOD_SECONDS)) == 3
    assert len(pairs_in_force(overriding(ratio(at_least=0.9), PODS, Limit(at_least=1.0)), PERIOD_SECONDS)) == 3


@pytest.mark.parametrize(
    "slo",
    [
        ratio(at_least=1.0), latency(percentile=100.0), replace(RATIO, objective=None),
        promising(value(), limit=Limit(), grows_at_most=1.0), promising(value(), gate=Gate.WORST_WINDOW),
        replace(RATIO, alerts=replace(STANDARD_ALERTS, burn_rate=None)),
    ],
    ids=["all events", "all of a latency", "tbd", "only growth", "every window", "off"],
)  # fmt: skip
def test_without_a_budget_or_where_it_is_off_nothing_burns(slo: SLO) -> None:
    assert pairs_in_force(slo, PERIOD_SECONDS) == ()


def test_pairs_whose_windows_become_the_same_are_one_if_nobody_is_told_otherwise() -> None:
    def scaled(*pairs: BurnPair) -> list[tuple[float, int, int, Severity]]:
        found = pairs_in_force(burning(*pairs), HOUR)
        return [(pair.factor, pair.long // 300, pair.short // 300, pair.severity) for pair in found]

    quick, slow = BurnPair(9.0, HOUR, 5 * MINUTE, PAGE), BurnPair(5.0, 2 * HOUR, 5 * MINUTE, PAGE)
    assert scaled(quick, slow) == [(5.0, 1, 1, PAGE)]
    assert scaled(quick, replace(slow, severity=TICKET)) == [(9.0, 1, 1, PAGE), (5.0, 2, 1, TICKET)]
    three = (
        quick,
        replace(slow, severity=TICKET),
        replace(slow, factor=4.0),
        replace(slow, factor=2.0, severity=TICKET),
    )
    assert scaled(*three) == [(4.0, 1, 1, PAGE), (2.0, 2, 1, TICKET)], "of each severity the one that is told soonest"


def test_pairs_of_the_same_long_window_and_other_short_ones_are_two() -> None:
    found = pairs_in_force(
        burning(BurnPair(9.0, HOUR, 5 * MINUTE, PAGE), BurnPair(5.0, HOUR, 30 * MINUTE, PAGE)), PERIOD_SECONDS
    )
    assert found == (BurnPair(9.0, HOUR, 5 * MINUTE, PAGE), BurnPair(5.0, HOUR + 5 * MINUTE, 30 * MINUTE, PAGE))


a_pair = st.builds(
    lambda factor, short, times, severity: BurnPair(factor, short * times, short, severity),
    st.floats(0.1, 50), st.integers(60, 12 * HOUR), st.integers(1, 30), st.sampled_from(Severity),
)  # fmt: skip


@given(st.lists(a_pair, min_size=1, max_size=8), st.integers(1, 60), st.integers(60, 60 * DAY), st.floats(0.5, 0.9999))
def test_windows_are_never_zero_and_nothing_that_can_be_told_gets_lost(
    pairs: list[BurnPair], minutes: int, period: int, at_least: float
) -> None:
    slo = burning(*pairs, slo=ratio(at_least=at_least, window=minutes * MINUTE))
    found = pairs_in_force(slo, period)
    longs = [pair.long for pair in found]
    assert longs == sorted(set(longs)), "strictly ascending: the long window tells the alerts apart"
    for pair in found:
        assert slo.window <= pair.short <= pair.long
        assert pair.long % slo.window == pair.short % slo.window == 0
    scale = min(1.0, period / PERIOD_SECONDS)
    for pair in pairs:
        if pair.factor * (budget(slo) or 1.0) < 1:
            assert any(
                one.severity is pair.severity
                and one.factor <= pair.factor
                and one.long >= pair.long * scale - 1
                and one.short >= pair.short * scale - 1
                for one in found
            )


# ---- how fast it burns ---------------------------------------------------------------------------------------------


def spent(history: BurnHistory, labels: Labels, window: int, slot: int) -> tuple[float, float] | None:
    """Bad ones and all of them; where one in a hundred is bearable, that is told of the rate, too."""
    burn = history.burn(labels, window, slot)
    if burn is None:
        return None
    assert burn.rate == pytest.approx(100 * burn.bad_share)
    return round(burn.bad_share * burn.counted, 6), burn.counted


def test_a_burn_rate_is_the_bad_share_over_the_bearable_one() -> None:
    history = BurnHistory(RATIO, [900])
    for tile, bad in enumerate((0.0, 0.03, 0.06), 1):
        history.add(slot_of(RATIO, tile * 300, {PODS: Events(bad, 1.0)}))
    assert spent(history, PODS, 300, 900) == (18, 300)
    assert spent(history, PODS, 900, 900) == (27, 900)
    assert history.newest == 900


def test_busy_windows_weigh_more_than_idle_ones() -> None:
    history = BurnHistory(RATIO, [600])
    history.add(slot_of(RATIO, 300, {PODS: Events(0.9, 9.0)}))
    history.add(slot_of(RATIO, 600, {PODS: Events(1.0, 1.0)}))
    assert spent(history, PODS, 600, 600) == (570, 3000)


def test_of_events_only_the_windows_that_tile_the_time_are_counted_and_of_a_value_all() -> None:
    events, values = BurnHistory(RATIO, [300]), BurnHistory(value(), [300])
    for slot in range(60, 301, 60):
        events.add(slot_of(RATIO, slot, {PODS: Events(1.0 if slot < 300 else 0.0, 1.0)}))
        values.add(slot_of(value(), slot, {PODS: 101.0 if slot < 300 else 0.0}))
    assert spent(events, PODS, 300, 300) == (0, 300)
    assert spent(values, PODS, 300, 300) == (4, 5)
    assert [slot for slot in range(60, 301, 60) if events.takes(slot)] == [300]


def test_each_series_burns_its_own_budget() -> None:
    slo = overriding(RATIO, PODS, Limit(at_least=0.5))
    history = BurnHistory(slo, [300])
    history.add(slot_of(slo, 300, {PODS: Events(0.5, 1.0), NODES: Events(0.5, 1.0)}))
    burns = [history.burn(labels, 300, 300) for labels in (PODS, NODES)]
    assert [burn and burn.rate for burn in burns] == [pytest.approx(1.0), pytest.approx(50.0)]


def test_without_events_or_with_too_few_there_is_no_burn_rate() -> None:
    slo = replace(RATIO, min_events=450)
    history = BurnHistory(slo, [600])
    history.add(slot_of(slo, 300, {PODS: Events(1.0, 1.0)}))
    assert history.burn(PODS, 300, 300) is None, "300 events"
    history.add(slot_of(slo, 600, {PODS: Events(1.0, 1.0), NODES: Events(0.0, 0.0)}))
    assert history.burn(PODS, 300, 600) is None
    assert spent(history, PODS, 600, 600) == (600, 600)
    assert history.burn(NODES, 600, 600) is None
    slo = replace(RATIO, min_events=300)
    history = BurnHistory(slo, [300])
    history.add(slot_of(slo, 300, {PODS: Events(1.0, 1.0)}))
    assert spent(history, PODS, 300, 300) == (300, 300), "as many as are needed are enough"


def test_without_a_budget_there_is_no_burn_rate_of_infinity() -> None:
    slo = ratio(at_least=1.0)
    history = BurnHistory(slo, [300])
    history.add(slot_of(slo, 300, {PODS: Events(1.0, 1.0)}))
    assert history.burn(PODS, 300, 300) is None


def test_slots_come_in_their_order() -> None:
    history = BurnHistory(RATIO, [900])
    history.count(900, PODS, (0.0, 1.0))
    with pytest.raises(ValueError, match="in their order"):
        history.count(600, PODS, (0.0, 1.0))


def test_a_series_of_which_nothing_is_left_in_any_window_is_forgotten() -> None:
    history = BurnHistory(RATIO, [900])
    history.count(300, PODS, (1.0, 1.0))
    for slot in (600, 900):
        history.count(slot, NODES, (0.0, 1.0))
        assert set(history.series) == {PODS, NODES}
    history.count(1200, NODES, (0.0, 1.0))
    assert set(history.series) == {NODES}


SERIES: tuple[Labels, ...] = ((), PODS, NODES)
WINDOWS = (300, 600, 1500)
counted = st.lists(
    st.tuples(
        st.sampled_from([60, 120, 300, 300, 300, 600, 900, 1500, 1800, 9000]),
        st.sampled_from(SERIES), st.integers(0, 5), st.integers(0, 5),
    ),
    max_size=60,
)  # fmt: skip


@given(counted, st.lists(st.tuples(st.integers(-8, 40), st.sampled_from(WINDOWS)), min_size=1, max_size=20))
def test_sums_over_windows_are_those_of_a_plain_list(
    steps: Sequence[tuple[int, Labels, int, int]], asked: Sequence[tuple[int, int]]
) -> None:
    """Gaps, series that come and go, rings that wrap around, windows that end before or after what is known."""
    slo, kept = value(), max(WINDOWS)
    history = BurnHistory(slo, WINDOWS)
    plain: list[tuple[int, Labels, BadAndAll]] = []
    slot = 0
    for number, (step, labels, bad, good) in enumerate(steps):
        slot += step
        history.count(slot, labels, (bad, bad + good))
        plain.append((slot, labels, (bad, bad + good)))
        if number % 3 and number + 1 < len(steps):
            continue
        newest = ceil(slot / 300) * 300
        assert history.newest == newest
        for back, window in asked:
            end = newest + back * 300
            for series in SERIES:
                there = [
                    both for at, one, both in plain if one == series and max(end - window, newest - kept) < at <= end
                ]
                bads, wholes = sum(both[0] for both in there), sum(both[1] for both in there)
                found = spent(history, series, window, end)
                assert found == ((bads, wholes) if wholes else None)


# ---- when it is told: by hand --------------------------------------------------------------------------------------

Told = list[tuple[int, Stage, int]]
"""Long windows in minutes, what became of the alert, and the number of the tile."""


def told_over(period: int, share_of: Callable[[int], float]) -> Told:
    """What is told of a run of so many seconds, in which of each tile (1, 2, …) this share of 300 events is bad."""
    pairs = pairs_in_force(RATIO, period)
    history = BurnHistory(RATIO, {window for pair in pairs for window in (pair.long, pair.short)})
    active: dict[Key, Active] = {}
    told: Told = []
    for tile in range(1, period // 300 + 1):
        slot = slot_of(RATIO, tile * 300, {PODS: Events(share_of(tile), 1.0)})
        history.add(slot)
        active, found = advance(active, slot.slot, list(burn_looks(slot, history, pairs)), "")
        told += [(one.key.window // 60, one.stage, one.slot // 300) for one in found]
    return sorted(told)


def step(first: int, share: float) -> Callable[[int], float]:
    return lambda tile: share if tile >= first else 0.0


def spike(at: int, share: float) -> Callable[[int], float]:
    return lambda tile: share if tile == at else 0.0


FIRING, OVER = Stage.FIRING, Stage.RESOLVED


@pytest.mark.parametrize(
    ("period", "shares", "expected"),
    [
        # 2 h: 6 over 5 min, 3 over 10 min, 1 over 15 min; the short one is 5 min.
        # 10 % burn 10 times as fast. Over 10 min that is 5 at once, over 15 min 3.3.
        (2 * HOUR, step(7, 0.10), [(5, FIRING, 7), (10, FIRING, 7), (15, FIRING, 7)]),
        # 5 times as fast is no 6. Over 10 min it is 2.5, then 5; over 15 min 1.7 at once.
        (2 * HOUR, step(7, 0.05), [(10, FIRING, 8), (15, FIRING, 7)]),
        # Twice as fast: over 15 min 0.67, then 1.33.
        (2 * HOUR, step(7, 0.02), [(15, FIRING, 8)]),
        # 8 times for 5 min: 8, 4, 2.7. A window later the short one says that it is over.
        (2 * HOUR, spike(7, 0.08), [(5, FIRING, 7), (5, OVER, 8), (10, FIRING, 7), (10, OVER, 8), (15, FIRING, 7),
                                    (15, OVER, 8)]),
        # What is known at the first window of a run is all that its windows hold.
        (2 * HOUR, step(1, 0.05), [(10, FIRING, 1), (15, FIRING, 1)]),
        # 24 h: 14.4 over 5 min, 6 over 15 min, 3 over 50 min, 1 over 145 min and 15 min. After 12 h of nothing
        # 10 %: n of 3 tiles is 3.3, 6.7; n of 10 is 1, 2, 3, 4; n of 29 is 0.34, 0.69, 1.03.
        (DAY, step(145, 0.10), [(15, FIRING, 146), (50, FIRING, 148), (145, FIRING, 147)]),
        # 2 %: 2 n / 29 exceeds 1 at the 15th.
        (DAY, step(145, 0.02), [(145, FIRING, 159)]),
        # All events for 5 min: 100, 33, 10 and 3.4. The longest one ends when its short one of 15 min is over it.
        (DAY, spike(145, 1.0), [(5, FIRING, 145), (5, OVER, 146), (15, FIRING, 145), (15, OVER, 146), (50, FIRING, 145),
                                (50, OVER, 146), (145, FIRING, 145), (145, OVER, 148)]),
        # 7 d: 14.4 over 15 min, 6 over 85 min and 10, 3 over 340 min and 30, 1 over 1,010 min and 85. After 3 days
        # 20 %: 20 n / 3 exceeds 14.4 at the 3rd, 20 n / 17 exceeds 6 at the 6th, 20 n / 68 exceeds 3 at the 11th,
        # 20 n / 202 exceeds 1 at the 11th; the short ones are full of it, or beyond theirs long before.
        (7 * DAY, step(865, 0.20), [(15, FIRING, 867), (85, FIRING, 870), (340, FIRING, 875), (1010, FIRING, 875)]),
        # 2 %: 2 n / 202 exceeds 1 at the 102nd.
        (7 * DAY, step(865, 0.02), [(1010, FIRING, 966)]),
        # All events for 5 min: 33; over 85 min 5.9, over 340 min 1.5, over 1,010 min 0.5.
        (7 * DAY, spike(865, 1.0), [(15, FIRING, 865), (15, OVER, 866)]),
    ],
)  # fmt: skip
def test_at_which_window_of_a_run_each_burn_rate_is_told(
    period: int, shares: Callable[[int], float], expected: Told
) -> None:
    assert told_over(period, shares) == expected
