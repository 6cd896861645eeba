"""From a damaged store to a new one: set aside, begin anew, salvage. Goes on where a killed process has left off."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from sloagent.errors import StoreError
from sloagent.store import quarantine
from sloagent.store.damage import ForeignError
from sloagent.store.first_look import Identity, identity
from sloagent.store.salvage import Salvage, salvage

log = logging.getLogger("sloagent")


class Repair:
    """One attempt. `error` says what is wrong with `file`, which lay at `path`; `stop` ends it between two slots.

    `let_go` closes whatever this process still has open of the file: only when it is renamed, for whoever closes a file last
    under its own name folds its log into it.
    """

    def __init__(
        self, path: Path, error: StoreError, file: Identity | None, stop: threading.Event, let_go: Callable[[], None]
    ) -> None:
        self._path, self._error, self._file, self._stop, self._let_go = path, error, file, stop, let_go
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
        finally:
            self._let_go()

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
        self._let_go()
        salvaged = salvage(source, self._path, self._stop)
        if salvaged is None:
            self.trouble = f"salvaging {source} was interrupted"
            return
        quarantine.finished(self._path)
        self.salvaged, self.trouble = salvaged, ""
        if salvaged.lost is None:
            log.error(
                "nothing can be salvaged from %s, and how much is lost cannot be told: runs are gone, and so is every slot."
                " Put a backup in the place of %s, or have what Prometheus still knows of asked for again:"
                " `sloagent backfill --from … --to …`",
                source, self._path,
            )  # fmt: skip
            return
        log.warning(
            "salvaged from %s: %s; lost: %s%s; stretches that cannot be read: %d",
            source, salvaged.saved, "at least " if salvaged.unreadable else "", salvaged.lost, salvaged.unreadable,
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
            "%s. It was set aside as %s, and a new store is begun. To put it back: stop sloagent, move %s and its -wal and"
            " -shm away, and take %s out of what was set aside",
            self._error.message.removesuffix("; it was not touched").rstrip("."),
            " and ".join(map(str, quarantine.with_neighbours(source))),
            self._path,
            source.name.removeprefix(self._path.name),
        )
        return source
