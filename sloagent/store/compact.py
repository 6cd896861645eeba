"""How things lie in the file: codes for outcomes and causes, packed doubles, JSON. Numbers come back bit for bit."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from fractions import Fraction

from sloagent.errors import StoreError
from sloagent.model.slo import Labels, Limit
from sloagent.model.tally import Numbers
from sloagent.model.verdict import Cause, Outcome
from sloagent.store.damage import DamagedError

OUTCOME_CODES: Mapping[Outcome, int] = {
    Outcome.PASS: 0,
    Outcome.WARN: 1,
    Outcome.FAIL: 2,
    Outcome.INCONCLUSIVE: 3,
    Outcome.NO_DATA: 4,
    Outcome.ERROR: 5,
    Outcome.MEASURED: 6,
}
"""A code is never given another meaning; docs/store.md lists them."""

CAUSE_CODES: Mapping[Cause, int] = {
    Cause.DECIDED: 0,
    Cause.LIMIT_INSIDE_BUCKET: 1,
    Cause.LIMIT_BEYOND_LAST_BUCKET: 2,
    Cause.FALLING_COUNTS: 3,
    Cause.TOO_FEW_EVENTS: 4,
    Cause.NO_EVENTS: 5,
    Cause.NO_SERIES: 6,
    Cause.NOT_A_NUMBER: 7,
    Cause.BAD_ABSENT: 8,
    Cause.NO_OBJECTIVE: 9,
    Cause.MALFORMED: 10,
    Cause.PART_EXCEEDS_TOTAL: 11,
    Cause.TOTAL_ABSENT: 12,
    Cause.REFUSED: 13,
    Cause.SERIES_DECIDE: 14,
    Cause.NOT_GATING: 15,
    Cause.UNDECIDED_WINDOWS: 16,
    Cause.TOO_LITTLE_EVALUATED: 17,
    Cause.GROWS: 18,
    Cause.DECIDED_DESPITE_FALL: 19,
    Cause.STATED: 20,
    Cause.NOT_RUN: 21,
    Cause.LOWER_BOUND: 22,
}
"""A code is never given another meaning; docs/store.md lists them."""

NumbersRow = tuple[int, bytes, float | None, float | None]

_OUTCOMES = {code: outcome for outcome, code in OUTCOME_CODES.items()}
_CAUSES = {code: cause for cause, code in CAUSE_CODES.items()}


def damaged(what: str) -> StoreError:
    """The error for content that cannot be what we wrote."""
    return DamagedError(
        f"the store is damaged: {what}", hint="run `sloagent store check`, then put a backup in its place"
    )


def outcome_of(code: int) -> Outcome:
    """The outcome under a code. Raises StoreError."""
    if code not in _OUTCOMES:
        raise damaged(f"there is no outcome {code}")
    return _OUTCOMES[code]


def cause_of(code: int) -> Cause:
    """The cause under a code. Raises StoreError."""
    if code not in _CAUSES:
        raise damaged(f"there is no cause {code}")
    return _CAUSES[code]


def labels_text(labels: Labels) -> str:
    """Labels as a JSON object, in their own order, which is by name."""
    return json.dumps(dict(labels), ensure_ascii=False, separators=(",", ":"))


def labels_from_text(text: str | bytes) -> Labels:
    """The inverse of `labels_text`."""
    return tuple(json.loads(text).items())


def limit_text(limit: Limit) -> str:
    """A limit as JSON; infinities as Python's json writes them."""
    return json.dumps({"at_most": limit.at_most, "at_least": limit.at_least, "warn_at": limit.warn_at})


def limit_from_text(text: str | bytes) -> Limit:
    """The inverse of `limit_text`."""
    return Limit(**json.loads(text))


def doubles(numbers: Sequence[float]) -> bytes:
    """Little-endian doubles, eight bytes each."""
    return struct.pack(f"<{len(numbers)}d", *numbers)


def doubles_from(blob: bytes) -> tuple[float, ...]:
    """The inverse of `doubles`. Raises StoreError."""
    if len(blob) % 8:
        raise damaged(f"{len(blob)} bytes are not a row of doubles")
    return struct.unpack(f"<{len(blob) // 8}d", blob)


def squeezed_doubles(numbers: Sequence[float]) -> bytes:
    """`doubles`, deflated: a histogram's counts stand still over its empty buckets (176 bytes became 32 in a recording)."""
    return zlib.compress(doubles(numbers), 1)


def squeezed_doubles_from(blob: bytes) -> tuple[float, ...]:
    """The inverse of `squeezed_doubles`. Raises StoreError."""
    try:
        return doubles_from(zlib.decompress(blob))
    except zlib.error as error:
        raise damaged(f"packed counts do not unpack ({error})") from error


def slots_blob(slots: Sequence[int], interval: int) -> bytes:
    """Ascending slots as bits: bit i of the little-endian number is the slot first + i × interval."""
    bits = 0
    for slot in slots:
        bits |= 1 << ((slot - slots[0]) // interval)
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def slots_from_blob(blob: bytes, first: int, interval: int) -> list[int]:
    """The inverse of `slots_blob`."""
    bits = int.from_bytes(blob, "little")
    return [first + position * interval for position in range(bits.bit_length()) if bits >> position & 1]


def minima_blob(minima: Sequence[tuple[int, float]]) -> bytes | None:
    """(start, least value) pairs, sixteen bytes each; None for none."""
    return b"".join(struct.pack("<qd", start, least) for start, least in minima) or None


def minima_from_blob(blob: bytes | None) -> tuple[tuple[int, float], ...]:
    """The inverse of `minima_blob`. Raises StoreError."""
    if blob is None:
        return ()
    if len(blob) % 16:
        raise damaged(f"{len(blob)} bytes are not a row of minima")
    return tuple(struct.iter_unpack("<qd", blob))


def exact_blob(total: Fraction) -> bytes:
    """A sum of doubles, whose denominator is a power of two: that power in two bytes, then the numerator, signed."""
    numerator, denominator = total.as_integer_ratio()
    return struct.pack("<H", denominator.bit_length() - 1) + numerator.to_bytes(
        numerator.bit_length() // 8 + 1, "little", signed=True
    )


def exact_from_blob(blob: bytes) -> Fraction:
    """The inverse of `exact_blob`. Raises StoreError."""
    if len(blob) < 3:
        raise damaged(f"{len(blob)} bytes are not an exact sum")
    (power,) = struct.unpack_from("<H", blob)
    return Fraction(int.from_bytes(blob[2:], "little", signed=True), 1 << power)


def numbers_row(numbers: Numbers) -> NumbersRow:
    """The numbers of a value's windows: count, exact total, least, greatest."""
    return numbers.count, exact_blob(numbers.total), numbers.least, numbers.greatest


def numbers_from(count: int, total: bytes, least: float | None, greatest: float | None) -> Numbers:
    """The inverse of `numbers_row`. Raises StoreError."""
    return Numbers(count, exact_from_blob(total), least, greatest)


def guarded(content: bytes) -> bytes:
    """The content behind its CRC-32."""
    return struct.pack("<I", zlib.crc32(content)) + content


def guarded_from(blob: bytes) -> bytes | None:
    """The inverse of `guarded`; None where the content is not what was written."""
    content = blob[4:]
    return content if blob[:4] == struct.pack("<I", zlib.crc32(content)) else None
