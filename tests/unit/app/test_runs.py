"""The life of a run, in a real store: what is accepted comes out as it was said, what is refused changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from sloagent.app import runs
from sloagent.errors import RunError
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.timerange import TimeRange, at
from sloagent.store import Store
from sloagent.store.sqlite import SQLiteStore

NOON = at(1_795_348_800)


def later(minutes: float):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    opened = SQLiteStore(tmp_path / "sloagent.db")
    yield opened
    opened.close()


@pytest.fixture
def soak(store) -> Store:
    """A store with a run that began at noon and goes on."""
    runs.start(store, "soak", {"mode": "push"}, NOON, later(0))
    return store


def refusal(work: Callable[[], object]) -> RunError:
    with pytest.raises(RunError) as caught:
        work()
    assert caught.value.exit_code == 2
    return caught.value


def test_a_run_begins_goes_through_its_phases_and_ends(store):
    assert runs.start(store, "soak", {"b": "2", "a": "1"}, NOON, later(0)) == Run(
        "soak", NOON, None, (("a", "1"), ("b", "2"))
    )
    runs.add_phase(store, "soak", "create", None, None, "300 Deployments", later(10))
    runs.exclude(store, "soak", later(10), later(12), "etcd was moved", later(13))
    runs.add_phase(store, "soak", "mixed", later(15), later(20), "", later(25))
    runs.add_phase(store, "soak", "delete", None, None, "", later(30))
    ended = runs.stop(store, "soak", later(31), later(32))
    assert ended == Run(
        "soak", NOON, later(31), (("a", "1"), ("b", "2")),
        (
            Phase("create", TimeRange(NOON, later(10)), "300 Deployments"),
            Phase("mixed", TimeRange(later(15), later(20))),
            Phase("delete", TimeRange(later(20), later(30))),
        ),
        (Exclusion(TimeRange(later(10), later(12)), "etcd was moved"),),
    )  # fmt: skip
    assert store.runs() == [ended]
    assert runs.shown(store, "soak") == (ended, False)


def test_a_phase_without_a_beginning_begins_where_the_last_one_ended_and_not_where_the_last_one_said_was(soak):
    runs.add_phase(soak, "soak", "second", later(10), later(20), "", later(20))
    runs.add_phase(soak, "soak", "first", later(1), later(10), "", later(20))
    run = runs.add_phase(soak, "soak", "third", None, None, "", later(30))
    assert run.phases[-1].range == TimeRange(later(20), later(30))


def test_phases_may_be_told_after_the_run_has_ended(soak):
    runs.stop(soak, "soak", later(60), later(60))
    runs.add_phase(soak, "soak", "create", later(1), later(60), "", later(90))
    assert "lies outside" in refusal(lambda: runs.add_phase(soak, "soak", "x", later(50), None, "", later(90))).message


MANY = {str(number): "x" for number in range(65)}
WRONG: dict[str, tuple[str, str, Callable[[Store], object]]] = {
    "a name that is taken": ("stands", "exists already", lambda s: runs.start(s, "soak", {}, NOON, later(0))),
    "no name": ("wrong", "visible characters", lambda s: runs.start(s, "", {}, NOON, later(0))),
    "a name of spaces": ("wrong", "visible characters", lambda s: runs.start(s, " a", {}, NOON, later(0))),
    "a name that turns around": ("wrong", "visible characters", lambda s: runs.start(s, "a\u202eb", {}, NOON, later(0))),
    "half a character": ("wrong", "visible characters", lambda s: runs.start(s, "a\udc80", {}, NOON, later(0))),
    "an endless name": ("wrong", "longer than 200", lambda s: runs.start(s, "a" * 201, {}, NOON, later(0))),
    "a start to come": ("wrong", "lies in the future", lambda s: runs.start(s, "b", {}, later(1), later(0))),
    "a label without a value": ("wrong", "the label `a`", lambda s: runs.start(s, "b", {"a": ""}, NOON, later(0))),
    "a label with a line end": ("wrong", "the label `a`", lambda s: runs.start(s, "b", {"a": "b\nc"}, NOON, later(0))),
    "too many labels": ("wrong", "64 labels", lambda s: runs.start(s, "b", MANY, NOON, later(0))),
    "an unknown run": ("unknown", "no run is named", lambda s: runs.stop(s, "saok", later(1), later(1))),
    "an end before the start": ("wrong", "cannot end", lambda s: runs.stop(s, "soak", NOON, later(1))),
    "an end to come": ("wrong", "future", lambda s: runs.stop(s, "soak", later(2), later(1))),
    "an end before a phase's": ("wrong", "the phase `p` of", lambda s: runs.stop(s, "soak", later(4), later(9))),
    "a phase twice": ("stands", "has a phase", lambda s: runs.add_phase(s, "soak", "p", None, None, "", later(9))),
    "a phase too early": ("wrong", "lies outside", lambda s: runs.add_phase(s, "soak", "q", later(-1), None, "", later(9))),
    "a phase backwards": ("wrong", "ends before",
        lambda s: runs.add_phase(s, "soak", "q", later(3), later(2), "", later(9))),
    "a phase of no time": ("wrong", "ends before", lambda s: runs.add_phase(s, "soak", "q", None, None, "", later(5))),
    "a phase to come": ("wrong", "future", lambda s: runs.add_phase(s, "soak", "q", None, later(10), "", later(9))),
    "a phase of an unknown run": ("unknown", "no run", lambda s: runs.add_phase(s, "x", "q", None, None, "", later(9))),
    "an endless note": ("wrong", "4,000", lambda s: runs.add_phase(s, "soak", "q", None, None, "x" * 4001, later(9))),
    "a note that steers": ("wrong", "U+001B", lambda s: runs.add_phase(s, "soak", "q", None, None, "\x1b[2J", later(9))),
    "no reason": ("wrong", "empty", lambda s: runs.exclude(s, "soak", NOON, later(1), " ", later(9))),
    "half a reason": ("wrong", "U+DC80", lambda s: runs.exclude(s, "soak", NOON, later(1), "\udc80", later(9))),
    "an exclusion outside": ("wrong", "lies outside", lambda s: runs.exclude(s, "soak", later(-2), later(1), "x", later(9))),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused_has_a_sentence_and_changes_nothing(soak, name):
    kind, words, work = WRONG[name]
    runs.add_phase(soak, "soak", "p", later(2), later(5), "", later(5))
    before = soak.runs()
    refused = refusal(lambda: work(soak))
    assert refused.kind == kind
    assert words in refused.message
    assert soak.runs() == before


def test_a_run_that_ended_stays_ended(soak):
    runs.stop(soak, "soak", later(1), later(2))
    refused = refusal(lambda: runs.stop(soak, "soak", later(2), later(2)))
    assert (refused.kind, refused.message) == ("stands", "`soak` ended at 2026-11-22T12:01:00Z already")


def test_an_unknown_run_is_answered_with_those_there_are(soak, tmp_path):
    assert refusal(lambda: runs.shown(soak, "x")).hint == "there are: soak"
    empty = SQLiteStore(tmp_path / "empty.db")
    assert refusal(lambda: runs.shown(empty, "x")).hint == f"there is none yet; {runs.START_ONE}"
    empty.close()


def test_of_many_runs_the_newest_are_named(store):
    for number in range(25):
        store.save_run(Run(f"run-{number}", later(number), None))
    hint = refusal(lambda: runs.shown(store, "x")).hint
    assert hint.startswith("there are: run-5, run-6, ")
    assert hint.endswith(", run-24, and 5 older ones")


def test_a_run_has_only_so_many_phases(store):
    parts = tuple(Phase(str(n), TimeRange(NOON, later(1))) for n in range(runs.MOST_PARTS))
    store.save_run(Run("soak", NOON, None, phases=parts))
    assert (
        "1,000 phases" in refusal(lambda: runs.add_phase(store, "soak", "one more", None, None, "", later(9))).message
    )
