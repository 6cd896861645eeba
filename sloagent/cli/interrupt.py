"""Ctrl-C that is not lost.

Python drops an exception that is raised where none can leave, as in what is called back while modules are loaded: it prints
a traceback and goes on. Here Ctrl-C is pressed once more instead, a moment later. Where C code drops it without a word its
memory is left, for the daemon, which would never end by itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Never

AGAIN_SECONDS = 0.01

_came = threading.Event()


def note() -> None:
    """From now on KeyboardInterrupt is raised until it gets through, and remembered. A Ctrl-C that is ignored stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _dropped


def came() -> bool:
    """Whether it was pressed."""
    return _came.is_set()


def _interrupt(_number: int, _frame: FrameType | None) -> Never:
    _came.set()
    raise KeyboardInterrupt


def _dropped(dropped: sys.UnraisableHookArgs) -> None:
    if not issubclass(dropped.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    again = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), signal.SIGINT))
    again.daemon = True
    with contextlib.suppress(RuntimeError):  # no thread begins while Python ends: what was to be ended does
        again.start()
