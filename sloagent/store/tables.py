"""The store in tables: what SQLite and PostgreSQL do alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sloagent.evaluation.budget import BadAndAll
from sloagent.model.alert import Checkpoint, Key, Told, Transition
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted, Piece
from sloagent.model.record import Line
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels
from sloagent.model.tally import Tally
from sloagent.model.verdict import SlotHeader, SlotVerdict
from sloagent.store import AlertStep, Stretch, alerts, documents, leases, pieces, rolling, runs, slots, spent, versions
from sloagent.store.dictionary import Names
from sloagent.store.dump import dump
from sloagent.store.lines import read_lines
from sloagent.store.roll_ups import rolled_slots
from sloagent.store.soundness import examine
from sloagent.store.sql import CollisionError, Connection, Database, T, Work
from sloagent.store.summing import means_of, tally_over

_ATTEMPTS = 5
"""How often a transaction is begun that collides with somebody else's: whoever won is gone by then."""
_HOURS_AT_ONCE = 100
"""That are summed up before others may have their turn: some 3 s for hours of 50 series at one minute."""


class TableStore:
    """All of a `Store` but `backup`, used by any number of threads and processes at once.

    This class and its two children are the one inheritance of the store: the children say where the tables lie.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names = Names()
        self._versions: dict[tuple[str, SLO], int] = {}
        self._writer: Connection | None = None
        self._begun = self._committed = 0

    def _write(self, work: Work[T]) -> T:
        """What `work` gives, in a transaction of its own, begun again where the database undid it for another one."""
        for left in range(_ATTEMPTS - 1, -1, -1):
            try:
                with self._database.writing() as connection:
                    number = self._begin(connection)
                    result = work(connection)
            except CollisionError:
                if not left:
                    raise
            else:
                self._committed = number
                return result
        raise AssertionError("the last attempt returns or raises")

    def _begin(self, connection: Connection) -> int:
        """Trust no number that was given in a transaction of which nobody knows that it was committed."""
        if connection is not self._writer:
            self._names, self._writer = Names(), connection
            self._versions.clear()
        elif self._committed != self._begun:
            self._names.forget()
            self._versions.clear()
        self._begun += 1
        self._names.refresh(connection)
        return self._begun

    def _version(self, connection: Connection, source: str, slo: SLO) -> int:
        known = self._versions.get((source, slo))
        if known is None:
            known = self._versions[source, slo] = versions.find_or_add(connection, source, slo)
        return known

    @contextmanager
    def _of(self, source: str, slo: SLO) -> Iterator[tuple[Connection, int | None]]:
        """A moment of the store, and the SLO's number in it; None if nothing is known of it."""
        with self._database.reading() as connection:
            yield connection, versions.find(connection, source, slo)

    def append(self, source: str, slots_: Sequence[SlotVerdict]) -> int:
        """Commit the slots in one transaction; see `Store.append`."""
        judged = [slot for slot in slots_ if not slot.pending]
        if not judged:
            return 0

        def record(connection: Connection) -> int:
            new: list[tuple[int, int]] = []
            for slot in judged:
                slo_id = self._version(connection, source, slot.slo)
                if slots.insert_slot(connection, self._names, slo_id, slot):
                    new.append((slo_id, slot.slot))
            alerts.forget_from(connection, new)
            return len(new)

        return self._write(record)

    def recorded(self, source: str, slo: SLO, stretch: Stretch) -> frozenset[int]:
        """The slots of the stretch that have a verdict, rolled-up ones included."""
        with self._of(source, slo) as (connection, slo_id):
            if slo_id is None:
                return frozenset()
            rolled = rolled_slots(connection, slo_id, slo.interval, *stretch)
            return frozenset(slots.full_slots(connection, slo_id, *stretch)).union(rolled)

    def slots(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[SlotVerdict]:
        """The slots that still have full rows, ascending, all as of one moment."""
        with self._of(source, slo) as (connection, slo_id):
            if slo_id is not None:
                yield from slots.read_slots(connection, self._names, slo_id, slo, *stretch)

    def headers(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[SlotHeader]:
        """The slots that still have full rows, ascending, without their series, all as of one moment."""
        with self._of(source, slo) as (connection, slo_id):
            if slo_id is not None:
                yield from slots.read_headers(connection, self._names, slo_id, *stretch)

    def lines(self, source: str, slo: SLO, stretch: Stretch, series: Sequence[Labels], columns: int) -> list[Line]:
        """For each of the series its windows over the stretch, for a chart of so many columns; see `Store.lines`."""
        with self._of(source, slo) as (connection, slo_id):
            if slo_id is None:
                return [Line(labels, (), 0) for labels in series]
            return read_lines(connection, self._names, slo_id, slo.interval, stretch, series, columns)

    def tiles(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[tuple[int, Mapping[Labels, Distribution]]]:
        """(slot, distributions by labels) of the slots that tile the time, ascending."""
        with self._of(source, slo) as (connection, slo_id):
            if slo_id is not None:
                yield from slots.read_tiles(connection, self._names, slo_id, *stretch)

    def spent(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[tuple[int, Labels, BadAndAll]]:
        """(slot, series, bad and all) of the slots that still have full rows, ascending by slot; see `Store.spent`."""
        with self._of(source, slo) as (connection, slo_id):
            if slo_id is not None:
                yield from spent.read_spent(connection, self._names, slo_id, slo, *stretch)

    def tally(self, source: str, slo: SLO, stretches: Sequence[Stretch]) -> Tally:
        """The sum over all recorded slots of the stretches; a slot in two of them counts once."""
        with self._of(source, slo) as (connection, slo_id):
            return Tally() if slo_id is None else tally_over(connection, self._names, slo_id, slo, stretches)

    def means(self, source: str, slo: SLO, stretches: Sequence[Stretch]) -> Mapping[Labels, tuple[float, ...]]:
        """Of a value: per series the mean over the recorded slots of each stretch; see `Store.means`."""
        with self._of(source, slo) as (connection, slo_id):
            return {} if slo_id is None else means_of(connection, self._names, slo_id, slo, stretches)

    def watch(self, source: str, slo: SLO, first_slot: int) -> int:
        """Remember since when this SLO's slots are expected; the earliest ever said wins and is returned."""
        with self._of(source, slo) as (connection, slo_id):
            known = None if slo_id is None else versions.watched_from(connection, slo_id)
        if known is not None and known <= first_slot:
            return known
        return self._write(
            lambda connection: versions.watch(connection, self._version(connection, source, slo), first_slot)
        )

    def append_piece(self, source: str, slo: SLO, piece: Piece) -> None:
        """Commit a piece; the first commit of (source, SLO, start, end) wins."""
        self._write(
            lambda connection: pieces.insert_piece(
                connection, self._names, self._version(connection, source, slo), piece
            )
        )

    def cuts(self, source: str, slo: SLO, start_ms: int, end_ms: int) -> dict[tuple[int, int], str]:
        """(start, end) of the pieces that lie wholly inside the stretch, and the query of each."""
        with self._of(source, slo) as (connection, slo_id):
            return {} if slo_id is None else pieces.read_cuts(connection, self._names, slo_id, start_ms, end_ms)

    def added(self, source: str, slo: SLO, wanted: Sequence[tuple[int, int]]) -> Mapping[Labels, Counted] | None:
        """Per series the sum of exactly the wanted pieces; None where one is missing."""
        with self._of(source, slo) as (connection, slo_id):
            return None if slo_id is None else pieces.added_pieces(connection, self._names, slo_id, wanted)

    def checkpoint(self, source: str, slo: SLO) -> Checkpoint | None:
        """What was concluded last of the SLO's alerts; None where that has to begin from nothing."""
        with self._of(source, slo) as (connection, slo_id):
            return None if slo_id is None else alerts.newest_checkpoint(connection, slo_id)

    def append_alerts(self, source: str, steps: Sequence[AlertStep]) -> list[bool]:
        """Commit the steps in one transaction; for each, whether it was taken; see `Store.append_alerts`."""
        return self._write(
            lambda connection: [
                alerts.take_step(connection, self._names, self._version(connection, source, step.slo), step)
                for step in steps
            ]
        )

    def transitions(self, source: str, slo: SLO, stretch: Stretch) -> list[Transition]:
        """How the SLO's alerts came and went, ascending by slot and key."""
        with self._of(source, slo) as (connection, slo_id):
            return [] if slo_id is None else list(alerts.read_transitions(connection, self._names, slo_id, *stretch))

    def told(self, source: str, slo: SLO, receiver: str) -> dict[Key, Told]:
        """What the receiver was told last of each of the SLO's alerts, ascending by key."""
        with self._of(source, slo) as (connection, slo_id):
            return {} if slo_id is None else alerts.read_told(connection, self._names, slo_id, receiver)

    def told_firing(self, source: str, receiver: str) -> list[SLO]:
        """The SLOs, those of before too, of whose alerts the receiver takes one to fire; without their titles."""
        with self._database.reading() as connection:
            return alerts.told_firing(connection, source, receiver)

    def tell(self, source: str, receiver: str, entries: Sequence[tuple[SLO, Key, Told]]) -> None:
        """Remember, in one transaction, what a receiver was told, in the place of what it was told before."""

        def write(connection: Connection) -> None:
            numbered = [(self._version(connection, source, slo), key, told) for slo, key, told in entries]
            alerts.write_told(connection, self._names, receiver, numbered)

        self._write(write)

    def lease(self, name: str, holder: str, now: float, seconds: float) -> bool:
        """Take or prolong a lease until `now` + `seconds`; false while another holder has it."""
        return self._write(lambda connection: leases.take(connection, name, holder, now, seconds))

    def release(self, name: str, holder: str) -> None:
        """Give a lease up, if `holder` has it."""
        self._write(lambda connection: leases.release(connection, name, holder))

    def save_run(self, run: Run) -> None:
        """Insert or replace a run by its name, with its phases and exclusions."""
        self._write(lambda connection: runs.save_run(connection, run))

    def change_run(self, name: str, change: Callable[[Run | None], Run]) -> Run:
        """Put what `change` makes of the run of this name in its place; see `Store.change_run`."""

        def changed(connection: Connection) -> Run:
            there = next((run for run in runs.read_runs(connection) if run.name == name), None)
            run = change(there)
            runs.save_run(connection, run)
            return run

        return self._write(changed)

    def runs(self) -> list[Run]:
        """All runs, ascending by start."""
        with self._database.reading() as connection:
            return runs.read_runs(connection)

    def save_document(self, kind: str, name: str, content: bytes) -> None:
        """Keep the content, for ever, in the place of the document that had this name among its kind."""
        document = documents.packed(kind, name, content)
        self._write(lambda connection: documents.save_document(connection, document))

    def document(self, kind: str, name: str) -> bytes | None:
        """The content as it was saved; None where there is no such document."""
        with self._database.reading() as connection:
            return documents.read_document(connection, kind, name)

    def documents(self, kind: str) -> list[str]:
        """The names of the documents of a kind, sorted."""
        with self._database.reading() as connection:
            return documents.names_of(connection, kind)

    def sum_hours(self, before: int) -> int:
        """Sum up hours that end by `before`, one transaction each; see `Store.sum_hours`."""
        with self._database.reading() as connection:
            hours = rolling.hours_to_sum(connection, before)[:_HOURS_AT_ONCE]
        for version, hour in hours:
            self._sum(version, hour)
        return len(hours)

    def _sum(self, version: versions.Version, hour: int) -> None:
        self._write(lambda connection: rolling.sum_hour(connection, self._names, version, hour))

    def roll_up(self, before: int) -> int:
        """Fold full rows older than `before` into hourly tallies, one transaction an hour; returns how many rows went."""
        with self._database.reading() as connection:
            hours = rolling.hours_to_fold(connection, before)
        return sum(self._fold(version, hour, before) for version, hour in hours)

    def _fold(self, version: versions.Version, hour: int, before: int) -> int:
        return self._write(lambda connection: rolling.fold_hour(connection, self._names, version, hour, before))

    def prune(self, before: int) -> int:
        """Forget everything older than `before` except runs and documents; returns how many rows went."""
        return self._write(lambda connection: rolling.prune(connection, before))

    def dump(self) -> Iterator[str]:
        """Everything that is promised, one JSON object a line, sorted by key, all as of one moment."""
        with self._database.reading() as connection:
            yield from dump(connection, self._names)

    def check(self) -> list[str]:
        """What is wrong with the store, in sentences; empty when it is sound."""
        with self._database.reading() as connection:
            return examine(connection, self._names)

    def size_bytes(self) -> int:
        """Bytes on disk."""
        return self._database.size_bytes()

    def close(self) -> None:
        """Let go of the file or the connections. Idempotent."""
        self._database.close()
