"""From an SLI to its query: one question for everything that a slot needs to know of it."""

from __future__ import annotations

from sloagent.model.slo import SLI, LatencySLI, RatioSLI, ValueSLI

WINDOW = "$window"
SIDE_LABEL = "sloagent_side"
PART, TOTAL = "part", "total"
"""The two sides of a ratio, told apart in the one answer by a label."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def duration(seconds: int) -> str:
    """A duration as Prometheus writes it, in the largest unit that it is a whole multiple of: `5m`, `90s`."""
    for length, unit in _UNITS:
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def questions(sli: SLI, window: str) -> tuple[tuple[str, str], ...]:
    """The queries of an SLI over a window such as `5m`, in the order to ask, each with the histogram's name or ""."""
    match sli:
        case LatencySLI():
            return _latencies(sli, "rate", window)
        case RatioSLI():
            return ((_ratio(sli, window), ""),)
        case ValueSLI():
            return ((resolved(sli.query, window), ""),)


def piece_questions(sli: LatencySLI | RatioSLI, milliseconds: int) -> tuple[tuple[str, str], ...]:
    """The queries of what an SLI counted over a piece: increases of a latency, rates of a ratio."""
    window = f"{milliseconds}ms"
    match sli:
        case LatencySLI():
            return _latencies(sli, "increase", window)
        case RatioSLI():
            return ((_ratio(sli, window), ""),)


def _latencies(sli: LatencySLI, function: str, window: str) -> tuple[tuple[str, str], ...]:
    asked = [(name, sli.where) for name in sli.histograms]
    asked += [(bound.histogram, bound.where) for bound in sli.lower_bounds]
    return tuple((_latency(sli, name, where, function, window), name) for name, where in asked)


def _latency(sli: LatencySLI, name: str, where: str, function: str, window: str) -> str:
    by = ", ".join(sli.by if sli.native else ("le", *sli.by))
    selector = f"{name if sli.native else name + '_bucket'}{{{where}}}"
    return f"sum by ({by}) ({function}({selector}[{window}]))"


def _ratio(sli: RatioSLI, window: str) -> str:
    """Both sides in one answer. Line breaks keep a comment at the end of a side from swallowing what follows."""
    sides = ((PART, sli.events), (TOTAL, sli.total))
    return " or ".join(
        f'label_replace({enclosed(resolved(query, window))}, "{SIDE_LABEL}", "{side}", "", "")' for side, query in sides
    )


def resolved(query: str, window: str) -> str:
    """The query over a window such as `5m`."""
    return query.replace(WINDOW, window)


def enclosed(query: str) -> str:
    """The query in brackets; a line break keeps a comment at its end from swallowing them."""
    query = query.strip()
    return f"({query}\n)" if "#" in query else f"({query})"
