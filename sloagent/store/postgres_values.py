"""Numbers and texts on their way to PostgreSQL and back: every double bit for bit, NaN as NULL, NUL inside a text."""

from __future__ import annotations

import math
import re
import struct

from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format

_TEXT_OID, _INT8_OID, _FLOAT8_OID = 25, 20, 701

ESCAPE = "\x1a"
"""PostgreSQL's text holds no NUL, so it is written as ESCAPE and `0`, and ESCAPE itself twice. Labels may hold any."""
_ESCAPED = re.compile(f"{ESCAPE}(.)", re.DOTALL)
_pack_whole = struct.Struct(">q").pack
_pack_double = struct.Struct(">d").pack


def escaped(text: str) -> str:
    """A text without NUL."""
    if "\0" in text or ESCAPE in text:
        return text.replace(ESCAPE, ESCAPE * 2).replace("\0", f"{ESCAPE}0")
    return text


def unescaped(text: str) -> str:
    """The inverse of `escaped`."""
    if ESCAPE in text:
        return _ESCAPED.sub(lambda found: "\0" if found[1] == "0" else found[1], text)
    return text


class _Text(Dumper):
    oid = _TEXT_OID

    def dump(self, obj: str) -> Buffer:
        return escaped(obj).encode()


class _Whole(Dumper):
    """Always eight bytes: psycopg's own choice by size would prepare one statement for each mixture of sizes."""

    oid = _INT8_OID
    format = Format.BINARY

    def dump(self, obj: int) -> Buffer:
        try:
            return _pack_whole(obj)
        except struct.error:
            raise OverflowError(f"{obj} is too large") from None


class _Double(Dumper):
    oid = _FLOAT8_OID
    format = Format.BINARY

    def dump(self, obj: float) -> Buffer | None:
        return None if math.isnan(obj) else _pack_double(obj)  # SQLite keeps NaN as NULL too.


class _TextLoader(Loader):
    def load(self, data: Buffer) -> str:
        return unescaped(str(data, "utf-8"))


class _BinaryTextLoader(_TextLoader):
    format = Format.BINARY


def teach(connection: AdaptContext) -> None:
    """Make a connection write and read as said above."""
    adapters = connection.adapters
    adapters.register_dumper(str, _Text)
    adapters.register_dumper(int, _Whole)
    adapters.register_dumper(float, _Double)
    adapters.register_loader("text", _TextLoader)
    adapters.register_loader("text", _BinaryTextLoader)
