"""The `web:` block of the agent's file: where the daemon listens, and how much of itself it gives to strangers."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import Field, field_validator

from sloagent.settings import ByteSize, Duration, Settings


class WebSettings(Settings):
    """Where the daemon listens, and its bounds. Loopback unless it is said otherwise; docs/http.md has the reasons."""

    listen: str = "127.0.0.1:9469"
    config_file: Path | None = None
    max_connections: int = Field(default=128, ge=8, le=10_000)
    header_timeout: Duration = Field(default=5.0, gt=0)
    body_timeout: Duration = Field(default=10.0, gt=0)
    answer_timeout: Duration = Field(default=10.0, gt=0)
    idle_timeout: Duration = Field(default=60.0, ge=1)
    max_header: ByteSize = Field(default=32 * 1024, ge=1024)
    max_body: ByteSize = Field(default=64 * 1024, ge=1024)

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        host, separator, port = value.rpartition(":")
        if not separator or not port.isdecimal() or len(port) > 5 or not 0 <= int(port) <= 65535:
            raise ValueError("an address is written host:port, such as 127.0.0.1:9469 or [::1]:9469")
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            raise ValueError("an IPv6 address stands in brackets, such as [::1]:9469")
        return value

    @property
    def host(self) -> str:
        """The address to bind; empty means every address."""
        return self.listen.rpartition(":")[0].strip("[]") or "0.0.0.0"  # noqa: S104 - only where somebody wrote ":9469"

    @property
    def port(self) -> int:
        """The port to bind; 0 lets the system choose."""
        return int(self.listen.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect; a name other than localhost may mean anything."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
