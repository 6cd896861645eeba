"""The text of `explain`: one SLO at one slot, from the promise to the question as sent, so that nobody has to believe us."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isfinite

from sloagent.cli.formats import series_worst_first
from sloagent.cli.formats.terminal import Terminal, packed, padded, width_of, wrapped
from sloagent.evaluation import wording
from sloagent.evaluation.quantiles import raised
from sloagent.evaluation.reasons import reason
from sloagent.model.distribution import Distribution
from sloagent.model.slo import SLO, LatencySLI, RatioSLI, ValueSLI
from sloagent.model.timerange import at
from sloagent.model.verdict import Cause, Outcome, SlotVerdict, Verdict
from sloagent.report import times
from sloagent.report.naming import series_name

_BAR_COLUMNS = 40
_MOST_BARS = 24
_LABEL = 12
_NO_BREAK = 4000


def explain(slot: SlotVerdict, terminal: Terminal, *, curl: str, history: str = "", at_most_series: int = 3) -> str:
    """The whole text, worst series first, at most so many of them.

    `curl` repeats the question (`Source.curl`); `history` is the line that `history` makes. Bars are drawn from
    `slot.distributions`; where it is None (a slot read back from the store) the numbers stand alone.
    """
    slo = slot.slo
    series = series_worst_first(slot.verdicts)
    head = [slo.name, f"slot {at(slot.slot):%Y-%m-%d %H:%M:%S} UTC", f"window {times.duration(slo.window)}"]
    lines = _headline(head, slot.outcome, terminal)
    title = slo.title.en
    if title:
        lines += wrapped(terminal.untrusted(title), terminal.columns, "  ")
    lines.append("")
    if not series or slot.cause is Cause.REFUSED:
        lines += _fact("promised", wording.objective(slo), terminal)
        lines += _fact("verdict", reason(slo, slot), terminal)
        if slot.pending:
            lines += _fact("next", "pending: asked again until it is answered; nothing is recorded yet", terminal)
    for number, verdict in enumerate(series[:at_most_series]):
        if number or len(series) > 1:
            name = series_name(verdict.labels) or "the only series"
            lines += [*_headline([name], verdict.outcome, terminal), ""]
        lines += [*_series(slot, verdict, terminal), ""]
    if len(series) > at_most_series:
        left = [verdict.outcome for verdict in series[at_most_series:]]
        counted = ", ".join(f"{left.count(outcome):,} {outcome.value}" for outcome in dict.fromkeys(left))
        more = f"and {len(left):,} more series: {counted}"
        lines += [*wrapped(terminal.plain(more), terminal.columns, "  "), ""]
    if slo.note.en:
        lines += _fact("note", slo.note.en, terminal)
    for warning in slot.warnings:
        lines += _fact("warning", f"Prometheus: {warning}", terminal)
    if history:
        lines += _fact("before", history, terminal)
    if isinstance(slo.sli, LatencySLI) and slot.question.histogram:
        lines += _answered(slo.sli, slot.question.histogram, terminal)
    lines += _verbatim("asked", slot.question.query, terminal)
    lines += _verbatim("again", curl, terminal)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def history(recorded: Sequence[SlotVerdict]) -> str:
    """How the SLO came out before and until this slot, from its recorded slots (ascending): since when it fails.

    `passed 05:41–05:54, fails since 05:55`; empty where nothing is recorded.
    """
    stretches: list[tuple[Outcome, int, int]] = []
    for slot in recorded:
        if stretches and stretches[-1][0] is slot.outcome:
            stretches[-1] = (slot.outcome, stretches[-1][1], slot.slot)
        else:
            stretches.append((slot.outcome, slot.slot, slot.slot))
    past = {Outcome.PASS: "passed", Outcome.FAIL: "failed", Outcome.WARN: "warned", Outcome.MEASURED: "measured",
            Outcome.NO_DATA: "no data", Outcome.ERROR: "error", Outcome.INCONCLUSIVE: "inconclusive"}  # fmt: skip
    now = past | {Outcome.PASS: "passes", Outcome.FAIL: "fails", Outcome.WARN: "warns"}
    if not stretches:
        return ""
    show = times.clock if at(stretches[0][1]).date() == at(stretches[-1][2]).date() else times.moment
    earlier = [
        f"{past[outcome]} {show(first)}" + (f"–{show(last)}" if last != first else "")
        for outcome, first, last in stretches[-4:-1]
    ]
    outcome, first, last = stretches[-1]
    current = f"{now[outcome]} since {show(first)}" if last != first else f"{now[outcome]} at {show(last)}"
    return ", ".join(["…"] * (len(stretches) > len(earlier) + 1) + earlier + [current])


def _headline(parts: Sequence[str], outcome: Outcome, terminal: Terminal) -> list[str]:
    word = outcome.value.upper().replace("_", " ")
    shown = [terminal.untrusted(part) for part in parts]
    lines = packed([*shown, word], terminal.plain(" · "), terminal.columns - 2)
    painted = terminal.bold(lines[-1].removesuffix(word)) + terminal.paint(word, outcome)
    lines = [*(terminal.bold(line) for line in lines[:-1]), painted]
    mark = terminal.paint(terminal.mark(outcome), outcome)
    return [f"{mark} {lines[0]}", *(f"  {line}" for line in lines[1:])]


def _series(slot: SlotVerdict, verdict: Verdict, terminal: Terminal) -> list[str]:
    slo = slot.slo
    lines = _fact("promised", _promise(slo, verdict), terminal)
    distribution = (slot.distributions or {}).get(verdict.labels)
    match slo.sli:
        case LatencySLI():
            lines += _latency(slo, verdict, distribution, terminal)
        case RatioSLI():
            lines += _ratio(slo, verdict, terminal)
        case ValueSLI():
            lines += _fact("measured", wording.value(slo, verdict), terminal)
    return lines + _fact("verdict", reason(slo, verdict), terminal)


def _promise(slo: SLO, verdict: Verdict) -> str:
    objective = slo.objective
    if objective is None:
        return "nothing yet (TBD): measured, never gates"
    limit = verdict.limit or objective.limit
    if objective.percentile is not None and limit.at_most is not None:
        share = wording.exactly(objective.percentile / 100, "ratio")
        text = f"{share} of events within {wording.exactly(limit.at_most, slo.unit)}"
    else:
        text = wording.objective(slo, limit)
    if limit.warn_at is not None:
        text += f", warns at {wording.exactly(limit.warn_at, slo.unit)}"
    return text + (" (an override for this series)" if verdict.overridden else "")


def _latency(slo: SLO, verdict: Verdict, distribution: Distribution | None, terminal: Terminal) -> list[str]:
    lines: list[str] = []
    limit = verdict.limit.at_most if verdict.limit else None
    if verdict.good_share is not None and verdict.events is not None and limit is not None:
        border = ((slo.objective.percentile if slo.objective else None) or 100.0) / 100
        within = f"{wording.shares(verdict.good_share, against=border)} of {wording.count(verdict.events)} events"
        lines += _fact("measured", f"{within} within {wording.exactly(limit, slo.unit)}", terminal,
                       remark=_exactness(distribution, limit, slo.unit))  # fmt: skip
    elif verdict.events is not None:
        lines += _fact("measured", f"{wording.count(verdict.events)} events", terminal)
    for percentile, quantile in zip(slo.quantiles, verdict.quantiles, strict=False):
        if quantile is None:
            continue
        main = percentile == slo.main_percentile
        remark = f"Prometheus's histogram_quantile says {quantile.value:.5g}" if main else ""
        text = wording.percentile(quantile, slo.unit, lower_bound=bool(verdict.lower_bound))
        lines += _fact(f"P{percentile:g}", text, terminal, remark=remark)
    if distribution is not None and verdict.events:
        lines += ["", *_bars(distribution, slo, limit, terminal), ""]
    return lines


def _exactness(distribution: Distribution | None, limit: float, unit: str) -> str:
    if distribution is None:
        return ""
    name = wording.exactly(limit, unit)
    if raised(distribution.counts) != distribution.counts:
        return "an interval: counts fall from bound to bound, as Prometheus extrapolates each by itself"
    if limit in distribution.bounds:
        return f"exact: {name} is a bucket bound"
    below = [bound for bound in distribution.bounds if bound < limit]
    above = [bound for bound in distribution.bounds if bound > limit]
    if not isfinite(above[0]):
        last = wording.exactly(below[-1], unit) if below else "any bound"
        return f"{name} lies beyond the last bound, {last}: slower ones cannot be told apart"
    high = wording.exactly(above[0], unit)
    if not below:
        return f"{name} lies inside the first bucket, ≤ {high}"
    return f"{name} lies inside the bucket from {wording.exactly(below[-1], unit)} to {high}"


def _answered(sli: LatencySLI, name: str, terminal: Terminal) -> list[str]:
    """Which of several names it was, and what that is worth."""
    asked = len(sli.histograms) + len(sli.lower_bounds)
    if asked < 2:
        return []
    remark = f"a lower bound: {sli.histograms[0]} has no series" if sli.lower_bound([name]) else ""
    return _fact("answered", f"{name}, of {asked} names", terminal, remark=remark)


def _ratio(slo: SLO, verdict: Verdict, terminal: Terminal) -> list[str]:
    if verdict.value is None or verdict.events is None:
        return _fact("measured", f"{wording.count(verdict.events)} events" if verdict.events is not None else "nothing",
                     terminal)  # fmt: skip
    if verdict.cause is Cause.PART_EXCEEDS_TOTAL:
        return _fact("measured", f"more than all of {wording.count(verdict.events)} events", terminal)
    bad = max(0.0, 1.0 - verdict.value) * verdict.events
    text = f"{wording.value(slo, verdict)} of {wording.count(verdict.events)} events good"
    return _fact("measured", text, terminal, remark=f"{wording.count(bad)} bad")


def _bars(distribution: Distribution, slo: SLO, limit: float | None, terminal: Terminal) -> list[str]:
    """One bar per bucket that counted anything, the limit marked; neighbours are joined where there are too many."""
    counts = raised(distribution.counts)
    buckets = [
        (low, high, (count - below) * slo.window)
        for (low, below), (high, count) in pairwise([(-inf, 0.0), *zip(distribution.bounds, counts, strict=True)])
        if count > below or (limit is not None and low < limit <= high)
    ]
    buckets = _thinned(buckets, limit)
    most = max(events for _, _, events in buckets)
    widest = max(min(_BAR_COLUMNS, terminal.columns - 54), 8)
    lines = []
    for low, high, events in buckets:
        label = _bucket(low, high, slo.unit)
        bar = _bar(events / most * widest, terminal) if events else ""
        mark = ""
        if limit is not None and low < limit <= high:
            mark = "◀ limit" if high == limit else f"◀ limit {wording.exactly(limit, slo.unit)} inside"
        count = wording.count(events) if events else "0"
        shown = f"  {' ' * (_LABEL - width_of(label))}{label}  {padded(bar, widest)}  {count:>8}   {mark}"
        lines.append(terminal.plain(shown))
    return lines


def _bucket(low: float, high: float, unit: str) -> str:
    """The edges of one bar: it counts the events between them, not all up to the upper one as `le` does."""
    if not isfinite(high):
        return f"> {wording.quantity(low, unit)}" if isfinite(low) else "all"
    upper = wording.quantity(high, unit)
    return wording.span(wording.quantity(low, unit), upper) if isfinite(low) else f"≤ {upper}"


def _thinned(buckets: list[tuple[float, float, float]], limit: float | None) -> list[tuple[float, float, float]]:
    """Neighbours joined in pairs until at most `_MOST_BARS` are left; no pair reaches over the limit."""
    while len(buckets) > _MOST_BARS:
        joined: list[tuple[float, float, float]] = []
        waiting = False
        for low, high, events in buckets:
            first = joined[-1] if joined else None
            over_limit = first is not None and limit is not None and first[0] < limit <= high
            if waiting and first is not None and not over_limit:
                joined[-1] = (first[0], high, first[2] + events)
                waiting = False
            else:
                joined.append((low, high, events))
                waiting = True
        if len(joined) == len(buckets):
            break
        buckets = joined
    return buckets


def _bar(length: float, terminal: Terminal) -> str:
    """A bar so long, in halves of a column; anything that happened is at least a hair."""
    full, rest = divmod(round(length * 2), 2)
    return terminal.plain(("█" * full + "▌" * rest) or "▏")


def _fact(name: str, text: str, terminal: Terminal, *, remark: str = "", longest: int = _NO_BREAK) -> list[str]:
    """`  name        text` wrapped under itself; the remark behind it where it fits, else on its own line."""
    lead = f"  {padded(name, _LABEL)}"
    indent = " " * width_of(lead)
    body = wrapped(terminal.untrusted(text, longest), terminal.columns, indent)
    if remark:
        note = f"({terminal.plain(remark)})"
        if len(body) == 1 and width_of(body[0]) + 3 + width_of(note) <= terminal.columns:
            body[0] += "   " + terminal.dim(note)
        else:
            body += [terminal.dim(line) for line in wrapped(note, terminal.columns, indent)]
    return [lead + body[0][len(indent) :], *body[1:]]


def _verbatim(name: str, text: str, terminal: Terminal) -> list[str]:
    """A query or a command, never wrapped and with its own line breaks: it is there to be copied."""
    lines = [terminal.untrusted(line, longest=20_000) for line in text.split("\n")]
    return [f"  {padded(name, _LABEL)}{lines[0]}", *lines[1:]]
