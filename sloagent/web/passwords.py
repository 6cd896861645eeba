"""Basic authentication: bcrypt beside the event loop, one at a time, its outcomes remembered without the passwords.

CVE-2022-46146: a cache key of user, hash and password simply joined could be made to coincide with another's. Ours is a
keyed hash over parts that carry their lengths; the key is drawn anew by each process.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

MOST_WAITING = 32
"""Checks that may wait for their turn; more are told to come again, so that a flood of guesses ties up nothing else."""
MOST_PASSED = 100
MOST_FAILED = 1_000
"""Outcomes remembered, of each kind on its own: guesses must not drive out those who are let in."""
_LONGEST_PASSWORD = 72
"""Bytes that bcrypt looks at; exporters ignore what follows, and so do we."""


class BusyError(Exception):
    """Too many passwords wait to be checked."""


class Passwords:
    """Checks users and passwords. For the event loop's thread."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._passed: OrderedDict[bytes, None] = OrderedDict()
        self._failed: OrderedDict[bytes, None] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._worker: ThreadPoolExecutor | None = None

    async def admit(self, authorization: bytes, users: Mapping[bytes, bytes]) -> bool:
        """Whether an `Authorization` header shows one of the users, given with their bcrypt hashes. Raises BusyError.

        A user who does not exist costs what one of the existing costs.
        """
        shown = credentials(authorization)
        if shown is None:
            return False
        user, password = shown
        known = users.get(user)
        hashed = known if known is not None else self._stand_in(user, users)
        matches = await self._matches(self._ticket(user, hashed, password), hashed, password)
        return matches and known is not None

    async def _matches(self, ticket: bytes, hashed: bytes, password: bytes) -> bool:
        if (seen := self._seen(ticket)) is not None:
            return seen
        if self._waiting >= MOST_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with self._turn:
                if (seen := self._seen(ticket)) is not None:  # the same was asked while we waited
                    return seen
                if self._worker is None:
                    self._worker = ThreadPoolExecutor(1, thread_name_prefix="passwords")
                matches = await asyncio.get_running_loop().run_in_executor(self._worker, _check, password, hashed)
                self._remember(ticket, matches=matches)
                return matches
        finally:
            self._waiting -= 1

    def _seen(self, ticket: bytes) -> bool | None:
        for outcome, remembered in ((True, self._passed), (False, self._failed)):
            if ticket in remembered:
                remembered.move_to_end(ticket)
                return outcome
        return None

    def _remember(self, ticket: bytes, *, matches: bool) -> None:
        remembered, most = (self._passed, MOST_PASSED) if matches else (self._failed, MOST_FAILED)
        remembered[ticket] = None
        if len(remembered) > most:
            remembered.popitem(last=False)

    def _ticket(self, *parts: bytes) -> bytes:
        told = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, told, "sha256")

    def _stand_in(self, user: bytes, users: Mapping[bytes, bytes]) -> bytes:
        """The hash of somebody else, always the same for the same name: its cost gives no name away."""
        hashes = sorted(users.values())
        return hashes[int.from_bytes(self._ticket(user)[:8], "big") % len(hashes)]


def credentials(authorization: bytes) -> tuple[bytes, bytes] | None:
    """The user and the password of a `Basic` header (RFC 7617); None where it is none."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, separator, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user, password) if separator else None


def _check(password: bytes, hashed: bytes) -> bool:
    import bcrypt  # only where users are configured

    return bcrypt.checkpw(password[:_LONGEST_PASSWORD], hashed)
