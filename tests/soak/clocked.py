"""`sloagent` in the soak's world: arguments 1 and 2 are the files of the world's time and of this process, then the command.

Every look at the wall clock sees the world's time plus the error of this process's clock; the clock that daemons compare
it with moves as the world's time does, so that only an error is a step. Waiting takes real time, but the scheduler looks
at the clock many times a second, because the world's time moves in leaps.

Some functions are wrapped so that the file says what is being done, and so that the process can be made to end itself
with SIGKILL at a place that no signal from outside would hit often: inside an open transaction, for instance.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.soak.world import Phase, Slate, World

WORLD, SLATE = World(Path(sys.argv.pop(1))), Slate(Path(sys.argv.pop(1)))
LOOK_SECONDS = 0.05
_counting = threading.Lock()
_real_datetime = dt.datetime

SLATE.begin()
SLATE.enter(Phase.STARTING)


def wall() -> float:
    """What this machine's clock shows."""
    return WORLD.now + SLATE.error


class WorldDatetime(_real_datetime):
    """`datetime`, whose `now` reads that clock."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> _real_datetime:  # type: ignore[override]
        """The time that this machine's clock shows."""
        return _real_datetime.fromtimestamp(wall(), tz)


time.time = wall

import apscheduler.schedulers.background as background  # noqa: E402

import sloagent.app.daemon as daemon  # noqa: E402
import sloagent.cli  # noqa: E402
import sloagent.sinks.metrics  # noqa: E402
import sloagent.sources.prometheus  # noqa: E402
import sloagent.store.migrations  # noqa: E402
import sloagent.store.pieces  # noqa: E402
import sloagent.store.rolling  # noqa: E402
import sloagent.store.slots  # noqa: E402
import sloagent.store.sqlite  # noqa: E402
import sloagent.web.server  # noqa: E402

for name, module in list(sys.modules.items()):
    if name.split(".")[0] in ("sloagent", "apscheduler") and getattr(module, "datetime", None) is _real_datetime:
        module.datetime = WorldDatetime  # type: ignore[attr-defined]
daemon.time = types.SimpleNamespace(time=wall, monotonic=lambda: WORLD.now)  # type: ignore[attr-defined]
daemon.LOOK_AT_CLOCK_SECONDS = LOOK_SECONDS


def phase(owner: object, attribute: str, of: Phase, *, deadly: bool = False) -> None:
    """While the function runs, the file says so; if it is deadly, the process may be made to die at its end."""
    work: Callable[..., object] = getattr(owner, attribute)

    @functools.wraps(work)
    def marked(*arguments: object, **named: object) -> object:
        with _counting:
            SLATE.enter(of)
        try:
            done = work(*arguments, **named)
            if deadly:
                with _counting:
                    if SLATE.is_last(of):
                        os.kill(os.getpid(), signal.SIGKILL)
            return done
        finally:
            with _counting:
                SLATE.enter(of, -1)

    setattr(owner, attribute, marked)


Source = sloagent.sources.prometheus.PrometheusSource
phase(sloagent.store.migrations, "migrate", Phase.STARTING, deadly=True)
phase(Source, "at", Phase.ASKING, deadly=True)
phase(Source, "over", Phase.CATCHING_UP, deadly=True)
# These three end inside an open transaction.
phase(sloagent.store.slots, "insert_slot", Phase.COMMITTING, deadly=True)
phase(sloagent.store.pieces, "insert_piece", Phase.PIECES, deadly=True)
phase(sloagent.store.rolling, "fold_hour", Phase.ROLLING_UP, deadly=True)
phase(sloagent.store.rolling, "prune", Phase.PRUNING, deadly=True)
phase(daemon.Daemon, "reload", Phase.RELOADING)
phase(sloagent.sinks.metrics.MetricsSink, "keep", Phase.RELOADING, deadly=True)

_process_jobs = background.BackgroundScheduler._process_jobs
_start = sloagent.web.server.Server.start


def process_jobs(self: background.BackgroundScheduler) -> float:
    """What is due is done; then the clock is looked at again soon."""
    wait: float | None = _process_jobs(self)
    return LOOK_SECONDS if wait is None else min(wait, LOOK_SECONDS)


def start(self: sloagent.web.server.Server) -> None:
    """The start is over when it listens."""
    _start(self)
    with _counting:
        SLATE.enter(Phase.STARTING, -1)


def prune(self: sloagent.store.sqlite.SQLiteStore, before: int) -> int:
    """The last work of a round of house-keeping."""
    gone = _prune(self, before)
    SLATE.round_is_over()
    return gone


_prune = sloagent.store.sqlite.SQLiteStore.prune
sloagent.store.sqlite.SQLiteStore.prune = prune  # type: ignore[method-assign]
background.BackgroundScheduler._process_jobs = process_jobs
sloagent.web.server.Server.start = start  # type: ignore[method-assign]

sloagent.cli.main()
