"""What keeps the daemon small: large blocks are given back at once, and what nobody uses is not loaded."""

from __future__ import annotations

import ctypes
import importlib
import sys
import warnings

M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
LARGE_BLOCK_BYTES = 131_072
ARENAS = 2


def give_back_what_is_freed() -> None:
    """Map large blocks one by one, and share two heaps among all threads.

    glibc begins so, but raises its threshold whenever a large block is freed: then answers lie in the heap, and small
    blocks above them keep it from shrinking. A heap per thread helps only threads that run at the same time. With
    another C library nothing happens. To be called before threads are started.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
        library.mallopt(M_ARENA_MAX, ARENAS)


def leave_out_character_detection() -> None:
    """Load requests without the 3 MiB of tables by which it guesses the encoding of a text: nobody here asks for a text.

    requests goes on without them, with a warning. Does nothing where it is loaded already.
    """
    if "requests" in sys.modules:
        return
    absent = dict.fromkeys(("chardet", "charset_normalizer"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.modules.update(absent)  # type: ignore[arg-type]  # None makes an import fail
        try:
            importlib.import_module("requests")
        finally:
            for name in absent:
                del sys.modules[name]
