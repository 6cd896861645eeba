"""The alerting rules of an SLO, over what its recording rules have recorded."""

from __future__ import annotations

from collections.abc import Iterator

from sloagent.evaluation import wording
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
from sloagent.sources.rules.terms import BurnPair, Terms
from sloagent.sources.rules.text import number

PERCENT = "{{ $value | humanizePercentage }}"


def alerts(slo: SLO, objective: Objective, terms: Terms) -> Iterator[Alert]:
    """What is told of single windows: violated, no data, cannot be judged."""
    chosen = selector(slo)
    measured = VALUE if isinstance(slo.sli, ValueSLI) else GOOD_SHARE
    yield Alert(
        VIOLATED, f"{measured}{chosen} and {VERDICT}{chosen} == 0", (terms.violated_after - 1) * slo.interval,
        _labels(slo, terms.violated_severity),
        _annotations(
            slo, terms, f"{slo.set}/{slo.name} is violated{_series(slo)}",
            f"Promised: {_promise(slo, objective)}. Measured: {_measured(slo)}, "
            f"and no better in {terms.violated_after} evaluations in a row.",
        ),
        keep=(terms.violated_after - 1) * slo.interval,
    )  # fmt: skip
    seen = VALUE if isinstance(slo.sli, ValueSLI) else EVENTS
    patience = (terms.no_data_after - 1) * slo.interval
    yield Alert(
        NO_DATA, f"absent({seen}{chosen})", patience, _labels(slo, terms.no_data_severity),
        _annotations(
            slo, terms, f"{slo.set}/{slo.name} has no data",
            "Its query gives no series: what it asks for is not scraped, has another name, or has gone.",
        ),
    )  # fmt: skip
    if not isinstance(slo.sli, ValueSLI):
        enough = f">= {number(slo.min_events)}" if slo.min_events else "> 0"
        yield Alert(
            UNDECIDED, f"count by (set, slo) ({EVENTS}{chosen} {enough} unless {GOOD_SHARE}{chosen})", patience,
            _labels(slo, terms.undecided_severity),
            _annotations(
                slo, terms, f"{slo.set}/{slo.name} cannot be judged for {{{{ $value }}}} series",
                "They have events and no verdict. " + _why_undecided(slo, objective),
            ),
        )  # fmt: skip


def burning(budget: Budget, pair: BurnPair, terms: Terms) -> Alert:
    """The budget burns so fast over both windows of a pair."""
    slo, long, short = budget.slo, duration(pair.long), duration(pair.short)

    def over(share: str) -> str:
        return "\nand\n".join(
            f"max without ({', '.join(SLOTH_LABELS)}) ({ERROR_RATIO}{window}{selector(slo)})"
            f" > {number(pair.factor)} * (1 - {share})"
            for window in (long, short)
        )

    days = "day" if terms.period_days == 1 else "days"
    return Alert(
        BURNS, budget.by_share(over), 0, (*_labels(slo, pair.severity), ("window", long)),
        _annotations(
            slo, terms, f"{slo.set}/{slo.name} burns its error budget too fast{_series(slo)}",
            f"Promised: {_promise(slo, budget.objective)}. {PERCENT} were bad over {long}, and as many over {short}: "
            f"at {number(pair.factor)} times the bearable rate the budget of {terms.period_days} {days} "
            f"lasts {number(round(terms.period_days / pair.factor, 1))} days.",
        ),
    )  # fmt: skip


def _labels(slo: SLO, severity: str) -> Pairs:
    return (("severity", severity), *own_labels(slo))


def _annotations(slo: SLO, terms: Terms, summary: str, description: str) -> Pairs:
    title = f"{_literal(slo.title.en)}. " if slo.title.en else ""
    return (("summary", summary), ("description", title + description), ("runbook_url", terms.runbook))


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
