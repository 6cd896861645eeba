"""The shell command that repeats a question by hand. Secrets are read where they are kept, never spelled out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from sloagent.peer.secrets import PUBLIC_HEADERS
from sloagent.sources.http_config import PrometheusSettings


def command(settings: PrometheusSettings, query: str, time: str) -> str:
    """The `curl` of an instant question, for a POSIX shell."""
    words = ["curl", "-s", *_tls(settings), *_proxy(settings), *_identity(settings)]
    if settings.follow_redirects:
        words.append("-L")
    address = f"{_address(settings)}/api/v1/query"
    words += [shlex.quote(address), "--data-urlencode", shlex.quote(f"query={query}")]
    words += ["--data-urlencode", shlex.quote(f"time={time}")]
    return " ".join(words)


def _identity(settings: PrometheusSettings) -> list[str]:
    words: list[str] = []
    if (basic := settings.basic_auth) is not None:
        secret = _place(basic.password_file, basic.password_env, "PASSWORD")
        words += ["-u", f'"{_in_double_quotes(basic.username)}:{secret}"']
    if (other := settings.authorization) is not None:
        secret = _place(other.credentials_file, other.credentials_env, "CREDENTIALS")
        words += ["-H", f'"Authorization: {_in_double_quotes(other.type)} {secret}"']
    for name, value in settings.headers.items():
        if name.lower() in PUBLIC_HEADERS:
            words += ["-H", shlex.quote(f"{name}: {value.get_secret_value()}")]
        else:
            words += ["-H", f'"{name}: ${re.sub("[^A-Z0-9]", "_", name.upper())}"']
    return words


def _tls(settings: PrometheusSettings) -> list[str]:
    tls = settings.tls_config
    words: list[str] = []
    for flag, path in (("--cacert", tls.ca_file), ("--cert", tls.cert_file), ("--key", tls.key_file)):
        if path is not None:
            words += [flag, shlex.quote(str(path))]
    if tls.insecure_skip_verify:
        words.append("-k")
    if tls.server_name:
        words += ["--connect-to", shlex.quote(f"::{urlsplit(settings.url).hostname}:")]
    return words


def _proxy(settings: PrometheusSettings) -> list[str]:
    # --noproxy: a proxy from the environment is not used by sloagent either.
    return ["--proxy", shlex.quote(settings.proxy_url)] if settings.proxy_url else []


def _address(settings: PrometheusSettings) -> str:
    if not settings.tls_config.server_name:
        return settings.url
    parts = urlsplit(settings.url)
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=settings.tls_config.server_name + port))


def _place(file: Path | None, variable: str | None, otherwise: str) -> str:
    if file is not None:
        return f"$(cat {shlex.quote(str(file))})"
    return "${" + (variable or otherwise) + "}"


def _in_double_quotes(text: str) -> str:
    return re.sub(r'(["\\$`])', r"\\\1", text)
