"""A real PostgreSQL on loopback for the tests, in a temporary directory; and a wire to it that can be cut.

    with PostgresServer() as server:
        url = server.new_database()                  # postgresql://sloagent@127.0.0.1:…/…
        server.stop("immediate"); server.start()     # on the same port
        with Wire(server.port) as wire:              # a TCP proxy
            wire.cut_after(b"COMMIT")

`shared()` is one server for all tests of a session that do not stop it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import pwd
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.prometheus import free_port

PATIENCE_SECONDS = 30.0
PASSWORD = "canary'p@ss \\word"
"""Of the user `sloagent`."""


def program(name: str) -> str:
    """A program of PostgreSQL; Debian keeps them beside PATH, one directory for each version."""
    found = shutil.which(name)
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if found is None and not kept:
        raise AssertionError(f"no `{name}` on PATH or in /usr/lib/postgresql/*/bin: run `make test`, which installs it")
    return found or str(kept[-1])


def _unprivileged() -> dict[str, object]:
    """As whom the server runs: it refuses root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise AssertionError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


class PostgresServer:
    """A server of its own, with the superuser `admin` (no password, by its socket) and the user `sloagent`."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="sloagent-pg-", dir="/tmp"))
        self.port = free_port()
        self._who = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        if "user" in self._who:
            os.chown(self.directory, int(str(self._who["user"])), int(str(self._who["group"])))
        done = subprocess.run(
            [
                program("initdb"), "--pgdata", str(self.directory / "data"), "--username=admin", "--encoding=UTF8",
                "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync",
            ],
            capture_output=True, text=True, check=False, cwd=self.directory, **self._who,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> PostgresServer:
        """Start it and wait until it answers."""
        log = self.directory / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    program("postgres"), "-D", str(self.directory / "data"), "-k", str(self.directory),
                    "-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
                    "-c", "shared_buffers=16MB", "-c", "max_wal_size=64MB", "-c", "log_min_messages=warning",
                ],
                stdout=output, stderr=output, cwd=self.directory, **self._who,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.sql("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                self._make_user()
                return self
        raise AssertionError(f"postgres did not become ready: {log.read_text()[-2000:]}")

    def _make_user(self) -> None:
        if not self.sql("SELECT 1 FROM pg_roles WHERE rolname = 'sloagent'"):
            quoted = PASSWORD.replace("'", "''")
            self.sql(f"CREATE ROLE sloagent LOGIN PASSWORD '{quoted}'")

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """The superuser's own connection, outside a transaction."""
        return psycopg.connect(
            host=str(self.directory), port=self.port, user="admin", dbname=database, autocommit=True, connect_timeout=5
        )

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the superuser; its rows."""
        with self.connect(database) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self, options: str = "") -> str:
        """The name of a new, empty database that belongs to `sloagent`."""
        name = f"db{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} OWNER sloagent TEMPLATE template0 {options}")
        return name

    def url(self, database: str, port: int = 0) -> str:
        """The address for `sloagent`; it needs the password."""
        return f"postgresql://sloagent@127.0.0.1:{port or self.port}/{database}"

    def socket_url(self, database: str) -> str:
        """The address for `sloagent` by the server's socket, where no password is asked for."""
        return f"postgresql://sloagent@/{database}?host={quote(str(self.directory), safe='')}&port={self.port}"

    def stop(self, how: str = "immediate") -> None:
        """Stop it: `immediate` leaves everything to recovery, `fast` rolls back and ends cleanly. Idempotent."""
        if self._process is not None:
            words = [program("pg_ctl"), "stop", "-D", str(self.directory / "data"), "-m", how, "-w"]
            subprocess.run(words, check=True, capture_output=True, cwd=self.directory, **self._who)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def close(self) -> None:
        """Stop it and remove what it kept."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> PostgresServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


@functools.cache
def shared() -> PostgresServer:
    """One server until the tests end; nobody stops it."""
    server = PostgresServer()
    atexit.register(server.close)
    return server.start()


class Wire:
    """A TCP proxy on a loopback port that can be cut, or made to swallow everything without a word."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._word = b""
        self._over = False
        self.silent = False
        self.cuts = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def cut_after(self, word: bytes) -> None:
        """Cut the connection over which a client next says the word, after it was passed on and before any answer."""
        self._word = word

    def cut(self) -> None:
        """Cut all connections."""
        with self._lock:
            for pair in self._pairs:
                self._sever(pair)

    def _sever(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self.cuts += 1
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        while not self._over:
            with self._lock:
                ends = {end: (pair, n) for pair in self._pairs for n, end in enumerate(pair)}
            ready, _, _ = select.select([self._listener, *ends], [], [], 0.05)
            for each in ready:
                if each is self._listener:
                    self._accept()
                elif not self.silent:
                    self._pass_on(each, *ends[each])

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            client.close()
            return
        with self._lock:
            self._pairs.append((client, server))

    def _pass_on(self, end: socket.socket, pair: tuple[socket.socket, socket.socket], number: int) -> None:
        data = b""
        with contextlib.suppress(OSError):
            data = end.recv(65_536)
        with contextlib.suppress(OSError):
            if data:
                pair[1 - number].sendall(data)
        if number == 0 and self._word and self._word in data:
            self._word = b""
            self._sever(pair)
        if not data:
            with self._lock:
                if pair in self._pairs:
                    self._pairs.remove(pair)
            for one in pair:
                one.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join(PATIENCE_SECONDS)
        self._listener.close()
        for pair in self._pairs:
            for end in pair:
                end.close()
