"""A result beside the baseline's: series by series, number by number, from the distributions of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sloagent.evaluation.compare import roll_up
from sloagent.evaluation.compare_series import compare_series
from sloagent.evaluation.comparing_words import sentence
from sloagent.evaluation.quantiles import quantile
from sloagent.model.comparison import WORST_FIRST, Change, Moved, Terms, Why
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted
from sloagent.model.record import SLORecord, Stated
from sloagent.model.slo import SLO, Labels, LatencySLI, RatioSLI
from sloagent.model.verdict import Cause, Quantile, RangeSummary
from sloagent.report.cells import name_of
from sloagent.report.words import Words


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two knows of an SLO's series."""

    counted: Mapping[Labels, Counted]
    means: Mapping[Labels, tuple[float, ...]]
    stated: Mapping[Labels, Stated]
    answered: Mapping[Labels, tuple[str, ...]] = field(default_factory=dict)
    slo: SLO | None = None
    """What was asked then; needed with `answered`."""

    def lower_bound(self, labels: Labels) -> str:
        """The metric of a part of what is measured that its numbers of a series are of; empty where they are not."""
        sli = self.slo.sli if self.slo is not None else None
        return sli.lower_bound(self.answered.get(labels, ())) if isinstance(sli, LatencySLI) else ""

    @property
    def series(self) -> set[Labels]:
        """The series of which it knows anything."""
        return {*self.counted, *self.means, *self.stated}


@dataclass(frozen=True, slots=True)
class SeriesComparison:
    """One series beside the baseline's."""

    labels: Labels
    overall: Moved
    """Its verdict."""
    numbers: tuple[Moved, ...]
    """Of a latency its percentiles, in the order of `SLO.quantiles`; else the one number."""
    buckets: tuple[tuple[Quantile | None, Quantile | None], ...] = ()
    """Of a latency, for each of `numbers`: the baseline's percentile and the current one with their buckets."""
    lower_bounds: tuple[str, str] = ("", "")
    """The metric that the baseline's numbers and the current ones are of, where it is a part of what is measured."""


@dataclass(frozen=True, slots=True)
class SLOComparison:
    """One SLO beside the baseline's, series worst first."""

    slo: SLO
    change: Change
    series: tuple[SeriesComparison, ...]
    terms: Terms
    earlier: RangeSummary | None = None
    """How it came out in the baseline; None where the baseline did not have it."""
    changed: bool = False
    """Whether the two were not asked or promised the same."""

    def sentence(self, words: Words) -> str:
        """What moved most, in a sentence."""
        if not self.series:
            return words.say("not_in_baseline" if self.earlier is None else "nothing_compared")
        worst = self.series[0]
        said = sentence(self.slo, worst.overall, self.terms, words.language)
        if all(worst.lower_bounds) and worst.overall.why is not Why.LOWER_BOUND:
            said = words.say("compared_part", said=said, name=worst.lower_bounds[1])
        name = name_of(worst.labels)
        return f"{name}: {said}" if name else said


def compared(
    one: SLORecord, earlier: tuple[SLORecord, RangeSummary] | None, summary: RangeSummary, terms: Terms
) -> SLOComparison:
    """An SLO beside the same SLO of the baseline, with how it came out there."""
    slo = summary.slo
    if earlier is None:
        return SLOComparison(slo, Change.CANNOT_TELL, (), terms)
    record, before = earlier
    # Numbers that were written down name no query: of what was asked, nothing is known that could have changed.
    stated = record.stated or one.stated or Cause.NOT_RUN in (before.cause, summary.cause)
    same = record.slo.objective == slo.objective if stated else record.slo.fingerprint() == slo.fingerprint()
    found = side_by_side(slo, side_of(record), side_of(one), terms)
    return SLOComparison(slo, roll_up_of(found), found, terms, earlier=before, changed=not same)


def roll_up_of(series: Iterable[SeriesComparison]) -> Change:
    """The verdict of an SLO from those of its series."""
    return roll_up(one.overall for one in series)


def side_of(record: SLORecord) -> Side:
    """The whole run as one side of a comparison."""
    return Side(record.whole.whole or {}, record.means, record.stated, record.whole.answered, record.slo)


