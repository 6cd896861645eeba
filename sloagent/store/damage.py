"""Why a store cannot be used, as exceptions: what is damaged, what is not ours, what was replaced, what may pass."""

from __future__ import annotations

from sloagent.errors import StoreError


class DamagedError(StoreError):
    """What lies in the file cannot be what was written."""


class ForeignError(StoreError):
    """A sound database of another program lies there."""


class ReplacedError(StoreError):
    """Another file lies where the one in use was."""


class UnavailableError(StoreError):
    """The world is in the way: no room, no permission, no directory, somebody else's lock, a failing disk."""

    def __init__(self, message: str, *, hint: str = "", stays_open: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.stays_open = stays_open
        """Whether the connection is sound, so that the same call may succeed a moment later."""
