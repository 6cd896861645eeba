"""Ctrl-C that is not lost.

Python drops an exception that is raised where none can leave, as in what is called back while modules are loaded. A command
goes on then and ends by itself; the daemon would not.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Never

_came = threading.Event()


def note() -> None:
    """From now on remember that Ctrl-C was pressed, besides raising KeyboardInterrupt. One that is ignored stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def came() -> bool:
    """Whether it was pressed."""
    return _came.is_set()


def _interrupt(_number: int, _frame: FrameType | None) -> Never:
    _came.set()
    raise KeyboardInterrupt
