"""The connection settings, in Prometheus's own `http_config` convention: who we are, whom we trust, which way we go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from sloagent.settings import Settings

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset(
    {"authorization", "host", "content-length", "content-type", "content-encoding", "accept-encoding", "connection"}
    | {"transfer-encoding", "proxy-authorization", "cookie"}
)
_OWN_FIELD = {
    "authorization": "authorization or basic_auth",
    "proxy-authorization": "proxy_url",
    "cookie": "authorization",
}


class BasicAuth(Settings):
    """A user and the place of the password: exactly one of the three."""

    username: str
    password: SecretStr | None = None
    password_file: Path | None = None
    password_env: str | None = None

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        _exactly_one(self, "basic_auth", "password", "password_file", "password_env")
        if ":" in self.username:
            raise ValueError("a basic_auth username cannot contain a colon")
        return self


class Authorization(Settings):
    """An `Authorization` header: its type and the place of the credentials, exactly one of the three."""

    type: str = "Bearer"
    credentials: SecretStr | None = None
    credentials_file: Path | None = None
    credentials_env: str | None = None

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if self.type.strip().lower() == "basic":
            raise ValueError('authorization cannot have the type "Basic"; write basic_auth instead')
        if not _TOKEN.fullmatch(self.type):
            # The word itself is not repeated: people write "Bearer" and the secret into it.
            raise ValueError("the type of authorization must be one word; write Bearer")
        _exactly_one(self, "authorization", "credentials", "credentials_file", "credentials_env")
        return self


class TLSConfig(Settings):
    """Whom we trust, and the certificate we show. Files are read again for each new connection."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""
    insecure_skip_verify: bool = False

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("tls_config needs cert_file and key_file together")
        return self


class HTTPConfig(Settings):
    """How to talk to a peer, wherever it is. Secrets are hidden wherever the settings are shown."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls_config: TLSConfig = TLSConfig()
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    proxy_url: str = ""
    follow_redirects: bool = False

    @field_validator("proxy_url")
    @classmethod
    def _check_proxy(cls, value: str) -> str:
        return http_url(value, "proxy_url") if value else value

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, content in value.items():
            if not _TOKEN.fullmatch(name):
                raise ValueError("headers has a name that is no name of an HTTP header; write `name: value`")
            if name.lower() in _OURS:
                instead = _OWN_FIELD.get(name.lower())
                raise ValueError(
                    f"the header {name} is set by sloagent itself" + (f"; use {instead}" if instead else "")
                )
            text = content.get_secret_value()
            if text != text.strip() or not text.isascii() or not text.isprintable():
                raise ValueError(f"the header {name} must be printable ASCII without surrounding spaces")
        return value

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if self.basic_auth is not None and self.authorization is not None:
            raise ValueError("basic_auth and authorization exclude each other; keep one")
        return self


def _exactly_one(settings: Settings, block: str, *fields: str) -> None:
    given = [name for name in fields if getattr(settings, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) if given else "none"
        raise ValueError(f"{block} needs exactly one of {', '.join(fields)}; found {found}")


def http_url(value: str, field: str) -> str:
    """The address of a peer, if it is one. Raises ValueError with the field's name."""
    if "@" in value:
        # First, because what stands before it is not to be read in any other message, such as that of a wrong port.
        raise ValueError(f"{field} must not carry a user or password; use basic_auth or authorization")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{field} is not an address: {str(error).lower()}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f"{field} must be like http://host:9090 or https://host")
    if parts.query or parts.fragment or not value.isprintable() or any(c.isspace() for c in value):
        raise ValueError(f"{field} must be a plain address, without query, fragment or spaces")
    return value
