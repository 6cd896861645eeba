"""A store that may fail to open, fail while in use, and come back: opened, held, given up, set aside and salvaged."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sloagent.errors import StoreError
from sloagent.store import Store, quarantine
from sloagent.store.damage import DamagedError, ForeignError, ReplacedError, UnavailableError
from sloagent.store.first_look import Identity, identity
from sloagent.store.repair import Repair
from sloagent.store.salvage import Salvage

log = logging.getLogger("sloagent")

_LONG_WAIT_SECONDS = 1.0
_LONGEST_REFUSAL_SECONDS = 20.0
"""Without a try; those who waited for one another have waited longer than the lock needs to be seen as free."""
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, ArithmeticError)
"""What reading raises where a row holds something else than was written."""


class Reopening:
    """The store as it can be had at this moment, opened by `open_inner` as often as need be; see `ResilientStore`."""

    def __init__(self, open_inner: Callable[[], Store], *, path: Path | None, retry_seconds: float) -> None:
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
        self.salvaged: Salvage | None = None
        with suppress(StoreError):
            self._opened()

    @property
    def trouble(self) -> str:
        """Why the store cannot be read or written, in a sentence; empty while it can."""
        with self._lock:
            return self._not_open or self._not_written

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
    def used(self, *, decoding: bool = False, writing: bool = False) -> Iterator[Store]:
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
                self._held_until = time.monotonic() + min(2 * waited, _LONGEST_REFUSAL_SECONDS)
            raise
        except _UNREADABLE as error:
            if not decoding:
                raise
            damage = DamagedError(f"the store is damaged: what was read of it makes no sense ({error!r})")
            self._failed(inner, damage)
            raise damage from error

    def written(self, inner: Store) -> None:
        """Something was committed: whatever kept others from writing is over."""
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
