"""Documents: what belongs to a run and is no row of a table, such as the facts of its test bed. Kept until replaced."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

from sloagent.errors import StoreError
from sloagent.store import compact
from sloagent.store.sql import Connection

MOST_BYTES = 32 * 2**20
"""Of one document, deflated: what a damaged store can still be salvaged with."""
PROMISED = "run"
"""The kind that `store dump` names; others say what was so when they were asked for, and may be another next time."""

Row = tuple[str, str, str, bytes]
"""kind, name, SHA-256 of the content in hex, the content deflated."""


def packed(kind: str, name: str, content: bytes) -> Row:
    """The row of a document. Raises StoreError where it is too large to be kept."""
    deflated = zlib.compress(content)
    if len(deflated) > MOST_BYTES:
        raise StoreError(
            f"the {kind} document {name!r} takes {len(deflated)} bytes, deflated; a store keeps at most {MOST_BYTES}"
        )
    return kind, name, hashlib.sha256(content).hexdigest(), deflated


def save_document(connection: Connection, row: Row) -> None:
    """Put the document in the place of the one with its kind and name."""
    connection.execute("DELETE FROM documents WHERE kind = ? AND name = ?", row[:2])
    connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?)", row)


def read_document(connection: Connection, kind: str, name: str) -> bytes | None:
    """The content, or None where there is no such document. Raises StoreError where it is not what was saved."""
    row = connection.execute(
        "SELECT sha256, content FROM documents WHERE kind = ? AND name = ?", (kind, name)
    ).fetchone()
    return None if row is None else _unpacked(kind, name, *row)


def names_of(connection: Connection, kind: str) -> list[str]:
    """The names of the documents of a kind, sorted."""
    # Sorted here, for a database may sort by the rules of a language.
    return sorted(name for (name,) in connection.execute("SELECT name FROM documents WHERE kind = ?", (kind,)))


def hashes(connection: Connection) -> list[tuple[str, str]]:
    """(name, SHA-256 of the content) of the documents that are promised, sorted."""
    return sorted(connection.execute("SELECT name, sha256 FROM documents WHERE kind = ?", (PROMISED,)).fetchall())


def unreadable(connection: Connection) -> Iterator[str]:
    """The documents that are not what was saved, in sentences."""
    for kind, name in sorted(connection.execute("SELECT kind, name FROM documents").fetchall()):
        try:
            read_document(connection, kind, name)
        except StoreError as error:
            yield error.message


def _unpacked(kind: str, name: str, sha256: str, deflated: bytes) -> bytes:
    try:
        content = zlib.decompress(deflated)
    except zlib.error as error:
        raise compact.damaged(f"the {kind} document {name!r} does not unpack ({error})") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise compact.damaged(f"the content of the {kind} document {name!r} is not that of its hash")
    return content
