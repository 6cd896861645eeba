"""The settings of the http probe: which URL is asked how often, and what counts as an answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, field_validator

from sloagent.probes.settings import Name
from sloagent.settings import Duration, Settings

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
PHASES = ("connect", "tls", "first_byte", "total")
"""What is timed of a request, in order; `tls` of https alone."""
_OURS = frozenset({"connection", "content-length", "expect", "transfer-encoding", "upgrade"})


class TLSSettings(Settings):
    """Whom an https URL's certificate is checked against: the system's authorities, or those of a file."""

    ca_file: Path | None = None
    """Read again for each connection."""
    insecure_skip_verify: bool = False


class HttpSettings(Settings):
    """One URL that is asked on schedule, each time over a new connection."""

    name: Name
    url: str
    every: Duration = Field(default=10.0, ge=0.1, le=86_400)
    timeout: Duration = Field(default=10.0, gt=0, le=600)
    """From the name's resolution to the last byte."""
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    tls_config: TLSSettings = TLSSettings()
    expect: tuple[Annotated[int, Field(ge=200, le=599)], ...] = ()
    """The status codes that are answers; without any, 200 to 299. Redirects are not followed."""

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        web_address(value)
        return value

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, content in value.items():
            if not _TOKEN.fullmatch(name):
                raise ValueError("headers has a name that is no name of an HTTP header; write `name: value`")
            if name.lower() in _OURS:
                raise ValueError(f"the header {name} is set by sloagent itself")
            text = content.get_secret_value()
            if text != text.strip() or not text.isascii() or not text.isprintable():
                raise ValueError(f"the header {name} must be printable ASCII without surrounding spaces")
        return value

    @property
    def phases(self) -> tuple[str, ...]:
        """What is timed of each request to this URL."""
        secured = web_address(self.url).scheme == "https"
        return tuple(phase for phase in PHASES if secured or phase != "tls")

    def expects(self, status: int) -> bool:
        """Whether this status code is an answer."""
        return status in self.expect if self.expect else 200 <= status < 300


def web_address(url: str) -> SplitResult:
    """The parts of an http or https URL. Raises ValueError with a sentence."""
    if "@" in url:
        # First, because what stands before it is not to be read in any other message.
        raise ValueError("url must not carry a user or password; send a header instead")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"url is not an address: {str(error).lower()}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("url must be like http://host:8000/path or https://host/path")
    if "#" in url or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("url must be printable ASCII, without a fragment or spaces")
    return parts
