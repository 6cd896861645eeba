from __future__ import annotations

import math
import sqlite3
import threading
from pathlib import Path

import pytest

from sloagent.errors import StoreError
from sloagent.model.alert import Active, Checkpoint, Key, Rule, Severity, Stage, Told, Transition
from sloagent.store import AlertStep
from sloagent.store.alerts import active_from_text, active_text
from sloagent.store.damage import DamagedError
from sloagent.store.postgres import PostgresStore
from sloagent.store.postgres_schema import STEPS
from sloagent.store.resilient import ResilientStore
from sloagent.store.salvage import salvage
from sloagent.store.settings import StoreSettings
from sloagent.store.sqlite import SQLiteStore
from tests.postgres import shared
from tests.unit.store.strategies import HOUR, LATENCY, plain_slot, series
from tests.unit.store.test_seals import made_old

PODS = Key(Rule.VIOLATED, 0, series(resource="pods", verb="POST"))
ALWAYS = (0, 2**40)


def step(slot: int, after: int | None, slots: int) -> AlertStep:
    fired = Transition(slot, PODS, Stage.FIRING, Severity.PAGE, slot)
    active = {PODS: Active(Stage.FIRING, Severity.PAGE, slot, slot)}
    return AlertStep(LATENCY, after, slots, (fired,), Checkpoint(slot, active))


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "sloagent.db"


@pytest.fixture
def filled(path) -> Path:
    """A store with something of everything that belongs to alerts."""
    store = SQLiteStore(path)
    store.append("p", [plain_slot(HOUR + 60 * n, n=1) for n in range(3)])
    assert store.append_alerts("p", [step(HOUR + 60, None, 2)]) == [True]
    store.tell("p", "a", [(LATENCY, PODS, Told(HOUR, HOUR + 60.0))])
    assert store.lease("alerts", "one", 1000.0, 30.0)
    assert store.check() == []
    store.close()
    return path


class TestText:
    def test_equal_alerts_have_equal_texts_without_what_goes_without_saying(self):
        pending = Active(Stage.PENDING, Severity.TICKET, HOUR, bad=1, value=0.1 + 0.2)
        burning = Active(Stage.FIRING, Severity.PAGE, HOUR, HOUR, value=math.inf, reason="zu “viel”")
        active = {PODS: pending, Key(Rule.BURN_RATE, 3600): burning}
        text = active_text(active)
        assert text == active_text(dict(reversed(active.items())))
        assert text == (
            '[["burn_rate",3600,{},{"fired":1795320000,"reason":"zu “viel”","severity":"page","stage":"firing",'
            '"started":1795320000,"value":Infinity}],["violated",0,{"resource":"pods","verb":"POST"},'
            '{"bad":1,"severity":"ticket","stage":"pending","started":1795320000,"value":0.30000000000000004}]]'
        )
        assert active_from_text(text) == active

    @pytest.mark.parametrize("number", [-math.inf, -0.0, 0.0, 5e-324, math.nan])
    def test_every_number_comes_back(self, number):
        (back,) = active_from_text(
            active_text({PODS: Active(Stage.FIRING, Severity.PAGE, 0, 0, value=number)})
        ).values()
        assert repr(back) == repr(Active(Stage.FIRING, Severity.PAGE, 0, 0, value=number))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{}",
            "[[]]",
            '[["violated",0,{}]]',
            '[["violent",0,{},{"stage":"firing","severity":"page","started":1}]]',
            '[["violated",0,{},{"stage":"burning","severity":"page","started":1}]]',
            '[["violated",0,{},{"stage":"firing","severity":"page"}]]',
            '[["violated",0,{},{"stage":"firing","severity":"page","started":"1"}]]',
            '[["violated",0,{"a":1},{"stage":"firing","severity":"page","started":1}]]',
            '[["violated",0.5,{},{"stage":"firing","severity":"page","started":1}]]',
        ],
    )
    def test_what_was_not_written_so_is_damage(self, text):
        with pytest.raises(DamagedError, match="the store is damaged: a checkpoint of alerts makes no sense"):
            active_from_text(text)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE alert_states SET content = '[1]'", "its alerts cannot be read: the store is damaged: a checkpoint"),
        ("UPDATE alert_transitions SET rule = 'violent'", "there is no rule 'violent' of an alert"),
        ("UPDATE alert_transitions SET stage = ''", "there is no stage '' of an alert"),
        ("UPDATE alert_transitions SET severity = 'x'", "there is no severity 'x' of an alert"),
        ("UPDATE alert_told SET rule = 'violent'", "there is no rule 'violent' of an alert"),
        (
            "UPDATE alert_transitions SET slo_id = 7",
            "rows of `alert_transitions` refer to what is not in `slo_versions`",
        ),
        ("UPDATE alert_transitions SET series_id = 7", "rows of `alert_transitions` refer to what is not in `series`"),
        ("UPDATE alert_states SET slo_id = 7", "rows of `alert_states` refer to what is not in `slo_versions`"),
        ("UPDATE alert_told SET slo_id = 7", "rows of `alert_told` refer to what is not in `slo_versions`"),
        ("UPDATE alert_told SET series_id = 7", "rows of `alert_told` refer to what is not in `series`"),
        (
            "DELETE FROM alert_states",
            "karmada/api-mutating-latency: alerts changed at slots that were not looked at yet: 1",
        ),
    ],
)
def test_nonsense_is_found_by_the_check(filled, statement, sentence):
    connection = sqlite3.connect(filled)
    connection.execute(statement)
    connection.commit()
    connection.close()
    store = SQLiteStore(filled)
    assert sentence in "\n".join(store.check())
    store.close()


