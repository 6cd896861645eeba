"""Queries in OpenSLO: ranges are written out there, counters may stand bare, and a latency is a ratio of buckets."""

from __future__ import annotations

import re
from collections.abc import Callable

from sloagent import units
from sloagent.config.promql import code_and_texts
from sloagent.model.bucket import bound_matcher
from sloagent.model.slo import LatencySLI

WINDOW = "$window"
_TEMPLATE = re.compile(r"\{\{\s*\.window\s*\}\}")
"""What Sloth puts in place of a range."""
_RANGE = re.compile(r"(?<=\[)\s*([0-9][0-9a-z.]*)\s*(?=[\]:])")
_BRACES = r"""\{(?:[^{}"'`]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*\}"""
_GROUPING = r"(?:by|without)\s*\([^()]*\)"
_COUNTERS = re.compile(
    rf"(?P<head>(?:sum\s*(?:{_GROUPING}\s*)?\(\s*)?)"
    rf"(?P<selector>[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:{_BRACES})?|{_BRACES})"
    rf"(?P<tail>\s*(?:\)\s*(?:{_GROUPING})?)?)"
)


def ranges(query: str) -> set[int]:
    """The whole seconds over which a query looks back, where they are written as ranges."""
    found: set[int] = set()

    def note(written: re.Match[str]) -> str:
        length = _seconds(written[1])
        if length is not None:
            found.add(length)
        return written[0]

    _in_code(query, note)
    return found


def with_window(query: str, window: int) -> str:
    """The query with `$window` for each range of `window` seconds, as an SLO file has it."""
    return _in_code(query, lambda written: WINDOW if _seconds(written[1]) == window else written[0])


def without_templates(query: str) -> str:
    """The query with `$window` for Sloth's `{{.window}}`."""
    return _TEMPLATE.sub(WINDOW, query)


def with_range(query: str, window: int) -> str:
    """The query with its window written out."""
    return query.replace(WINDOW, units.written_duration(window))


def looks_back(query: str) -> bool:
    """Whether a query has a range at all."""
    return any("[" in text for text, is_code in code_and_texts(query) if is_code)


def per_second(query: str) -> str | None:
    """The events per second of counters, or of their sum; None of anything else, where it cannot be told what to rate."""
    found = _COUNTERS.fullmatch(query.strip())
    if found is None or bool(found["head"]) != (")" in found["tail"]):
        return None
    return f"{found['head']}rate({found['selector']}[{WINDOW}]){found['tail']}"


def of_latency(sli: LatencySLI, at_most: float, window: int) -> tuple[str, str]:
    """The queries of a latency's events within the limit and of all its events, per second.

    Of several histograms those of the first that has any series.
    """

    def first(matcher: str) -> str:
        parts, before = [], ""
        for name in sli.histograms:
            by = f" by ({', '.join(sli.by)}) " if sli.by else ""
            found = f"sum{by}(rate({_selector(name, matcher, sli.where)}[{length}]))"
            parts.append(f"({found}{before})" if before else found)
            before += f" unless on () rate({_selector(name, sli.where)}[{length}])"
        return "\nor ".join(parts)

    length = units.written_duration(window)
    return first(bound_matcher(at_most)), first('le="+Inf"')


def _selector(name: str, *matchers: str) -> str:
    return f"{name}_bucket{{{', '.join(matcher for matcher in matchers if matcher)}}}"


def _in_code(query: str, replaced: Callable[[re.Match[str]], str]) -> str:
    return "".join(_RANGE.sub(replaced, text) if is_code else text for text, is_code in code_and_texts(query))


def _seconds(written: str) -> int | None:
    try:
        length = units.duration(written)
    except units.UnitError:
        return None
    return int(length) if length == int(length) and length else None
