"""Slots counted. Tallies of neighbouring stretches add to exactly the tally of both, in any grouping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isfinite

from sloagent.evaluation.drift import STRETCH_SECONDS
from sloagent.model.slo import SLO, Labels, ValueSLI
from sloagent.model.tally import Minima, Numbers, SeriesTally, Tally
from sloagent.model.verdict import Cause, Outcome, SlotVerdict, Verdict, WorstWindow

Badness = tuple[float, ...]


_SMALLEST_BITS = 1074
"""Every finite double is a whole multiple of 2 ** -1074."""


@dataclass(slots=True)
class Adding:
    """Numbers while they are being added."""

    count: int = 0
    total: int = 0
    """In units of 2 ** -1074."""
    least: float | None = None
    greatest: float | None = None

    def see(self, value: float) -> None:
        """One more number."""
        if isfinite(value):
            self._add(1, value)
        self._stretch(value, value)

    def add(self, numbers: Numbers) -> None:
        """Those of another stretch."""
        self._add(numbers.count, numbers.total)
        if numbers.least is not None and numbers.greatest is not None:
            self._stretch(numbers.least, numbers.greatest)

    def _add(self, count: int, exact: float | Fraction) -> None:
        numerator, denominator = exact.as_integer_ratio()
        self.count += count
        self.total += numerator << (_SMALLEST_BITS + 1 - denominator.bit_length())

    def _stretch(self, least: float, greatest: float) -> None:
        # Of 0.0 and -0.0, which are equal, the one would win that came first.
        self.least = least + 0.0 if self.least is None else min(self.least, least + 0.0)
        self.greatest = greatest + 0.0 if self.greatest is None else max(self.greatest, greatest + 0.0)

    def finished(self) -> Numbers:
        """What was added so far."""
        return Numbers(self.count, Fraction(self.total, 1 << _SMALLEST_BITS), self.least, self.greatest)


@dataclass(slots=True)
class _Counting:
    good: int = 0
    warned: int = 0
    bad: int = 0
    undecided: int = 0
    idle: int = 0
    too_few: int = 0
    measured: int = 0
    worst: WorstWindow | None = None
    worst_key: tuple[Badness, int] = ((inf,), 0)
    minima: dict[int, float] = field(default_factory=dict)
    numbers: Adding | None = None

    def count(self, verdict: Verdict) -> None:
        match verdict.outcome:
            case Outcome.PASS:
                self.good += 1
            case Outcome.WARN:
                self.good += 1
                self.warned += 1
            case Outcome.FAIL:
                self.bad += 1
            case Outcome.MEASURED:
                self.measured += 1
            case Outcome.INCONCLUSIVE if verdict.cause is Cause.TOO_FEW_EVENTS:
                self.too_few += 1
            case Outcome.NO_DATA if verdict.cause is not Cause.BAD_ABSENT:
                self.idle += 1
            case _:
                # Events were counted and could not be judged: no reading of that may turn into a good window.
                self.undecided += 1

    def consider(self, candidate: WorstWindow) -> None:
        key = (badness(candidate.verdict), candidate.slot)
        if self.worst is None or key < self.worst_key:
            self.worst, self.worst_key = candidate, key

    def least(self, start: int, value: float) -> None:
        self.minima[start] = min(value, self.minima.get(start, inf))

    def finished(self) -> SeriesTally:
        return SeriesTally(
            self.good, self.warned, self.bad, self.undecided, self.idle, self.too_few, self.measured,
            self.worst, Minima(sorted(self.minima.items())), None if self.numbers is None else self.numbers.finished(),
        )  # fmt: skip


def tally(slo: SLO, slots: Iterable[SlotVerdict]) -> Tally:
    """The tally of recorded slots, ascending; pending ones are no record and are left out."""
    recorded = refused = 0
    refusals: Counter[str] = Counter()
    histograms: dict[str, None] = {}
    used: set[Labels] = set()
    counting: dict[Labels, _Counting] = {}
    leaks = slo.objective is not None and slo.objective.grows_at_most is not None
    is_value = isinstance(slo.sli, ValueSLI)
    for slot in slots:
        if slot.pending:
            continue
        recorded += 1
        if slot.cause is Cause.REFUSED:
            refused += 1
            refusals[slot.kind] += 1
            continue
        if slot.question.histogram:
            histograms[slot.question.histogram] = None
        for verdict in slot.verdicts:
            series = counting.get(verdict.labels)
            if series is None:
                series = counting[verdict.labels] = _Counting(numbers=Adding() if is_value else None)
            series.count(verdict)
            if series.numbers is not None and verdict.value is not None:
                series.numbers.see(verdict.value)
            if verdict.outcome is not Outcome.NO_DATA or verdict.cause is Cause.BAD_ABSENT:
                series.consider(WorstWindow(slot.slot, verdict))
            if leaks and verdict.value is not None and isfinite(verdict.value):
                series.least(slot.slot // STRETCH_SECONDS * STRETCH_SECONDS, verdict.value)
            if verdict.overridden and slo.objective is not None:
                override = slo.objective.override_for(verdict.labels)
                used.update([override.match] if override else [])
    return Tally(
        recorded, refused, dict(sorted(refusals.items())), tuple(histograms), frozenset(used),
        {labels: counting[labels].finished() for labels in sorted(counting)},
    )  # fmt: skip


def merge(tallies: Iterable[Tally]) -> Tally:
    """The tally of all the stretches together; they must not overlap and be given in ascending order."""
    recorded = refused = 0
    refusals: Counter[str] = Counter()
    histograms: dict[str, None] = {}
    used: set[Labels] = set()
    counting: dict[Labels, _Counting] = {}
    for part in tallies:
        recorded += part.recorded
        refused += part.refused
        refusals.update(part.refusals)
        histograms.update(dict.fromkeys(part.histograms))
        used |= part.overrides_used
        for labels, row in part.series.items():
            into = counting.get(labels)
            if into is None:
                into = counting[labels] = _Counting(numbers=Adding())
            if row.numbers is None or into.numbers is None:
                into.numbers = None  # of a part nobody knows them, so nobody knows them of the whole
            else:
                into.numbers.add(row.numbers)
            into.good += row.good
            into.warned += row.warned
            into.bad += row.bad
            into.undecided += row.undecided
            into.idle += row.idle
            into.too_few += row.too_few
            into.measured += row.measured
            if row.worst is not None:
                into.consider(row.worst)
            for start, value in row.minima:
                into.least(start, value)
    return Tally(
        recorded, refused, dict(sorted(refusals.items())), tuple(histograms), frozenset(used),
        {labels: counting[labels].finished() for labels in sorted(counting)},
    )  # fmt: skip


_RANKS = {Outcome.FAIL: 0.0, Outcome.ERROR: 1.0, Outcome.WARN: 4.0, Outcome.PASS: 5.0, Outcome.MEASURED: 6.0}


def badness(verdict: Verdict) -> Badness:
    """How bad a verdict is, for sorting: the least is the worst. Outcome first, then the distance to the limit.

    A latency is worse with a smaller share within the limit, then with a higher bucket of its percentile.
    """
    rank = _RANKS.get(verdict.outcome)
    if rank is None:
        if verdict.outcome is Outcome.INCONCLUSIVE:
            rank = 7.0 if verdict.cause is Cause.TOO_FEW_EVENTS else 2.0
        else:
            rank = 3.0 if verdict.cause is Cause.BAD_ABSENT else 8.0
    value, limit = verdict.value, verdict.limit
    if verdict.quantiles:
        share = verdict.good_share.lower if verdict.good_share else 1.0
        shown = next((q for q in verdict.quantiles if q is not None and q.value == value), None)
        return (rank, share, -shown.lower, -shown.value) if shown else (rank, share, inf, inf)
    if value is None:
        return rank, inf
    promised = limit is not None and (limit.at_most is not None or limit.at_least is not None)
    falling_is_worse = limit.at_least is not None if limit and promised else verdict.good_share is not None
    return rank, value if falling_is_worse else -value
