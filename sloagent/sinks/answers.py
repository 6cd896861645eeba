"""A receiver's answers in words, for logs and for people who test it. Secrets are still in them."""

from __future__ import annotations

from sloagent.errors import PeerError
from sloagent.peer.connection import Reply
from sloagent.peer.failures import escaped, words


def is_good(reply: Reply) -> bool:
    """Whether the receiver took what it was sent."""
    return 200 <= reply.status < 300


def answered(reply: Reply) -> str:
    """The status and the beginning of what was said with it."""
    said = words(reply.body)
    return f"answered {reply.status} {escaped(reply.reason, 60)}".rstrip() + (f": {said}" if said else "")


def unanswered(error: PeerError) -> str:
    """Why there is no answer, and what to do about it."""
    return f"{error.message} ({error.hint})" if error.hint else error.message
