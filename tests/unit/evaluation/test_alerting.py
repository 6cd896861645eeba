"""The machine that turns conditions into alerts: what it owes by Prometheus's alert generator specification, and more.

The specification (prometheus/compliance, alert_generator) says of the life of an alert: it starts as pending unless
`for` is zero, fires at the first evaluation at which its condition has held that long and never between two, becomes
inactive with the first evaluation that does not produce it, begins anew after that, and only what fires or has ended is
told. Here `for` is a number of evaluations. What it says of sending is tested where something is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.evaluation.alerting import UNSEEN_AFTER, Held, Look, State, advance, ended
from sloagent.model.alert import Active, Key, Rule, Severity, Stage, Transition
from sloagent.model.slo import Labels
from tests.unit.evaluation.build import NODES, PODS

HOLDS, CALM, UNSEEN, UNKNOWN = State.HOLDS, State.CALM, State.UNSEEN, State.UNKNOWN
SIGNS = {"x": HOLDS, ".": CALM, "-": UNSEEN, "?": UNKNOWN}
"""How a row of evaluations is written."""
KEY = Key(Rule.VIOLATED, labels=PODS)
FIRING, RESOLVED = Stage.FIRING, Stage.RESOLVED
Actives = Mapping[Key, Active]
Slot = tuple[int, Sequence[Look]]


def look(
    states: Mapping[Labels, State],
    after: int = 3,
    over_after: int = 1,
    *,
    rule: Rule = Rule.VIOLATED,
    window: int = 0,
    severity: Severity = Severity.TICKET,
    absent: State = UNSEEN,
    reason: str = "bad",
) -> Look:
    return Look(
        rule, window, after, over_after,
        {labels: Held(severity, 7.0, reason) for labels, state in states.items() if state is HOLDS},
        {labels: state for labels, state in states.items() if state is not HOLDS},
        absent,
    )  # fmt: skip


def row(signs: str, after: int = 3, over_after: int = 1) -> list[Slot]:
    """A slot each minute, with one series."""
    return [(60 * place, [look({PODS: SIGNS[sign]}, after, over_after)]) for place, sign in enumerate(signs)]


def folded(slots: Iterable[Slot], active: Actives | None = None, run: str = "") -> tuple[Actives, list[Transition]]:
    active, told = active or {}, []
    for slot, looks in slots:
        active, some = advance(active, slot, looks, run)
        told += some
    return active, told


def stages(slots: Iterable[Slot], key: Key = KEY) -> str:
    """What one alert is after each slot: `.` inactive, `p` pending, `f` firing."""
    active: Actives = {}
    found = ""
    for slot, looks in slots:
        active, _ = advance(active, slot, looks, "")
        found += active[key].stage.value[0] if key in active else "."
    return found


def moments(slots: Iterable[Slot]) -> list[tuple[int, Stage]]:
    """At which evaluation something was told, and what."""
    return [(one.slot // 60, one.stage) for one in folded(slots)[1]]


# ---- pending, firing, inactive: the specification ------------------------------------------------------------------


def test_an_alert_starts_as_pending_and_nothing_is_told_of_it() -> None:
    active, told = folded(row("xx"))
    assert active[KEY] == Active(Stage.PENDING, Severity.TICKET, 0, bad=2, value=7.0, reason="bad")
    assert told == []


@pytest.mark.parametrize("after", [2, 3, 10])
def test_it_fires_at_the_nth_evaluation_in_a_row_and_not_before(after: int) -> None:
    assert stages(row("x" * (after + 1), after)) == "p" * (after - 1) + "ff"
    assert moments(row("x" * (after + 1), after)) == [(after - 1, FIRING)]


def test_with_one_evaluation_it_fires_at_once_and_is_never_pending() -> None:
    active, told = folded(row("x", 1))
    assert active[KEY].stage is FIRING
    assert (active[KEY].started, active[KEY].fired) == (0, 0)
    assert [one.stage for one in told] == [FIRING]


def test_it_goes_back_from_pending_to_inactive_without_a_trace() -> None:
    assert folded(row("xx.")) == ({}, [])
    assert stages(row("xx.xx.xx.")) == "pp." * 3


def test_it_starts_to_count_anew_after_an_evaluation_without() -> None:
    assert stages(row("xx.xxx")) == "pp.ppf"


def test_it_ends_with_the_first_evaluation_without_where_nothing_else_is_wanted() -> None:
    active, told = folded(row("xxxx."))
    assert active == {}
    assert [(one.slot, one.stage) for one in told] == [(120, FIRING), (240, RESOLVED)]


def test_a_firing_alert_is_told_once_however_long_it_fires() -> None:
    assert moments(row("x" * 50)) == [(2, FIRING)]


def test_what_never_holds_is_never_active() -> None:
    assert folded(row("..-?..")) == ({}, [])


def test_the_number_and_the_reason_are_those_of_the_last_evaluation_while_pending_and_firing() -> None:
    slots = [
        (60 * at, [Look(Rule.VIOLATED, 0, 2, 2, {PODS: Held(Severity.TICKET, float(at), f"bad {at}")}, {}, UNSEEN)])
        for at in range(4)
    ]
    assert [folded(slots[:count])[0][KEY].value for count in (1, 2, 4)] == [0.0, 1.0, 3.0]
    assert folded(slots)[0][KEY].reason == "bad 3"
    calm = folded([*slots, (240, [look({PODS: CALM}, 2, 2)])])[0][KEY]
    assert (calm.value, calm.reason) == (3.0, "bad 3"), "while it waits for its end it says what was last bad"


def test_when_it_began_to_fire_is_told_with_the_first_slot_of_the_episode_and_the_reason() -> None:
    _, told = folded(row(".xxx."), run="v1.3")
    assert told == [
        Transition(180, KEY, FIRING, Severity.TICKET, started=60, run="v1.3", reason="bad"),
        Transition(240, KEY, RESOLVED, Severity.TICKET, started=60, run="v1.3", reason=""),
    ]


def test_a_second_episode_starts_anew_with_its_own_start() -> None:
    active, told = folded(row("xxx.xxx"))
    assert [(one.stage, one.slot, one.started) for one in told] == [
        (FIRING, 120, 0), (RESOLVED, 180, 0), (FIRING, 360, 240)
    ]  # fmt: skip
    assert (active[KEY].started, active[KEY].fired) == (240, 360)


def test_every_series_is_an_alert_of_its_own() -> None:
    slots = [
        (60 * at, [look({PODS: SIGNS[pods], NODES: SIGNS[nodes]})])
        for at, (pods, nodes) in enumerate(zip("xxxx.", ".xxxx", strict=True))
    ]
    _, told = folded(slots)
    assert [(one.slot // 60, one.key.labels, one.stage) for one in told] == [
        (2, PODS, FIRING), (3, NODES, FIRING), (4, PODS, RESOLVED)
    ]  # fmt: skip


def test_rules_and_windows_are_alerts_of_their_own() -> None:
    both = [
        look({PODS: HOLDS}, 1),
        look({PODS: HOLDS}, 1, rule=Rule.BURN_RATE, window=300),
        look({PODS: HOLDS}, 1, rule=Rule.BURN_RATE, window=900, severity=Severity.PAGE),
    ]
    active, told = folded([(0, both)])
    keys = [Key(Rule.BURN_RATE, 300, PODS), Key(Rule.BURN_RATE, 900, PODS), KEY]
    assert [one.key for one in told] == keys
    active, told = folded([(60, [look({PODS: CALM}, 1, rule=Rule.BURN_RATE, window=900)])], active)
    assert [(one.key, one.stage, one.severity) for one in told] == [(keys[1], RESOLVED, Severity.PAGE)]
    assert sorted(active) == [keys[0], keys[2]]


# ---- hysteresis ----------------------------------------------------------------------------------------------------


def test_it_ends_after_so_many_evaluations_in_a_row_without_and_not_before() -> None:
    assert stages(row("xxx....", 3, 3)) == "ppfff.."
    assert moments(row("xxx....", 3, 3)) == [(2, FIRING), (5, RESOLVED)]


def test_flapping_within_the_hysteresis_is_one_episode() -> None:
    slots = row("xxx..x..x.x..x", 3, 3)
    assert stages(slots) == "pp" + "f" * 12
    active, told = folded(slots)
    assert [one.stage for one in told] == [FIRING]
    assert (active[KEY].started, active[KEY].fired, active[KEY].calm) == (0, 120, 0)


def test_the_hysteresis_of_the_end_does_not_hold_a_pending_alert() -> None:
    assert stages(row("xx.x.xx.", 3, 3)) == "pp.p.pp."


def test_after_its_end_it_must_hold_as_often_again_before_it_fires_again() -> None:
    assert stages(row("xxx...xxx", 3, 3)) == "ppfff.ppf"


# ---- what nobody can tell ------------------------------------------------------------------------------------------


def test_what_nobody_can_tell_neither_begins_nor_ends_an_alert() -> None:
    assert stages(row("?????")) == "....."
    assert stages(row("xxx" + "?" * 100)) == "pp" + "f" * 101
    assert moments(row("xxx" + "?" * 100)) == [(2, FIRING)]


def test_what_nobody_can_tell_makes_no_pending_alert_fire_and_lets_it_go_on_counting_after() -> None:
    assert stages(row("xx" + "?" * 50)) == "p" * 52
    assert stages(row("xx??x")) == "ppppf"
    assert stages(row("xx??.")) == "pppp."


def test_what_nobody_can_tell_is_no_calm_evaluation_and_breaks_no_row_of_them() -> None:
    assert stages(row("xxx..??", 3, 3)) == "ppfffff"
    assert stages(row("xxx..??.", 3, 3)) == "ppfffff."


def test_where_all_series_are_gone_their_alerts_stay() -> None:
    gone = [(60 * at, [look({}, absent=UNKNOWN)]) for at in range(3, 103)]
    active, told = folded([*row("xxx"), *gone])
    assert active[KEY].stage is FIRING
    assert [one.stage for one in told] == [FIRING]


# ---- a series that is not there any more ---------------------------------------------------------------------------


def test_a_series_that_is_not_seen_ends_its_alert_after_ten_answers_in_a_row_and_says_so() -> None:
    assert UNSEEN_AFTER == 10
    slots = row("xxx" + "-" * 11)
    assert stages(slots) == "ppf" + "f" * 9 + ".."
    _, told = folded(slots)
    assert [(one.slot // 60, one.stage) for one in told] == [(2, FIRING), (12, RESOLVED)]
    assert told[-1].reason == "it is not seen any more"


def test_a_series_that_is_in_no_answer_is_one_that_is_not_seen() -> None:
    others = [(60 * at, [look({NODES: CALM}, absent=UNSEEN)]) for at in range(3, 13)]
    assert moments([*row("xxx"), *others]) == [(2, FIRING), (12, RESOLVED)]


def test_a_pending_alert_whose_series_is_not_seen_waits_as_long_and_goes_without_a_trace() -> None:
    assert stages(row("xx" + "-" * 10)) == "pp" + "p" * 9 + "."
    assert folded(row("xx" + "-" * 10)) == ({}, [])


def test_a_series_that_is_seen_again_is_counted_from_there() -> None:
    nine = "-" * 9
    assert stages(row(f"xxx{nine}x{nine}")) == "ppf" + "f" * 19
    assert stages(row(f"xxx{nine}.{nine}", 3, 2)) == "ppf" + "f" * 19
    assert stages(row(f"xx{nine}x")) == "pp" + "p" * 9 + "f"


def test_what_nobody_can_tell_is_no_answer_without_the_series() -> None:
    assert stages(row("xxx" + "-" * 9 + "?" * 5 + "-")) == "ppf" + "f" * 14 + "."


# ---- an episode keeps what identifies it ---------------------------------------------------------------------------


def test_severity_and_run_stay_those_of_the_beginning_while_it_fires() -> None:
    fires = partial(look, {PODS: HOLDS}, 2)
    active, told = folded([(0, [fires()]), (60, [fires(severity=Severity.PAGE)])], run="first")
    active, more = folded([(120, [fires(severity=Severity.INFO)]), (180, [look({PODS: CALM})])], active, run="second")
    assert [(one.stage, one.severity, one.run) for one in (*told, *more)] == [
        (FIRING, Severity.PAGE, "first"), (RESOLVED, Severity.PAGE, "first")
    ]  # fmt: skip
    assert active == {}


def test_the_run_is_the_one_in_which_it_began_to_fire() -> None:
    active, _ = folded(row("xx"), run="first")
    assert active[KEY].run == ""
    active, told = folded(row("xxx")[2:], active, run="second")
    assert (active[KEY].run, told[0].run) == ("second", "second")


# ---- rules that do not look at a slot, and rules that are gone -----------------------------------------------------


def test_a_rule_without_a_look_at_a_slot_stays_as_it_is() -> None:
    burning = [look({PODS: HOLDS}, 1, rule=Rule.BURN_RATE, window=300)]
    active, _ = folded([(0, burning), *row("xx")])
    assert folded([(60 * at, []) for at in range(3, 100)], active) == (active, [])
    others = [(60 * at, [look({PODS: CALM})]) for at in range(3, 100)]
    left, told = folded(others, active)
    assert list(left) == [Key(Rule.BURN_RATE, 300, PODS)]
    assert left[Key(Rule.BURN_RATE, 300, PODS)] == active[Key(Rule.BURN_RATE, 300, PODS)]
    assert told == []


def test_the_end_of_a_rule_that_is_gone_is_told_of_what_fired_with_its_reason_and_not_of_what_was_pending() -> None:
    firing, _ = folded(row("xxx"), run="v1.3")
    pending, _ = folded([(0, [look({NODES: HOLDS})])])
    key = Key(Rule.VIOLATED, labels=NODES)
    assert ended({**firing, **pending}, 600, [KEY, key], "the rule has gone") == [
        Transition(600, KEY, RESOLVED, Severity.TICKET, started=0, run="v1.3", reason="the rule has gone")
    ]


def test_what_was_active_is_not_changed_in_place() -> None:
    before, _ = folded(row("xxx"))
    kept = dict(before)
    advance(before, 180, [look({PODS: CALM, NODES: HOLDS})], "")
    assert before == kept


# ---- as a function -------------------------------------------------------------------------------------------------

SERIES: tuple[Labels, ...] = ((), PODS, NODES)
a_look = st.builds(
    lambda states, terms, kind, absent, severity: look(
        {labels: state for labels, state in zip(SERIES, states, strict=True) if state is not None},
        *terms, rule=kind[0], window=kind[1], absent=absent, severity=severity,
    ),
    st.tuples(*[st.one_of(st.none(), st.sampled_from(State))] * 3),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from([(Rule.VIOLATED, 0), (Rule.BURN_RATE, 300), (Rule.BURN_RATE, 900)]),
    st.sampled_from([UNSEEN, UNKNOWN]),
    st.sampled_from(Severity),
)  # fmt: skip
some_slots = st.lists(
    st.lists(a_look, max_size=3, unique_by=lambda one: (one.rule, one.window)), max_size=40
).map(lambda all_looks: [(60 * place, looks) for place, looks in enumerate(all_looks)])  # fmt: skip


@given(some_slots, st.lists(st.integers(0, 40), max_size=4))
def test_slots_looked_at_in_one_go_and_in_any_steps_give_the_same(slots: list[Slot], cuts: list[int]) -> None:
    active: Actives = {}
    told: list[Transition] = []
    for first, last in pairwise([0, *sorted(cuts), len(slots)]):
        active, some = folded(slots[first:last], active)
        told += some
    assert (active, told) == folded(slots)


@given(some_slots)
def test_in_which_order_the_rules_are_looked_at_within_a_slot_changes_nothing(slots: list[Slot]) -> None:
    assert folded((slot, looks[::-1]) for slot, looks in slots) == folded(slots)


@given(some_slots)
def test_what_is_told_of_an_alert_is_by_turns_that_it_fires_and_that_it_is_over(slots: list[Slot]) -> None:
    active, told = folded(slots)
    for key in {one.key for one in told}:
        episodes = [one for one in told if one.key == key]
        assert [one.stage for one in episodes] == [FIRING, RESOLVED] * (len(episodes) // 2) + [FIRING] * (
            len(episodes) % 2
        )
        begun = [one for one in episodes if one.stage is FIRING]
        assert [one.started for one in begun] == sorted({one.started for one in begun}), "each has its own start"
        assert (episodes[-1].stage is FIRING) == (key in active and active[key].stage is FIRING)
    assert all(one.stage is not FIRING or one.fired is not None for one in active.values())
