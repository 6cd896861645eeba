"""What every store promises. A new store joins by one entry in OPENERS, in `conftest.py`."""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sloagent.errors import RunError, StoreError
from sloagent.evaluation.budget import bad_and_all
from sloagent.evaluation.tallying import badness, tally
from sloagent.model.alert import Checkpoint, Key, Rule, Severity, Stage, Transition
from sloagent.model.distribution import Distribution, total_of
from sloagent.model.piece import Piece
from sloagent.model.record import Line
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.samples import Events
from sloagent.model.slo import SLO, Labels, Limit, Text
from sloagent.model.tally import Tally
from sloagent.model.timerange import TimeRange, at
from sloagent.model.verdict import Cause, Outcome, SlotHeader, SlotVerdict, Verdict
from sloagent.store import AlertStep, Store, documents
from sloagent.store import pieces as pieces_module
from sloagent.store.sqlite import SQLiteStore
from tests.unit.store.strategies import (
    HOUR,
    LATENCY,
    RATIO,
    TO_BE_DETERMINED,
    VALUE,
    pieces,
    plain_slot,
    runs,
    series,
    slot_verdicts,
    stored,
    texts,
)

ALWAYS = (HOUR - 10**6, HOUR + 10**6)

EXAMPLES = settings(
    # `make check` is to be run often, and tries fewer; `make test` tries all.
    max_examples=int(os.environ.get("SLOAGENT_EXAMPLES", "15")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class TestSlots:
    @given(judged=slot_verdicts())
    @EXAMPLES
    def test_a_slot_comes_back_as_it_was_judged(self, store, names, judged):
        source = next(names)
        assert store.append(source, [judged]) == 1
        assert list(store.slots(source, LATENCY, ALWAYS)) == [stored(judged)]

    @pytest.mark.parametrize("number", [math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 3.0])
    def test_every_number_comes_back_bit_for_bit(self, store, number):
        verdict = replace(plain_slot(HOUR, n=1).verdicts[0], value=number)
        store.append("p", [replace(plain_slot(HOUR), verdicts=(verdict,))])
        (back,) = next(store.slots("p", LATENCY, ALWAYS)).verdicts
        assert (repr(back.value), back) == (repr(number), verdict)

    def test_not_a_number_never_comes_back_as_a_number(self, store):
        verdict = replace(plain_slot(HOUR, n=1).verdicts[0], value=math.nan, events=math.nan)
        store.append("p", [replace(plain_slot(HOUR), verdicts=(verdict,))])
        (back,) = next(store.slots("p", LATENCY, ALWAYS)).verdicts
        assert (back.value, back.events) == (None, None)

    def test_slots_ascend_and_their_verdicts_ascend_by_labels(self, store):
        shuffled = replace(plain_slot(HOUR), verdicts=plain_slot(HOUR, n=5).verdicts[::-1])
        store.append("p", [plain_slot(HOUR + 120), shuffled, plain_slot(HOUR + 60)])
        back = list(store.slots("p", LATENCY, ALWAYS))
        assert [judged.slot for judged in back] == [HOUR, HOUR + 60, HOUR + 120]
        assert back[0].verdicts == plain_slot(HOUR, n=5).verdicts

    def test_a_stretch_holds_both_its_ends(self, store):
        store.append("p", [plain_slot(HOUR + 60 * n) for n in range(5)])
        assert [s.slot for s in store.slots("p", LATENCY, (HOUR + 60, HOUR + 180))] == [
            HOUR + 60,
            HOUR + 120,
            HOUR + 180,
        ]
        assert store.recorded("p", LATENCY, (HOUR + 60, HOUR + 180)) == {HOUR + 60, HOUR + 120, HOUR + 180}
        assert store.recorded("p", LATENCY, (HOUR + 180, HOUR + 60)) == frozenset()

    def test_pending_slots_are_not_recorded(self, store):
        assert store.append("p", [replace(plain_slot(HOUR), pending=True), plain_slot(HOUR + 60)]) == 1
        assert store.recorded("p", LATENCY, ALWAYS) == {HOUR + 60}

    def test_the_first_commit_of_a_slot_wins(self, store, other):
        assert store.append("p", [plain_slot(HOUR, detail="first")]) == 1
        assert other.append("p", [plain_slot(HOUR, detail="second", n=5), plain_slot(HOUR + 60)]) == 1
        assert [judged.detail for judged in store.slots("p", LATENCY, ALWAYS)] == ["first", ""]
        assert len(next(other.slots("p", LATENCY, ALWAYS)).verdicts) == 2

    def test_a_changed_promise_and_another_source_have_histories_of_their_own(self, store):
        stricter = replace(LATENCY, objective=replace(LATENCY.objective, limit=Limit(at_most=0.5)))
        store.append("p", [plain_slot(HOUR)])
        assert store.recorded("p", stricter, ALWAYS) == frozenset()
        assert store.recorded("q", LATENCY, ALWAYS) == frozenset()
        assert store.append("p", [plain_slot(HOUR, slo=stricter)]) == 1
        assert store.append("q", [plain_slot(HOUR)]) == 1

    def test_a_changed_title_is_the_same_history(self, store):
        store.append("p", [plain_slot(HOUR)])
        assert store.recorded("p", replace(LATENCY, title=Text("Another")), ALWAYS) == {HOUR}

    def test_a_slot_is_recorded_wholly_or_not_at_all(self, store):
        twice = plain_slot(HOUR + 60)
        broken = replace(twice, verdicts=(*twice.verdicts, twice.verdicts[0]))
        with pytest.raises(StoreError):
            store.append("p", [plain_slot(HOUR), broken])
        assert store.recorded("p", LATENCY, ALWAYS) == frozenset()
        assert store.append("p", [plain_slot(HOUR), twice]) == 2

    def test_a_time_that_is_no_slot_is_refused(self, store):
        with pytest.raises(StoreError, match="no multiple of 60 seconds"):
            store.append("p", [plain_slot(HOUR + 1)])

    def test_what_was_acknowledged_is_there_after_opening_again(self, store, opener):
        store.append("p", [plain_slot(HOUR)])
        before = list(store.dump())
        store.close()
        assert list(opener().dump()) == before

    def test_reading_goes_on_at_its_moment_while_others_write(self, store):
        store.append("p", [plain_slot(HOUR), plain_slot(HOUR + 60)])
        reading = store.slots("p", LATENCY, ALWAYS)
        assert next(reading).slot == HOUR
        store.roll_up(HOUR + 3600)
        assert [judged.slot for judged in reading] == [HOUR + 60]
        assert list(store.slots("p", LATENCY, ALWAYS)) == []

    def test_many_threads_may_append_and_read_at_once(self, store):
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for n in range(20):
                    store.append(f"p{number % 2}", [plain_slot(HOUR + 60 * n)])
                    assert HOUR + 60 * n in store.recorded(f"p{number % 2}", LATENCY, ALWAYS)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert [len(list(store.slots(source, LATENCY, ALWAYS))) for source in ("p0", "p1")] == [20, 20]


class TestHeaders:
    @given(judged=slot_verdicts())
    @EXAMPLES
    def test_a_header_says_what_its_slot_says_as_a_whole(self, store, names, judged):
        source = next(names)
        store.append(source, [judged])
        assert list(store.headers(source, LATENCY, ALWAYS)) == [
            SlotHeader(
                judged.slot, judged.outcome, judged.cause, judged.question.query, judged.question.histogram,
                judged.detail, judged.warnings, judged.kind,
            )
        ]  # fmt: skip

    def test_they_ascend_within_the_stretch_and_those_of_sums_are_gone(self, store):
        store.append("p", [plain_slot(HOUR + 60 * n) for n in (5, 1, 3, 2, 4)])
        found = [header.slot for header in store.headers("p", LATENCY, (HOUR + 60, HOUR + 240))]
        assert found == [HOUR + 60, HOUR + 120, HOUR + 180, HOUR + 240]
        store.roll_up(HOUR + 200)
        assert [header.slot for header in store.headers("p", LATENCY, ALWAYS)] == [HOUR + 240, HOUR + 300]
        assert list(store.headers("q", LATENCY, ALWAYS)) == []


SOME = series(resource="pods", verb="POST")
OTHER = series(resource="nodes")


def window(slot: int, value: float | None, outcome: Outcome = Outcome.PASS, labels: Labels = SOME) -> SlotVerdict:
    """A slot with one series that has one value."""
    cause = Cause.DECIDED if value is not None else Cause.NOT_A_NUMBER
    verdict = Verdict(labels, outcome, cause, True, value=value, limit=Limit(at_most=10.0))
    return replace(plain_slot(slot, slo=VALUE), verdicts=(verdict,), distributions=None)


def shown(line: Line) -> list[tuple[int, float | None]]:
    return [((slot - HOUR) // 60, verdict.value) for slot, verdict in line.windows]


def thinned(windows: dict[int, Verdict], stretch: tuple[int, int], columns: int) -> dict[int, Verdict]:
    """The rule, said once more and slowly."""
    if len(windows) <= 2 * columns:
        return windows
    first, last = stretch
    kept = {}
    for column in range(columns):
        own = {s: v for s, v in windows.items() if (s - first) * columns // (last - first + 1) == column}
        valued = {slot: verdict for slot, verdict in own.items() if verdict.value is not None}
        if valued:
            for choose in (min, max):
                extreme = choose(verdict.value for verdict in valued.values())
                kept[min(slot for slot, verdict in valued.items() if verdict.value == extreme)] = None
        elif own:
            kept[min(own, key=lambda slot: (badness(own[slot]), slot))] = None
    return {slot: windows[slot] for slot in sorted(kept)}


class TestLines:
    @given(data=st.data())
    @EXAMPLES
    def test_of_each_column_the_extremes_are_kept_and_the_worst_where_there_is_no_value(self, store, names, data):
        source = next(names)
        judged = data.draw(judged_slots(LATENCY, most=40))
        columns = data.draw(st.integers(1, 8))
        store.append(source, judged)
        stretch = (HOUR + 60 * data.draw(st.integers(0, 30)), HOUR + 60 * data.draw(st.integers(30, 180)))
        lines = store.lines(source, LATENCY, stretch, [SOME, (), OTHER], columns)
        assert [line.labels for line in lines] == [SOME, (), OTHER]
        for line in lines:
            windows = {
                slot.slot: verdict
                for slot in store.slots(source, LATENCY, stretch)
                for verdict in slot.verdicts
                if verdict.labels == line.labels
            }
            assert dict(line.windows) == thinned(windows, stretch, columns)
            assert [slot for slot, _ in line.windows] == sorted(dict(line.windows))
            assert line.seen == len(windows)

    def test_few_windows_are_all_there_and_whole(self, store):
        judged = [window(HOUR + 60 * n, float(n % 3)) for n in range(8)]
        store.append("p", judged)
        (line,) = store.lines("p", VALUE, (HOUR, HOUR + 420), [SOME], 4)
        assert line.windows == tuple((slot.slot, slot.verdicts[0]) for slot in judged)
        assert line.seen == 8

    def test_of_equals_the_earlier_is_kept(self, store):
        store.append("p", [window(HOUR + 60 * n, value) for n, value in enumerate([2.0, 1.0, 1.0, 3.0, 3.0, 2.0])])
        (line,) = store.lines("p", VALUE, (HOUR, HOUR + 300), [SOME], 1)
        assert (shown(line), line.seen) == ([(1, 1.0), (3, 3.0)], 6)

    def test_a_window_without_a_value_displaces_none_and_stands_where_there_is_no_other(self, store):
        outcomes = [Outcome.NO_DATA, Outcome.ERROR, Outcome.ERROR, Outcome.NO_DATA]
        store.append("p", [window(HOUR + 60 * n, None, outcome) for n, outcome in enumerate(outcomes)])
        store.append("p", [window(HOUR + 60 * (4 + n), value) for n, value in enumerate([None, 5.0, None, 6.0])])
        (line,) = store.lines("p", VALUE, (HOUR, HOUR + 420), [SOME], 2)
        assert shown(line) == [(1, None), (5, 5.0), (7, 6.0)]
        assert line.windows[0][1].outcome is Outcome.ERROR

    def test_an_hour_that_is_one_sum_is_shown_by_its_worst_window(self, store):
        store.append("p", [window(HOUR + 60 * n, 11.0 if n == 7 else 1.0) for n in range(70)])
        store.append("p", [window(HOUR + 60 * n, 99.0, labels=OTHER) for n in range(70, 75)])
        store.roll_up(HOUR + 3600)
        some, other, unheard = store.lines("p", VALUE, ALWAYS, [SOME, OTHER, series(no="where")], 100)
        assert shown(some) == [(7, 11.0), *((n, 1.0) for n in range(60, 70))]
        assert (some.seen, len(other.windows), unheard) == (70, 5, Line(series(no="where"), (), 0))
        (some,) = store.lines("p", VALUE, (HOUR, HOUR + 3599 + 600), [SOME], 2)
        assert (shown(some), some.seen) == ([(7, 11.0), (60, 1.0)], 70)

    def test_how_many_there_were_is_the_same_before_and_after_they_became_sums(self, store):
        store.append(
            "p", [window(HOUR + 60 * n, float(n), Outcome.NO_DATA if n < 60 else Outcome.PASS) for n in range(120)]
        )
        before = store.lines("p", VALUE, ALWAYS, [SOME], 5)[0].seen
        store.roll_up(HOUR + 7200)
        assert store.lines("p", VALUE, ALWAYS, [SOME], 5)[0].seen == before == 120

    def test_what_nobody_recorded_has_no_windows(self, store):
        assert store.lines("p", VALUE, ALWAYS, [SOME], 5) == [Line(SOME, (), 0)]


class TestDocuments:
    @given(kind=texts, name=texts, content=st.binary(max_size=300))
    @EXAMPLES
    def test_a_document_comes_back_and_is_replaced_by_its_name(self, store, kind, name, content):
        store.save_document(kind, name, b"old")
        store.save_document(kind, name, content)
        assert store.document(kind, name) == content
        assert name in store.documents(kind)

    def test_kinds_have_names_of_their_own_which_are_sorted(self, store, other):
        for kind, name in (("run", "b"), ("run", "ä"), ("facts", "b"), ("run", "a"), ("run", "B")):
            store.save_document(kind, name, f"{kind} {name}".encode())
        assert other.documents("run") == ["B", "a", "b", "ä"]
        assert (other.documents("facts"), other.documents("none")) == (["b"], [])
        assert (other.document("facts", "b"), other.document("facts", "a")) == (b"facts b", None)

    def test_a_document_outlives_everything_that_is_forgotten(self, store):
        store.save_document("facts", "soak", b"hardware")
        store.prune(2**40)
        assert store.document("facts", "soak") == b"hardware"

    def test_one_that_is_too_large_is_refused_and_the_one_before_stays(self, store, monkeypatch):
        monkeypatch.setattr(documents, "MOST_BYTES", 30)
        store.save_document("run", "soak", b"x" * 1000)
        with pytest.raises(
            StoreError, match=r"the run document 'soak' takes \d+ bytes, deflated; a store keeps at most 30"
        ):
            store.save_document("run", "soak", bytes(range(256)))
        assert store.document("run", "soak") == b"x" * 1000

    def test_of_imported_runs_the_dump_has_the_hash_and_of_facts_nothing(self, store):
        for kind, name in (("run", "b"), ("facts", "a"), ("run", "a")):
            store.save_document(kind, name, b"content")
        assert [json.loads(line) for line in store.dump()] == [
            {"kind": "document", "document": "run", "name": name, "sha256": hashlib.sha256(b"content").hexdigest()}
            for name in ("a", "b")
        ]

    def test_a_backup_has_them(self, store, tmp_path):
        store.save_document("run", "soak", bytes(range(256)))
        store.backup(tmp_path / "copy.db")
        copy = SQLiteStore(tmp_path / "copy.db", read_only=True)
        assert (copy.document("run", "soak"), copy.check()) == (bytes(range(256)), [])
        copy.close()


class TestTiles:
    @given(judged=slot_verdicts())
    @EXAMPLES
    def test_distributions_are_kept_of_the_slots_that_tile_the_time(self, store, names, judged):
        source = next(names)
        store.append(source, [judged])
        kept = judged.distributions is not None and judged.slot % LATENCY.window == 0
        assert list(store.tiles(source, LATENCY, ALWAYS)) == ([(judged.slot, judged.distributions)] if kept else [])

    def test_tiles_ascend_and_outlive_the_roll_up(self, store):
        store.append("p", [plain_slot(HOUR + 60 * n) for n in range(60)])
        before = list(store.tiles("p", LATENCY, (HOUR + 300, HOUR + 1500)))
        assert [slot for slot, _ in before] == [HOUR + 300 * n for n in range(1, 6)]
        store.roll_up(HOUR + 3600)
        assert list(store.tiles("p", LATENCY, (HOUR + 300, HOUR + 1500))) == before

    def test_a_slot_without_series_leaves_an_empty_tile(self, store):
        store.append("p", [replace(plain_slot(HOUR), verdicts=(), distributions={})])
        assert list(store.tiles("p", LATENCY, ALWAYS)) == [(HOUR, {})]


class TestSpent:
    @pytest.mark.parametrize("slo", [LATENCY, RATIO, VALUE], ids=lambda slo: slo.name)
    @given(data=st.data())
    @EXAMPLES
    def test_it_is_what_each_tiling_slot_took_of_the_budget(self, store, names, slo, data):
        source = next(names)
        judged = data.draw(st.lists(slot_verdicts(slo), max_size=4, unique_by=lambda one: one.slot))
        store.append(source, judged)
        expected = {
            (slot.slot, verdict.labels): repr(spent)  # endless events, which no judge lets through, have no share
            for slot in judged if slo is VALUE or slot.slot % slo.window == 0
            for verdict in slot.verdicts if (spent := bad_and_all(slo, verdict)) is not None
        }  # fmt: skip
        found = list(store.spent(source, slo, ALWAYS))
        assert {(slot, labels): repr(spent) for slot, labels, spent in found} == expected
        assert len(found) == len(expected)
        assert [slot for slot, _, _ in found] == sorted(slot for slot, _ in expected)


class TestPieces:
    @given(piece=pieces())
    @EXAMPLES
    def test_a_piece_comes_back_as_it_was_counted(self, store, names, piece):
        source = next(names)
        store.append_piece(source, RATIO, piece)
        cut = (piece.start_ms, piece.end_ms)
        assert store.added(source, RATIO, [cut]) == piece.series
        assert store.cuts(source, RATIO, *cut) == {cut: piece.query}
        assert store.cuts(source, RATIO, piece.start_ms + 1, piece.end_ms) == {}
        assert store.cuts(source, RATIO, piece.start_ms, piece.end_ms - 1) == {}

    def test_an_empty_piece_is_remembered_too(self, store):
        store.append_piece("p", RATIO, Piece(2000, 3000, "q", {(): Events(1.0, None)}))
        store.append_piece("p", RATIO, Piece(1000, 2000, "q", {}))
        assert store.cuts("p", RATIO, 0, 10_000).keys() == {(1000, 2000), (2000, 3000)}

    def test_the_first_commit_of_a_piece_wins(self, store, other):
        first = Piece(1000, 2000, "q", {series(a="1"): Distribution((math.inf,), (1.0,))})
        store.append_piece("p", LATENCY, first)
        other.append_piece("p", LATENCY, Piece(1000, 2000, "q", {}))
        assert other.added("p", LATENCY, [(1000, 2000)]) == first.series

    @given(counted=st.lists(pieces(), min_size=1, max_size=6, unique_by=lambda piece: (piece.start_ms, piece.end_ms)))
    @EXAMPLES
    @pytest.mark.parametrize("rows_at_once", [1, 3, 100_000])
    def test_the_sum_of_pieces_is_that_of_exactly_those_wanted(self, store, names, monkeypatch, rows_at_once, counted):
        monkeypatch.setattr(pieces_module, "_ROWS_AT_ONCE", rows_at_once)
        source = next(names)
        # As those of a latency: all of one sort, and not so large that their sum is beyond a double.
        one_sort = [
            replace(
                piece,
                series={
                    labels: Distribution(one.bounds, tuple(count / 8 for count in one.counts))
                    for labels, one in piece.series.items()
                    if isinstance(one, Distribution)
                },
            )
            for piece in counted
        ]
        for piece in one_sort:
            store.append_piece(source, LATENCY, piece)
        wanted = [(piece.start_ms, piece.end_ms) for piece in one_sort[1:]]
        expected: dict[Labels, list[Distribution]] = {}
        for piece in one_sort[1:]:
            for labels, distribution in piece.series.items():
                expected.setdefault(labels, []).append(distribution)
        sums = {labels: total_of(parts) for labels, parts in expected.items()}
        assert store.added(source, LATENCY, wanted) == store.added(source, LATENCY, wanted[::-1] * 2) == sums
        assert store.added(source, LATENCY, [*wanted, (0, 1)]) is None

    def test_sums_of_events_are_exactly_rounded_and_an_absent_side_stays_absent(self, store):
        some, other = series(a="1"), series(a="2")
        for start, part in enumerate([0.1] * 9 + [1e17, -1e17]):
            store.append_piece(
                "p", RATIO, Piece(start, start + 1, "q", {some: Events(part, None), other: Events(None, part)})
            )
        cuts = [(start, start + 1) for start in range(11)]
        exact = math.fsum([0.1] * 9)
        assert store.added("p", RATIO, cuts) == {some: Events(exact, None), other: Events(None, exact)}

    def test_of_what_was_never_counted_there_is_no_sum_and_of_nothing_an_empty_one(self, store):
        assert store.added("p", RATIO, [(0, 1)]) is None
        store.append_piece("p", RATIO, Piece(0, 1, "q", {}))
        assert store.added("p", RATIO, [(0, 1)]) == store.added("p", RATIO, []) == {}

    def test_a_changed_slo_has_no_pieces_yet(self, store):
        store.append_piece("p", RATIO, Piece(1000, 2000, "q", {}))
        assert store.cuts("p", replace(RATIO, window=600), 0, 10_000) == {}
        assert store.cuts("q", RATIO, 0, 10_000) == {}


class TestRuns:
    @given(run=runs())
    @EXAMPLES
    def test_a_run_comes_back_and_is_replaced_by_its_name(self, store, run):
        store.save_run(replace(run, labels=series(old="yes"), phases=(), exclusions=()))
        store.save_run(run)
        assert store.runs() == [run]

    def test_runs_ascend_by_start(self, store):
        later, earlier = (Run(name, at(HOUR + shift), None) for name, shift in (("a", 60), ("b", 0)))
        store.save_run(later)
        store.save_run(earlier)
        assert store.runs() == [earlier, later]

    def test_two_who_change_one_run_at_once_lose_nothing_of_each_other(self, store, other):
        whole = TimeRange(at(HOUR), at(HOUR + 60))

        def with_phase(name: str) -> Callable[[Run | None], Run]:
            return lambda run: replace(
                run or Run("soak", at(HOUR), None), phases=(*(run.phases if run else ()), Phase(name, whole))
            )

        def add(one: Store, sign: str) -> None:
            for number in range(10):
                one.change_run("soak", with_phase(f"{sign}{number}"))

        threads = [threading.Thread(target=add, args=pair) for pair in ((store, "a"), (other, "b"), (store, "c"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (run,) = store.runs()
        assert sorted(phase.name for phase in run.phases) == sorted(f"{sign}{n}" for sign in "abc" for n in range(10))

    def test_a_change_that_is_given_up_leaves_the_run_as_it_was(self, store):
        def refuse(run: Run | None) -> Run:
            assert run == there
            raise RunError("no", kind="wrong")

        there = Run("soak", at(HOUR), None)
        assert store.change_run("soak", lambda run: there if run is None else run) == there
        with pytest.raises(RunError, match="no"):
            store.change_run("soak", refuse)
        assert store.change_run("soak", lambda run: replace(run, end=at(HOUR + 60))) == replace(
            there, end=at(HOUR + 60)
        )
        assert store.runs() == [replace(there, end=at(HOUR + 60))]


class TestWatch:
    def test_the_earliest_ever_said_wins(self, store, other):
        assert store.watch("p", LATENCY, HOUR + 60) == HOUR + 60
        assert other.watch("p", LATENCY, HOUR + 120) == HOUR + 60
        assert other.watch("p", LATENCY, HOUR) == HOUR
        assert store.watch("p", LATENCY, HOUR + 60) == HOUR
        assert store.watch("q", LATENCY, HOUR + 60) == HOUR + 60

    def test_the_very_first_second_is_a_slot_like_any_other(self, store):
        assert store.watch("p", LATENCY, 0) == 0
        assert store.watch("p", LATENCY, 60) == 0


def judged_slots(slo: SLO, most: int = 12) -> st.SearchStrategy[list[SlotVerdict]]:
    few = st.sampled_from([SOME, OTHER, ()])
    return st.lists(slot_verdicts(slo, few), min_size=1, max_size=most, unique_by=lambda judged: judged.slot)


def stretch_lists(run: Run, slo: SLO) -> list[list[tuple[int, int]]]:
    """The slots of a run as a whole and without what is excluded, and those of each phase, as stretches."""
    end = run.end or at(ALWAYS[1])
    ranges = [TimeRange(run.start, end), *(phase.range for phase in run.phases)]
    lists = []
    for one in ranges:
        inside = one.slots_inside(slo.interval, slo.window)
        counted = [
            slot
            for slot in inside
            if not any(
                slot > left_out.range.start.timestamp() and slot - slo.window < left_out.range.end.timestamp()
                for left_out in run.exclusions
            )
        ]
        lists.append([(inside[0], inside[-1])] if inside else [])
        lists.append([(slot, slot) for slot in counted])
    return lists


class TestRollUp:
    @given(data=st.data())
    @EXAMPLES
    @pytest.mark.parametrize("slo", [LATENCY, VALUE, TO_BE_DETERMINED], ids=lambda slo: slo.name)
    def test_no_number_changes_when_rows_are_rolled_up_late_ones_included(self, store, names, slo, data):
        source = next(names)
        judged = data.draw(judged_slots(slo))
        run = data.draw(runs())
        late = data.draw(st.integers(0, len(judged)))
        store.save_run(run)
        asked = [[ALWAYS], *stretch_lists(run, slo)]

        store.append(source, judged)
        before = [store.tally(source, slo, stretches) for stretches in asked]
        recorded = store.recorded(source, slo, ALWAYS)
        assert before[0] == tally(slo, sorted(map(stored, judged), key=lambda one: one.slot))

        other = next(names)
        store.append(other, judged[late:])
        for border in sorted({data.draw(st.integers(HOUR, HOUR + 3 * 3600)), ALWAYS[1]}):
            store.roll_up(border)
            if border < ALWAYS[1]:
                store.append(other, judged[:late])
        store.append(other, judged[:late])
        store.roll_up(ALWAYS[1])

        for each in (source, other):
            assert [store.tally(each, slo, stretches) for stretches in asked] == before
            assert store.recorded(each, slo, ALWAYS) == recorded
            assert list(store.slots(each, slo, ALWAYS)) == []

    def test_rows_that_went_are_counted_and_newer_ones_stay(self, store):
        store.append("p", [plain_slot(HOUR + 60 * n, n=3) for n in range(10)])
        assert store.roll_up(HOUR + 300) == 5 * (1 + 3)
        assert [judged.slot for judged in store.slots("p", LATENCY, ALWAYS)] == [HOUR + 60 * n for n in range(5, 10)]
        assert store.roll_up(HOUR + 300) == 0

    def test_a_slot_that_was_rolled_up_is_not_recorded_again(self, store):
        store.append("p", [plain_slot(HOUR)])
        store.roll_up(HOUR + 3600)
        assert store.append("p", [plain_slot(HOUR, detail="again"), plain_slot(HOUR + 60)]) == 1
        assert store.recorded("p", LATENCY, ALWAYS) == {HOUR, HOUR + 60}

    def test_a_border_inside_a_roll_up_is_refused_with_the_borders_that_are_possible(self, store):
        store.append("p", [plain_slot(HOUR + 60 * n) for n in range(60)])
        store.roll_up(HOUR + 3600)
        with pytest.raises(StoreError) as caught:
            store.tally("p", LATENCY, [(HOUR + 600, HOUR + 3600)])
        assert "karmada/api-mutating-latency" in caught.value.message
        assert "begin at 2026-11-22T04:00:00Z or after 2026-11-22T04:59:00Z" in caught.value.hint

    def test_two_stretches_may_share_a_roll_up_that_they_cover_together(self, store):
        store.append("p", [plain_slot(HOUR), plain_slot(HOUR + 1200)])
        store.roll_up(HOUR + 3600)
        assert store.tally("p", LATENCY, [(HOUR, HOUR + 60), (HOUR + 1200, HOUR + 1260)]).recorded == 2

    def test_a_slot_in_two_stretches_counts_once(self, store):
        store.append("p", [plain_slot(HOUR)])
        assert store.tally("p", LATENCY, [ALWAYS, (HOUR, HOUR)]).recorded == 1

    def test_what_nobody_recorded_sums_to_nothing(self, store):
        assert store.tally("p", LATENCY, [ALWAYS]) == Tally()
        store.append("p", [plain_slot(HOUR)])
        assert store.tally("p", LATENCY, []) == Tally()
        assert store.tally("p", LATENCY, [(HOUR + 60, HOUR)]) == Tally()

    def test_a_run_and_its_phases_keep_their_numbers(self, store):
        start, middle, end = (datetime(2026, 11, 22, 4, minute, 30, tzinfo=UTC) for minute in (3, 20, 41))
        run = Run(
            "soak", start, end, (),
            (Phase("one", TimeRange(start, middle)), Phase("two", TimeRange(middle, end))),
            (Exclusion(TimeRange(datetime(2026, 11, 22, 4, 30, tzinfo=UTC), at(HOUR + 1900)), "chaos"),),
        )  # fmt: skip
        store.save_run(run)
        store.append(
            "p",
            [plain_slot(HOUR + 60 * n, outcome=Outcome.FAIL if n % 7 == 0 else Outcome.PASS) for n in range(60)],
        )
        asked = stretch_lists(run, LATENCY)
        before = [store.tally("p", LATENCY, stretches) for stretches in asked]
        assert [part.recorded for part in before] == [33, 27, 12, 12, 16, 10]
        store.roll_up(HOUR + 3600)
        assert [store.tally("p", LATENCY, stretches) for stretches in asked] == before


class TestMeans:
    @given(data=st.data())
    @EXAMPLES
    def test_they_are_those_of_the_rows_before_and_after_rolling_up(self, store, names, data):
        source = next(names)
        store.append(source, data.draw(judged_slots(VALUE, most=30)))
        stretches = [(HOUR + 3600 * n, HOUR + 3600 * n + 3540) for n in range(3)]
        expected: dict[Labels, list[float]] = {}
        for stretch in stretches:
            values: dict[Labels, list[float]] = {}
            for slot in store.slots(source, VALUE, stretch):
                for verdict in slot.verdicts if slot.cause is not Cause.REFUSED else ():
                    if verdict.value is not None:
                        values.setdefault(verdict.labels, []).append(verdict.value)
            for labels, numbers in values.items():
                if all(math.isfinite(number) for number in numbers):
                    expected.setdefault(labels, []).append(float(sum(map(Fraction, numbers)) / len(numbers)))
        for before in (HOUR, HOUR + 5000, ALWAYS[1]):
            store.roll_up(before)
            if before != HOUR + 5000:
                assert store.means(source, VALUE, stretches) == {
                    labels: tuple(means) for labels, means in expected.items()
                }

    def test_a_stretch_that_begins_inside_a_sum_is_left_out(self, store):
        store.append("p", [window(HOUR + 60 * n, float(n)) for n in range(120)])
        stretches = [(HOUR, HOUR + 1740), (HOUR + 3600, HOUR + 7140)]
        assert store.means("p", VALUE, stretches) == {SOME: (14.5, 89.5)}
        store.roll_up(HOUR + 3600)
        assert store.means("p", VALUE, stretches) == {SOME: (89.5,)}

    def test_of_other_slis_and_of_what_nobody_recorded_there_are_none(self, store):
        store.append("p", [plain_slot(HOUR)])
        assert store.means("p", LATENCY, [ALWAYS]) == store.means("p", VALUE, [ALWAYS]) == {}


class TestHourSums:
    @given(data=st.data())
    @EXAMPLES
    @pytest.mark.parametrize("slo", [LATENCY, VALUE, TO_BE_DETERMINED], ids=lambda slo: slo.name)
    def test_no_answer_is_another_for_sums_kept_ahead_of_time(self, store, tmp_path_factory, names, slo, data):
        """Whatever is late, whichever borders are drawn afterwards, whatever is folded and forgotten meanwhile."""
        source = next(names)
        plain = SQLiteStore(tmp_path_factory.mktemp("plain") / "sloagent.db")
        judged = data.draw(judged_slots(slo, most=30))
        late = data.draw(st.integers(0, len(judged)))
        run = data.draw(runs())
        moments = st.integers(HOUR - 3600, HOUR + 4 * 3600)
        hours = [(hour, hour + 3599) for hour in range(HOUR, HOUR + 10_800, 3600)]
        asked = [[ALWAYS], *stretch_lists(run, slo), *([hour] for hour in hours)]

        def answers(one: Store) -> list[object]:
            tallies = [answer(one, source, slo, stretches) for stretches in asked]
            lines = [one.lines(source, slo, (HOUR, HOUR + 10_799), [SOME, ()], columns) for columns in (1, 4, 100)]
            return [tallies, lines, one.means(source, slo, hours)]

        def agree(change: Callable[[Store], object]) -> None:
            change(plain)
            change(store)
            expected = answers(plain)
            assert answers(store) == expected
            store.sum_hours(data.draw(moments))
            assert answers(store) == expected

        if data.draw(st.booleans()):
            agree(lambda one: one.save_run(run))
        agree(lambda one: one.append(source, judged[late:]))
        agree(lambda one: (one.append(source, judged[:late]), one.save_run(run)))
        for border in sorted(data.draw(st.tuples(moments, moments))):
            agree(lambda one, border=border: one.roll_up(border))
        oldest = data.draw(moments)
        agree(lambda one: one.prune(oldest))
        store.prune(2**40)
        plain.close()

    def test_the_dump_does_not_tell_of_them(self, store):
        store.append("p", [plain_slot(HOUR + 60 * n) for n in range(60)])
        before = list(store.dump())
        assert store.sum_hours(HOUR + 3600) == 1
        assert list(store.dump()) == before

    def test_they_go_with_a_backup_and_the_store_is_sound(self, store, tmp_path):
        fill(store)
        assert store.sum_hours(HOUR + 7200) == 2
        assert store.check() == []
        store.backup(tmp_path / "copy.db")
        copy = SQLiteStore(tmp_path / "copy.db", read_only=True)
        assert (copy.check(), list(copy.dump())) == ([], list(store.dump()))
        assert copy.tally("p", LATENCY, [ALWAYS]) == store.tally("p", LATENCY, [ALWAYS])
        copy.close()

    def test_two_at_once_sum_each_hour_once(self, store, other):
        store.append("p", [plain_slot(HOUR + 60 * n) for n in range(60)])
        assert (store.sum_hours(HOUR + 3600), other.sum_hours(HOUR + 3600)) == (1, 0)


def answer(store: Store, source: str, slo: SLO, stretches: list[tuple[int, int]]) -> Tally | str:
    try:
        return store.tally(source, slo, stretches)
    except StoreError as error:
        return error.message


class TestPrune:
    def test_what_is_older_goes_and_what_is_newer_stays(self, store):
        days = [HOUR + 86_400 * n for n in range(10)]
        for day in days:
            store.append("p", [plain_slot(day, n=1), plain_slot(day + 3600, n=1)])
            store.append_piece("p", LATENCY, Piece(day * 1000, (day + 3600) * 1000, "q", {(): Events(1.0, 2.0)}))
        store.save_run(Run("soak", at(days[0]), at(days[1])))
        store.roll_up(days[5])
        assert store.prune(days[3]) > 0
        kept = {slot for day in days[3:] for slot in (day, day + 3600)}
        assert store.recorded("p", LATENCY, (0, 2**40)) == kept
        assert {slot for slot, _ in store.tiles("p", LATENCY, (0, 2**40))} == kept
        assert sorted(start // 1000 for start, _ in store.cuts("p", LATENCY, 0, 2**50)) == days[3:]
        assert [run.name for run in store.runs()] == ["soak"]
        assert store.prune(days[3]) == 0

    def test_a_writer_goes_on_after_another_has_pruned_the_names_it_remembers(self, store, other):
        store.append("p", [plain_slot(HOUR, detail="words")])
        other.prune(HOUR + 10 * 86_400)
        store.append("p", [plain_slot(HOUR, detail="words")])
        assert list(other.slots("p", LATENCY, ALWAYS)) == [stored(plain_slot(HOUR, detail="words"))]


class TestDump:
    @given(judged=judged_slots(LATENCY), counted=st.lists(pieces(), max_size=2), data=st.data())
    @EXAMPLES
    def test_the_same_truth_gives_the_same_bytes_in_whatever_order_it_came(self, store, names, judged, counted, data):
        one, two = next(names), next(names)
        store.append(one, judged)
        for piece in counted:
            store.append_piece(one, LATENCY, piece)
        store.watch(two, LATENCY, HOUR)
        for piece in counted[::-1]:
            store.append_piece(two, replace(LATENCY, title=Text("Another", "另一个")), piece)
        for single in data.draw(st.permutations(judged)):
            store.append(two, [replace(single, verdicts=single.verdicts[::-1])])
        # The first commit of a piece wins: equal cuts with other content would be another truth.
        if len({(piece.start_ms, piece.end_ms) for piece in counted}) == len(counted):
            assert of_source(store, one) == of_source(store, two)

    @given(judged=judged_slots(LATENCY), counted=st.lists(pieces(), max_size=2), run=runs(), border=st.integers(0, 3))
    @EXAMPLES
    def test_the_same_truth_gives_the_same_bytes_in_every_database(
        self, store, tmp_path_factory, names, judged, counted, run, border
    ):
        source = next(names)
        file = SQLiteStore(tmp_path_factory.mktemp("file") / "sloagent.db")
        for each in (store, file):
            each.save_run(run)
            each.append(source, judged)
            for piece in counted:
                each.append_piece(source, LATENCY, piece)
            each.roll_up(HOUR + 3600 * border)
        assert of_source(store, source) == of_source(file, source)
        assert [line for line in store.dump() if '"kind":"run"' in line] == [
            line for line in file.dump() if '"kind":"run"' in line
        ]
        file.close()

    def test_lines_are_json_and_sorted_by_kind_then_key(self, store):
        fill(store)
        lines = [json.loads(line, parse_constant=pytest.fail) for line in store.dump()]
        assert list(dict.fromkeys(line["kind"] for line in lines)) == [
            "alert_transition", "document", "piece", "piece_series", "roll_up", "roll_up_series", "run", "slo", "slot",
            "tile", "tile_series", "verdict",
        ]  # fmt: skip
        keys = [
            (
                line["kind"], line.get("source", ""), line.get("set", ""), line.get("slo", ""),
                line.get("fingerprint", ""), line.get("slot", line.get("first", line.get("start_ms", 0))),
                sorted(line.get("labels", {}).items()),
            )
            for line in lines if line["kind"] != "run"
        ]  # fmt: skip
        assert keys == sorted(keys)

    def test_numbers_that_json_lacks_are_words(self, store):
        verdict = replace(plain_slot(HOUR, n=1).verdicts[0], value=-math.inf)
        store.append("p", [replace(plain_slot(HOUR), verdicts=(verdict,))])
        (line,) = [json.loads(line) for line in store.dump() if '"kind":"verdict"' in line]
        assert line["value"] == "-Inf"
        assert line["quantiles"][2] == {"value": 0.9, "lower": 1.0, "upper": "+Inf"}

    def test_one_bit_makes_another_dump(self, store, names):
        one, two = next(names), next(names)
        judged = plain_slot(HOUR, n=1)
        nearly = replace(judged.verdicts[0], value=math.nextafter(judged.verdicts[0].value, 1.0))
        store.append(one, [judged])
        store.append(two, [replace(judged, verdicts=(nearly,))])
        assert of_source(store, one) != of_source(store, two)

    def test_what_was_only_watched_is_not_in_it(self, store):
        store.watch("p", LATENCY, HOUR)
        assert list(store.dump()) == []


def of_source(store: Store, source: str) -> list[str]:
    mark = f'"source":"{source}"'
    return [line.replace(mark, '"source":""') for line in store.dump() if mark in line]


def fill(store: Store) -> None:
    """Some of everything."""
    for slo in (LATENCY, VALUE):
        store.append("p", [plain_slot(HOUR + 60 * n, slo=slo) for n in range(90)])
        store.append_piece(
            "p", slo, Piece(HOUR * 1000, HOUR * 1000 + 9, "q", {(): Events(1.0, 2.0), series(a="b"): Events(1.0, 2.0)})
        )
    refusal = SlotVerdict(
        LATENCY, HOUR - 60, Outcome.ERROR, Cause.REFUSED, plain_slot(0).question, (), "no", kind="execution"
    )
    store.append("p", [refusal])
    fired = Transition(HOUR, Key(Rule.VIOLATED, 0, SOME), Stage.FIRING, Severity.PAGE, HOUR - 60)
    assert store.append_alerts("p", [AlertStep(LATENCY, None, 3, (fired,), Checkpoint(HOUR + 60))]) == [True]
    store.sum_hours(HOUR + 3600)
    store.roll_up(HOUR + 3600)
    store.save_run(Run("soak", at(HOUR), None, series(mode="push")))
    store.save_document("run", "soak", b"{}")


class TestHealth:
    def test_a_store_with_some_of_everything_is_sound(self, store):
        fill(store)
        assert store.check() == []

    def test_a_backup_holds_the_same_and_is_sound(self, store, tmp_path):
        fill(store)
        target = tmp_path / "copy.db"
        store.backup(target)
        copy = SQLiteStore(target, read_only=True)
        try:
            assert copy.check() == []
            assert list(copy.dump()) == list(store.dump())
        finally:
            copy.close()

    def test_a_backup_never_replaces_a_file(self, store, tmp_path):
        target = tmp_path / "copy.db"
        target.write_text("mine")
        with pytest.raises(StoreError, match="exists already"):
            store.backup(target)
        assert target.read_text() == "mine"

    def test_its_size_grows_with_what_it_holds(self, store):
        before = store.size_bytes()
        store.append("p", [plain_slot(HOUR + 60 * n, n=50) for n in range(50)])
        assert store.size_bytes() > before > 0

    def test_a_closed_store_says_so_and_may_be_closed_again(self, store):
        store.close()
        store.close()
        with pytest.raises(StoreError, match="closed"):
            store.append("p", [plain_slot(HOUR)])
        with pytest.raises(StoreError, match="closed"):
            store.recorded("p", LATENCY, ALWAYS)
