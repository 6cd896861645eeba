"""What a web configuration file says, in the convention of Prometheus exporters: TLS, users, headers.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. What Python's TLS cannot do is
refused with a sentence, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from sloagent.settings import Settings

CIPHERS = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""The suites of TLS 1.2 by their registered names, and OpenSSL's names for them."""
CIPHERS_OF_TLS_13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
"""Always offered where TLS 1.3 is, as exporters do: they cannot be chosen."""
CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}

_UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
_BROKEN = ("TLS10", "TLS11")
_HASH = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SLOWEST_COST = 14
_HEADERS: dict[str, tuple[str, ...]] = {
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
    "Content-Security-Policy": (),
}
"""The headers that may be set, and the values that each accepts; none: any."""


def _hash(value: object) -> object:
    found = _HASH.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 4 <= int(found[1]) <= 31:
        raise ValueError("this is no bcrypt hash; `htpasswd -nBC 10 NAME` makes one, and it stands in quotes")
    if int(found[1]) > _SLOWEST_COST:
        raise ValueError(
            f"a hash with a cost of {found[1]} takes seconds to check; make one with a cost of at most {_SLOWEST_COST}"
        )
    return value


PasswordHash = Annotated[SecretStr, BeforeValidator(_hash)]
"""The bcrypt hash of a password. What is no hash may be the password itself: it is not repeated in the message."""


class TLSServerConfig(Settings):
    """How the daemon shows who it is, and whom it lets in. The files are read again when they change."""

    cert_file: Path
    key_file: Path
    client_auth_type: str = "NoClientCert"
    client_ca_file: Path | None = None
    client_allowed_sans: tuple[str, ...] = ()
    min_version: str = "TLS12"
    max_version: str = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: tuple[str, ...] = ()

    @property
    def asks_for_certificates(self) -> bool:
        """Whether clients are asked who they are."""
        return self.client_auth_type in ("VerifyClientCertIfGiven", "RequireAndVerifyClientCert")

    @property
    def admits_by_certificate(self) -> bool:
        """Whether only clients with a certificate are let in."""
        return self.client_auth_type == "RequireAndVerifyClientCert"

    @field_validator("client_auth_type")
    @classmethod
    def _client_auth(cls, value: str) -> str:
        if value in _UNVERIFIED:
            raise ValueError(
                f"{value} asks for certificates and trusts any of them, which sloagent does not do;"
                " write VerifyClientCertIfGiven or RequireAndVerifyClientCert"
            )
        return _one_of(
            value or "NoClientCert", ("NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
        )

    @field_validator("min_version", "max_version")
    @classmethod
    def _version(cls, value: str) -> str:
        if value in _BROKEN:
            raise ValueError(f"{value} is broken and not spoken (RFC 8996); write TLS12 or TLS13")
        return _one_of(value, ("TLS12", "TLS13"))

    @field_validator("cipher_suites")
    @classmethod
    def _ciphers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_one_of(name, (*CIPHERS, *CIPHERS_OF_TLS_13)) for name in value)

    @field_validator("curve_preferences")
    @classmethod
    def _curves(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > 1:
            raise ValueError("Python's TLS can be held to one curve, not to several; write one, or leave the field out")
        return tuple(_one_of(name, CURVES) for name in value)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.min_version > self.max_version:
            raise ValueError("min_version is above max_version, so nobody could connect; exchange them")
        if self.client_ca_file is not None and not self.asks_for_certificates:
            raise ValueError(
                "client_ca_file says whom to trust, but no client is asked for a certificate;"
                " add client_auth_type: RequireAndVerifyClientCert"
            )
        if self.client_ca_file is None and self.asks_for_certificates:
            raise ValueError(
                "without client_ca_file, a certificate of any public authority would be let in; add client_ca_file"
            )
        if self.client_allowed_sans and not self.admits_by_certificate:
            raise ValueError(
                "client_allowed_sans needs clients that must show a certificate;"
                " add client_auth_type: RequireAndVerifyClientCert"
            )
        return self


class HTTPServerConfig(Settings):
    """The protocol, and headers of every answer."""

    http2: bool = False
    headers: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("http2")
    @classmethod
    def _http1(cls, value: bool) -> bool:
        if value:
            raise ValueError("sloagent speaks HTTP/1.1 only; write http2: false, or leave it out")
        return value

    @field_validator("headers")
    @classmethod
    def _known(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, content in value.items():
            if name not in _HEADERS:
                raise ValueError(f'the header "{name}" cannot be set; accepted are {", ".join(_HEADERS)}')
            if _HEADERS[name] and content not in _HEADERS[name]:
                raise ValueError(f"{name} cannot be {content!r}; write {' or '.join(_HEADERS[name])}")
            if content != content.strip() or not content.isascii() or not content.isprintable():
                raise ValueError(f"{name} must be printable ASCII without surrounding spaces")
        return value


class WebFile(Settings):
    """The whole file. Everything may be left out; what is left out is off."""

    tls_server_config: TLSServerConfig | None = None
    http_server_config: HTTPServerConfig = HTTPServerConfig()
    basic_auth_users: Mapping[str, PasswordHash] = Field(default_factory=dict)

    @field_validator("basic_auth_users")
    @classmethod
    def _sendable(cls, value: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        for user in value:
            if ":" in user or not user:
                raise ValueError(f"no browser or client can send the user {user!r}; choose a name without a colon")
        return value


def _one_of(value: str, accepted: Mapping[str, str] | tuple[str, ...]) -> str:
    if value not in accepted:
        raise ValueError(f"{value!r} is not accepted here; accepted are {', '.join(accepted)}")
    return value
