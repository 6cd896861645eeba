"""What a load measured, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sloagent import units
from sloagent.config.problem import printable
from sloagent.probes.api.call import VERBS, Verb
from sloagent.probes.api.metrics import ARRIVALS
from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.api.tally import Tally
from sloagent.probes.summary import Summary, columns, table, written

SCHEMA = "sloagent/probe-api/v1"
PERCENTILES = (50, 90, 99)


def beginning(load: ApiLoadSettings) -> str:
    """What is about to be done."""
    return f"{described(load)} on {', '.join(load.targets)}"


def described(load: ApiLoadSettings) -> str:
    """A load in one line."""
    where = f"in {load.namespace}" if load.namespace else "in all namespaces" if load.namespace is None else ""
    how = (
        f"open loop of {load.open.rate:g}/s" if load.open
        else f"closed loop of {load.closed.workers} worker{'s' * (load.closed.workers > 1)}" if load.closed else ""
    )  # fmt: skip
    parts = (f"{load.call} {load.resource} {where}".rstrip(), how, units.written_duration(load.duration))
    return f"{load.name}: {', '.join(parts)}"


def text(load: ApiLoadSettings, tallies: Sequence[Tally]) -> str:
    """The table of each target, and what it does not say."""
    parts = [described(load), ""]
    for tally in tallies:
        parts.append(tally.target)
        if tally.verbs:
            parts += [table([tally.summary(verb, load.what.plural) for verb in tally.verbs]).rstrip("\n")]
        parts += [*_remarks(load, tally), ""]
    return "\n".join(parts)


def json_text(done: Sequence[tuple[ApiLoadSettings, Sequence[Tally]]]) -> str:
    """All loads; seconds, and null where there is no number."""
    loads = [
        {
            "name": load.name, "resource": load.resource, "namespace": load.namespace, "call": load.call,
            "loop": "open" if load.open else "closed",
            "targets": [_target(load, tally) for tally in tallies],
        }
        for load, tallies in done
    ]  # fmt: skip
    return json.dumps({"schema": SCHEMA, "loads": loads}, ensure_ascii=False, indent=2)


def _remarks(load: ApiLoadSettings, tally: Tally) -> list[str]:
    """What the table does not say: rates, late beginnings, and what the errors were."""
    lines = []
    if tally.seconds:
        verb = ARRIVALS[load.call]
        unit = f"{verb}s/s"
        achieved = f"achieved {_achieved(load, tally):.4g} {unit} over {written(tally.seconds)}"
        if load.open is None:
            lines.append(achieved)
        else:
            due = tally.due(verb)
            share = f"{tally.succeeded(verb) / due:.1%}" if due else "-"
            lines.append(f"asked {load.open.rate:g} {unit}, {achieved}: {share} of the {due} that were due")
    late = tally.late
    if load.open and late.latencies:
        lines.append(
            "begun after they were due (in the latencies above): P50 "
            f"{written(late.median)}, P99 {written(late.percentile(99))}, max {written(late.percentile(100))}"
        )
    for verb in tally.verbs:
        for code, count in sorted(tally.codes[verb].items()):
            if (verb, code) in tally.said:
                said = printable(tally.said[verb, code])
                lines.append(f"{verb} {code}: {count} times" + (f"; first: {said}" if said else ""))
    if tally.why_not:
        lines.append(printable(tally.why_not))
    return lines


def side_by_side(done: Sequence[tuple[ApiLoadSettings, Sequence[Tally]]]) -> str:
    """All that was measured, one line each; targets after the first of their load as multiples of it."""
    several = any(len(tallies) > 1 for _, tallies in done)
    against = ["P50 to first", "P99 to first"] if several else []
    rows = [["Load", "Loop", "Name", "Target", "N", "Errors", *(f"P{percent}" for percent in PERCENTILES), *against]]
    for load, tallies in done:
        for verb in VERBS:
            if not any(verb in tally.verbs for tally in tallies):
                continue
            summaries = [tally.summary(verb, load.what.plural) for tally in tallies]
            for target, summary in zip(load.targets, summaries, strict=True):
                share = f"{summary.errors / summary.calls:.2%}" if summary.calls else "-"
                row = [load.name, "open" if load.open else "closed", summary.name, target]
                row += [str(len(summary.latencies)), share]
                row += [written(summary.percentile(percent)) for percent in PERCENTILES]
                if several:
                    row += [_multiple(summary, summaries[0], percent) for percent in (50, 99)]
                rows.append(row)
    head, *body = columns(rows)
    return "\n".join([head.rstrip(), "=" * len(head), *(line.rstrip() for line in body)])


def _multiple(summary: Summary, first: Summary, percent: float) -> str:
    if summary is first:
        return ""
    value, base = summary.percentile(percent), first.percentile(percent)
    return "-" if value is None or not base else f"{value / base:.2f}×"


def _achieved(load: ApiLoadSettings, tally: Tally) -> float:
    return tally.succeeded(ARRIVALS[load.call]) / tally.seconds


def _target(load: ApiLoadSettings, tally: Tally) -> dict[str, object]:
    return {
        "target": tally.target,
        "failure": tally.failure or None,
        "seconds": tally.seconds,
        "asked_per_second": load.open.rate if load.open else None,
        "due": tally.due(ARRIVALS[load.call]),
        "achieved_per_second": _achieved(load, tally) if tally.seconds else None,
        "verbs": {verb: _numbers(load, tally, verb) for verb in tally.verbs},
    }


def _numbers(load: ApiLoadSettings, tally: Tally, verb: Verb) -> dict[str, object]:
    summary = tally.summary(verb, load.what.plural)
    return {
        "calls": summary.calls, "n": len(summary.latencies), "errors": summary.errors, "unfinished": summary.unfinished,
        "codes": dict(sorted(tally.codes[verb].items())),
        "min": summary.percentile(0), "median": summary.median, "mean": summary.mean, "stddev": summary.deviation,
        "max": summary.percentile(100),
        "percentiles": {str(percent): summary.percentile(percent) for percent in PERCENTILES},
    }  # fmt: skip
