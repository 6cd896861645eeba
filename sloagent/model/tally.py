"""Counts over many slots that can be added: what a range's summary is made from, and what an hourly roll-up keeps.

Because a summary is computed from a tally and tallies add exactly, rolling old rows up cannot change a report's numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import overload

from sloagent.model.slo import Labels
from sloagent.model.verdict import WorstWindow


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a value's windows. They add exactly, so that the mean is the same from any grouping."""

    count: int = 0
    """Windows whose number is finite."""
    total: Fraction = Fraction(0)
    """The exact sum of those."""
    least: float | None = None
    greatest: float | None = None
    """Of all numbers, infinities among them; None where there was no number."""

    @property
    def mean(self) -> float | None:
        """The correctly rounded mean; None without numbers, and where one of them is infinite."""
        if not self.count or self.least is None or self.greatest is None:
            return None
        return float(self.total / self.count) if isfinite(self.least) and isfinite(self.greatest) else None


class Minima(Sequence[tuple[int, float]]):
    """(start, least value) pairs, sixteen bytes each: as tuples those of a week of a thousand series take 100 MB."""

    __slots__ = ("_starts", "_values")

    def __init__(self, pairs: Iterable[tuple[int, float]]) -> None:
        # Twice as quick as appending, pair by pair.
        starts, values = tuple(zip(*pairs, strict=True)) or ((), ())
        self._starts, self._values = array("q", starts), array("d", values)

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return zip(self._starts, self._values, strict=True)

    @overload
    def __getitem__(self, index: int) -> tuple[int, float]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[int, float]]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, float] | Sequence[tuple[int, float]]:
        if isinstance(index, slice):
            return tuple(zip(self._starts[index], self._values[index], strict=True))
        return self._starts[index], self._values[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple | Minima) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Minima({list(self)!r})"


@dataclass(frozen=True, slots=True)
class SeriesTally:
    """One series over the slots in whose answers it had a row. good + bad + undecided + idle + too_few = its rows."""

    good: int = 0
    warned: int = 0
    bad: int = 0
    undecided: int = 0
    idle: int = 0
    too_few: int = 0
    measured: int = 0
    """Windows with data of an SLO without objective."""
    worst: WorstWindow | None = None
    minima: Sequence[tuple[int, float]] = ()
    """(start, least value) of each two-minute stretch, ascending: for the leak slope; only of SLOs with a leak limit."""
    numbers: Numbers | None = None
    """Only of a value; None too where an hour was summed up by a version that did not count them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One SLO over the slots of a stretch that were recorded."""

    recorded: int = 0
    refused: int = 0
    """Of those, slots recorded as `error` for the whole SLO: undecided for every series."""
    refusals: Mapping[str, int] = field(default_factory=dict)
    """How often each `samples.Kind` was the refusal."""
    histograms: tuple[str, ...] = ()
    """Metric names that answered, in order of first use."""
    overrides_used: frozenset[Labels] = frozenset()
    """The `match` of each override that applied to a series."""
    series: Mapping[Labels, SeriesTally] = field(default_factory=dict)
