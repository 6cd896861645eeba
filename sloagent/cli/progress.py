"""A progress line on standard error, on a terminal only."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A function to call with how many more are done, from any thread; shows `what 120/1440`."""
    shown = sys.stderr.isatty() and total > 0
    done = 0
    lock = threading.Lock()

    def advance(more: int) -> None:
        nonlocal done
        with lock:
            done += more
            if shown:
                sys.stderr.write(f"\r{what} {min(done, total):,}/{total:,} ")
                sys.stderr.flush()

    try:
        yield advance
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