def test_a_store_that_is_only_read_tells_and_takes_nothing_back(filled):
    store = SQLiteStore(filled, read_only=True)
    for call in (
        lambda: store.append_alerts("p", [step(HOUR + 120, HOUR + 60, 1)]),
        lambda: store.tell("p", "a", []),
        lambda: store.lease("alerts", "one", 1000.0, 30.0),
        lambda: store.release("alerts", "one"),
    ):
        with pytest.raises(StoreError, match="was opened for reading only"):
            call()
    assert store.checkpoint("p", LATENCY) == step(HOUR + 60, None, 2).checkpoint
    assert store.transitions("p", LATENCY, ALWAYS) == list(step(HOUR + 60, None, 2).transitions)
    assert store.told("p", LATENCY, "a") == {PODS: Told(HOUR, HOUR + 60.0)}
    store.close()


def test_a_store_that_is_not_there_says_why_at_every_call(tmp_path):
    store = ResilientStore(lambda: SQLiteStore(tmp_path / "no" / "s.db"), path=tmp_path / "no" / "s.db")
    for call in (
        lambda: store.checkpoint("p", LATENCY),
        lambda: store.append_alerts("p", []),
        lambda: store.transitions("p", LATENCY, ALWAYS),
        lambda: store.told("p", LATENCY, "a"),
        lambda: store.tell("p", "a", []),
        lambda: store.lease("alerts", "one", 1000.0, 30.0),
        lambda: store.release("alerts", "one"),
    ):
        with pytest.raises(StoreError, match="there is no directory"):
            call()
    store.close()


def test_a_file_from_before_there_were_alerts_learns_them_when_it_is_opened(path):
    store = SQLiteStore(path)
    store.append("p", [plain_slot(HOUR)])
    lines = list(store.dump())
    store.close()
    made_old(path)
    store = SQLiteStore(path)
    assert (list(store.dump()), store.checkpoint("p", LATENCY)) == (lines, None)
    assert store.append_alerts("p", [step(HOUR, None, 1)]) == [True]
    assert store.check() == []
    store.close()


def test_a_database_from_before_there_were_alerts_learns_them_when_it_is_opened():
    server = shared()
    database = server.new_database()
    settings = StoreSettings(url=server.socket_url(database))
    store = PostgresStore(settings)
    store.append("p", [plain_slot(HOUR)])
    store.close()
    for table in ("alert_states", "alert_transitions", "alert_told", "leases"):
        server.sql(f"DROP TABLE sloagent.{table}", database)
    server.sql("DELETE FROM sloagent.migrations WHERE name = '0005 alerts'", database)
    with pytest.raises(StoreError, match="has an older schema, and it was opened for reading only"):
        PostgresStore(settings, read_only=True)
    store = PostgresStore(settings)
    assert store.append_alerts("p", [step(HOUR, None, 1)]) == [True]
    assert store.check() == []
    store.close()
    assert server.sql("SELECT name FROM sloagent.migrations ORDER BY position", database) == [
        (name,) for name, _ in STEPS
    ]


def test_of_a_damaged_store_alerts_are_concluded_anew_from_the_slots_that_were_salvaged(filled, tmp_path):
    target = tmp_path / "new.db"
    assert salvage(filled, target, threading.Event()) is not None
    store = SQLiteStore(target)
    assert (store.checkpoint("p", LATENCY), store.transitions("p", LATENCY, ALWAYS)) == (None, [])
    assert store.append_alerts("p", [step(HOUR + 60, None, 2)]) == [True]
    store.close()


def test_a_slot_that_is_salvaged_into_a_store_takes_back_what_was_concluded_without_it(filled, tmp_path):
    target = tmp_path / "new.db"
    store = SQLiteStore(target)
    store.append("p", [plain_slot(HOUR + 120, n=1)])
    assert store.append_alerts("p", [step(HOUR + 120, None, 1)]) == [True]
    assert salvage(filled, target, threading.Event()) is not None
    assert (store.checkpoint("p", LATENCY), store.transitions("p", LATENCY, ALWAYS)) == (None, [])
    assert store.append_alerts("p", [step(HOUR + 120, None, 3)]) == [True]
    assert salvage(filled, target, threading.Event()) is not None, "everything is there already"
    assert store.checkpoint("p", LATENCY) == step(HOUR + 120, None, 3).checkpoint
    assert store.check() == []
    store.close()