def side_by_side(slo: SLO, baseline: Side, current: Side, terms: Terms) -> tuple[SeriesComparison, ...]:
    """Every series that either side knows, worst first. The level of the terms is shared among those that both know."""
    both = len(baseline.series & current.series) or 1
    found = [
        _series(slo, labels, baseline, current, terms, both) for labels in sorted(baseline.series | current.series)
    ]
    found.sort(key=_rank)
    return tuple(found)


def _rank(one: SeriesComparison) -> tuple[bool, int, float, Labels]:
    """The worst first, the greatest change of those at the head; what was not run in both decides nothing and is last."""
    moved = one.overall
    return moved.why is Why.NOT_RUN, WORST_FIRST.index(moved.change), -abs(moved.estimate or 0.0), one.labels


def _series(slo: SLO, labels: Labels, baseline: Side, current: Side, terms: Terms, both: int) -> SeriesComparison:
    measured = _measured(slo, labels, baseline, current, terms, both)
    earlier, now = baseline.stated.get(labels), current.stated.get(labels)
    return measured if earlier is None and now is None else _stated(slo, measured, earlier, now)


def _measured(slo: SLO, labels: Labels, baseline: Side, current: Side, terms: Terms, both: int) -> SeriesComparison:
    earlier, now = (side.means.get(labels) or side.counted.get(labels) for side in (baseline, current))
    found = compare_series(slo, labels, earlier, now, terms, both)
    if not isinstance(slo.sli, LatencySLI):
        return SeriesComparison(labels, found.overall, found.percentiles)
    before, after = (one if isinstance(one, Distribution) else None for one in (earlier, now))
    buckets = tuple((_quantile(before, p), _quantile(after, p)) for p in slo.quantiles)
    return _with_lower_bounds(SeriesComparison(labels, found.overall, found.percentiles, buckets), baseline, current)


def _with_lower_bounds(found: SeriesComparison, baseline: Side, current: Side) -> SeriesComparison:
    """The comparison where either side may be a part of what is measured: a part is comparable with itself alone."""
    bounds = baseline.lower_bound(found.labels), current.lower_bound(found.labels)
    same = all(side.answered.get(found.labels) == bounds[:1] for side in (baseline, current))
    if not any(bounds) or same or found.overall.why is Why.NOT_RUN:
        return replace(found, lower_bounds=bounds)
    overall, *numbers = (
        Moved(Change.CANNOT_TELL, Why.LOWER_BOUND, moved.baseline, moved.current)
        for moved in (found.overall, *found.numbers)
    )
    return replace(found, overall=overall, numbers=tuple(numbers), lower_bounds=bounds)


def _quantile(counted: Distribution | None, percentile: float) -> Quantile | None:
    return quantile(counted, percentile) if counted is not None else None


def _stated(slo: SLO, measured: SeriesComparison, earlier: Stated | None, now: Stated | None) -> SeriesComparison:
    """Numbers of which one at least was written down: their difference can be said, and nothing of how sure that is."""
    before = [_told(slo, earlier, place, moved.baseline) for place, moved in enumerate(measured.numbers)]
    current = [_told(slo, now, place, moved.current) for place, moved in enumerate(measured.numbers)]
    numbers = tuple(_two(*pair) for pair in zip(before, current, strict=True))
    decides = slo.quantiles.index(slo.main_percentile) if slo.quantiles else 0
    return SeriesComparison(measured.labels, numbers[decides], numbers, measured.buckets)


def _told(slo: SLO, stated: Stated | None, place: int, measured: float | None) -> float | None:
    """What is stated of a number or, where nothing is stated of the series, what was measured."""
    if stated is None:
        return measured
    if slo.quantiles:
        return stated.percentiles.get(slo.quantiles[place])
    good = stated.value
    return 1 - good if isinstance(slo.sli, RatioSLI) and good is not None else good


def _two(earlier: float | None, now: float | None) -> Moved:
    if earlier is None or now is None:
        return Moved(Change.CANNOT_TELL, Why.NOT_RUN, earlier, now)
    ratio = now / earlier - 1 if earlier else None
    return Moved(Change.CANNOT_TELL, Why.NO_DISTRIBUTION, earlier, now, ratio)
