"""Secrets where they are kept: in a file or an environment variable, read again when they change, shown nowhere."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from pydantic import SecretStr

from sloagent.errors import SourceError
from sloagent.model.samples import Kind
from sloagent.sources.http_config import PrometheusSettings

HIDDEN = "<secret>"
_Stamp = tuple[int, int, int]


class Secret:
    """One secret. A file is read again when its time, size or inode changes; surrounding white space does not count."""

    def __init__(self, value: SecretStr | None, file: Path | None, variable: str | None) -> None:
        self._value = value.get_secret_value() if value is not None else ""
        self._file = file
        self._variable = variable
        self._stamp: _Stamp | None = None

    def read(self) -> str:
        """The secret as it is now. Raises SourceError where it cannot be read."""
        if self._variable is not None:
            found = os.environ.get(self._variable)
            if found is None:
                raise _unreadable(f"the environment variable {self._variable} is not set")
            return found.strip()
        if self._file is not None:
            try:
                seen = self._file.stat()
                stamp = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
                if stamp != self._stamp:
                    self._value = self._file.read_text(encoding="utf-8").strip()
                    self._stamp = stamp
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is not text"
                raise _unreadable(f"the file {self._file} cannot be read: {why}") from None
        return self._value


class Identity:
    """What we say of ourselves with each question: the `Authorization` header and the configured ones."""

    def __init__(self, settings: PrometheusSettings) -> None:
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
        """The headers of the next question. Raises SourceError where a secret cannot be read."""
        if self._secret is None:
            return self._headers
        secret = self._secret.read()
        if not self._type:
            token = base64.b64encode(f"{self._username}:{secret}".encode()).decode()
            return {**self._headers, "Authorization": f"Basic {token}"}
        if not secret.isascii() or not secret.isprintable():
            raise _unreadable("the credentials hold characters that no HTTP header can carry")
        return {**self._headers, "Authorization": f"{self._type} {secret}"}

    def redact(self, text: str) -> str:
        """The text without our secrets, for a peer that repeats them in its answer."""
        secrets = [value for name, value in self._headers.items() if name.lower() not in PUBLIC_HEADERS]
        if self._secret is not None:
            try:
                secrets += [self._secret.read(), self.headers()["Authorization"].split(" ", 1)[1]]
            except SourceError:
                return text
        for secret in secrets:
            if secret:
                text = text.replace(secret, HIDDEN)
        return text


PUBLIC_HEADERS = frozenset({"x-scope-orgid", "thanos-tenant", "accountid", "projectid"})
"""Headers that name a tenant; every other one is treated as a secret."""


def _unreadable(what: str) -> SourceError:
    return SourceError(what, kind=Kind.UNAUTHORIZED, retryable=True)
