"""The parts of an SLO's record, read back from the shape of the run file. Raises MistakeError."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf, nan
from typing import Protocol, TypeVar

from sloagent.app import run_file_shape as shape
from sloagent.app.run_file_mistake import MistakeError, at, each
from sloagent.app.run_file_promises import Labels as WrittenLabels
from sloagent.app.run_file_promises import Number
from sloagent.app.run_file_sets import read_labels, read_limit, read_match
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted
from sloagent.model.record import Day, Line, Part, Stated
from sloagent.model.samples import Events
from sloagent.model.slo import SLO, Labels
from sloagent.model.tally import Minima, Numbers, SeriesTally, Tally
from sloagent.model.verdict import Quantile, Share, Verdict, WorstWindow

T = TypeVar("T")


class _Labelled(Protocol):
    @property
    def labels(self) -> WrittenLabels: ...


E = TypeVar("E", bound=_Labelled)
_WORDS = {"NaN": nan, "+Inf": inf, "-Inf": -inf}


def number(written: Number) -> float:
    """A number, or one of the words for what JSON lacks."""
    return _WORDS[written] if isinstance(written, str) else written


def number_or_none(written: Number | None) -> float | None:
    """The same of what may be absent."""
    return None if written is None else number(written)


def bounds(written: Sequence[Number]) -> tuple[float, ...]:
    """The bounds of a histogram."""
    row = tuple(number(bound) for bound in written)
    if not row or row[-1] != inf or not all(low < high for low, high in pairwise(row)):
        raise MistakeError("the bounds of a histogram ascend, and the last is +Inf")
    return row


def by_labels(name: str, entries: Sequence[E], read: Callable[[Labels, E], T]) -> dict[Labels, T]:
    """What is kept by labels; each entry names its own."""

    def one(entry: E) -> tuple[Labels, T]:
        labels = read_labels(entry.labels)
        return labels, read(labels, entry)

    found = dict(each(name, entries, one))
    if len(found) < len(entries):
        raise MistakeError("two entries have the same labels", name)
    return found


def means(_: Labels, written: shape.Means) -> tuple[float, ...]:
    """The means of a series."""
    return tuple(number(mean) for mean in written.means)


def stated(_: Labels, written: shape.Stated) -> Stated:
    """Numbers that somebody wrote down."""
    return Stated(
        {percent: number(value) for percent, value in written.percentiles},
        number_or_none(written.value), number_or_none(written.count), number_or_none(written.calls),
        number_or_none(written.errors), number_or_none(written.minimum), number_or_none(written.mean),
        number_or_none(written.deviation), number_or_none(written.maximum),
    )  # fmt: skip


def _numbers(written: shape.Numbers) -> Numbers:
    total = Fraction(written.total)
    try:
        float(total / max(written.count, 1))
    except OverflowError:
        raise MistakeError("no numbers have so large a mean", "numbers.total") from None
    return Numbers(written.count, total, number_or_none(written.least), number_or_none(written.greatest))


@dataclass(frozen=True, slots=True)
class Parts:
    """Reads the parts of one SLO's record, whose distributions name one of the file's rows of bounds."""

    slo: SLO
    bounds: Sequence[tuple[float, ...]]

    def part(self, written: shape.Part) -> Part:
        """The SLO over a stretch."""
        whole = None if written.whole is None else by_labels("whole", written.whole, self._counted)
        answered = {read_labels(one.labels): one.answered for one in written.whole or () if one.answered}
        return Part(written.expected, written.excluded, at("tally", self._tally, written.tally), whole, answered)

    def day(self, written: shape.Day) -> Day:
        """The SLO over a day."""
        return Day(written.start, at("part", self.part, written.part))

    def line(self, written: shape.Line) -> Line:
        """A series over time."""
        labels = read_labels(written.labels)

        def window(entry: tuple[int, shape.Verdict]) -> tuple[int, Verdict]:
            return entry[0], self._verdict(labels, entry[1])

        return Line(labels, each("windows", written.windows, window), written.seen)

    def _tally(self, written: shape.Tally) -> Tally:
        return Tally(
            written.recorded, written.refused, written.refusals, written.histograms,
            frozenset(read_match(match) for match in written.overrides_used),
            by_labels("series", written.series, self._series),
        )  # fmt: skip

    def _series(self, labels: Labels, written: shape.Series) -> SeriesTally:
        def worst(window: shape.Worst) -> WorstWindow:
            return WorstWindow(
                window.slot, at("verdict", lambda verdict: self._verdict(labels, verdict), window.verdict)
            )

        return SeriesTally(
            written.good, written.warned, written.bad, written.undecided, written.idle, written.too_few,
            written.measured, None if written.worst is None else at("worst", worst, written.worst),
            Minima((start, number(least)) for start, least in written.minima),
            None if written.numbers is None else _numbers(written.numbers),
        )  # fmt: skip

    def _verdict(self, labels: Labels, written: shape.Verdict) -> Verdict:
        if len(written.quantiles) not in (0, len(self.slo.quantiles)):
            raise MistakeError(f"the SLO has {len(self.slo.quantiles)} percentiles", "quantiles")
        share = written.good_share
        return Verdict(
            labels, written.outcome, written.cause, written.gates,
            number_or_none(written.events), number_or_none(written.value),
            tuple(None if q is None else Quantile(*map(number, q)) for q in written.quantiles),
            None if share is None else Share(*map(number, share)),
            read_limit(written.limit), written.overridden, written.detail, written.lower_bound,
        )  # fmt: skip

    def _counted(self, _: Labels, written: shape.Counted) -> Counted:
        if written.bounds is None:
            if written.counts:
                raise MistakeError("counts without bounds")
            return Events(number_or_none(written.part), number_or_none(written.total))
        if written.part is not None or written.total is not None:
            raise MistakeError("it is a distribution or the two sides of a ratio, not both")
        if written.bounds >= len(self.bounds):
            raise MistakeError(f"the file has {len(self.bounds)} rows of bounds", "bounds")
        row = self.bounds[written.bounds]
        if len(written.counts) != len(row):
            raise MistakeError(f"{len(row)} bounds have {len(written.counts)} counts", "counts")
        return Distribution(row, written.counts)
