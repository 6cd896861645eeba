"""Takes secrets out of a peer's words, however it repeats them: whole, cut, split, quoted or in base64."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

HIDDEN = "<secret>"
_PIECE = 6
"""Characters in a row that betray a piece of a secret; a shorter piece gives nothing away that guessing would not."""


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with `<secret>` for every piece of a secret. A secret of fewer than six characters is only found whole."""
    hidden = bytearray(len(text))
    for secret in dict.fromkeys(secrets):
        for length, pieces in _pieces(secret):
            for start in range(len(text) - length + 1):
                if text[start : start + length] in pieces:
                    hidden[start : start + length] = b"\1" * length
    if not any(hidden):
        return text
    return "".join(
        (HIDDEN if not at or not hidden[at - 1] else "") if covered else text[at] for at, covered in enumerate(hidden)
    )


@lru_cache(maxsize=64)
def _pieces(secret: str) -> tuple[tuple[int, frozenset[str]], ...]:
    """Everything of one length that betrays the secret, by length."""
    found: dict[int, set[str]] = {}
    for form in filter(None, _forms(secret)):
        length = min(len(form), _PIECE)
        found.setdefault(length, set()).update(form[at : at + length] for at in range(len(form) - length + 1))
    return tuple((length, frozenset(pieces)) for length, pieces in found.items())


def _forms(secret: str) -> Iterator[str]:
    """The secret as it may stand in HTML, JSON, a URL and base64."""
    yield secret
    yield html.escape(secret)
    yield json.dumps(secret)[1:-1]
    yield quote(secret)
    yield quote_plus(secret, safe="")
    data = secret.encode()
    if len(data) < _PIECE:
        return
    for before in range(3):
        # What stands before a secret shifts its base64 by none, one or two bytes; the borders depend on the neighbours.
        encoded = b64encode(b"\0" * before + data).decode().rstrip("=")
        inner = encoded[(before * 8 + 5) // 6 : len(encoded) - (1 if (before + len(data)) % 3 else 0)]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
        yield quote(inner, safe="")
