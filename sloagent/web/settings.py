"""The `web:` block of the agent's file."""

from __future__ import annotations

from pydantic import field_validator

from sloagent.settings import Settings


class WebSettings(Settings):
    """Where the daemon listens. Loopback unless it is said otherwise."""

    listen: str = "127.0.0.1:9469"

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        host, separator, port = value.rpartition(":")
        if not separator or not port.isdigit() or not 0 <= int(port) <= 65535:
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
