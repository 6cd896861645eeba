"""Secrets where they are kept: in a file or an environment variable, read again when they change, shown nowhere."""

from __future__ import annotations

import os
import stat
from base64 import b64encode
from collections import deque
from pathlib import Path

from pydantic import SecretStr

from sloagent.errors import PeerError
from sloagent.peer.redaction import without
from sloagent.peer.settings import HTTPConfig

LARGEST_SECRET_BYTES = 65_536
"""Of a file that holds a secret; no HTTP server takes a longer header."""
_REMEMBERED = 4
_Stamp = tuple[int, int, int]


class Secret:
    """One secret. A file is read again when its time, size or inode changes; surrounding white space does not count."""

    def __init__(self, value: SecretStr | None, file: Path | None, variable: str | None) -> None:
        self._value = value.get_secret_value() if value is not None else ""
        self._file = file
        self._variable = variable
        self._stamp: _Stamp | None = None
        # A peer may repeat the one that it was sent, although the file holds another by now.
        self.said: deque[str] = deque([self._value] if self._value else (), maxlen=_REMEMBERED)
        """What has been read lately, the current one included."""

    def read(self) -> str:
        """The secret as it is now. Raises PeerError where it cannot be read."""
        if self._variable is not None:
            found = os.environ.get(self._variable)
            if found is None:
                raise _unreadable(f"the environment variable {self._variable} is not set")
            self._value = found.strip()
        elif self._file is not None:
            try:
                seen = self._file.stat()
                stamp = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
                if stamp != self._stamp:
                    self._value = _content(self._file, seen.st_mode)
                    self._stamp = stamp
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is not text"
                raise _unreadable(f"the file {self._file} cannot be read: {why}") from None
        if self._value and self._value not in self.said:
            self.said.append(self._value)
        return self._value

    def forget(self) -> None:
        """Read the file anew the next time, whatever its time says."""
        self._stamp = None


class Identity:
    """What we say of ourselves with each question: the `Authorization` header and the configured ones."""

    def __init__(self, settings: HTTPConfig) -> None:
        self._headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
        self._username = ""
        self._type = ""
        self._secret: Secret | None = None
        if (basic := settings.basic_auth) is not None:
            self._username = basic.username
            self._secret = Secret(basic.password, basic.password_file, basic.password_env)
        elif (other := settings.authorization) is not None:
            self._type = other.type
            self._secret = Secret(other.credentials, other.credentials_file, other.credentials_env)

    def headers(self) -> dict[str, str]:
        """The headers of the next question. Raises PeerError where a secret cannot be read."""
        if self._secret is None:
            return self._headers
        secret = self._secret.read()
        if not self._type:
            token = b64encode(f"{self._username}:{secret}".encode()).decode()
            return {**self._headers, "Authorization": f"Basic {token}"}
        if not secret.isascii() or not secret.isprintable():
            raise _unreadable("the credentials hold characters that no HTTP header can carry")
        return {**self._headers, "Authorization": f"{self._type} {secret}"}

    def forget(self) -> None:
        """Read the secret anew for the next question."""
        if self._secret is not None:
            self._secret.forget()

    def redact(self, text: str) -> str:
        """The text without our secrets, for a peer that repeats them in its answer, whole, in part or encoded."""
        secrets = [value for name, value in self._headers.items() if name.lower() not in PUBLIC_HEADERS]
        if self._secret is not None:
            secrets += self._secret.said
            if not self._type:
                secrets += [f"{self._username}:{secret}" for secret in self._secret.said]
        return without(text, secrets)


PUBLIC_HEADERS = frozenset({"x-scope-orgid", "thanos-tenant", "accountid", "projectid"})
"""Headers that name a tenant; every other one is treated as a secret."""


def _content(file: Path, mode: int) -> str:
    """What the file holds. Raises PeerError for what would never end, or be as large as no secret is."""
    if not stat.S_ISREG(mode):
        raise _unreadable(f"{file} is no regular file")
    with file.open("rb") as opened:
        content = opened.read(LARGEST_SECRET_BYTES + 1)
    if len(content) > LARGEST_SECRET_BYTES:
        raise _unreadable(f"the file {file} is larger than {LARGEST_SECRET_BYTES:,} bytes, which no secret is")
    return content.decode("utf-8").strip()


def _unreadable(what: str) -> PeerError:
    return PeerError(what, kind="unauthorized", retryable=True)
