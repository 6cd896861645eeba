"""A range concluded: per series the good windows, the whole stretch and the worst window; one of them is the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sloagent.evaluation.drift import growth, is_leak
from sloagent.evaluation.judge import judge_series
from sloagent.evaluation.latency import as_lower_bound
from sloagent.evaluation.quantiles import reaches
from sloagent.evaluation.roll_up import roll_up
from sloagent.evaluation.tallying import badness, merge, tally
from sloagent.model.piece import Counted
from sloagent.model.record import Part
from sloagent.model.slo import SLO, Gate, Labels, LatencySLI, Objective, ValueSLI
from sloagent.model.tally import SeriesTally, Tally
from sloagent.model.verdict import Cause, Growth, Outcome, RangeSummary, RangeVerdict, Share, Verdict, Windows

__all__ = ["merge", "summarise", "summary_of", "tally"]

LEAST_EVALUATED = 0.9
"""Of the expected slots, less the excluded ones: below this nothing passes."""

_Reading = tuple[Outcome, Cause]
_TOO_LITTLE: _Reading = (Outcome.INCONCLUSIVE, Cause.TOO_LITTLE_EVALUATED)
_NO_WINDOWS = SeriesTally()
_NOTHING_TOLD: Mapping[Labels, Sequence[str]] = MappingProxyType({})


def summarise(
    slo: SLO,
    tally: Tally,
    *,
    expected: int,
    excluded: int,
    whole: Mapping[Labels, Counted] | None,
    answered_by: Mapping[Labels, Sequence[str]] = _NOTHING_TOLD,
) -> RangeSummary:
    """The verdict of one SLO over a range, its series worst first.

    `expected` slots lie in the range, `excluded` ones of them do not count; `tally` is of the recorded others. `whole`
    are each series's events over the stretch, None where they are not (all) known, and `answered_by` the metrics that
    they were read from, where one of them is a lower bound. A series seen anywhere counts as expected in all of the
    range. Windows below `min_events` are listed and leave the denominator, as idle ones do: they do not gate a slot, so
    they do not gate a range.
    """
    missing = max(0, expected - excluded - tally.recorded)
    answered = tally.recorded - tally.refused
    counting = expected - excluded
    enough = counting <= 0 or reaches(answered / counting, LEAST_EVALUATED)
    judge_one = judge_series(slo, 1.0)
    bounded = bool(_lower_bound(slo, tally.histograms))
    rows: list[RangeVerdict] = []
    for labels in sorted({*tally.series, *(whole or {})}):
        row = tally.series.get(labels, _NO_WINDOWS)
        counted = whole.get(labels) if whole is not None else None
        reading = judge_one(labels, counted) if counted is not None else None
        if reading is not None:
            reading = as_lower_bound(reading, _lower_bound(slo, answered_by.get(labels, ())))
        windows = _windows(row, tally, expected, excluded, missing)
        rows.append(_series(slo, labels, row, windows, reading, enough, bounded=bounded))
    rows.sort(key=_range_badness)
    outcome, cause = _conclude(rows, tally, missing)
    windows = Windows(
        expected, good=0, warned=0, bad=0, undecided=tally.refused + missing, idle=0, too_few=0,
        excluded=excluded, missing=missing, measured=answered, refused=tally.refused,
    )  # fmt: skip
    overrides = slo.objective.overrides if slo.objective else ()
    return RangeSummary(
        slo, outcome, cause, windows, tuple(rows),
        detail=", ".join(f"{kind} ×{count}" for kind, count in tally.refusals.items()),
        histograms=tally.histograms,
        unused_overrides=tuple(o.match for o in overrides if o.match not in tally.overrides_used),
    )  # fmt: skip


def summary_of(slo: SLO, part: Part) -> RangeSummary:
    """The verdict of one SLO over a part of a run."""
    return summarise(
        slo, part.tally, expected=part.expected, excluded=part.excluded, whole=part.whole, answered_by=part.answered
    )


def _lower_bound(slo: SLO, histograms: Sequence[str]) -> str:
    return slo.sli.lower_bound(histograms) if isinstance(slo.sli, LatencySLI) else ""


def _windows(row: SeriesTally, tally: Tally, expected: int, excluded: int, missing: int) -> Windows:
    rows = row.good + row.bad + row.undecided + row.idle + row.too_few + row.measured
    return Windows(
        expected, row.good, row.warned, row.bad,
        undecided=row.undecided + tally.refused + missing,
        idle=row.idle + tally.recorded - tally.refused - rows,
        too_few=row.too_few, excluded=excluded, missing=missing, measured=row.measured, refused=tally.refused,
    )  # fmt: skip


def _series(
    slo: SLO, labels: Labels, row: SeriesTally, windows: Windows, whole: Verdict | None, enough: bool, *, bounded: bool
) -> RangeVerdict:
    objective = slo.objective
    judged = row.good + row.bad + row.undecided
    share = (
        Share(windows.good / windows.judged, (windows.good + windows.undecided) / windows.judged) if judged else None
    )
    if objective is None:
        (outcome, cause), gates = _measured(slo, row, whole), False
    elif objective.gate is Gate.WHOLE_RUN:
        outcome, cause = _whole_gate(slo, row, whole, enough, bounded=bounded)
        gates = outcome is not Outcome.NO_DATA and cause is not Cause.TOO_FEW_EVENTS
    elif share is None:
        (outcome, cause), gates = _ungated(slo, row), False
    elif row.good + row.bad == 0 and row.worst is not None and row.worst.verdict.cause is Cause.BAD_ABSENT:
        outcome, cause, gates = Outcome.NO_DATA, Cause.BAD_ABSENT, False
    else:
        outcome, cause = _window_gate(objective, windows, share, enough)
        gates = True
    grown: Growth | None = None
    if objective is not None and objective.grows_at_most is not None:
        grown = growth(row.minima, row.good + row.bad + row.measured)
        if grown is not None and outcome in (Outcome.MEASURED, Outcome.PASS, Outcome.WARN, Outcome.INCONCLUSIVE):
            if is_leak(grown, objective.grows_at_most):
                outcome, cause, gates = Outcome.FAIL, Cause.GROWS, True
            elif outcome is Outcome.MEASURED:
                outcome, cause = (Outcome.PASS, Cause.DECIDED) if enough else _TOO_LITTLE
                gates = True
    limit = objective.limit_for(labels) if objective else None
    return RangeVerdict(
        labels, outcome, cause, gates, windows, share, whole, row.worst, grown, limit,
        overridden=objective is not None and limit is not objective.limit,
    )  # fmt: skip


def _window_gate(objective: Objective, windows: Windows, share: Share, enough: bool) -> _Reading:
    """`windows` or `worst_window`. A fail is certain as soon as no reading of the undecided windows could save it."""
    if objective.gate is Gate.WORST_WINDOW:
        failed, kept, calm = windows.bad > 0, windows.undecided == 0, windows.warned == 0
    else:
        least = objective.windows_at_least
        failed, kept = not reaches(share.upper, least), reaches(share.lower, least)
        calm = reaches((windows.good - windows.warned) / windows.judged, least)
    if failed:
        return Outcome.FAIL, Cause.DECIDED
    if not enough:
        return _TOO_LITTLE
    if not kept:
        return Outcome.INCONCLUSIVE, Cause.UNDECIDED_WINDOWS
    return Outcome.PASS if calm else Outcome.WARN, Cause.DECIDED


def _whole_gate(slo: SLO, row: SeriesTally, whole: Verdict | None, enough: bool, *, bounded: bool) -> _Reading:
    counted = row.good + row.bad + row.undecided
    if whole is None:
        return _TOO_LITTLE if counted else _ungated(slo, row)
    if whole.outcome in (Outcome.PASS, Outcome.WARN) and not enough:
        return _TOO_LITTLE
    if whole.outcome in (Outcome.PASS, Outcome.WARN) and bounded:
        # A window of this stretch was judged by a part alone: the events of the whole are not all there.
        return Outcome.INCONCLUSIVE, Cause.LOWER_BOUND
    if whole.outcome is Outcome.NO_DATA and whole.cause is not Cause.BAD_ABSENT and counted:
        # Windows counted events and the stretch as a whole none: the pieces do not tell of all of it.
        return _TOO_LITTLE
    return whole.outcome, whole.cause


def _measured(slo: SLO, row: SeriesTally, whole: Verdict | None) -> _Reading:
    if row.measured or (whole is not None and whole.outcome is Outcome.MEASURED):
        return Outcome.MEASURED, Cause.NO_OBJECTIVE
    if row.undecided and row.worst is not None:
        return row.worst.verdict.outcome, row.worst.verdict.cause
    return _ungated(slo, row)


def _ungated(slo: SLO, row: SeriesTally) -> _Reading:
    """A series that no window of its own could judge: listed and counted, never passed."""
    if row.measured:
        return Outcome.MEASURED, Cause.NO_OBJECTIVE
    if row.too_few:
        return Outcome.INCONCLUSIVE, Cause.TOO_FEW_EVENTS
    if isinstance(slo.sli, ValueSLI):
        return Outcome.NO_DATA, Cause.NOT_A_NUMBER if row.idle else Cause.NO_SERIES
    return Outcome.NO_DATA, Cause.NO_EVENTS


def _range_badness(row: RangeVerdict) -> tuple[tuple[float, ...], float, tuple[float, ...], Labels]:
    own = badness(Verdict(row.labels, row.outcome, row.cause, row.gates))[:1]
    worst = badness(row.worst.verdict) if row.worst else (9.0,)
    return own, row.good_windows.lower if row.good_windows else 1.0, worst, row.labels


def _conclude(rows: Sequence[RangeVerdict], tally: Tally, missing: int) -> _Reading:
    if not rows:
        if tally.refused and tally.refused == tally.recorded:
            return Outcome.ERROR, Cause.REFUSED
        if missing and not tally.recorded:
            return _TOO_LITTLE
        return Outcome.NO_DATA, Cause.NO_SERIES
    outcome = roll_up([(row.outcome, row.gates) for row in rows])
    match outcome:
        case Outcome.MEASURED:
            return outcome, Cause.NO_OBJECTIVE
        case Outcome.NO_DATA if any(row.cause is Cause.BAD_ABSENT for row in rows):
            return outcome, Cause.BAD_ABSENT
        case Outcome.NO_DATA:
            return outcome, Cause.NOT_GATING
    causes = {row.cause for row in rows if row.outcome is outcome and row.gates}
    shared = causes & {Cause.GROWS, Cause.TOO_LITTLE_EVALUATED, Cause.UNDECIDED_WINDOWS}
    return outcome, shared.pop() if len(causes) == 1 and shared else Cause.SERIES_DECIDE
