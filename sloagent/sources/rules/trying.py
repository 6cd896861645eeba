"""Tests of exported rules, for `promtool test rules`: written series, and what the rules must make of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from sloagent.model.bucket import spellings
from sloagent.model.slo import SLO, LatencySLI, ValueSLI
from sloagent.sources.rules.latency import Histogram, histograms
from sloagent.sources.rules.rule import (
    BURNS,
    ERROR_RATIO,
    GOOD_SHARE,
    NO_DATA,
    UNDECIDED,
    VALUE,
    VERDICT,
    VIOLATED,
    Alert,
    Compiled,
    Record,
    own_labels,
    selector,
)
from sloagent.sources.rules.text import quoted

LEAST_STEPS = 100
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`)')
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an expression must give at a time, in seconds: each series as text with its value, or none."""

    expression: str
    at: int
    series: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: written series with their values in promtool's notation, a sample each `step` seconds."""

    name: str
    step: int
    series: tuple[tuple[str, str], ...]
    expected: tuple[Expectation, ...]


def trials(compiled: Compiled) -> tuple[Trial, ...]:
    """The tests of one SLO; none where it promises nothing of a window.

    A classic latency is tested from its buckets on, wherever labels can be found that its matchers accept; everything
    else from what its recording rules record, since what an arbitrary query asks for is not known.
    """
    slo = compiled.slo
    if not any(isinstance(rule, Alert) for rule in compiled.rules):
        return ()
    histogram = histograms(slo.sli)[0] if isinstance(slo.sli, LatencySLI) and not slo.sli.native else None
    labels = accepted(histogram.where, histogram.by) if histogram is not None else None
    found = list(
        _of_buckets(compiled, histogram, labels)
        if histogram is not None and labels is not None
        else (_of_records(compiled),)
    )
    unseen = tuple(_firing(compiled, NO_DATA, _patience(compiled, NO_DATA), {}))
    found.append(Trial("nothing is scraped", slo.interval, (), unseen))
    return tuple(trial for trial in found if trial.expected)


def accepted(where: str, by: tuple[str, ...]) -> dict[str, str] | None:
    """Labels that the matchers accept, with one for each of `by`; None where none were found."""
    found: dict[str, str] = {}
    conditions: dict[str, list[tuple[str, str]]] = {}
    for name, operator, text in _MATCHER.findall(where):
        value = text[1:-1] if text[0] == "`" else re.sub(r"\\(.)", r"\1", text[1:-1])
        conditions.setdefault(name, []).append((operator, value))
    for name in (*conditions, *by):
        wanted = conditions.get(name, [])
        value = next((v for v in _candidates(wanted) if all(_accepts(v, *one) for one in wanted)), None)
        if value is None:
            return None
        if value:
            found[name] = value
    return found


def _candidates(wanted: list[tuple[str, str]]) -> Iterator[str]:
    for operator, value in wanted:
        if operator == "=":
            yield value
        elif operator == "=~":
            yield from (re.sub(r"[\\^$.*+?()\[\]]", "", part) for part in value.split("|"))
    yield from ("x", "1", "")


def _accepts(value: str, operator: str, wanted: str) -> bool:
    if operator in ("=", "!="):
        return (value == wanted) == (operator == "=")
    try:
        return (re.fullmatch(wanted, value) is not None) == (operator == "=~")
    except re.error:
        return False


