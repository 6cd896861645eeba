"""The store in one SQLite file."""

from __future__ import annotations

from pathlib import Path

from sloagent.store.backup import back_up
from sloagent.store.connection import Database
from sloagent.store.soundness import examine_file
from sloagent.store.tables import TableStore


class SQLiteStore(TableStore):
    """A `Store` in one file, used by any number of threads and processes at once.

    `path` may be `:memory:`, for what is not to outlast `close`. With `read_only`, a copy is read where it lies and
    every method that writes raises. Raises StoreError where the file cannot be opened, is not ours, or is newer.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._file = Database(str(path), read_only=read_only)
        super().__init__(self._file)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self._file.path)

    def check(self) -> list[str]:
        """What is wrong with the file and with what stands in it, in sentences; empty when it is sound."""
        with self._file.reading() as connection:
            return examine_file(connection, self._names)

    def backup(self, target: Path) -> None:
        """Write a consistent, compact copy while the store is in use. Refuses an existing target."""
        back_up(self._file, target)
