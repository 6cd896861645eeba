"""A source that is closed, as each reload closes one, lets go of its connections at once, not when memory is tidied."""

from __future__ import annotations

import gc
from pathlib import Path

from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests import faults
from tests.faults import FaultServer


def sockets() -> set[Path]:
    """The sockets that this process has open."""
    targets = {}
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            targets[descriptor] = str(descriptor.readlink())
        except FileNotFoundError:  # the directory's own
            continue
    return {Path(target) for target in targets.values() if target.startswith("socket:")}


def test_a_closed_source_has_no_connection_left() -> None:
    gc.disable()
    try:
        with FaultServer() as server:
            server.fail(faults.answer(faults.vector(({}, "1"))))
            before = sockets()
            source = PrometheusSource(PrometheusSettings(url=server.url))
            source.date()
            both_ends = sockets() - before
            source.close()
            assert len(both_ends) == 2
            # The server's end goes when its thread has read that ours is closed.
            assert len(sockets() & both_ends) < 2
            del source
    finally:
        gc.enable()
