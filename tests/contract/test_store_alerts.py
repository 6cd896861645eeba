"""What every store promises of alerts: their state, what receivers were told, and who of several agents may tell."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.errors import StoreError
from sloagent.model.alert import Active, Checkpoint, Key, Rule, Severity, Stage, Told, Transition
from sloagent.store import AlertStep
from sloagent.store.sqlite import SQLiteStore
from tests.contract.test_store import ALWAYS, EXAMPLES
from tests.unit.store.strategies import HOUR, LATENCY, RATIO, actives, keys, plain_slot, series

PODS = Key(Rule.VIOLATED, 0, series(resource="pods", verb="POST"))
NODES = Key(Rule.VIOLATED, 0, series(resource="nodes"))
BURNS = Key(Rule.BURN_RATE, 3600)


def fired(slot: int, key: Key = PODS, stage: Stage = Stage.FIRING) -> Transition:
    return Transition(slot, key, stage, Severity.TICKET, slot - 120, "soak", "11 s, more than 10 s")


def step(slot: int, after: int | None, slots: int, *transitions: Transition, slo=LATENCY, active=None) -> AlertStep:
    return AlertStep(slo, after, slots, transitions, Checkpoint(slot, active or {}))


def judged(store, *minutes: int, slo=LATENCY) -> None:
    """Record the slots of these minutes."""
    assert store.append("p", [plain_slot(HOUR + 60 * minute, slo=slo, n=1) for minute in minutes]) == len(minutes)


def looked_at(store, minute: int, after: int | None, slots: int, *transitions: Transition) -> bool:
    """Take one step up to a minute."""
    before = None if after is None else HOUR + 60 * after
    (taken,) = store.append_alerts("p", [step(HOUR + 60 * minute, before, slots, *transitions)])
    return taken


def newest(store, slo=LATENCY) -> float | None:
    """The minute of the newest checkpoint."""
    checkpoint = store.checkpoint("p", slo)
    return None if checkpoint is None else (checkpoint.slot - HOUR) / 60


def changes(store, slo=LATENCY) -> list[float]:
    return [(one.slot - HOUR) / 60 for one in store.transitions("p", slo, ALWAYS)]


class TestSteps:
    @given(active=st.dictionaries(keys, actives, max_size=3))
    @EXAMPLES
    def test_a_checkpoint_comes_back_as_it_was(self, store, names, active):
        source = next(names)
        assert store.checkpoint(source, LATENCY) is None
        store.append(source, [plain_slot(HOUR, n=1)])
        assert store.append_alerts(source, [step(HOUR, None, 1, active=active)]) == [True]
        assert store.checkpoint(source, LATENCY) == Checkpoint(HOUR, active)
        assert store.checkpoint(source, RATIO) is None

    def test_the_newest_checkpoint_takes_the_place_of_the_one_before(self, store, other):
        judged(store, 0, 1, 2)
        active = {PODS: Active(Stage.PENDING, Severity.PAGE, HOUR, bad=2, value=-math.inf)}
        assert store.append_alerts("p", [step(HOUR + 60, None, 2)]) == [True]
        assert other.append_alerts("p", [step(HOUR + 120, HOUR + 60, 1, active=active)]) == [True]
        assert store.checkpoint("p", LATENCY) == Checkpoint(HOUR + 120, active)

    def test_transitions_ascend_by_slot_and_key_and_a_stretch_holds_both_its_ends(self, store):
        judged(store, 0, 1, 2)
        told = [fired(HOUR + 60 * n, key) for n in (2, 0, 1) for key in (PODS, NODES, BURNS)]
        assert store.append_alerts("p", [step(HOUR + 120, None, 3, *told)]) == [True]
        expected = sorted(told, key=lambda one: (one.slot, one.key))
        assert store.transitions("p", LATENCY, ALWAYS) == expected
        assert store.transitions("p", LATENCY, (HOUR, HOUR + 60)) == expected[:6]
        assert store.transitions("p", LATENCY, (HOUR + 60, HOUR)) == store.transitions("q", LATENCY, ALWAYS) == []

    def test_labels_may_be_long_and_hold_anything(self, store):
        judged(store, 0)
        key = Key(Rule.VIOLATED, 0, series(url="Ж\0'\"" * 3000))
        told = Told(HOUR, HOUR + 30.25)
        assert store.append_alerts("p", [step(HOUR, None, 1, fired(HOUR, key))]) == [True]
        store.tell("p", "http://am", [(LATENCY, key, told)])
        assert [one.key for one in store.transitions("p", LATENCY, ALWAYS)] == [key]
        assert store.told("p", LATENCY, "http://am") == {key: told}

    def test_a_step_is_refused_when_a_slot_came_late_among_those_that_were_looked_at(self, store, other):
        judged(store, 0, 1, 3)
        assert looked_at(store, 1, None, 2)
        judged(other, 2)
        assert not looked_at(store, 3, 1, 1, fired(HOUR + 180))
        assert (newest(store), changes(store)) == (1, [])
        assert looked_at(store, 3, 1, 2, fired(HOUR + 180))
        assert (newest(store), changes(store)) == (3, [3])

    def test_one_that_begins_from_nothing_is_refused_too(self, store, other):
        judged(store, 1)
        judged(other, 0)
        assert not looked_at(store, 1, None, 1)
        assert looked_at(store, 1, None, 2)

    def test_a_step_is_refused_when_the_same_slot_was_looked_at_again_with_a_late_one(self, store, other):
        judged(store, 0, 2, 3)
        first, again = Checkpoint(HOUR + 120, chain=1), Checkpoint(HOUR + 120, chain=2)
        assert store.append_alerts("p", [AlertStep(LATENCY, None, 2, (), first)]) == [True]
        judged(other, 1)
        assert other.append_alerts("p", [AlertStep(LATENCY, None, 3, (), again)]) == [True]
        after = Checkpoint(HOUR + 180, chain=3)
        assert store.append_alerts("p", [AlertStep(LATENCY, first.slot, 1, (), after, first.chain)]) == [False]
        assert store.append_alerts("p", [AlertStep(LATENCY, again.slot, 1, (), after, again.chain)]) == [True]
        assert store.checkpoint("p", LATENCY) == after

    def test_a_step_is_refused_when_somebody_was_faster(self, store, other):
        judged(store, 0, 1, 2)
        assert looked_at(store, 1, None, 2)
        assert not looked_at(other, 1, None, 2, fired(HOUR))
        assert looked_at(other, 2, 1, 1)
        assert not looked_at(store, 2, 1, 1, fired(HOUR + 120))
        assert (newest(store), changes(store)) == (2, [])

    def test_a_step_is_refused_when_its_checkpoint_is_gone(self, store):
        judged(store, 1, 2)
        assert looked_at(store, 1, None, 1)
        judged(store, 0)
        assert not looked_at(store, 2, 1, 1)

    def test_slots_that_have_become_sums_do_not_count(self, store):
        judged(store, *range(58, 63))
        store.roll_up(HOUR + 3600)
        assert not looked_at(store, 62, None, 5)
        assert looked_at(store, 62, None, 3)

    def test_of_several_steps_each_is_taken_or_refused_by_itself_one_after_the_other(self, store):
        judged(store, 0, 1)
        judged(store, 0, slo=RATIO)
        first, second = step(HOUR, None, 1, fired(HOUR)), step(HOUR + 60, HOUR, 1, fired(HOUR + 60))
        assert store.append_alerts("p", [first, step(HOUR, None, 2, fired(HOUR), slo=RATIO), second]) == [
            True, False, True,
        ]  # fmt: skip
        assert (newest(store), changes(store), newest(store, RATIO), changes(store, RATIO)) == (1, [0, 1], None, [])

    @pytest.mark.parametrize(
        "wrong",
        [step(HOUR, HOUR, 0), step(HOUR + 60, HOUR, 1, fired(HOUR)), step(HOUR + 60, HOUR, 1, fired(HOUR + 120))],
    )
    def test_a_step_that_makes_no_sense_is_refused_and_nothing_of_the_others_is_written(self, store, wrong):
        judged(store, 0, 1, 2)
        judged(store, 0, slo=RATIO)
        assert looked_at(store, 0, None, 1)
        with pytest.raises(StoreError, match="karmada/api-mutating-latency: alerts from"):
            store.append_alerts("p", [step(HOUR, None, 1, slo=RATIO), wrong])
        assert (newest(store), newest(store, RATIO)) == (0, None)

    def test_nothing_at_all_may_be_committed(self, store):
        assert store.append_alerts("p", []) == []


class TestLateSlots:
    def test_a_late_slot_takes_back_what_was_concluded_without_it_of_its_slo(self, store, other):
        for slo in (LATENCY, RATIO):
            judged(store, 1, 2, slo=slo)
            changed = step(HOUR + 120, None, 2, fired(HOUR + 60), fired(HOUR + 120, NODES), slo=slo)
            assert store.append_alerts("p", [changed]) == [True]
        judged(other, 0)
        assert (newest(store), changes(store)) == (None, [])
        assert (newest(store, RATIO), changes(store, RATIO)) == (2, [1, 2])

    def test_what_was_concluded_up_to_the_checkpoint_before_it_stays(self, store):
        judged(store, 58, 59, 60, 61, 63)
        assert looked_at(store, 59, None, 2, fired(HOUR + 58 * 60))
        assert looked_at(store, 61, 59, 2, fired(HOUR + 3600))
        assert looked_at(store, 63, 61, 1, fired(HOUR + 63 * 60))
        judged(store, 62)
        assert (newest(store), changes(store)) == (59, [58])
        assert looked_at(store, 63, 59, 4, fired(HOUR + 3600), fired(HOUR + 62 * 60)), "as before, and otherwise"
        assert changes(store) == [58, 60, 62]

    def test_the_last_checkpoint_of_each_hour_stays_and_no_other(self, store):
        minutes = [57, 58, 59, 60, 118, 119, 121, 122]
        judged(store, *minutes)
        before = None
        for minute in minutes:
            assert looked_at(store, minute, before, 1)
            before = minute
        judged(store, 120)
        assert newest(store) == 119
        judged(store, 61)
        assert newest(store) == 59
        judged(store, 56)
        assert newest(store) is None

    def test_of_several_late_slots_the_earliest_counts_in_whatever_order_they_come(self, store):
        judged(store, 59, 62)
        assert looked_at(store, 59, None, 1)
        assert looked_at(store, 62, 59, 1)
        judged(store, 58, 61)
        assert newest(store) is None

    def test_the_very_slot_of_a_checkpoint_may_come_late(self, store):
        judged(store, 0)
        assert looked_at(store, 1, None, 1)
        judged(store, 1)
        assert newest(store) is None

    def test_a_newer_slot_takes_nothing_back_nor_does_one_that_is_recorded_already(self, store):
        judged(store, 0, 1)
        assert looked_at(store, 1, None, 2, fired(HOUR + 60))
        assert store.append("p", [plain_slot(HOUR), replace(plain_slot(HOUR - 60), pending=True)]) == 0
        judged(store, 2)
        store.roll_up(HOUR + 60)
        assert store.append("p", [plain_slot(HOUR)]) == 0
        assert (newest(store), changes(store)) == (1, [1])


class TestTold:
    def test_what_a_receiver_was_told_is_replaced_and_others_were_told_otherwise(self, store, other):
        began, still = Told(HOUR, HOUR + 30.1), Told(HOUR, HOUR + 90.7)
        over = Told(HOUR, HOUR + 90.7, HOUR + 0.1 + 0.2)
        store.tell("p", "a", [(LATENCY, PODS, began), (LATENCY, BURNS, began), (RATIO, BURNS, began)])
        store.tell("p", "b", [(LATENCY, PODS, began)])
        other.tell("p", "a", [(LATENCY, PODS, still), (LATENCY, NODES, over)])
        assert store.told("p", LATENCY, "a") == {PODS: still, NODES: over, BURNS: began}
        assert list(store.told("p", LATENCY, "a")) == sorted([PODS, NODES, BURNS])
        assert (store.told("p", RATIO, "a"), store.told("p", LATENCY, "b")) == ({BURNS: began}, {PODS: began})
        assert store.told("q", LATENCY, "a") == store.told("p", LATENCY, "c") == {}
        store.tell("p", "a", [])

    def test_a_late_slot_changes_nothing_of_it(self, store):
        judged(store, 1)
        store.tell("p", "a", [(LATENCY, PODS, Told(HOUR, HOUR))])
        judged(store, 0)
        assert store.told("p", LATENCY, "a") == {PODS: Told(HOUR, HOUR)}


class TestLeases:
    def test_only_its_holder_has_a_lease_until_it_expires_or_is_given_up(self, store, other):
        assert store.lease("alerts", "one", 1000.0, 30.0)
        assert not other.lease("alerts", "two", 1029.999, 30.0)
        assert store.lease("alerts", "one", 1020.0, 30.0)
        assert not other.lease("alerts", "two", 1049.999, 30.0)
        assert other.lease("alerts", "two", 1050.0, 30.0)
        store.release("alerts", "one")
        assert not store.lease("alerts", "one", 1051.0, 30.0)
        other.release("alerts", "two")
        assert store.lease("alerts", "one", 1051.0, 30.0)
        assert other.lease("something else", "two", 1051.0, 30.0)

    def test_of_those_who_ask_at_once_one_gets_it(self, store, other):
        got: list[tuple[int, str]] = []
        together = threading.Barrier(3)

        def ask(one, holder: str) -> None:
            for number in range(10):
                together.wait(10)
                if one.lease(f"alerts-{number}", holder, 1000.0, 30.0):
                    got.append((number, holder))

        threads = [threading.Thread(target=ask, args=pair) for pair in ((store, "a"), (other, "b"), (store, "c"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(number for number, _ in got) == list(range(10))


class TestForgetting:
    def test_what_is_older_goes_but_for_the_newest_checkpoint_of_an_slo_that_is_still_judged(self, store):
        old, new = HOUR, HOUR + 86_400
        for slo in (LATENCY, RATIO):
            store.append("p", [plain_slot(old, slo=slo, n=1)])
            assert store.append_alerts("p", [step(old, None, 1, fired(old), slo=slo)]) == [True]
        store.append("p", [plain_slot(new, n=1)])
        told = {PODS: Told(old, float(old)), NODES: Told(old, float(old), new + 0.5), BURNS: Told(new, new + 0.5)}
        store.tell("p", "a", [(LATENCY, key, one) for key, one in told.items()])
        store.prune(new)
        assert (store.checkpoint("p", LATENCY), store.checkpoint("p", RATIO)) == (Checkpoint(old), None)
        assert store.transitions("p", LATENCY, ALWAYS) == store.transitions("p", RATIO, ALWAYS) == []
        assert store.told("p", LATENCY, "a") == {NODES: told[NODES], BURNS: told[BURNS]}
        assert store.append_alerts("p", [step(new, old, 1, fired(new))]) == [True]
        store.prune(new)
        assert (store.checkpoint("p", LATENCY), changes(store)) == (Checkpoint(new), [1440])

    def test_a_receiver_and_an_alert_that_stand_for_long_outlive_the_names_of_their_time(self, store):
        store.append("p", [plain_slot(HOUR)])
        for day in (0, 10):
            store.tell("p", "a", [(LATENCY, PODS, Told(HOUR, HOUR + 86_400.0 * day))])
        store.prune(HOUR + 9 * 86_400)
        assert store.told("p", LATENCY, "a") == {PODS: Told(HOUR, HOUR + 864_000.0)}


class TestDump:
    def test_transitions_are_in_it_and_what_is_made_from_them_is_not(self, store):
        judged(store, 0, 1)
        before = list(store.dump())
        told = [fired(HOUR + 60, NODES, Stage.RESOLVED), fired(HOUR + 60), fired(HOUR + 60, BURNS), fired(HOUR)]
        assert store.append_alerts("p", [step(HOUR + 60, None, 2, *told)]) == [True]
        store.tell("p", "a", [(LATENCY, PODS, Told(HOUR, HOUR))])
        assert store.lease("alerts", "one", 1000.0, 30.0)
        after = list(store.dump())
        assert after[4:] == before
        lines = [json.loads(line) for line in after[:4]]
        assert lines[0] == {
            "kind": "alert_transition", "source": "p", "set": "karmada", "slo": "api-mutating-latency",
            "fingerprint": LATENCY.fingerprint(), "slot": HOUR, "rule": "violated", "window": 0,
            "labels": {"resource": "pods", "verb": "POST"}, "stage": "firing", "severity": "ticket",
            "started": HOUR - 120, "run": "soak", "reason": "11 s, more than 10 s",
        }  # fmt: skip
        assert [(line["slot"] - HOUR, line["rule"], line["labels"].get("resource")) for line in lines] == [
            (0, "violated", "pods"), (60, "burn_rate", None), (60, "violated", "nodes"), (60, "violated", "pods"),
        ]  # fmt: skip

    def test_a_backup_has_all_of_it(self, store, tmp_path):
        judged(store, 0)
        active = {PODS: Active(Stage.FIRING, Severity.PAGE, HOUR, HOUR)}
        assert store.append_alerts("p", [step(HOUR, None, 1, fired(HOUR), active=active)]) == [True]
        store.tell("p", "a", [(LATENCY, PODS, Told(HOUR, HOUR))])
        store.backup(tmp_path / "copy.db")
        copy = SQLiteStore(tmp_path / "copy.db", read_only=True)
        for one in (store, copy):
            assert one.checkpoint("p", LATENCY) == Checkpoint(HOUR, active)
            assert one.told("p", LATENCY, "a") == {PODS: Told(HOUR, HOUR)}
        assert (copy.check(), list(copy.dump())) == ([], list(store.dump()))
        copy.close()
