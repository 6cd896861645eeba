"""How an SLO came out in one phase: decided once, so that every format says the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sloagent.evaluation.tallying import badness
from sloagent.model.slo import Gate
from sloagent.model.verdict import Cause, Outcome, RangeSummary, RangeVerdict, Verdict


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """One SLO in one phase of the run."""

    summary: RangeSummary
    """Its series as they were judged: where `whole` is there, each by all its events together."""
    judged_by: Gate | None
    """The reading that `summary.outcome` rests on; None where neither a window nor an event tells of the phase."""
    whole: Verdict | None = None
    """Where no window lies wholly inside the phase: the worst series's events of all of it, which decide."""

    @property
    def outcome(self) -> Outcome:
        """What is shown for the phase."""
        return self.summary.outcome


def phase_result(summary: RangeSummary) -> PhaseResult:
    """The phase by its windows or, where none lies wholly inside that counts, by all events together."""
    if summary.windows.expected > summary.windows.excluded:
        objective = summary.slo.objective
        return PhaseResult(summary, objective.gate if objective else Gate.WINDOWS)
    # Too few events tell nothing, here as anywhere.
    told = [whole for one in summary.series if (whole := _told(one)) is not None]
    if not told:
        return PhaseResult(summary, None)
    worst = min(told, key=badness)
    series = sorted((_as_a_whole(one) for one in summary.series), key=_order)
    judged = replace(summary, outcome=worst.outcome, cause=worst.cause, series=tuple(series))
    return PhaseResult(judged, Gate.WHOLE_RUN, worst)


def _told(series: RangeVerdict) -> Verdict | None:
    whole = series.whole
    return whole if whole is not None and whole.value is not None and whole.cause is not Cause.TOO_FEW_EVENTS else None


def _as_a_whole(series: RangeVerdict) -> RangeVerdict:
    whole = series.whole
    return series if whole is None else replace(series, outcome=whole.outcome, cause=whole.cause, gates=whole.gates)


def _order(series: RangeVerdict) -> tuple[bool, tuple[float, ...]]:
    """Those that tell something first, the worst of them at the head."""
    told = _told(series)
    return told is None, badness(told) if told else ()
