"""What of a file must not be shown: the lines of a configuration that may hold a secret, also where it is no right YAML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

HIDDEN = "<hidden>"
LONGEST_SHOWN_LINE = 20_000
"""Characters; of a longer line nothing is shown: it was made by a program, and looking for secrets in it takes long."""

# Bounded repetitions, so that a line made to be slow takes no longer than any other.
_WORD = r"(?:pass|pwd|token|secret|auth|bearer|credential|api[-_]?key|cookie|headers)[\w-]{0,40}(?![\w-])(?<!_file)(?<!_env)"
_SECRET_KEY = re.compile(rf"""{_WORD}["']?\s{{0,8}}:\s*""", re.IGNORECASE)
_SECRET_LINE = re.compile(rf"""[\s?-]{{0,200}}["']?{_WORD}""", re.IGNORECASE)
_URL_WITH_USER = re.compile(r"""url["']?\s{0,8}:\s{0,8}(?=[^#]{1,2000}@)(?![^#]{1,2000}://)""", re.IGNORECASE)
_USER_OF_URL = re.compile(r"(?<=://).{0,2000}@")
_PARAMETER_OF_URL = re.compile(r"(?<=password=)[^\s&\"']+", re.IGNORECASE)
_ENDS_SECRETLY = re.compile(
    r"(?:password|passwd|token|secret|authorization|credentials|api[-_]?key|cookie)$", re.IGNORECASE
)
_KEY = re.compile(r"""\s*(?:- +)*["']?[^\s"':{}\[\]#]+["']?\s*:(?:\s|$)""")


def names_a_secret(key: object) -> bool:
    """Whether what stands under this key may be a secret: passwords, tokens, and all of `headers` and `basic_auth`."""
    return isinstance(key, str) and (key in ("headers", "basic_auth") or _ENDS_SECRETLY.search(key) is not None)


def without_secrets(line: str) -> str:
    """The line with what follows a password, token or the like, and the user of a URL, hidden."""
    if len(line) > LONGEST_SHOWN_LINE:
        return ""
    for key in (_SECRET_KEY, _URL_WITH_USER):
        found = key.search(line)
        if found and line[found.end() :].strip(" {[}],"):
            line = line[: found.end()] + HIDDEN
    return _PARAMETER_OF_URL.sub(HIDDEN, _USER_OF_URL.sub(f"{HIDDEN}@", line))


def shown_lines(lines: Iterable[str]) -> Iterator[str]:
    """The lines, empty ones in place of those that belong to a secret above them, however it is written.

    From the text and not from what YAML makes of it: it is where the YAML is wrong that the lines are looked at.
    """
    above, brackets = -1, 0
    for line in lines:
        indent = len(line[: len(line) - len(line.lstrip(" \t-?"))].expandtabs())
        if above >= 0 and (indent > above or brackets > 0 or not _KEY.match(line[:LONGEST_SHOWN_LINE])):
            brackets += _opened(line)
            yield ""
            continue
        above = -1
        if len(line) > LONGEST_SHOWN_LINE:
            yield ""
            continue
        key, word = _SECRET_KEY.search(line), _SECRET_LINE.match(line)
        if key is not None or word is not None:
            above, brackets = indent, _opened(line)
        yield line if key is not None or word is None else ""


def _opened(line: str) -> int:
    """How many brackets the line opens beyond those that it closes."""
    return sum(line.count(bracket) for bracket in "{[") - sum(line.count(bracket) for bracket in "}]")
