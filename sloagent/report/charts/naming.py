"""Names in a chart: cut first, since they are untrusted and endless, then in several lengths for the room there is."""

from __future__ import annotations

import unicodedata

from sloagent.report.escaping import visible

CANDIDATES = 4
"""Lengths of a name, from the whole one to the shortest; the first that fits its room is shown."""
LONGEST = 60
_CHARACTER = 6.6
"""Pixels of a character at the size of labels, for what fits; wide characters take twice that."""
_CUTS = (24, 12)
_BESIDE = 8
"""Pixels between a name and what follows."""


def shown(name: str) -> str:
    """A name on one line, nothing in it invisible or endless."""
    return cut(visible(name, LONGEST), LONGEST)


def columns_of(text: str) -> int:
    """The columns that a text takes: two for wide characters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def width_of(text: str) -> float:
    """Pixels that a text takes, as an estimate that is the same on every machine."""
    return _CHARACTER * columns_of(text)


def cut(text: str, columns: int) -> str:
    """The text in at most so many columns, a cut marked."""
    if columns_of(text) <= columns:
        return text
    kept = text
    while columns_of(kept) > columns - 1:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def lengths(name: str, shortest: str = "") -> list[tuple[str, float]]:
    """The name in its lengths with the room that each needs; `shortest` is the last of them."""
    whole = shown(name)
    texts = [whole, *(cut(whole, columns) for columns in _CUTS), shortest]
    return [(text, round(width_of(text) + _BESIDE, 1)) for text in texts]
