"""Which store a configuration means: an SQLite file, or a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

from sloagent.errors import StoreError
from sloagent.store import Store
from sloagent.store.settings import StoreSettings
from sloagent.store.sqlite import SQLiteStore

IN_MEMORY = Path(":memory:")


def open_store(settings: StoreSettings, path: Path, *, read_only: bool = False) -> Store:
    """The store that the settings mean; `path` is where the SQLite file lies.

    `:memory:` keeps nothing whatever the settings say; with a `url`, any other path is not looked at. Raises StoreError.
    """
    if settings.url is None or path == IN_MEMORY:
        return SQLiteStore(path, read_only=read_only)
    try:
        from sloagent.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreError(
            f"`store: {{url: …}}` needs psycopg, the client of PostgreSQL, which is not installed ({error})",
            hint="pip install 'sloagent[postgres]'",
        ) from error
    return PostgresStore(settings, read_only=read_only)
