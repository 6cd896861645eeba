"""Every call as a row of CSV, in the columns of the drivers that people have used for this, and two more."""

from __future__ import annotations

import csv
import time
from datetime import UTC, datetime
from typing import TextIO

from sloagent.probes.api.call import Call, Tell

COLUMNS = ("before", "after", "op", "key", "err", "intended", "target")
"""`before` is empty where a call was due and never began. Times are UTC, to the microsecond."""


class Rows:
    """Writes the rows of one load; the file stays the caller's."""

    def __init__(self, file: TextIO, *, ahead_seconds: float | None = None) -> None:
        """`ahead_seconds` is by how much the wall clock is ahead of the monotonic one."""
        self._writer = csv.writer(file)
        self._ahead = time.time() - time.monotonic() if ahead_seconds is None else ahead_seconds
        self._writer.writerow(COLUMNS)

    def of(self, target: str) -> Tell:
        """What to tell of the calls to this target."""

        def tell(call: Call) -> None:
            before = "" if call.before is None else self._time(call.before)
            err = "" if call.ok else f"{call.code}: {call.why}" if call.why else call.code
            self._writer.writerow(
                (before, self._time(call.after), call.verb, call.key, err, self._time(call.intended), target)
            )

        return tell

    def _time(self, monotonic: float) -> str:
        return f"{datetime.fromtimestamp(self._ahead + monotonic, UTC):%Y-%m-%d %H:%M:%S.%f}"
