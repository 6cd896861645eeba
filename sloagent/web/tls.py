"""The TLS of new connections, made from the web file."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from pathlib import Path

from sloagent.web.web_file import CIPHERS, CURVES, TLSServerConfig

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}


class UnusableError(Exception):
    """A field of `tls_server_config` that cannot be used: `field` names it, `why` is the sentence."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field
        self.why = why


def context(settings: TLSServerConfig) -> ssl.SSLContext:
    """The context for new connections, its files read now. Raises UnusableError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = _VERSIONS[settings.min_version]
    made.maximum_version = _VERSIONS[settings.max_version]
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if settings.prefer_server_cipher_suites:
        made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    made.set_alpn_protocols(["http/1.1"])
    _choose_ciphers(made, settings)
    for curve in settings.curve_preferences:
        _choose_curve(made, curve)
    _show_certificate(made, settings.cert_file, settings.key_file)
    if settings.client_ca_file is not None:
        _trust(made, settings.client_ca_file)
        made.verify_mode = ssl.CERT_REQUIRED if settings.admits_by_certificate else ssl.CERT_OPTIONAL
    return made


def names(certificate: Mapping[str, object] | None) -> frozenset[str]:
    """The alternative names in a verified certificate, as `SSLObject.getpeercert` gives it: DNS, e-mail, IP, URI."""
    found = (certificate or {}).get("subjectAltName", ())
    assert isinstance(found, tuple)
    return frozenset(
        str(ipaddress.ip_address(name.strip())) if kind == "IP Address" else name
        for kind, name in found
        if kind in ("DNS", "email", "IP Address", "URI")
    )


def _choose_ciphers(made: ssl.SSLContext, settings: TLSServerConfig) -> None:
    if not settings.cipher_suites:
        return
    chosen = [CIPHERS[name] for name in settings.cipher_suites if name in CIPHERS]
    if not chosen:
        made.minimum_version = ssl.TLSVersion.TLSv1_3  # only suites of TLS 1.3 are named: there is none for 1.2
        return
    try:
        made.set_ciphers(":".join(chosen))
    except ssl.SSLError as error:
        raise UnusableError("cipher_suites", f"this machine's TLS has none of these suites ({error.reason})") from None


def _choose_curve(made: ssl.SSLContext, curve: str) -> None:
    try:
        made.set_ecdh_curve(CURVES[curve])
    except (ssl.SSLError, ValueError) as error:
        raise UnusableError("curve_preferences", f"this machine's TLS does not have {curve} ({error})") from None


def _show_certificate(made: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for field, path in (("cert_file", certificate), ("key_file", key)):
        _readable(field, path)
    try:
        # An encrypted key must not ask for its password on a terminal.
        made.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UnusableError("key_file", f"{key} is not the key of the certificate in {certificate}") from None
        why = error.reason.replace("_", " ").lower() if error.reason else "it is not PEM"
        raise UnusableError("cert_file", f"{certificate} and {key} cannot be used: {why}") from None
    except _EncryptedError:
        raise UnusableError("key_file", f"{key} is encrypted; store it without a password") from None


class _EncryptedError(Exception):
    """The key wants a password."""


def _no_password() -> str:
    raise _EncryptedError


def _trust(made: ssl.SSLContext, authorities: Path) -> None:
    _readable("client_ca_file", authorities)
    try:
        made.load_verify_locations(authorities)
    except ssl.SSLError:
        raise UnusableError("client_ca_file", f"{authorities} holds no certificate") from None


def _readable(field: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise UnusableError(field, f"{path} cannot be read: {(error.strerror or 'error').lower()}") from None
