"""A share of events, or a number, beside the baseline's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import expm1, hypot, isfinite, log, sqrt
from statistics import stdev

from sloagent.evaluation.counts_ratio import ratio_far
from sloagent.evaluation.deciding import STILL, Interval, Wander, Yardstick, around, decided, logarithmic
from sloagent.evaluation.quantiles import SLACK
from sloagent.evaluation.student import mean_error, student_quantile
from sloagent.model.comparison import Change, Moved, Terms, Why
from sloagent.model.samples import Events

LEAST_EVENTS = 100.0
"""Of either run, for its share to be compared."""
LEAST_BAD = 10.0
"""Bad events of both runs together: with fewer it is their number that keeps a change from being told."""
LEAST_PARTS = 6
"""Of either run, for their means to be compared."""
USUAL_PROMISE = 0.999
"""What is supposed to be promised where nothing is, or 100 %, which leaves no budget."""


def compare_shares(
    baseline: Events | None,
    current: Events | None,
    counts: str,
    terms: Terms,
    series: int = 1,
    looks: float = 1.0,
    wander: Wander = STILL,
    *,
    promised: float | None = None,
    absent_is_zero: bool = False,
) -> Moved:
    """What became of the share of bad events, of which more is worse. `counts` says what `part` is: "good" or "bad".

    Twice next to nothing is still next to nothing. So the share is the same if it surely changed by no more than the
    tolerance, or surely by no more than that part of the error budget (1 - `promised`); it is worse only if it surely
    changed by more than both. The interval of the ratio is that of its logarithm with half an event added to each count
    (Walter 1975), the interval of the difference is Newcombe's (1998, method 10). A share that cannot be judged, because
    a side is absent or exceeds the total, was not measured. `absent_is_zero`: bad events without series are none.
    """
    before, now = (_bad(run, counts, absent_is_zero) for run in (baseline, current))
    was, is_now = (pair[0] / pair[1] if pair else None for pair in (before, now))
    moved = Moved(Change.CANNOT_TELL, Why.NOT_RUN, was, is_now)
    if before is None or now is None:
        return moved
    if min(before[1], now[1]) < LEAST_EVENTS:
        return replace(moved, why=Why.TOO_FEW)
    yardstick = Yardstick(terms, series, looks, wander)
    far = yardstick.reach
    ratio = yardstick.widened(_ratio(before, now, far) if looks <= 1 else ratio_far(before, now, far))
    change, why = decided(ratio, logarithmic(terms), yardstick)
    difference = _difference(before, now, far)
    floor = terms.tolerance * (1 - (promised if promised is not None and promised < 1 else USUAL_PROMISE))
    if -floor <= difference.lower and difference.upper <= floor:
        change, why = Change.SAME, Why.DECIDED
    elif (change is Change.WORSE and difference.lower <= floor) or (
        change is Change.BETTER and difference.upper >= -floor
    ):
        change, why = Change.CANNOT_TELL, Why.STRADDLES
    if why is Why.STRADDLES and before[0] + now[0] < LEAST_BAD:
        why = Why.TOO_FEW
    moved = replace(moved, change=change, why=why)
    if before[0] == 0:
        return moved
    lower = expm1(ratio.lower) if now[0] else -1.0
    return replace(moved, estimate=now[0] / now[1] / (before[0] / before[1]) - 1, lower=lower, upper=expm1(ratio.upper))


def compare_values(
    baseline: Sequence[float],
    current: Sequence[float],
    terms: Terms,
    series: int = 1,
    looks: float = 1.0,
    *,
    falling_is_worse: bool = False,
) -> Moved:
    """What became of the mean of a number, told from the means of equal parts of either run.

    Welch's interval of the difference, relative to the baseline's mean; parts that resemble their neighbours count for
    fewer (`evaluation.student`). A mean of 0 has no relative change: any difference from it that is sure is one.
    """
    before, now = (sum(parts) / len(parts) if parts else None for parts in (baseline, current))
    moved = Moved(Change.CANNOT_TELL, Why.NOT_RUN, before, now)
    if before is None or now is None:
        return moved
    if min(len(baseline), len(current)) < LEAST_PARTS:
        return replace(moved, why=Why.TOO_FEW)
    if not (isfinite(before) and isfinite(now)):
        return replace(moved, why=Why.STRADDLES)
    scale = abs(before) or 1.0
    change = (now - before) / scale
    yardstick = Yardstick(terms if before else replace(terms, tolerance=0.0, noise=0.0), series, looks)
    errors = (_errors if looks <= 1 else _errors_of_look)(baseline, current, now / before if before else 1.0)
    half = _half_width(errors, yardstick.level / looks) / scale
    interval = around(change, half)
    edges = -yardstick.terms.tolerance, yardstick.terms.tolerance
    verdict, why = decided(around(-change, half) if falling_is_worse else interval, edges, yardstick)
    moved = replace(moved, change=verdict, why=why)
    known = bool(before) or verdict is Change.SAME
    return replace(moved, estimate=change, lower=interval.lower, upper=interval.upper) if known else moved


def _bad(run: Events | None, counts: str, absent_is_zero: bool) -> tuple[float, float] | None:
    """(bad events, all events); None where that cannot be said."""
    if run is None or run.total is None or not run.total > 0:
        return None
    part = run.part
    if part is None:
        if counts == "bad" and not absent_is_zero:
            return None
        part = 0.0
    if not 0 <= part <= run.total * (1 + SLACK):
        return None
    part = min(part, run.total)
    return (part if counts == "bad" else run.total - part), run.total


def share_shift(baseline: Events, current: Events, counts: str) -> tuple[float, float] | None:
    """(logarithm of the ratio of the shares of bad events, its standard error); None where one was not measured."""
    before, now = (_bad(run, counts, True) for run in (baseline, current))
    if before is None or now is None:
        return None
    interval = _ratio(before, now, 1.0)
    return (interval.lower + interval.upper) / 2, (interval.upper - interval.lower) / 2


def _ratio(before: tuple[float, float], now: tuple[float, float], far: float) -> Interval:
    return around(
        log((now[0] + 0.5) / (now[1] + 0.5) * (before[1] + 0.5) / (before[0] + 0.5)),
        far * sqrt(sum(1 / (bad + 0.5) - 1 / (total + 0.5) for bad, total in (before, now))),
    )


def _difference(before: tuple[float, float], now: tuple[float, float], far: float) -> Interval:
    (was, least, highest), (is_now, lowest, most) = (_wilson(*run, far) for run in (before, now))
    change = is_now - was
    return Interval(change, change - hypot(is_now - lowest, highest - was), change + hypot(most - is_now, was - least))


def _wilson(bad: float, total: float, far: float) -> tuple[float, float, float]:
    """(share, lower end, upper end)."""
    share, square = bad / total, far * far
    middle = share + square / (2 * total)
    half = far * sqrt(share * (1 - share) / total + square / (4 * total * total))
    return share, max(0.0, (middle - half) / (1 + square / total)), min(1.0, (middle + half) / (1 + square / total))


def _half_width(errors: Iterable[tuple[float, int]], level: float) -> float:
    """Of the interval of a number with these independent (errors, their degrees of freedom): Welch's."""
    variances = [(error**2, degrees) for error, degrees in errors]
    variance = sum(each for each, _ in variances)
    if variance == 0:
        return 0.0
    joint = variance**2 / sum(each**2 / degrees for each, degrees in variances)
    return student_quantile(level, max(1, int(joint))) * sqrt(variance)


def _errors(baseline: Sequence[float], current: Sequence[float], ratio: float) -> Iterator[tuple[float, int]]:
    """Of the baseline's mean, which errs `ratio` times as much beside a mean that is so many times its own, and of that."""
    error, degrees = mean_error(baseline)
    yield ratio * error, degrees
    yield mean_error(current)


def _errors_of_look(baseline: Sequence[float], current: Sequence[float], ratio: float) -> Iterator[tuple[float, int]]:
    """The same for a window of a run that goes on: it errs by what its parts differ by, and by what the baseline's do.

    Half an hour of a number that wanders from hour to hour knows nothing of that; the parts of the baseline do.
    """
    error, degrees = mean_error(baseline)
    yield ratio * error, degrees
    yield ratio * stdev(baseline), len(baseline) - 1
    yield stdev(current) / sqrt(len(current)), len(current) - 1
