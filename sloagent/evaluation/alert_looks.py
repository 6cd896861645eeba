"""What one slot says to the rules that look at single slots, and to those of the error budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sloagent.evaluation import wording
from sloagent.evaluation.alerting import Held, Look, State
from sloagent.evaluation.budget import Burn, BurnHistory
from sloagent.evaluation.quantiles import SLACK
from sloagent.evaluation.reasons import reason
from sloagent.model.alert import Alerts, BurnPair, Repeated, Rule
from sloagent.model.slo import SLO, Labels, LatencySLI, ValueSLI
from sloagent.model.verdict import Cause, Outcome, SlotVerdict, Verdict
from sloagent.units import written_duration

_NOTHING: Labels = ()


def looks_of(slot: SlotVerdict, alerts: Alerts) -> Iterator[Look]:
    """The looks of the rules that are in force at a recorded slot."""
    if alerts.violated is not None and slot.slo.objective is not None:
        yield _violated(slot, alerts.violated)
    if alerts.no_data is not None:
        yield _whole(Rule.NO_DATA, alerts.no_data, _no_data(slot))
    if alerts.cannot_evaluate is not None and slot.slo.objective is not None:
        yield _whole(Rule.CANNOT_EVALUATE, alerts.cannot_evaluate, _undecided(slot))


def burn_looks(slot: SlotVerdict, history: BurnHistory, pairs: Sequence[BurnPair]) -> Iterator[Look]:
    """The looks of the burn rates at a slot that ends a tile, and that the history has taken."""
    nothing = _nothing(slot)
    # What was bad before cannot be known to have ended at a slot that is undecided itself.
    undecided = {labels for labels, state in _others(slot, nothing).items() if state is State.UNKNOWN}
    for pair in pairs:
        if not history.reaches(pair.short, slot.slot):
            continue  # one bad minute is not six hours of it: not even the short window is known
        holds: dict[Labels, Held] = {}
        others = dict.fromkeys(undecided, State.UNKNOWN)
        for labels in history.series:
            long, short = (history.burn(labels, window, slot.slot) for window in (pair.long, pair.short))
            if long is None or short is None:
                continue
            if min(long.rate, short.rate) > pair.factor * (1 + SLACK):
                holds[labels] = Held(pair.severity, long.rate, _burning(slot, pair, long, short))
            else:
                others.setdefault(labels, State.CALM)
        yield Look(Rule.BURN_RATE, pair.long, 1, 1, holds, others, nothing)


def _burning(slot: SlotVerdict, pair: BurnPair, long: Burn, short: Burn) -> str:
    what = "windows" if isinstance(slot.slo.sli, ValueSLI) else "events"
    return (
        f"{wording.percent(long.bad_share)} of the {what} were bad over {written_duration(pair.long)},"
        f" {wording.percent(short.bad_share)} over {written_duration(pair.short)}: {long.rate:.3g} and {short.rate:.3g}"
        f" times the bearable rate, told above {pair.factor:g}"
    )


def _violated(slot: SlotVerdict, rule: Repeated) -> Look:
    failed = [verdict for verdict in slot.verdicts if verdict.outcome is Outcome.FAIL]
    nothing = _nothing(slot)
    return Look(
        Rule.VIOLATED, 0, rule.after, rule.over_after,
        {one.labels: Held(rule.severity, one.value, _failed(slot.slo, one)) for one in failed},
        _others(slot, nothing), nothing,
    )  # fmt: skip


def _failed(slo: SLO, verdict: Verdict) -> str:
    """The sentence, after the percentile with its bucket where that is what was measured."""
    said = reason(slo, verdict)
    if not isinstance(slo.sli, LatencySLI):
        return said
    return f"P{slo.main_percentile:g} {wording.value(slo, verdict)}: {said}"


def _others(slot: SlotVerdict, nothing: State) -> dict[Labels, State]:
    """What it says of the series that did not fail."""
    return {one.labels: _state(one, nothing) for one in slot.verdicts if one.outcome is not Outcome.FAIL}


def _state(verdict: Verdict, nothing: State) -> State:
    match verdict.outcome:
        case Outcome.PASS | Outcome.WARN | Outcome.MEASURED:
            return State.CALM
        case Outcome.NO_DATA if verdict.cause is not Cause.BAD_ABSENT:
            return nothing
        case Outcome.INCONCLUSIVE if verdict.cause is Cause.TOO_FEW_EVENTS:
            return State.UNSEEN
    return State.UNKNOWN


def _nothing(slot: SlotVerdict) -> State:
    """What it says of a series without data. Where no series has any, nothing has recovered: what is asked for has gone."""
    return State.UNKNOWN if slot.cause is Cause.REFUSED or _is_missing(slot) else State.UNSEEN


def _whole(rule: Rule, terms: Repeated, found: str | State) -> Look:
    """A look at an SLO as a whole: the sentence that says why the condition holds, or that it does not."""
    holds = {_NOTHING: Held(terms.severity, None, found)} if isinstance(found, str) else {}
    others = {} if isinstance(found, str) else {_NOTHING: found}
    return Look(rule, 0, terms.after, terms.over_after, holds, others, State.UNKNOWN)


def _no_data(slot: SlotVerdict) -> str | State:
    if slot.cause is Cause.REFUSED:
        return State.UNKNOWN
    return reason(slot.slo, slot) if _is_missing(slot) else State.CALM


def _is_missing(slot: SlotVerdict) -> bool:
    """Whether what is asked for is not there. Series without events are not missing: nothing happens."""
    absent = any(verdict.cause in (Cause.BAD_ABSENT, Cause.NOT_A_NUMBER) for verdict in slot.verdicts)
    return slot.outcome is Outcome.NO_DATA and (absent or not slot.verdicts)


def _undecided(slot: SlotVerdict) -> str | State:
    if slot.cause is Cause.REFUSED:
        return reason(slot.slo, slot)
    undecided = [verdict for verdict in slot.verdicts if _is_undecided(verdict)]
    return _told(slot, undecided) if undecided else State.CALM


def _is_undecided(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.ERROR or (verdict.outcome is Outcome.INCONCLUSIVE and verdict.gates)


def _told(slot: SlotVerdict, undecided: Sequence[Verdict]) -> str:
    first = undecided[0]
    series = ", ".join(f"{name}={value}" for name, value in first.labels)
    why = reason(slot.slo, first)
    if len(slot.verdicts) == 1:
        return why
    return f"{len(undecided)} of {len(slot.verdicts)} series cannot be judged; {series}: {why}"
