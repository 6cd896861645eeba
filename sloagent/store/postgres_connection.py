"""The PostgreSQL database: one writer at a time, readers that see one moment, an end to every wait, made anew when lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sloagent.errors import StoreError
from sloagent.store.damage import UnavailableError
from sloagent.store.postgres_errors import told
from sloagent.store.postgres_schema import LOCK, SCHEMA, prepare
from sloagent.store.postgres_session import Bounded, Session
from sloagent.store.postgres_values import teach
from sloagent.store.settings import StoreSettings

_IDLE_READERS = 4
_ANSWER_SECONDS = 5.0
"""How much longer than a statement may take we wait for the server to say that it took too long."""
_SLOW_SECONDS = 1.0
_PROBES = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3"}
"""A connection whose other end is gone is found out within 25 s, though nobody waits on it."""


class PostgresDatabase:
    """One schema of one database, on a connection for writing and a few for reading; lost ones are made anew.

    Raises StoreError where it cannot be reached or holds no store of ours; a schema that is not ours is never written.
    """

    def __init__(self, settings: StoreSettings, *, read_only: bool = False) -> None:
        self._settings = settings
        self.read_only = read_only
        self.place = _place(settings.url or "")
        self._lock = threading.Lock()
        self._pool_lock = threading.Lock()
        self._idle_readers: list[Session] = []
        self._writer: Session | None = None
        self._closed = False
        self._rest_until = 0.0
        self._why_resting = ""
        if read_only:
            with self.reading():
                pass
        else:
            self._writer = self._connect(read_only=False)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction, committed on leaving and rolled back on any exception; one at a time in all processes."""
        if self.read_only:
            raise StoreError(f"{self.place} was opened for reading only")
        with self._lock:
            self._refuse_closed()
            session = self._begun_writer()
            try:
                with self._told():
                    self._take_turn(session)
                    yield session
                    self._commit(session)
            except BaseException:
                if not session.is_idle_again():
                    self._writer = None
                raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees the store at one moment, however long it is read."""
        session = self._begun_reader()
        try:
            with self._told():
                yield session
        finally:
            self._give_back(session)

    def _commit(self, session: Session) -> None:
        answer = session.execute("COMMIT").statusmessage
        if answer != "COMMIT":  # PostgreSQL's way to say that the transaction had failed before
            raise StoreError(f"{self.place} did not commit: it answered {answer}")

    def _give_back(self, session: Session) -> None:
        if session.is_idle_again():
            with self._pool_lock:
                if not self._closed and len(self._idle_readers) < _IDLE_READERS:
                    self._idle_readers.append(session)
                    return
        session.raw.close()

    def size_bytes(self) -> int:
        """Bytes on the server's disk: tables with their indices."""
        with self.reading() as session:
            (size,) = session.execute(
                "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = to_regnamespace(?)",
                (SCHEMA,),
            ).fetchone() or (0,)
        return int(size)

    def close(self) -> None:
        """Close every connection that is not in use at this moment. Idempotent."""
        with self._lock, self._pool_lock:
            self._closed = True
            for session in (*self._idle_readers, *([self._writer] if self._writer else [])):
                session.raw.close()
            self._idle_readers.clear()
            self._writer = None

    def _begun_writer(self) -> Session:
        if self._writer is not None:
            # The server may have been restarted since: nothing was said yet, so a new connection does as well.
            with suppress(psycopg.OperationalError, psycopg.InterfaceError):
                self._writer.execute("BEGIN")
                return self._writer
            self._writer.raw.close()
            self._writer = None
        self._writer = self._connect(read_only=False)
        with self._told():
            self._writer.execute("BEGIN")
        return self._writer

    def _take_turn(self, session: Session) -> None:
        # One writer at a time, as in SQLite: then no statement can miss what another agent is just about to commit.
        try:
            session.execute("SELECT pg_advisory_xact_lock(?)", (LOCK,))
        except errors.QueryCanceled as error:
            raise UnavailableError(
                f"{self.place} is being written by another sloagent for {self._settings.timeout:g} s",
                hint="see which other sloagent is busy with it; `store: {timeout: …}` says how long it is waited for",
                stays_open=True,
            ) from error

    def _begun_reader(self) -> Session:
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        while True:
            with self._pool_lock:
                self._refuse_closed()
                session = self._idle_readers.pop() if self._idle_readers else None
            if session is None:
                break
            with suppress(psycopg.OperationalError, psycopg.InterfaceError):
                session.execute(begin)
                return session
            session.raw.close()
        session = self._connect(read_only=True)
        with self._told():
            session.execute(begin)
        return session

    def _connect(self, *, read_only: bool) -> Session:
        """A connection whose tables are ready. After a long vain wait the next ones fail at once for as long again."""
        began = time.monotonic()
        if began < self._rest_until:
            raise UnavailableError(self._why_resting, hint="it is tried again in a moment", stays_open=True)
        password = self._password()
        try:
            with told(self.place, password):
                session = Session(Bounded.connect(self._address(password), autocommit=True))
        except StoreError as error:
            waited = time.monotonic() - began
            if waited > _SLOW_SECONDS:
                self._rest_until, self._why_resting = began + 2 * waited, error.message
            raise
        try:
            with self._told():
                self._make_ready(session, read_only=read_only)
        except BaseException:
            session.raw.close()
            raise
        return session

    def _make_ready(self, session: Session, *, read_only: bool) -> None:
        teach(session.raw)
        timeout = self._settings.timeout
        session.raw.patience_seconds = timeout + _ANSWER_SECONDS
        session.execute(
            "SELECT set_config('search_path', ?, false), set_config('statement_timeout', ?, false)",
            (SCHEMA, f"{timeout * 1000:.0f}"),
        )
        if read_only:
            session.execute("SET default_transaction_read_only = on")
        else:
            # A writer that was cut off must not keep the others waiting, nor us when we come again.
            session.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', ?, false)", (f"{timeout * 500:.0f}",)
            )
            # A commit that was acknowledged is on the disk; a stricter choice of the server's owner stands.
            session.execute(
                "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
            )
        session.execute("BEGIN")
        prepare(session, self.place, read_only=read_only)
        session.execute("COMMIT")

    def _address(self, password: str) -> str:
        given = conninfo_to_dict(self._settings.url or "")
        timeout = self._settings.timeout
        ours: dict[str, Any] = {
            "connect_timeout": f"{max(2.0, timeout):.0f}", "tcp_user_timeout": f"{timeout * 1000:.0f}", **_PROBES,
            "fallback_application_name": "sloagent",
        }  # fmt: skip
        secret = {"password": password} if password else {}
        return make_conninfo(**{**ours, **given, **secret, "client_encoding": "UTF8"})

    def _password(self) -> str:
        """The password as it is now; empty where libpq shall look for one itself. Raises StoreError."""
        variable, file = self._settings.password_env, self._settings.password_file
        if variable is not None:
            found = os.environ.get(variable)
            if found is None:
                raise UnavailableError(f"{self.place}: the environment variable {variable} is not set", stays_open=True)
            return found.strip()
        if file is None:
            return ""
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UnavailableError(
                f"{self.place}: password_file {file} cannot be read: {why}", stays_open=True
            ) from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        with told(self.place):
            yield

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError(f"{self.place} is closed")


def _place(url: str) -> str:
    """How the database is called in sentences: where it is, without who we are there."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"the store in PostgreSQL ({host + ', ' if host else ''}database {parts.path.strip('/')})"
