"""What a terminal can show: how wide a text is there, which signs its encoding has, and colour only where it is asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.model.verdict import Outcome
from sloagent.report.escaping import visible

_ASCII = {
    "≤": "<=", "≥": ">=", "–": "-", "—": "-", "·": "|", "…": "...", "×": "x", "→": "->", "◀": "<-", "✗": "x", "✓": "+",
    "−": "-", "∞": "inf", "█": "#", "▌": "#", "▏": "|", "σ": "s", "µ": "u", "μ": "u", "±": "+-",
    "’": "'", "\u00a0": " ", "\u202f": " ",
}  # fmt: skip
_BREAK = re.compile(r"(?<![\d∞]) +")
_MARKS = {
    Outcome.FAIL: "✗",
    Outcome.ERROR: "!",
    Outcome.INCONCLUSIVE: "?",
    Outcome.WARN: "!",
    Outcome.PASS: "✓",
    Outcome.NO_DATA: "·",
    Outcome.MEASURED: "·",
}
_ASCII_MARKS = {"✗": "x", "✓": "+", "·": "."}
_COLOURS = {
    Outcome.FAIL: "31",
    Outcome.ERROR: "35",
    Outcome.INCONCLUSIVE: "33",
    Outcome.WARN: "33",
    Outcome.PASS: "32",
    Outcome.NO_DATA: "2",
    Outcome.MEASURED: "36",
}


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a text is shown: its width in columns, its stream's encoding, and whether colour is wanted."""

    columns: int = 120
    encoding: str = "utf-8"
    colour: bool = False

    def plain(self, text: str) -> str:
        """`text` of our own, with signs that the encoding lacks spelled in ASCII."""
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            return "".join(self._encodable(character) for character in text)
        return text

    def untrusted(self, text: str, longest: int = 200) -> str:
        """`text` of somebody else, on one line, unable to steer the terminal."""
        return self.plain(visible(text, longest))

    def mark(self, outcome: Outcome) -> str:
        """One column that says the outcome."""
        sign = _MARKS[outcome]
        return sign if self.plain(sign) == sign else _ASCII_MARKS[sign]

    def paint(self, text: str, outcome: Outcome) -> str:
        """`text` in the outcome's colour, where colour is wanted."""
        return f"\x1b[{_COLOURS[outcome]}m{text}\x1b[0m" if self.colour else text

    def dim(self, text: str) -> str:
        """`text` stepped back, where colour is wanted."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour and text else text

    def bold(self, text: str) -> str:
        """`text` stepped forward, where colour is wanted."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour and text else text

    def _encodable(self, character: str) -> str:
        try:
            character.encode(self.encoding)
        except UnicodeEncodeError:
            return _ASCII.get(character) or character.encode("ascii", "backslashreplace").decode()
        return character


def width_of(text: str) -> int:
    """The columns `text` takes: two for wide characters and emoji, none for combining ones."""
    return sum(_columns(character) for character in text)


def fitted(text: str, columns: int, ellipsis: str = "…") -> str:
    """`text` cut to at most `columns`, the cut marked; never in the middle of a character and its combining marks."""
    if width_of(text) <= columns:
        return text
    room = max(columns - width_of(ellipsis), 0)
    kept, used = [], 0
    for character in text:
        used += _columns(character)
        if used > room:
            break
        kept.append(character)
    return "".join(kept) + ellipsis[: max(columns, 0)]


def padded(text: str, columns: int) -> str:
    """`text` with spaces up to `columns`; longer texts stay as they are."""
    return text + " " * max(columns - width_of(text), 0)


def wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    """`text` broken at spaces into lines of at most `columns`, `indent` before each; longer words stand alone.

    A number and its unit stay together.
    """
    room = max(columns - width_of(indent), 20)
    lines: list[str] = []
    current = ""
    for word in _BREAK.split(text):
        if current and width_of(current) + 1 + width_of(word) > room:
            lines.append(indent + current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    return [*lines, indent + current]


def packed(parts: Sequence[str], between: str, columns: int) -> list[str]:
    """The parts on as few lines as they fit, none of them broken inside."""
    lines: list[str] = []
    for part in parts:
        if lines and width_of(lines[-1]) + width_of(between) + width_of(part) <= columns:
            lines[-1] += between + part
        else:
            lines.append(part)
    return lines


def column_widths(rows: Sequence[Sequence[str]], room: int, gives_way: Sequence[tuple[int, int]]) -> list[int]:
    """The width of each column, that of its widest cell; where their sum passes `room`, some give way.

    `gives_way` are (index, least width) of those that do, the first before the second. On a terminal that is narrower
    still, lines run over rather than say nothing.
    """
    widths = [max(width_of(cell) for cell in column) for column in zip(*rows, strict=True)]
    for index, least in gives_way:
        excess = sum(widths) - room
        if excess > 0:
            widths[index] = max(min(least, widths[index]), widths[index] - excess)
    return widths


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
