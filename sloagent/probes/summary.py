"""Latencies as a table of the kind that people paste into reports: N, min, median, mean, standard deviation, max, errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the calls of one kind: how many failed or did not end, and the latencies of the others, seconds."""

    name: str
    latencies: Sequence[float]
    """Of the calls that succeeded, ascending."""
    errors: int = 0
    unfinished: int = 0
    """Calls that were cut off, or never begun, at the end of the measurement."""

    @property
    def calls(self) -> int:
        """All that were to be made: N, the errors and the unfinished."""
        return len(self.latencies) + self.errors + self.unfinished

    @property
    def mean(self) -> float | None:
        """The arithmetic mean; None without latencies, as are all the numbers below."""
        return math.fsum(self.latencies) / len(self.latencies) if self.latencies else None

    @property
    def median(self) -> float | None:
        """The middle one, or the mean of the two in the middle."""
        count = len(self.latencies)
        return (self.latencies[(count - 1) // 2] + self.latencies[count // 2]) / 2 if count else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation of these latencies, divided by N, as gmeasure does."""
        if (mean := self.mean) is None:
            return None
        return math.sqrt(math.fsum((latency - mean) ** 2 for latency in self.latencies) / len(self.latencies))

    def percentile(self, percent: float) -> float | None:
        """The least latency that `percent` of all are at or below: one that was measured, never one between two."""
        if not self.latencies:
            return None
        return self.latencies[max(math.ceil(len(self.latencies) * percent / 100 - 1e-9), 1) - 1]


def summarize(name: str, latencies: Iterable[float], *, errors: int = 0, unfinished: int = 0) -> Summary:
    """The summary of latencies in any order, seconds."""
    return Summary(name, sorted(latencies), errors, unfinished)


def table(summaries: Sequence[Summary]) -> str:
    """The summaries as Ginkgo's gmeasure prints them, errors first; ends with a line break.

    Without a single latency there are dashes, no zeros.
    """
    lines = []
    for summary in summaries:
        lines.append(f"{summary.name} [errors]: {summary.errors}/{summary.calls}")
        if summary.unfinished:
            lines.append(f"{summary.name} [unfinished]: {summary.unfinished}/{summary.calls}")
    rows: list[Sequence[str]] = [("Name", "N", "Min", "Median", "Mean", "StdDev", "Max")]
    for summary in summaries:
        numbers = (
            summary.percentile(0), summary.median, summary.mean, summary.deviation, summary.percentile(100),
        )  # fmt: skip
        rows.append((f"{summary.name} [duration]", str(len(summary.latencies)), *map(written, numbers)))
    head, *body = columns(rows)
    return "\n".join([*lines, head, "=" * max(map(len, [head, *body])), *(line.rstrip() for line in body)]) + "\n"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, their cells one below the other; all of one length."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def written(seconds: float | None) -> str:
    """Write a duration as gmeasure does, to 0.1 ms: `1.7ms`, `707.3ms`, `1.2345s`, `1m2.5s`; below 1 ms `931µs`."""
    if seconds is None:
        return "-"
    micros = round(seconds * 1e6)
    if abs(micros) < 1000:
        return f"{micros}µs"
    tenths = round(seconds * 1e4)
    if abs(tenths) < 10_000:
        return f"{tenths / 10:.1f}".removesuffix(".0") + "ms"
    minutes, left = divmod(tenths, 600_000)
    hours, minutes = divmod(minutes, 60)
    rest = f"{left / 10_000:.4f}".rstrip("0").removesuffix(".")
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"
