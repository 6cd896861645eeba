"""What makes the charts of a page explorable: Vega, as vl-convert carries it, and our own script."""

from __future__ import annotations

import re
import threading
from functools import cache
from pathlib import Path

from sloagent.report.charts.bundle import vega

_DIRECTORY = Path(__file__).with_name("script")
_ONE_AT_A_TIME = threading.Lock()
_PARTS = ("reading", "chart", "tip", "start")


def scripts() -> tuple[str, ...]:
    """The scripts of a page with charts, in the order in which they run; each is the text of one element.

    They need no `unsafe-eval`, ask nobody for anything, and set no style but by the object model. Made once, whoever asks
    at the same time. Raises DrawingError where vl-convert is not installed.
    """
    with _ONE_AT_A_TIME:
        return _scripts()


@cache
def _scripts() -> tuple[str, ...]:
    parts = [(_DIRECTORY / f"{name}.js").read_text(encoding="utf-8") for name in _PARTS]
    own = "".join(['(() => {\n"use strict";\n', *parts, "})();\n"])
    return _inline(vega()), _inline(own)


def _inline(script: str) -> str:
    """A script in which nothing ends the element that it stands in: what would can only stand in a string."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE)
