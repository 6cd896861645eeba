"""What we try ourselves: latencies that no metric carries. A probe only exports metrics; Prometheus scrapes them.

All probes of a process share one event loop and one clock, `time.monotonic`: both ends of a latency are read from it, so
no clock of another machine is in any number. A probe that cannot see says so, and what it could not time is counted.
"""

from __future__ import annotations

from typing import Protocol


class Probe(Protocol):
    """The seam."""

    async def run(self) -> None:
        """Try until cancelled. A peer that fails is counted and tried again; only a mistake of ours gets out."""
        ...
