"""The `store:` block of sloagent.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, field_validator, model_validator

from sloagent.settings import Duration, Settings

_SECRET_PARAMETERS = frozenset({"password", "sslpassword"})
_HOSTS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:,@\s]*)(:\d+)?(,(\[[0-9A-Fa-f:.]+\]|[^\[\]:,@\s]*)(:\d+)?)*")


class StoreSettings(Settings):
    """Where verdicts are kept, and for how long."""

    path: str | None = Field(default="sloagent.db", min_length=1)
    """The SQLite file; a relative path counts from sloagent.yaml. `:memory:` keeps nothing after the end. None where
    `url` is given."""
    url: str | None = None
    """A PostgreSQL database instead of the file, as libpq reads it: `postgresql://user@host:5432/database?sslmode=…`."""
    password_file: Path | None = None
    """A file with the password of the URL's user, read again for each new connection."""
    password_env: str | None = None
    """An environment variable with the password of the URL's user."""
    timeout: Duration = Field(default=30.0, ge=1)
    """How long PostgreSQL is waited for: to connect, for another writer, and for one statement."""
    retention: Duration = Field(default=90 * 86_400.0, gt=0)
    """How long distributions and hourly tallies are kept. Runs are never forgotten."""
    full_rows: Duration = Field(default=7 * 86_400.0, gt=0)
    """How long every verdict keeps a row of its own, before an hour's rows become one tally."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            parameters = parse_qsl(parts.query, strict_parsing=bool(parts.query))
        except ValueError:
            raise ValueError("url is not an address; write it like postgresql://user@host:5432/database") from None
        user, _, hosts = parts.netloc.rpartition("@")
        if ":" in user or any(name in _SECRET_PARAMETERS for name, _ in parameters):
            raise ValueError("url must not carry a password; use password_file or password_env beside it")
        if parts.scheme not in ("postgresql", "postgres") or not _HOSTS.fullmatch(hosts) or parts.fragment:
            raise ValueError("url must be like postgresql://user@host:5432/database")
        if not parts.path.strip("/"):
            raise ValueError("url must name a database, like postgresql://user@host:5432/database")
        if not value.isprintable() or any(c.isspace() for c in value):
            raise ValueError("url must be without spaces and control characters; write them as %20 and the like")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.url is None:
            if self.path is None:
                raise ValueError("store needs a path or a url")
            if self.password_file is not None or self.password_env is not None:
                raise ValueError("password_file and password_env belong to a url; an SQLite file has no password")
            return self
        if self.path is not None and "path" in self.model_fields_set:
            raise ValueError("path and url exclude each other; keep path for an SQLite file, url for PostgreSQL")
        if self.password_file is not None and self.password_env is not None:
            raise ValueError("password_file and password_env exclude each other; keep one")
        # Frozen for everybody else; a default that does not hold must not be shown as if it did.
        object.__setattr__(self, "path", None)
        return self
