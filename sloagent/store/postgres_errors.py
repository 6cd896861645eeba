"""What PostgreSQL and the way to it can answer, as sentences without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from sloagent.errors import StoreError
from sloagent.store.damage import UnavailableError
from sloagent.store.postgres_session import SilenceError
from sloagent.store.sql import CollisionError

_SAME_AGAIN = "nothing was lost: what was not recorded is asked again"
_CHECK_WHO = "check the user and the database in `store: {url: …}`, and password_file or password_env"
_ADVICE: tuple[tuple[tuple[type[psycopg.Error], ...], str, str], ...] = (
    (
        (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow),
        "is being stopped or started", _SAME_AGAIN,
    ),
    ((errors.QueryCanceled, SilenceError), "did not answer in time", "`store: {timeout: …}` says how long it has"),
    ((errors.DiskFull,), "has no room to grow: its disk is full", "free some space; nothing half written was left behind"),
    (
        (errors.TooManyConnections, errors.OutOfMemory, errors.ConfigurationLimitExceeded, errors.InsufficientResources),
        "has no means left for us", "see what else uses it, and its max_connections",
    ),
    (
        (errors.ReadOnlySqlTransaction,), "takes no writes: it is a standby or was made read-only",
        "let `store: {url: …}` lead to the primary, for example with `?target_session_attrs=read-write`",
    ),
    ((errors.InsufficientPrivilege,), "does not permit it", "let the user own the database, or its schema `sloagent`"),
    ((errors.LockNotAvailable,), "is held by somebody else", "see in pg_locks who holds the tables of `sloagent`"),
)  # fmt: skip


def sentence_of(error: psycopg.Error, secret: str) -> str:
    """The server's or libpq's own words in one line, without the password."""
    words = " ".join((error.diag.message_primary or str(error)).split())
    return words.replace(secret, "<secret>") if secret else words


@contextmanager
def told(place: str, secret: str = "") -> Iterator[None]:
    """Turn what psycopg raises into a StoreError that names the database and says what to do."""
    try:
        yield
    except psycopg.Error as error:
        raise _as_store_error(error, place, sentence_of(error, secret)) from None
    except UnicodeEncodeError as error:
        raise StoreError(f"{place} takes only text that is Unicode ({error})") from error
    except OverflowError as error:
        raise StoreError(f"{place} takes no whole number beyond 64 bits ({error})") from error


def _as_store_error(error: psycopg.Error, place: str, words: str) -> StoreError:
    if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure):
        return CollisionError(
            f"{place} undid what was written, again and again, for somebody else's sake ({words})",
            hint="see what else writes into the tables of `sloagent`",
        )
    if isinstance(error, errors.DataCorrupted | errors.IndexCorrupted):
        return StoreError(f"{place} is damaged ({words})", hint="restore it from a backup")
    for kinds, what, hint in _ADVICE:
        if isinstance(error, kinds):
            return UnavailableError(f"{place} {what} ({words})", hint=hint, stays_open=True)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        # What a server says while connecting has no code of its own.
        hint = _CHECK_WHO if "FATAL:" in words else f"check that it runs and can be reached; {_SAME_AGAIN}"
        return UnavailableError(f"{place} cannot be reached ({words})", hint=hint, stays_open=True)
    return StoreError(f"{place} cannot be used ({words})", hint="run `sloagent store check`")
