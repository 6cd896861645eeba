"""Untrusted text made safe to show: first so that nothing in it is invisible or endless, then for the place it goes to."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
"""Characters of one untrusted text that are shown; the rest is counted, not shown."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKDOWN_SPECIAL = frozenset("\\`*_[]~#")
_OPENING = re.compile(r"^[-+=]|(?<=^\d)[.)](?=\s|$)|(?<=^\d\d)[.)](?=\s|$)")
"""What would begin a list or underline a heading."""


def visible(text: str, longest: int = LONGEST) -> str:
    r"""`text` on one line; control, bidi, invisible and unassigned characters are spelled out, such as `\u202e`.

    More than `longest` characters are cut, and the cut says how many there were.
    """
    if len(text) <= longest and text.isascii() and text.isprintable():
        return text  # most texts of a report
    shown = "".join(_spelled(character) for character in text[:longest])
    return shown if len(text) <= longest else f"{shown}… ({len(text):,} characters)"


def markdown(text: str, longest: int = LONGEST) -> str:
    """`text` for a GitHub-flavoured Markdown paragraph or table cell: shown as it is, never read as markup or HTML."""
    return _OPENING.sub(r"\\\g<0>", "".join(_for_markdown(character) for character in visible(text, longest).lstrip()))


def _spelled(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _for_markdown(character: str) -> str:
    match character:
        case "<":
            return "&lt;"
        case ">":
            return "&gt;"
        case "&":
            return "&amp;"
        case "|":
            # An escaped bar still ends a cell in some renderers; the entity never does.
            return "&#124;"
        case "@":
            # A label value must not notify a person of that name.
            return "&#64;"
        case _ if character in _MARKDOWN_SPECIAL:
            return "\\" + character
        case _:
            return character
