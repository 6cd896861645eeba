"""The store in a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

from sloagent.store.backup import copy_to_file
from sloagent.store.postgres_connection import PostgresDatabase
from sloagent.store.settings import StoreSettings
from sloagent.store.tables import TableStore


class PostgresStore(TableStore):
    """A `Store` in a schema of its own, used by any number of threads and processes at once.

    With `read_only` every method that writes raises, and so does opening where there is no store yet. A connection that
    is lost is made anew by the next call. Raises StoreError where the database cannot be reached, is not ours, or newer.
    """

    def __init__(self, settings: StoreSettings, *, read_only: bool = False) -> None:
        self._server = PostgresDatabase(settings, read_only=read_only)
        super().__init__(self._server)

    def backup(self, target: Path) -> None:
        """Write a consistent copy as an SQLite file, which `store: {path: …}` can open. Refuses an existing target."""
        with self._server.reading() as session:
            copy_to_file(session, target)
