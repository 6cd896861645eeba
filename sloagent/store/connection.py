"""The SQLite file: opened with care, one writer at a time, readers that see one moment, errors as sentences."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sloagent.errors import StoreError
from sloagent.store import migrations, seals
from sloagent.store.damage import DamagedError, ReplacedError, UnavailableError
from sloagent.store.first_look import DAMAGED, NO_DATABASE, foreign, identity, look_at, needs_immutable, size_of

BUSY_SECONDS = 10.0
"""How long another writer is waited for: longer than any transaction of ours takes, short enough for a tick to wait."""
_LOOK_AGAIN_SECONDS = 0.01

_WAL_KEPT_BYTES = 64 * 2**20
_IDLE_READERS = 4

_ADVICE = {
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": NO_DATABASE,
    "SQLITE_FULL": ("has no room to grow: the disk is full", "free some space; nothing half written was left behind"),
    "SQLITE_READONLY": ("cannot be written", "check the permissions of the file and of its directory"),
    "SQLITE_PERM": ("cannot be opened", "check the permissions of the file and of its directory"),
    "SQLITE_CANTOPEN": ("cannot be opened", "check that the directory exists and may be written"),
    "SQLITE_BUSY": ("is held by another process", "see which other sloagent has it open and is busy with it"),
    "SQLITE_IOERR": ("cannot be read or written: the disk reports an error", "check the disk and its free space"),
}
_OF_THE_FILE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_PASSING = ("SQLITE_FULL", "SQLITE_BUSY")


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn what SQLite raises into a StoreError that names the file and says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        family = "_".join(name.split("_")[:2])
        if "Could not decode to UTF-8" in str(error):
            family = "SQLITE_CORRUPT"
        what, hint = _ADVICE.get(family, ("cannot be used", "run `sloagent store check`"))
        message = f"the store {path} {what} ({error})"
        if family in _OF_THE_FILE:
            raise DamagedError(message, hint=hint) from error
        if family in _ADVICE:
            raise UnavailableError(message, hint=hint, stays_open=family in _PASSING) from error
        raise StoreError(message, hint=hint) from error
    except UnicodeEncodeError as error:
        raise StoreError(f"the store {path} takes only text that is Unicode ({error})") from error
    except OverflowError as error:
        raise StoreError(f"the store {path} takes no whole number beyond 64 bits ({error})") from error


class Database:
    """One SQLite file in WAL mode with `synchronous=FULL`: a commit that was acknowledged survives a power cut.

    `:memory:` is a file in a temporary directory that goes with `close`. Raises StoreError where it cannot be opened;
    a file that is not ours is never written. Only who is `salvaging` may open a store before that is finished.
    """

    def __init__(self, path: str, *, read_only: bool = False, salvaging: bool = False) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="sloagent-") if path == ":memory:" else None
        self.path = str(Path(self._temporary.name) / "sloagent.db") if self._temporary else path
        self.read_only = read_only
        self._lock = threading.Lock()
        self._pool_lock = threading.Lock()
        self._idle_readers: list[sqlite3.Connection] = []
        self._closed = False
        look_at(Path(self.path), read_only=read_only, salvaging=salvaging)
        with told(self.path):
            self._immutable = read_only and needs_immutable(Path(self.path))
            self._look_through_the_log()
            self._writer = self._connect()
            try:
                self._prepare()
            except BaseException:
                self._writer.close()
                raise
        self._identity = identity(self.path)

    def _look_through_the_log(self) -> None:
        """Refuse what cannot be our store by reading only: whoever may write folds a log into the file when closing it."""
        log = Path(f"{self.path}-wal")
        if self.read_only or not size_of(log) or Path(f"{self.path}-journal").exists():
            return
        with suppress(UnavailableError), told(self.path), closing(self._connect("mode=ro")) as reader:
            self._refuse_foreign(reader)
            migrations.pending(reader, self.path)

    def _connect(self, mode: str = "") -> sqlite3.Connection:
        mode = mode or ("immutable=1" if self._immutable else "mode=ro" if self.read_only else "mode=rwc")
        connection = sqlite3.connect(
            f"file:{quote(self.path)}?{mode}",
            uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256,
        )  # fmt: skip
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection

    def _refuse_foreign(self, connection: sqlite3.Connection) -> None:
        # Both at one moment: another process may be writing its first tables just now.
        connection.execute("BEGIN")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        empty = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
        connection.execute("ROLLBACK")
        if application != migrations.APPLICATION_ID and not (application == 0 and empty):
            raise foreign(self.path)

    def _prepare(self) -> None:
        connection = self._writer
        self._refuse_foreign(connection)
        if self.read_only:
            if migrations.pending(connection, self.path):
                raise StoreError(
                    f"the store {self.path} has an older schema, and it was opened for reading only",
                    hint="open it once with a command that may write, such as `sloagent runs list`",
                )
            return
        # The schema comes before WAL, so that our mark is in the file's own header from the first commit on.
        migrations.migrate(connection, self.path)
        _switch_to_wal(connection)
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # from here on the log is there
        seals.watch(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, committed on leaving and rolled back on any exception; one at a time in all processes."""
        if self.read_only:
            raise StoreError(f"the store {self.path} was opened for reading only")
        with self._turn(), told(self.path):
            self._refuse_closed()
            self._refuse_replaced()
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            full = False
            try:
                yield connection
                seals.renew(connection)
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                full = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
                raise
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if full:
                    # On a small disk it is the log that takes the room; else it is emptied only after it has grown.
                    with suppress(sqlite3.Error):
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees the store at one moment, however long it is read."""
        with told(self.path):
            with self._pool_lock:
                self._refuse_closed()
                self._refuse_replaced()
                connection = self._idle_readers.pop() if self._idle_readers else None
            if connection is None:
                connection = self._connect()
                connection.execute("PRAGMA query_only = TRUE")
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def apart(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, without a transaction: for a backup."""
        with told(self.path):
            with self._pool_lock:
                self._refuse_closed()
            connection = self._connect()
            try:
                yield connection
            finally:
                connection.close()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        # Statements that were not read to their end would hold the old moment: closing them is part of the rollback.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        with self._pool_lock:
            if not self._closed and len(self._idle_readers) < _IDLE_READERS:
                self._idle_readers.append(connection)
                return
        connection.close()

    def size_bytes(self) -> int:
        """Bytes on disk: the file with its write-ahead log."""
        total = 0
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                total += Path(self.path + suffix).stat().st_size
        return total

    def close(self) -> None:
        """Close every connection that is not in use at this moment. Idempotent."""
        with self._lock, self._pool_lock, told(self.path):
            if not self._closed:
                self._closed = True
                for connection in (*self._idle_readers, self._writer):
                    connection.close()
                self._idle_readers.clear()
        if self._temporary is not None:
            self._temporary.cleanup()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One writer at a time among our own threads too, none of which waits longer than for another process."""
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise UnavailableError(f"the store {self.path} is being written by another task", stays_open=True)
        try:
            yield
        finally:
            self._lock.release()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise UnavailableError(f"the store {self.path} is closed")

    def _refuse_replaced(self) -> None:
        if not self.read_only and identity(self.path) != self._identity:
            raise ReplacedError(
                f"the store {self.path} was moved, removed or replaced while in use; nothing more is written to it",
                hint="put the file back, or start sloagent anew",
            )


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write ahead from now on. SQLite itself never waits for the others here, so those who begin a store together do it."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return
