"""Parameters of an SLO set: `$name` or `${name}` in queries, `where` and limits stands for the parameter's value.

`$$` is a dollar sign. `$window` is no parameter: it stays, and becomes the SLO's window when the query is sent. `$1` and
`${1}`, as `label_replace` writes them, are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

WINDOW = "window"
RESERVED = frozenset({WINDOW})
NAME = re.compile(r"[a-z_][a-z0-9_]*")
_REFERENCE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)\})"
)


LONGEST_EXPANDED = 65_536
"""Characters that the values add to one text; it is longer than any query that is accepted then."""


def substitute(text: str, values: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with the parameters' values in it, and the names it asks for that are none.

    Where the values would add more than LONGEST_EXPANDED characters, the rest is left as written: the text is refused for
    its length, without being made in full.
    """
    unknown: list[str] = []
    added = 0

    def replaced(found: re.Match[str]) -> str:
        nonlocal added
        if found["escaped"]:
            return "$"
        name = found["plain"] or found["braced"]
        if name == WINDOW:
            return "$window"
        if name not in values:
            unknown.append(name)
            return found[0]
        added += len(values[name])
        return values[name] if added <= LONGEST_EXPANDED else found[0]

    return _REFERENCE.sub(replaced, text), tuple(dict.fromkeys(unknown))
