"""A wake-up to some ten microseconds.

The event loop's own timers come up to a millisecond late, since epoll counts those, and a request that takes one or two
would be told half a millisecond too long.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from types import TracebackType
from typing import Self

_MONOTONIC = 1
_ABSOLUTE = 1


class _Time(ctypes.Structure):
    """`struct itimerspec`: an interval that we do not use, and the moment."""

    _fields_ = (
        ("every_seconds", ctypes.c_long),
        ("every_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class Alarm:
    """A timer of Linux (timerfd), awaited in the running loop. One waits at a time; use it with `with`."""

    def __enter__(self) -> Self:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._libc.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "no timer can be had")
        self._rung = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._descriptor, self._ring)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)

    async def at(self, moment: float) -> None:
        """Wait until `moment`, monotonic seconds; where it is past, only let the others have their turn."""
        if moment <= time.monotonic():
            await asyncio.sleep(0)
            return
        self._rung.clear()
        seconds, part = divmod(moment, 1.0)
        when = _Time(0, 0, int(seconds), int(part * 1e9))
        if self._libc.timerfd_settime(self._descriptor, _ABSOLUTE, ctypes.byref(when), None):
            raise OSError(ctypes.get_errno(), "the timer cannot be set")
        await self._rung.wait()

    def _ring(self) -> None:
        os.read(self._descriptor, 8)
        self._rung.set()
