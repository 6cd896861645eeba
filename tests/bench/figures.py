"""What was measured, held against its target; the machine it was measured on; the table that shows both."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROUNDS = 5
"""Every figure is the median of so many rounds; ratios are taken within one round, so both sides see the same machine."""

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


@dataclass(frozen=True)
class Figure:
    """One line of the table. `met` is None where there is no target, only a report or an aim."""

    what: str
    data: str
    target: str
    measured: str
    met: bool | None = None

    @property
    def word(self) -> str:
        return {True: "met", False: "MISSED", None: "reported"}[self.met]


def at_most(what: str, data: str, value: float, limit: float, show: Callable[[float], str]) -> Figure:
    return Figure(what, data, f"≤ {show(limit)}", show(value), value <= limit)


def at_least(what: str, data: str, value: float, limit: float, show: Callable[[float], str]) -> Figure:
    return Figure(what, data, f"≥ {show(limit)}", show(value), value >= limit)


def times(value: float) -> str:
    return f"{value:.2f} ×"


def middle(measure: Callable[[], float], rounds: int = ROUNDS) -> float:
    return median(measure() for _ in range(rounds))


def table(figures: Sequence[Figure]) -> str:
    """The table as Markdown, which also reads well on a terminal."""
    rows = [("what", "data", "target", "measured", "")]
    rows += [(f.what, f.data, f.target, f.measured, f.word) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """The machine in one line: cores, processor, Python, Prometheus; nothing that names it."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    said = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=True)
    words = (said.stdout or said.stderr).split()
    prometheus = words[words.index("version") + 1]
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {model}, Python {platform.python_version()}, Prometheus {prometheus}, Linux"


def write(figures: Sequence[Figure]) -> None:
    """Put the table between its marks in docs/benchmarks.md."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}Measured on {machine()}.\n\n{table(figures)}{END}{after}")
