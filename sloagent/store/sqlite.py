"""The store in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sloagent.model.distribution import Distribution
from sloagent.model.piece import Piece
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels
from sloagent.model.tally import Tally
from sloagent.model.verdict import SlotVerdict
from sloagent.store import Stretch, pieces, rolling, runs, slots, versions
from sloagent.store.backup import back_up
from sloagent.store.connection import Database
from sloagent.store.dictionary import Names
from sloagent.store.dump import dump
from sloagent.store.roll_ups import rolled_slots
from sloagent.store.soundness import examine


class SQLiteStore:
    """A `Store` in one file, used by any number of threads and processes at once.

    `path` may be `:memory:`, for what is not to outlast `close`. With `read_only`, a copy is read where it lies and
    every method that writes raises. Raises StoreError where the file cannot be opened, is not ours, or is newer.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._database = Database(str(path), read_only=read_only)
        self._names = Names()
        self._versions: dict[tuple[str, SLO], int] = {}

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self._database.path)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._database.writing() as connection:
            try:
                self._names.refresh(connection)
                yield connection
            except BaseException:
                self._forget()
                raise

    def _forget(self) -> None:
        # What was numbered in a transaction that is rolled back never got its number.
        self._names.forget()
        self._versions.clear()

    def _version(self, connection: sqlite3.Connection, source: str, slo: SLO) -> int:
        known = self._versions.get((source, slo))
        if known is None:
            known = self._versions[source, slo] = versions.find_or_add(connection, source, slo)
        return known

    def append(self, source: str, slots_: Sequence[SlotVerdict]) -> int:
        """Commit the slots in one transaction; see `Store.append`."""
        judged = [slot for slot in slots_ if not slot.pending]
        if not judged:
            return 0
        with self._writing() as connection:
            return sum(
                slots.insert_slot(connection, self._names, self._version(connection, source, slot.slo), slot)
                for slot in judged
            )

    def recorded(self, source: str, slo: SLO, stretch: Stretch) -> frozenset[int]:
        """The slots of the stretch that have a verdict, rolled-up ones included."""
        with self._database.reading() as connection:
            slo_id = versions.find(connection, source, slo)
            if slo_id is None:
                return frozenset()
            full = connection.execute(
                "SELECT slot FROM slots WHERE slo_id = ? AND slot BETWEEN ? AND ?", (slo_id, *stretch)
            ).fetchall()
            rolled = rolled_slots(connection, slo_id, slo.interval, *stretch)
            return frozenset(slot for (slot,) in full).union(rolled)

    def slots(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[SlotVerdict]:
        """The slots that still have full rows, ascending, all as of one moment."""
        with self._database.reading() as connection:
            slo_id = versions.find(connection, source, slo)
            if slo_id is not None:
                yield from slots.read_slots(connection, self._names, slo_id, slo, *stretch)

    def tiles(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[tuple[int, Mapping[Labels, Distribution]]]:
        """(slot, distributions by labels) of the slots that tile the time, ascending."""
        with self._database.reading() as connection:
            slo_id = versions.find(connection, source, slo)
            if slo_id is not None:
                yield from slots.read_tiles(connection, self._names, slo_id, *stretch)

    def tally(self, source: str, slo: SLO, stretches: Sequence[Stretch]) -> Tally:
        """The sum over all recorded slots of the stretches; a slot in two of them counts once."""
        with self._database.reading() as connection:
            slo_id = versions.find(connection, source, slo)
            return Tally() if slo_id is None else rolling.tally_over(connection, self._names, slo_id, slo, stretches)

    def watch(self, source: str, slo: SLO, first_slot: int) -> int:
        """Remember since when this SLO's slots are expected; the earliest ever said wins and is returned."""
        with self._database.reading() as connection:
            slo_id = versions.find(connection, source, slo)
            known = None if slo_id is None else versions.watched_from(connection, slo_id)
        if known is not None and known <= first_slot:
            return known
        with self._writing() as connection:
            return versions.watch(connection, self._version(connection, source, slo), first_slot)

    def append_piece(self, source: str, slo: SLO, piece: Piece) -> None:
        """Commit a piece; the first commit of (source, SLO, start, end) wins."""
        with self._writing() as connection:
            pieces.insert_piece(connection, self._names, self._version(connection, source, slo), piece)

    def pieces(self, source: str, slo: SLO, start_ms: int, end_ms: int) -> list[Piece]:
        """The pieces that lie wholly inside the stretch, ascending by start."""
        with self._database.reading() as connection:
            slo_id = versions.find(connection, source, slo)
            return [] if slo_id is None else list(pieces.read_pieces(connection, self._names, slo_id, start_ms, end_ms))

    def save_run(self, run: Run) -> None:
        """Insert or replace a run by its name, with its phases and exclusions."""
        with self._writing() as connection:
            runs.save_run(connection, run)

    def runs(self) -> list[Run]:
        """All runs, ascending by start."""
        with self._database.reading() as connection:
            return runs.read_runs(connection)

    def roll_up(self, before: int) -> int:
        """Fold full rows older than `before` into hourly tallies, one transaction an hour; returns how many rows went."""
        with self._database.reading() as connection:
            hours = rolling.hours_to_fold(connection, before)
        gone = 0
        for version, hour in hours:
            with self._writing() as connection:
                gone += rolling.fold_hour(connection, self._names, version, hour, before)
        return gone

    def prune(self, before: int) -> int:
        """Forget everything older than `before` except runs; returns how many rows went."""
        with self._writing() as connection:
            return rolling.prune(connection, before)

    def dump(self) -> Iterator[str]:
        """Everything that is promised, one JSON object a line, sorted by key, all as of one moment."""
        with self._database.reading() as connection:
            yield from dump(connection, self._names)

    def check(self) -> list[str]:
        """What is wrong with the store, in sentences; empty when it is sound."""
        with self._database.reading() as connection:
            return examine(connection, self._names)

    def backup(self, target: Path) -> None:
        """Write a consistent, compact copy while the store is in use. Refuses an existing target."""
        back_up(self._database, target)

    def size_bytes(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        return self._database.size_bytes()

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._database.close()
