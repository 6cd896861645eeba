"""Why: one sentence for each verdict, made from its cause and its numbers when somebody reads it, never before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sloagent.evaluation import wording
from sloagent.evaluation.phrases import joined, phrase
from sloagent.evaluation.summary import LEAST_EVALUATED
from sloagent.model.slo import SLO, Gate, LatencySLI, RatioSLI
from sloagent.model.timerange import at
from sloagent.model.verdict import Cause, Growth, Outcome, RangeSummary, RangeVerdict, Share, SlotVerdict, Verdict


def reason(slo: SLO, verdict: Verdict | SlotVerdict | RangeVerdict | RangeSummary, lang: str = "en") -> str:
    """Why a verdict is what it is, with its numbers; `lang` is en or zh. Plain text, not escaped for any place."""
    match verdict:
        case Verdict():
            return _one(slo, verdict, lang)
        case SlotVerdict():
            return _slot(slo, verdict, lang)
        case RangeVerdict(whole=Verdict() as whole) if verdict.cause in (Cause.STATED, Cause.NOT_RUN):
            return _one(slo, whole, lang)
        case RangeVerdict():
            return _range(slo, verdict, lang)
        case RangeSummary():
            return _summary(slo, verdict, lang)


def grows(slo: SLO, growth: Growth, at_most: float, lang: str = "en") -> str:
    """How fast something grows, and how fast it may, per second."""
    slope, lower, upper = (wording.per_hour(each, slo.unit) for each in (growth.slope, growth.lower, growth.upper))
    return phrase("grows", lang, slope=slope, lower=lower, upper=upper, limit=wording.per_hour(at_most, slo.unit))


def _one(slo: SLO, verdict: Verdict, lang: str) -> str:
    said = _told(slo, verdict, lang)
    if not verdict.lower_bound or not isinstance(slo.sli, LatencySLI):
        return said
    key = "bounded_no_pass" if verdict.cause is Cause.LOWER_BOUND else "bounded"
    bound = phrase(key, lang, histogram=verdict.lower_bound, wanted=slo.sli.histograms[0])
    return joined([said, bound], lang)


def _told(slo: SLO, verdict: Verdict, lang: str) -> str:
    sort = slo.sli.counts if isinstance(slo.sli, RatioSLI) else ""
    events = verdict.events or 0.0
    match verdict.cause:
        case Cause.TOO_FEW_EVENTS:
            few = wording.count(events, against=slo.min_events)
            return phrase("too_few", lang, events=few, least=wording.count(slo.min_events))
        case Cause.NO_EVENTS | Cause.NO_SERIES | Cause.NOT_A_NUMBER:
            return phrase(verdict.cause.value, lang)
        case Cause.NO_OBJECTIVE:
            return _measured(slo, verdict, lang)
        case Cause.NOT_RUN:
            return phrase("not_run", lang)
        case Cause.STATED:
            return _stated(slo, verdict, lang)
        case Cause.MALFORMED:
            return phrase("malformed", lang, detail=verdict.detail)
        case Cause.BAD_ABSENT:
            return phrase("bad_absent", lang, events=wording.count(events))
        case Cause.TOTAL_ABSENT:
            return phrase("total_absent", lang, sort=sort)
        case Cause.PART_EXCEEDS_TOTAL if verdict.value is None:
            return phrase("part_without_total", lang, sort=sort)
        case Cause.PART_EXCEEDS_TOTAL:
            return phrase("part_exceeds", lang, times=wording.count(verdict.value or 0.0, against=1.0), sort=sort)
        case _ if verdict.good_share is not None and isinstance(slo.sli, LatencySLI):
            return _latency(slo, verdict, verdict.good_share, lang)
        case _:
            return _number(slo, verdict, lang)


def _latency(slo: SLO, verdict: Verdict, share: Share, lang: str) -> str:
    limit = verdict.limit.at_most if verdict.limit else None
    promised = (slo.objective.percentile if slo.objective else None) or 100.0
    if limit is None:
        return wording.value(slo, verdict, lang)
    border = promised / 100
    words = {
        "share": wording.shares(share, against=border),
        "low": wording.percent(share.lower, against=border),
        "high": wording.percent(share.upper, against=border),
        "limit": wording.exactly(limit, slo.unit),
        "promised": wording.exactly(border, "ratio"),
    }
    # Between F(lo) and F(hi) lies the promised rank, so the bucket of the limit is the bucket of the percentile.
    found = wording.promised_quantile(slo, verdict)
    match verdict.cause:
        case Cause.LIMIT_BEYOND_LAST_BUCKET:
            if found is None:
                return phrase("only_infinity", lang, **words)
            return phrase("beyond", lang, lower=wording.exactly(found.lower, slo.unit), **words)
        case Cause.LIMIT_INSIDE_BUCKET:
            if found is None or not found.lower < limit < found.upper:
                return phrase("inside_some_bucket", lang, **words)
            upper = wording.exactly(found.upper, slo.unit)
            if found.lower <= 0:
                return phrase("inside_first_bucket", lang, upper=upper, **words)
            return phrase("inside_bucket", lang, lower=wording.exactly(found.lower, slo.unit), upper=upper, **words)
        case Cause.FALLING_COUNTS:
            return phrase("falling", lang, **words)
    fall = phrase("despite_fall", lang) if verdict.cause is Cause.DECIDED_DESPITE_FALL else ""
    return phrase("within", lang, **words) + _warning(slo, verdict, "warned", lang) + fall


def _number(slo: SLO, verdict: Verdict, lang: str) -> str:
    value, limit = verdict.value, verdict.limit
    if value is None or limit is None:
        return verdict.detail
    border = limit.at_most if limit.at_most is not None else limit.at_least
    if border is None:
        return wording.value(slo, verdict, lang)
    shown = wording.exactly(border, slo.unit)
    measured = wording.quantity(value, slo.unit, against=border)
    if verdict.events is not None and limit.at_least is not None:
        text = phrase("good_share", lang, value=measured, events=wording.count(verdict.events), limit=shown)
    else:
        text = phrase("at_most" if limit.at_most is not None else "at_least", lang, value=measured, limit=shown)
    return text + _warning(slo, verdict, "past_warn", lang)


def _stated(slo: SLO, verdict: Verdict, lang: str) -> str:
    if verdict.value is None:
        return phrase("not_stated" if slo.objective is not None else "only_stated", lang)
    limit = verdict.limit
    if limit is None or (limit.at_most is None and limit.at_least is None):
        return phrase("stated", lang, reason=_measured(slo, verdict, lang))
    return phrase("stated", lang, reason=_number(slo, verdict, lang))


def _warning(slo: SLO, verdict: Verdict, key: str, lang: str) -> str:
    if verdict.outcome is not Outcome.WARN or verdict.limit is None or verdict.limit.warn_at is None:
        return ""
    return phrase(key, lang, warn=wording.exactly(verdict.limit.warn_at, slo.unit))


def _measured(slo: SLO, verdict: Verdict, lang: str) -> str:
    shown = wording.value(slo, verdict, lang)
    if isinstance(slo.sli, LatencySLI):
        shown = f"P99 {shown}"
    return phrase("measured_growth" if slo.objective is not None else "measured", lang, value=shown)


def _slot(slo: SLO, slot: SlotVerdict, lang: str) -> str:
    if slot.cause is Cause.REFUSED:
        return phrase("pending" if slot.pending else "refused", lang, detail=slot.detail or slot.kind)
    if not slot.verdicts:
        return phrase("no_series_at_all", lang)
    if len(slot.verdicts) == 1:
        return _one(slo, slot.verdicts[0], lang)
    return _counted(slo, slot.verdicts, lang)


def _counted(slo: SLO, series: Sequence[Verdict | RangeVerdict], lang: str) -> str:
    """How many series came out how: the worst outcome first, then those that did not gate."""
    counts = Counter(_sort(verdict) for verdict in series)
    parts = []
    decisive = next((o for o in ("fail", "error", "inconclusive", "warn", "pass", "measured") if counts[o]), "")
    if decisive:
        growth = "_growth" if decisive == "measured" and slo.objective is not None else ""
        parts.append(phrase(f"count_{decisive}{growth}", lang, count=counts[decisive], all=len(series)))
    if decisive == "fail" and counts["error"]:
        parts.append(phrase("count_error", lang, count=counts["error"], all=len(series)))
    parts += [phrase(f"count_{o}", lang, count=counts[o]) for o in ("too_few", "no_data") if counts[o]]
    hint = next((v for v in series if isinstance(v, Verdict) and v.cause is Cause.BAD_ABSENT), None)
    if hint is not None and not decisive:
        parts.append(phrase("bad_absent", lang, events=wording.count(hint.events or 0.0)))
    return joined(parts, lang)


def _sort(verdict: Verdict | RangeVerdict) -> str:
    few = verdict.outcome is Outcome.INCONCLUSIVE and verdict.cause is Cause.TOO_FEW_EVENTS
    return "too_few" if few else verdict.outcome.value


def _range(slo: SLO, row: RangeVerdict, lang: str) -> str:
    objective, windows = slo.objective, row.windows
    worst = row.worst.verdict if row.worst else None
    if objective is None or not row.gates:
        if worst is not None and row.outcome is not Outcome.NO_DATA:
            return _worst(slo, row, lang)
        if worst is not None and row.cause is Cause.BAD_ABSENT:
            return _one(slo, worst, lang)
        return phrase("no_series" if row.cause is Cause.NO_SERIES else _none(row.cause), lang)
    if row.cause is Cause.GROWS and row.growth is not None and objective.grows_at_most is not None:
        return grows(slo, row.growth, objective.grows_at_most, lang)
    parts = []
    if row.cause is Cause.TOO_LITTLE_EVALUATED:
        parts.append(_too_little(row, objective.gate, lang))
    if objective.gate is Gate.WHOLE_RUN:
        return joined([*parts, *_whole(slo, row, lang)], lang)
    if row.good_windows is not None:
        promised = wording.exactly(objective.windows_at_least, "ratio")
        key = "windows_all" if objective.gate is Gate.WORST_WINDOW else "windows"
        parts.append(phrase(key, lang, good=windows.good, judged=windows.judged, promised=promised))
        if windows.undecided:
            parts.append(phrase("undecided", lang, count=windows.undecided))
        if row.outcome is Outcome.WARN:
            parts.append(phrase("windows_warned", lang, count=windows.warned))
    if worst is not None and worst.outcome not in (Outcome.PASS, Outcome.MEASURED):
        parts.append(_worst(slo, row, lang))
    return joined(parts, lang)


def _whole(slo: SLO, row: RangeVerdict, lang: str) -> list[str]:
    if row.whole is None:
        return []
    said = [phrase("whole", lang, reason=_one(slo, row.whole, lang))]
    partly = row.cause is Cause.LOWER_BOUND and not row.whole.lower_bound
    return [*said, phrase("bounded_partly", lang)] if partly else said


def _none(cause: Cause) -> str:
    return "not_a_number" if cause is Cause.NOT_A_NUMBER else "no_events"


def _too_little(row: RangeVerdict, gate: Gate, lang: str) -> str:
    windows = row.windows
    if gate is Gate.WHOLE_RUN and (row.whole is None or row.whole.outcome is Outcome.NO_DATA):
        return phrase("whole_unknown", lang)
    least = wording.exactly(LEAST_EVALUATED, "ratio")
    return phrase("too_little", lang, count=windows.undecided, all=windows.expected - windows.excluded, least=least)


def _worst(slo: SLO, row: RangeVerdict, lang: str) -> str:
    assert row.worst is not None
    moment = f"{at(row.worst.slot):%Y-%m-%d %H:%M:%S} UTC".replace(":00 UTC", " UTC")
    return phrase("worst", lang, at=moment, reason=_one(slo, row.worst.verdict, lang))


def _summary(slo: SLO, summary: RangeSummary, lang: str) -> str:
    if summary.cause is Cause.REFUSED:
        return phrase("refused", lang, detail=summary.detail)
    if summary.cause is Cause.NOT_RUN:
        return phrase("not_run", lang)
    if not summary.series:
        windows = summary.windows
        if windows.expected <= windows.excluded:
            return phrase("all_excluded" if windows.expected else "no_slots", lang)
        if summary.cause is Cause.NO_SERIES:
            return phrase("no_series_at_all", lang)
        least = wording.exactly(LEAST_EVALUATED, "ratio")
        count, slots = windows.evaluated, windows.expected - windows.excluded
        known = phrase("too_little_evaluated", lang, count=count, all=slots, least=least)
        return joined([known, phrase("pending", lang, detail=summary.detail)] if summary.detail else [known], lang)
    if len(summary.series) == 1:
        return reason(slo, summary.series[0], lang)
    return _counted(slo, summary.series, lang)
