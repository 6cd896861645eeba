"""Who is let in: the web file in force, looked at again at every connection and request."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sloagent.errors import ConfigError
from sloagent.web.telemetry import WebTelemetry
from sloagent.web.tls import context
from sloagent.web.web_file import WebFile

log = logging.getLogger("sloagent.web")

AGAIN_SECONDS = 1.0
"""While the files are wrong they are tried this often: a file that is missing has no time that could change."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom to let in, and how to speak to them; frozen, replaced as a whole."""

    tls: ssl.SSLContext | None = None
    names: frozenset[str] = frozenset()
    """The alternative names of which a client's certificate needs one; empty: any."""
    users: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    """bcrypt hashes by user; empty: nobody is asked for a password."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of every answer that replace our own."""
    files: tuple[Path, ...] = ()
    """The files that these rules were made from."""
    knows_clients: bool = False
    """Whether only those are let in who show a password or a certificate."""


OPEN = Rules()
"""No web file: plain HTTP for everybody who can connect."""


def rules(path: Path, file: WebFile) -> Rules:
    """The rules that a web file at `path` sets, its certificates read now. Raises `tls.UnusableError`."""
    tls = file.tls_server_config
    used = (tls.cert_file, tls.key_file, tls.client_ca_file) if tls is not None else ()
    return Rules(
        tls=context(tls) if tls is not None else None,
        names=frozenset(tls.client_allowed_sans) if tls is not None else frozenset(),
        users={user.encode(): secret.get_secret_value().encode() for user, secret in file.basic_auth_users.items()},
        headers=file.http_server_config.headers,
        files=(path, *(one for one in used if one is not None)),
        knows_clients=bool(file.basic_auth_users) or (tls is not None and tls.admits_by_certificate),
    )


class Access:
    """The rules in force. Files are read again when their time, size or inode changes; wrong ones change nothing.

    For one thread. `load` gives the rules of the file as it is now and raises ConfigError; it is called at once.
    """

    def __init__(self, load: Callable[[], Rules], telemetry: WebTelemetry) -> None:
        self._load = load
        self._telemetry = telemetry
        self._rules = load()
        self._stamps = _stamps(self._rules.files)
        self._wrong = ""
        self._tried = time.monotonic()
        telemetry.file_successful.set(1)

    @property
    def in_force(self) -> Rules:
        """The rules as they were last read; for any thread."""
        return self._rules

    def current(self) -> Rules:
        """The rules for a connection or request that begins now."""
        stamps = _stamps(self._rules.files)
        again = self._wrong and time.monotonic() - self._tried >= AGAIN_SECONDS
        if stamps != self._stamps or again:
            self._stamps, self._tried = stamps, time.monotonic()
            self._renew()
        return self._rules

    def _renew(self) -> None:
        try:
            fresh = self._load()
        except ConfigError as error:
            wrong = "; ".join(problem.splitlines()[0] for problem in error.problems) or error.message
            self._telemetry.file_successful.set(0)
            if wrong != self._wrong:
                self._telemetry.file_failures.inc()
                log.error("the web configuration is wrong, the old one stays in force: %s", wrong)
            self._wrong = wrong
            return
        self._rules, self._wrong = fresh, ""
        self._stamps = _stamps(fresh.files)
        self._telemetry.file_successful.set(1)
        log.info("web configuration and certificates read again")


_Stamp = tuple[int, int, int] | None


def _stamps(files: tuple[Path, ...]) -> tuple[_Stamp, ...]:
    return tuple(_stamp(path) for path in files)


def _stamp(path: Path) -> _Stamp:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
