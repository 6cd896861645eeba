"""An SLO as recording and alerting rules: what Prometheus evaluates where one machine is not enough for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sloagent.evaluation import wording
from sloagent.model.slo import SLO, Gate, LatencySLI, Objective, RatioSLI, ValueSLI
from sloagent.sources.promql import duration
from sloagent.sources.rules import alerting, recording
from sloagent.sources.rules.budget import Budget
from sloagent.sources.rules.latency import LatencyExpressions, histograms, is_edge
from sloagent.sources.rules.numbers import RatioExpressions, ValueExpressions
from sloagent.sources.rules.rule import (
    EVENTS,
    GOOD_SHARE,
    PERCENTILE,
    TAKEN_LABELS,
    VALUE,
    VERDICT,
    Alert,
    Compiled,
    Record,
    Refused,
    own_labels,
    selector,
)
from sloagent.sources.rules.text import number


def compiled(slo: SLO) -> Compiled | Refused:
    """The rules of one SLO, or why there are none."""
    reason = _refusal(slo)
    if reason:
        return Refused(slo, reason)
    objective = _of_windows(slo.objective)
    left_out = list(_left_out(slo))
    rules: list[Record | Alert] = [*recording.answers(slo), *_measured(slo, objective)]
    if objective is None:
        return Compiled(slo, tuple(rules), (*left_out, *_never_told(slo, [])))
    alerts = list(alerting.alerts(slo, objective))
    bad_share = _bad_share(slo, objective)
    if bad_share is not None:
        budget = Budget(slo, objective, bad_share)
        found = list(budget.pairs())
        left_out += [sentence for sentence in found if isinstance(sentence, str)]
        pairs = tuple(pair for pair in found if not isinstance(pair, str))
        rules += budget.records(pairs)
        alerts += [alerting.burning(budget, pair) for pair in pairs]
    return Compiled(slo, (*rules, *alerts), (*left_out, *_never_told(slo, alerts)))


def _measured(slo: SLO, objective: Objective | None) -> Iterator[Record]:
    """What one window says: events, the share or the value that is judged, and the verdict."""
    match slo.sli:
        case LatencySLI() as sli:
            latency = LatencyExpressions(slo, histograms(sli))
            yield _own(slo, EVENTS, latency.events())
            if objective is None:
                told = (*own_labels(slo), ("percentile", number(slo.main_percentile)))
                yield Record(PERCENTILE, latency.percentile(slo.main_percentile), told)
            else:
                yield _own(slo, GOOD_SHARE, latency.good_share(objective))
                yield _own(slo, VERDICT, latency.verdict(objective))
        case RatioSLI() as sli:
            ratio = RatioExpressions(slo, sli)
            yield _own(slo, EVENTS, ratio.events())
            yield _own(slo, GOOD_SHARE, ratio.good_share())
            if objective is not None:
                yield _own(slo, VERDICT, ratio.verdict(objective))
        case ValueSLI() as sli:
            value = ValueExpressions(slo, sli)
            yield _own(slo, VALUE, value.value())
            if objective is not None:
                yield _own(slo, VERDICT, value.verdict(objective))


def _bad_share(slo: SLO, objective: Objective) -> Callable[[int], str] | None:
    """The expression of the bad share over so many seconds; None where no share is promised."""
    match slo.sli:
        case LatencySLI() as sli:
            latency = LatencyExpressions(slo, histograms(sli))
            return lambda seconds: latency.bad_share(objective, seconds)
        case RatioSLI() as sli:
            return RatioExpressions(slo, sli).bad_share
        case ValueSLI() if objective.gate is Gate.WINDOWS:
            # What is promised of a value is a share of good windows.
            return lambda seconds: f"1 - avg_over_time({VERDICT}{selector(slo)}[{duration(seconds)}])"
        case ValueSLI():
            return None


def _refusal(slo: SLO) -> str:
    if not isinstance(slo.sli, LatencySLI):
        return ""
    taken = sorted(TAKEN_LABELS.intersection(slo.sli.by))
    if taken:
        return f"its series are told apart by {', '.join(taken)}, which the rules set themselves"
    objective = slo.objective
    if slo.sli.native and objective is not None:
        limits = [objective.limit, *(override.limit for override in objective.overrides)]
        inside = [limit.at_most for limit in limits if limit.at_most is not None and not is_edge(limit.at_most)]
        if inside:
            shown = wording.exactly(inside[0], slo.unit)
            return (
                f"{shown} lies inside a bucket of a native histogram, and histogram_fraction would interpolate there; "
                "a power of two, such as 0.5 s, 1 s or 2 s, is an edge at every resolution"
            )
    return ""


def _of_windows(objective: Objective | None) -> Objective | None:
    """The objective, if it says anything of one window."""
    if objective is None or (objective.limit.at_most is None and objective.limit.at_least is None):
        return None
    return objective


def _left_out(slo: SLO) -> Iterator[str]:
    objective = slo.objective
    if objective is None:
        return
    if objective.grows_at_most is not None:
        growth = wording.per_hour(objective.grows_at_most, slo.unit)
        yield f"that it grows by at most {growth}: growth is judged over a run"
    if any(limit.warn_at is not None for limit in (objective.limit, *(o.limit for o in objective.overrides))):
        yield "the warn level: a rule passes or fails"
    if objective.gate is not Gate.WINDOWS:
        yield f"judge: {objective.gate.value}, which speaks of a run: the rules judge windows"


def _never_told(slo: SLO, alerts: Sequence[Alert]) -> Iterator[str]:
    """What sloagent tells of it by the rules it is watched by, and these alerts do not."""
    if slo.alerts.no_data is not None and not alerts:
        yield "that it has no data: what promises nothing of a window is recorded and never alerts"
    if slo.alerts.regression is not None:
        yield "regressions: they are told beside a baseline run"
    if alerts:
        yield "that an alert stays while nobody can tell: by rules it ends when its data vanish"


def _own(slo: SLO, metric: str, expression: str) -> Record:
    return Record(metric, expression, own_labels(slo))
