"""Plain scalars by the core rules of YAML 1.2, in which `no` is a word and `1:30` is no number; and the traps in them."""

from __future__ import annotations

import re

from sloagent.config.document import Scalar

LONGEST_NUMBER = 64
_INTEGER = re.compile(r"[-+]?[0-9]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0o?[0-9_]+")
_UNDERSCORED = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def read(text: str) -> Scalar:
    """The value of a plain scalar; a trap (see `trap`) stays text."""
    if text in _WORDS:
        return _WORDS[text]
    if not _may_be_number(text) or trap(text):
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    return float(text) if _FLOAT.fullmatch(text) else text


def trap(text: str) -> tuple[str, str] | None:
    """What different readers of YAML would take differently in a plain scalar, and the hint; None where all agree."""
    if not _may_be_number(text):
        return None
    if _LEADING_ZERO.fullmatch(text) and text.lstrip("+-") != "0":
        plain = text.replace("_", "").replace("o", "").lstrip("+-").lstrip("0") or "0"
        return (
            f"{text} is a different number to different readers of YAML (octal or not)",
            f'write {plain} for the number, or "{text}" in quotes for text',
        )
    if _UNDERSCORED.fullmatch(text):
        return (
            f"{text} is a number to some readers of YAML and text to others",
            f'write {text.replace("_", "")} for the number, or "{text}" in quotes for text',
        )
    if _NOT_FINITE.fullmatch(text) or (_FLOAT.fullmatch(text) and abs(float(text)) == float("inf")):
        return f"{text} is not a finite number", f'write a finite number, or "{text}" in quotes for text'
    return None


def _may_be_number(text: str) -> bool:
    return 0 < len(text) <= LONGEST_NUMBER and text[0] in "+-.0123456789"
