"""What makes the charts of a page explorable: Vega, as vl-convert carries it, and our own script."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sloagent.report.charts.bundle import vega

_DIRECTORY = Path(__file__).with_name("script")
_PARTS = ("reading", "chart", "tip", "start")


@cache
def scripts() -> tuple[str, ...]:
    """The scripts of a page with charts, in the order in which they run; each is the text of one element.

    They need no `unsafe-eval`, ask nobody for anything, and set no style but by the object model. Raises DrawingError
    where vl-convert is not installed.
    """
    parts = [(_DIRECTORY / f"{name}.js").read_text(encoding="utf-8") for name in _PARTS]
    own = "".join(['(() => {\n"use strict";\n', *parts, "})();\n"])
    return _inline(vega()), _inline(own)


def _inline(script: str) -> str:
    """A script in which nothing ends the element that it stands in: what would can only stand in a string."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE)
