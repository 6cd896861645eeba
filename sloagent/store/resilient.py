"""The daemon's store: it may fail to open, fail while in use, and come back; what is damaged is set aside and salvaged."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sloagent.errors import StoreError
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Piece
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels
from sloagent.model.tally import Tally
from sloagent.model.verdict import SlotVerdict
from sloagent.store import Store, Stretch, quarantine
from sloagent.store.damage import DamagedError, ForeignError, ReplacedError, UnavailableError
from sloagent.store.first_look import Identity, identity
from sloagent.store.repair import Repair
from sloagent.store.salvage import Salvage

log = logging.getLogger("sloagent")

RETRY_SECONDS = 5.0
_LONG_WAIT_SECONDS = 1.0
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, ArithmeticError)
"""What reading raises where a row holds something else than was written."""


class ResilientStore:
    """A `Store` over one that `open_inner` opens, as often as need be.

    While there is none, every method raises StoreError with the reason at once; opening is tried again every
    `retry_seconds` by whoever calls. A damaged file at `path` is set aside, and a thread salvages it into a new one;
    without a `path` (a database elsewhere) nothing is ever moved. Making one never raises StoreError.
    """

    def __init__(
        self, open_inner: Callable[[], Store], *, path: Path | None = None, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._open_inner = open_inner
        self._path = path
        self._retry_seconds = retry_seconds
        self._lock = threading.Lock()
        self._inner: Store | None = None
        self._file: Identity | None = None
        self._log: Identity | None = None
        """Which file and log it was opened on, so that never others are set aside in their stead."""
        self._replaced = False
        """Whether that file was found gone, so that its log may lie beside another one."""
        self._opening = False
        self._closed = threading.Event()
        self._again_at = 0.0
        self._not_open = "it was not opened yet"
        self._not_written = ""
        self._held_until = 0.0
        self._repairing: threading.Thread | None = None
        self.quarantined = 0
        """How many damaged or foreign files this process has set aside."""
        self.salvaged: Salvage | None = None
        """What became of the last one."""
        with suppress(StoreError):
            self._opened()

    @property
    def trouble(self) -> str:
        """Why the store cannot be read or written, in a sentence; empty while it can."""
        with self._lock:
            return self._not_open or self._not_written

    def append(self, source: str, slots: Sequence[SlotVerdict]) -> int:
        """Commit the slots in one transaction; see `Store.append`."""
        with self._used(writing=True) as inner:
            recorded = inner.append(source, slots)
        if recorded:
            self._written(inner)
        return recorded

    def recorded(self, source: str, slo: SLO, stretch: Stretch) -> frozenset[int]:
        """The slots of the stretch that have a verdict, rolled-up ones included."""
        with self._used(decoding=True) as inner:
            return inner.recorded(source, slo, stretch)

    def slots(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[SlotVerdict]:
        """The recorded slots that still have full rows, ascending, as they were judged."""
        with self._used(decoding=True) as inner:
            yield from inner.slots(source, slo, stretch)

    def tiles(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[tuple[int, Mapping[Labels, Distribution]]]:
        """(slot, distributions by labels) of the recorded slots that tile the time, ascending."""
        with self._used(decoding=True) as inner:
            yield from inner.tiles(source, slo, stretch)

    def tally(self, source: str, slo: SLO, stretches: Sequence[Stretch]) -> Tally:
        """The sum over all recorded slots of the stretches, from full rows and roll-ups alike."""
        with self._used(decoding=True) as inner:
            return inner.tally(source, slo, stretches)

    def watch(self, source: str, slo: SLO, first_slot: int) -> int:
        """Remember since when this SLO's slots are expected; the earliest ever said wins and is returned."""
        with self._used(writing=True) as inner:
            return inner.watch(source, slo, first_slot)

    def append_piece(self, source: str, slo: SLO, piece: Piece) -> None:
        """Commit a piece; the first commit of (source, SLO, start, end) wins."""
        with self._used(writing=True) as inner:
            inner.append_piece(source, slo, piece)

    def pieces(self, source: str, slo: SLO, start_ms: int, end_ms: int) -> list[Piece]:
        """The pieces that lie wholly inside the stretch, ascending by start."""
        with self._used(decoding=True) as inner:
            return inner.pieces(source, slo, start_ms, end_ms)

    def save_run(self, run: Run) -> None:
        """Insert or replace a run by its name, with its phases and exclusions."""
        with self._used(writing=True) as inner:
            inner.save_run(run)
        self._written(inner)

    def change_run(self, name: str, change: Callable[[Run | None], Run]) -> Run:
        """Put what `change` makes of the run of this name in its place; see `Store.change_run`."""
        with self._used(decoding=True, writing=True) as inner:
            run = inner.change_run(name, change)
        self._written(inner)
        return run

    def runs(self) -> list[Run]:
        """All runs, ascending by start."""
        with self._used(decoding=True) as inner:
            return inner.runs()

    def roll_up(self, before: int) -> int:
        """Fold full rows older than `before` (a slot) into hourly tallies; returns how many rows went."""
        with self._used(decoding=True, writing=True) as inner:
            return inner.roll_up(before)

    def prune(self, before: int) -> int:
        """Forget everything older than `before` except runs; returns how many rows went."""
        with self._used(writing=True) as inner:
            return inner.prune(before)

    def dump(self) -> Iterator[str]:
        """Everything that is promised, one JSON object a line, sorted by key."""
        with self._used(decoding=True) as inner:
            yield from inner.dump()

    def check(self) -> list[str]:
        """What is wrong with the store, in sentences; empty when it is sound."""
        with self._used() as inner:
            return inner.check()

    def backup(self, target: Path) -> None:
        """Write a consistent copy while the store is in use. Refuses an existing target."""
        with self._used() as inner:
            inner.backup(target)

    def size_bytes(self) -> int:
        """Bytes on disk."""
        with self._used() as inner:
            return inner.size_bytes()

    def close(self) -> None:
        """Let go of the file or connection; a salvage under way goes on at the next start. Idempotent."""
        self._closed.set()
        with self._lock:
            inner, self._inner, self._not_open = self._inner, None, "it is closed"
            repairing = self._repairing
        if repairing is not None:
            repairing.join()
        _let_go(inner)

    @contextmanager
    def _used(self, *, decoding: bool = False, writing: bool = False) -> Iterator[Store]:
        """The open store; what it raises is remembered. With `decoding`, what cannot be decoded is damage too.

        After `writing` has waited in vain, it is refused at once for a while, so that ticks go on while a lock is held.
        """
        inner, began = self._opened(), time.monotonic()
        if writing and self._not_written and began < self._held_until:
            raise UnavailableError(self._not_written, stays_open=True)
        try:
            yield inner
        except StoreError as error:
            self._failed(inner, error)
            waited = time.monotonic() - began
            if writing and self._not_written and waited > _LONG_WAIT_SECONDS:
                self._held_until = time.monotonic() + 2 * waited
            raise
        except _UNREADABLE as error:
            if not decoding:
                raise
            damage = DamagedError(f"the store is damaged: what was read of it makes no sense ({error!r})")
            self._failed(inner, damage)
            raise damage from error

    def _written(self, inner: Store) -> None:
        with self._lock:
            if self._inner is inner:
                self._not_written = ""

    def _failed(self, inner: Store, error: StoreError) -> None:
        match error:
            case UnavailableError(stays_open=True):
                with self._lock:
                    if self._inner is inner:
                        self._not_written = error.message
            case DamagedError() | ReplacedError() | UnavailableError():
                with self._lock:
                    if self._inner is not inner:
                        return  # Another thread met the same before, and another store is in use by now.
                    self._inner = None
                    self._not_open, self._not_written = error.message, ""
                    soon = isinstance(error, ReplacedError | DamagedError)
                    self._again_at = 0.0 if soon else time.monotonic() + self._retry_seconds
                    file = self._file
                    self._replaced = isinstance(error, ReplacedError)
                if isinstance(error, DamagedError):
                    self._repair(error, file, inner)
                    return
                _let_go(inner)
                if isinstance(error, ReplacedError):
                    log.warning("%s; what lies there now is opened", error.message)
            case _:
                pass  # About what was asked, not about the store.

    def _opened(self) -> Store:
        with self._lock:
            if self._inner is not None:
                return self._inner
            if self._closed.is_set() or self._opening or self._repairing or time.monotonic() < self._again_at:
                raise UnavailableError(self._not_open)
            self._opening = True
        try:
            return self._open()
        finally:
            with self._lock:
                self._opening = False

    def _open(self) -> Store:
        file = None if self._path is None else identity(self._path)
        try:
            if self._path is not None and quarantine.unfinished(self._path) is not None:
                raise DamagedError(f"the store {self._path} is not whole yet: a damaged one is to be salvaged first")
            if self._path is not None and self._replaced:
                self._set_log_aside(self._path)
            inner = self._open_inner()
        except StoreError as error:
            with self._lock:
                self._not_open = error.message
                self._again_at = time.monotonic() + self._retry_seconds
            if isinstance(error, DamagedError | ForeignError):
                self._repair(error, file)
            raise
        with self._lock:
            if not self._closed.is_set():
                self._inner = inner
                if self._path is not None:
                    self._file, self._log = identity(self._path), identity(f"{self._path}-wal")
                self._not_open = self._not_written = ""
                return inner
        _let_go(inner)
        raise UnavailableError(self._not_open)

    def _set_log_aside(self, path: Path) -> None:
        moved = quarantine.set_log_aside(path, self._file, self._log)
        self._replaced = False
        if moved is not None:
            log.warning(
                "the log of the file that lay at %s was set aside as %s: give it that file's new name with -wal",
                path,
                moved,
            )

    def _repair(self, error: StoreError, file: Identity | None, inner: Store | None = None) -> None:
        """Set the file aside and salvage it, on a thread of its own, so that whoever met the damage goes on at once."""
        with self._lock:
            if self._path is not None and self._repairing is None and not self._closed.is_set():
                repair = Repair(self._path, error, file, self._closed, lambda: _let_go(inner))
                self._repairing = threading.Thread(target=self._repair_now, args=(repair,), name="salvage")
                self._repairing.start()
                return
        _let_go(inner)

    def _repair_now(self, repair: Repair) -> None:
        try:
            repair.work()
        finally:
            with self._lock:
                self._repairing = None
                self.quarantined += repair.set_aside
                self.salvaged = repair.salvaged or self.salvaged
                self._not_open = repair.trouble or "it is opened anew"
                self._again_at = time.monotonic() + self._retry_seconds if repair.trouble else 0.0
        if not repair.trouble:
            with suppress(StoreError):
                self._opened()


def _let_go(inner: Store | None) -> None:
    if inner is not None:
        with suppress(StoreError):  # A file that is gone or damaged may refuse even this.
            inner.close()
