"""The alerting rules of an SLO, over what its recording rules have recorded."""

from __future__ import annotations

from collections.abc import Iterator

from sloagent.evaluation import wording
from sloagent.model.alert import BurnPair, Repeated, Severity
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective, RatioSLI, ValueSLI
from sloagent.sources.promql import duration
from sloagent.sources.rules.budget import Budget
from sloagent.sources.rules.rule import (
    BURNS,
    ERROR_RATIO,
    EVENTS,
    GOOD_SHARE,
    NO_DATA,
    SLOTH_LABELS,
    UNDECIDED,
    VALUE,
    VERDICT,
    VIOLATED,
    Alert,
    Pairs,
    own_labels,
    selector,
)
from sloagent.sources.rules.text import number
from sloagent.units import written_duration

PERCENT = "{{ $value | humanizePercentage }}"
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def alerts(slo: SLO, objective: Objective) -> Iterator[Alert]:
    """What is told of single windows: violated, no data, cannot be judged; of these what the SLO is watched by."""
    chosen = selector(slo)
    measured = VALUE if isinstance(slo.sli, ValueSLI) else GOOD_SHARE
    if (rule := slo.alerts.violated) is not None:
        again = f", and no better in {rule.after} evaluations in a row" if rule.after > 1 else ""
        yield _repeated(
            slo, VIOLATED, f"{measured}{chosen} and {VERDICT}{chosen} == 0", rule,
            f"{slo.set}/{slo.name} is violated{_series(slo)}",
            f"Promised: {_promise(slo, objective)}. Measured: {_measured(slo)}{again}.",
        )  # fmt: skip
    seen = VALUE if isinstance(slo.sli, ValueSLI) else EVENTS
    if (rule := slo.alerts.no_data) is not None:
        yield _repeated(
            slo, NO_DATA, f"absent({seen}{chosen})", rule, f"{slo.set}/{slo.name} has no data",
            "Its query gives no series: what it asks for is not scraped, has another name, or has gone.",
        )  # fmt: skip
    if (rule := slo.alerts.cannot_evaluate) is not None and not isinstance(slo.sli, ValueSLI):
        enough = f">= {number(slo.min_events)}" if slo.min_events else "> 0"
        yield _repeated(
            slo, UNDECIDED, f"count by (set, slo) ({EVENTS}{chosen} {enough} unless {GOOD_SHARE}{chosen})", rule,
            f"{slo.set}/{slo.name} cannot be judged for {{{{ $value }}}} series",
            "They have events and no verdict. " + _why_undecided(slo, objective),
        )  # fmt: skip


def burning(budget: Budget, pair: BurnPair) -> Alert:
    """The budget burns so fast over both windows of a pair."""
    slo, long, short = budget.slo, duration(pair.long), duration(pair.short)

    def over(share: str) -> str:
        return "\nand\n".join(
            f"max without ({', '.join(SLOTH_LABELS)}) ({ERROR_RATIO}{window}{selector(slo)})"
            f" > {number(pair.factor)} * (1 - {share})"
            for window in (long, short)
        )

    return Alert(
        BURNS, budget.by_share(over), 0, (*_labels(slo, pair.severity), ("window", written_duration(pair.long))),
        _annotations(
            slo, f"{slo.set}/{slo.name} burns its error budget too fast{_series(slo)}",
            f"Promised: {_promise(slo, budget.objective)}. {PERCENT} were bad over {long}, and as many over {short}: "
            f"at {number(pair.factor)} times the bearable rate the budget of {_span(budget.period)} "
            f"lasts {_span(budget.period / pair.factor)}.",
        ),
    )  # fmt: skip


def _repeated(slo: SLO, name: str, expression: str, rule: Repeated, summary: str, description: str) -> Alert:
    return Alert(
        name, expression, (rule.after - 1) * slo.interval, _labels(slo, rule.severity),
        _annotations(slo, summary, description), keep=(rule.over_after - 1) * slo.interval,
    )  # fmt: skip


def _labels(slo: SLO, severity: Severity) -> Pairs:
    """A series's own label comes before one of the same name that the SLO adds: it tells the alerts apart."""
    by = slo.sli.by if isinstance(slo.sli, LatencySLI) else ()
    added = ((name, _literal(value)) for name, value in slo.alerts.labels if name not in by)
    return (("severity", severity.value), *own_labels(slo), *added)


def _annotations(slo: SLO, summary: str, description: str) -> Pairs:
    title = f"{_literal(slo.title.en)}. " if slo.title.en else ""
    runbook = _literal(slo.alerts.runbook)
    return (("summary", summary), ("description", title + description), ("runbook_url", runbook))


def _span(seconds: float) -> str:
    """A time as people say it, in its largest unit: `2.1 days`."""
    unit, length = next(((unit, length) for unit, length in _UNITS if seconds >= length), _UNITS[-1])
    count = number(round(seconds / length, 1))
    return f"{count} {unit if count == '1' else unit + 's'}"


def _series(slo: SLO) -> str:
    """Which series it is, where its labels are known; the alert carries them in any case."""
    if not isinstance(slo.sli, LatencySLI) or not slo.sli.by:
        return ""
    return ": " + ", ".join(f"{label}={{{{ $labels.{label} }}}}" for label in slo.sli.by)


def _promise(slo: SLO, objective: Objective) -> str:
    own = " (some series have limits of their own)" if objective.overrides else ""
    limit = objective.limit
    match slo.sli:
        case LatencySLI():
            return f"{number(objective.percentile or 0.0)} % within {_limit(slo, limit)}{own}"
        case RatioSLI():
            return f"at least {_limit(slo, limit)} good{own}"
        case ValueSLI():
            return f"at {'most' if limit.at_most is not None else 'least'} {_limit(slo, limit)}{own}"


def _limit(slo: SLO, limit: Limit) -> str:
    border = limit.at_most if limit.at_most is not None else limit.at_least
    assert border is not None
    return _literal(wording.exactly(border, slo.unit))


def _measured(slo: SLO) -> str:
    match slo.sli:
        case LatencySLI():
            return f"{PERCENT} within the limit over {duration(slo.window)}"
        case RatioSLI():
            return f"{PERCENT} good over {duration(slo.window)}"
        case ValueSLI(unit="ratio"):
            return PERCENT
        case ValueSLI(unit=unit):
            function = "humanize1024" if unit.startswith("bytes") else "humanize"
            return f"{{{{ $value | {function} }}}} {_literal(unit)}"


def _why_undecided(slo: SLO, objective: Objective) -> str:
    match slo.sli:
        case LatencySLI():
            limit = "a limit" if objective.overrides else f"the limit, {_limit(slo, objective.limit)},"
            return f"Most likely {limit} is no bucket bound of the histogram: promise one that is."
        case RatioSLI(counts=counts):
            return (
                f"Its {counts} events have no series with their labels, or are more than all events: look at the query"
                f"{', or write bad_absent: zero' if counts == 'bad' else ''}."
            )
        case ValueSLI():
            raise TypeError("a value has no events")


def _literal(text: str) -> str:
    """A text that is no template."""
    return text.replace("{{", '{{ "{{" }}')
