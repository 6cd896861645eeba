"""From a damaged store to a new one: set aside, begin anew, salvage. Goes on where a killed process has left off."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from sloagent.errors import StoreError
from sloagent.store import quarantine
from sloagent.store.damage import ForeignError
from sloagent.store.first_look import Identity, identity
from sloagent.store.salvage import Salvage, salvage

log = logging.getLogger("sloagent")


class Repair:
    """One attempt. `error` says what is wrong with `file`, which lay at `path`; `stop` ends it between two slots."""

    def __init__(self, path: Path, error: StoreError, file: Identity | None, stop: threading.Event) -> None:
        self._path, self._error, self._file, self._stop = path, error, file, stop
        self.trouble = error.message
        """Why the store cannot be opened yet; empty when it can."""
        self.set_aside = False
        """Whether this attempt renamed a file."""
        self.salvaged: Salvage | None = None

    def work(self) -> None:
        """Do all of it, one process at a time. What hinders it is left in `trouble`."""
        try:
            with quarantine.alone(self._path):
                self._work()
        except StoreError as hindrance:
            self.trouble = hindrance.message
        except OSError as hindrance:
            self.trouble = f"{self._error.message}; it cannot be set aside: {hindrance}"

    def _work(self) -> None:
        source = quarantine.unfinished(self._path)
        if source is not None:
            quarantine.finish_moving(self._path, source)
        elif identity(self._path) != self._file:
            self.trouble = ""  # Another process was first: what lies there now is another file.
            return
        else:
            source = self._moved()
            if source is None:
                return
        salvaged = salvage(source, self._path, self._stop)
        if salvaged is None:
            self.trouble = f"salvaging {source} was interrupted"
            return
        quarantine.finished(self._path)
        self.salvaged, self.trouble = salvaged, ""
        log.warning(
            "salvaged from %s: %s; lost: %s; stretches that cannot be read: %d",
            source, salvaged.saved, salvaged.lost, salvaged.unreadable,
        )  # fmt: skip

    def _moved(self) -> Path | None:
        is_foreign = isinstance(self._error, ForeignError)
        if is_foreign and quarantine.held_by_others(self._path):
            self.trouble = (
                f"{self._path} is a database of another program, which may have it open: it is not moved away"
            )
            return None
        source = quarantine.set_aside(self._path, "foreign" if is_foreign else "damaged")
        self.set_aside = True
        log.error(
            "%s. It was set aside as %s, with its -wal, -journal and -shm, and a new store is begun. To put it back:"
            " stop sloagent, move %s and its -wal and -shm away, and give those four their old names again",
            self._error.message.removesuffix("; it was not touched").rstrip("."), source, self._path,
        )  # fmt: skip
        return source
