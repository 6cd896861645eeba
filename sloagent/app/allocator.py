"""How the daemon's C library keeps what was freed: a process that lives for weeks gives large blocks back at once."""

from __future__ import annotations

import ctypes

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
