"""The colours of charts: each once for light and once for dark pages, far apart for colour-blind eyes as well.

A drawing carries the light ones as attributes; the page's style puts the dark ones in their place. Contrast to the page is
at least 3:1 for lines and 4.5:1 for text.
"""

from __future__ import annotations

LINES = ("#1d4fc4", "#8a3a05", "#17a750", "#a672fe", "#404758", "#d152bb", "#7f6522", "#16827d")
"""Blue, brown, green, violet, slate, magenta, olive, teal; no red, which is the limit's."""

INK = "#1c1f23"
SOFT = "#5c636c"
AXIS = "#b9bec3"
GRID = "#e6e8e7"
EDGE = "#6d747c"
"""Behind phases and exclusions, and for what is known of several lines only by a bound."""
LIMIT = "#b3261e"
WARN = "#a35200"
PAPER = "#ffffff"
"""Behind a picture that is a file of its own."""

_DARK = {
    **dict(
        zip(LINES, ("#4f86f7", "#cc6330", "#63e08a", "#b3a2ff", "#dbe4f2", "#b565a6", "#cfa03a", "#35b3ad"), strict=True)
    ),
    INK: "#e7e9ea", SOFT: "#a3abb3", AXIS: "#59616a", GRID: "#2a3036",
    EDGE: "#a3abb4", LIMIT: "#ff8a80", WARN: "#ffb066", PAPER: "#1b1f23",
}  # fmt: skip


def dark_rules() -> str:
    """CSS that puts the dark colours in the place of the light ones, on a screen that asks for it."""
    rules = [
        f'.chart [{attribute}="{light}"]{{{attribute}:{dark}}}'
        for light, dark in _DARK.items()
        for attribute in ("fill", "stroke")
    ]
    return "@media screen and (prefers-color-scheme:dark){" + "".join(rules) + "}"
