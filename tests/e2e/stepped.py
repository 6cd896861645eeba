"""`sloagent` with a wall clock that the test can set: argument 1 is a file with the seconds to add, the rest is the command.

The clock is set for everything that reads it in this process, APScheduler included: `time.time` and `datetime.now`.
The monotonic clock and all waiting stay as they are, as on a machine whose wall clock somebody sets.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from pathlib import Path

OFFSET_FILE = Path(sys.argv.pop(1))
_real_time = time.time
_real_datetime = dt.datetime


def offset() -> float:
    """Seconds by which the wall clock is off at this moment."""
    return float(OFFSET_FILE.read_text() or "0")


class SteppedDatetime(_real_datetime):
    """`datetime`, whose `now` reads the clock that was set."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> _real_datetime:  # type: ignore[override]
        """The time of the clock that was set."""
        return _real_datetime.fromtimestamp(_real_time() + offset(), tz)


time.time = lambda: _real_time() + offset()  # the log's and every library's wall clock

import apscheduler.schedulers.background  # noqa: E402
import apscheduler.schedulers.base  # noqa: E402

import sloagent.app.daemon  # noqa: E402

apscheduler.schedulers.base.datetime = SteppedDatetime
sloagent.app.daemon.datetime = SteppedDatetime  # type: ignore[attr-defined]

from sloagent.cli import main  # noqa: E402

main()