def _of_buckets(compiled: Compiled, histogram: Histogram, labels: Labels) -> Iterator[Trial]:
    slo = compiled.slo
    assert slo.objective is not None
    own = {name: labels[name] for name in histogram.by if name in labels}
    bound = slo.objective.limit_for(tuple(sorted(own.items()))).at_most
    assert bound is not None
    step = max(slo.window // 5, 1)
    many = ceil(slo.min_events) + 10
    soon, late = step + _patience(compiled, VIOLATED), step + _patience(compiled, UNDECIDED)
    steps = max(LEAST_STEPS, ceil(max(soon, late) / step) + 1)
    all_events, none = f"0+{many}x{steps}", f"0x{steps}"

    def buckets(*counts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple((_series(f"{histogram.name}_bucket", {"le": le, **labels}), values) for le, values in counts)

    def verdict(*values: float) -> Expectation:
        series = tuple((_series(VERDICT, {**dict(own_labels(slo)), **own}), value) for value in values)
        return Expectation(VERDICT + selector(slo), soon, series)

    plain, other = spellings(bound)[0], spellings(bound * 2)[-1]
    yield Trial(
        "every event is beyond the limit", step, buckets((plain, none), ("+Inf", all_events)),
        (verdict(0), *_firing(compiled, VIOLATED, soon, own), *_firing(compiled, BURNS, soon, own)),
    )  # fmt: skip
    passing = buckets((spellings(bound)[-1], all_events), ("+Inf", all_events))
    calm = tuple(_silent(slo, alert, soon) for alert in (VIOLATED, BURNS))
    yield Trial("every event is within the limit", step, passing, (verdict(1), *calm))
    yield Trial(
        "the limit is no bucket bound", step, buckets((other, all_events), ("+Inf", all_events)),
        (verdict(), *_firing(compiled, UNDECIDED, late, {}), _silent(slo, VIOLATED, late)),
    )  # fmt: skip
    falling = buckets((spellings(bound / 2)[0], f"0+{many * 2}x{steps}"), (plain, all_events), ("+Inf", all_events))
    promised = (slo.objective.percentile or 0.0) / 100
    if promised > 0.5:
        yield Trial("counts fall from bound to bound", step, falling, (verdict(),))


def _of_records(compiled: Compiled) -> Trial:
    slo = compiled.slo
    measured = VALUE if isinstance(slo.sli, ValueSLI) else GOOD_SHARE
    soon = _patience(compiled, VIOLATED)
    steps = max(LEAST_STEPS, soon // slo.interval + 1)
    own = dict(own_labels(slo))
    series = [(_series(VERDICT, own), f"0x{steps}"), (_series(measured, own), f"0x{steps}")]
    if not isinstance(slo.sli, ValueSLI):
        series += [
            (_series(rule.metric, dict(rule.labels)), f"1x{steps}")
            for rule in compiled.rules
            if isinstance(rule, Record) and rule.metric.startswith(ERROR_RATIO) and _is_of_burning(compiled, rule)
        ]
    expected = (*_firing(compiled, VIOLATED, soon, {}), *_firing(compiled, BURNS, soon, {}))
    return Trial("what is recorded fails", slo.interval, tuple(series), expected)


def _is_of_burning(compiled: Compiled, rule: Record) -> bool:
    return any(
        isinstance(alert, Alert) and alert.name == BURNS and f"{rule.metric}{{" in alert.expression
        for alert in compiled.rules
    )


def _patience(compiled: Compiled, name: str) -> int:
    """After how many seconds an alert fires for sure, or would if the SLO were watched by it."""
    return max([0, *(alert.after for alert in _alerts_of(compiled, name))]) + 2 * compiled.slo.interval


def _alerts_of(compiled: Compiled, name: str) -> list[Alert]:
    return [rule for rule in compiled.rules if isinstance(rule, Alert) and rule.name == name]


def _firing(compiled: Compiled, name: str, at: int, own: Labels) -> Iterator[Expectation]:
    """All alerts of this name fire, if the SLO is watched by any."""
    added = dict(compiled.slo.alerts.labels)  # as they are: in a rule they are templates
    state = {"alertname": name, "alertstate": "firing", **own}
    found = [
        _series("ALERTS", {**state, **{label: added.get(label, value) for label, value in alert.labels}})
        for alert in _alerts_of(compiled, name)
    ]
    if found:
        yield Expectation(_alerts(compiled.slo, name), at, tuple((series, 1.0) for series in found))


def _silent(slo: SLO, alert: str, at: int) -> Expectation:
    return Expectation(_alerts(slo, alert), at)


def _alerts(slo: SLO, alert: str) -> str:
    return f'ALERTS{{alertname="{alert}", alertstate="firing", set="{slo.set}", slo="{slo.name}"}}'


def _series(metric: str, labels: Labels) -> str:
    return f"{metric}{{{', '.join(f'{name}={quoted(value)}' for name, value in labels.items() if value)}}}"
