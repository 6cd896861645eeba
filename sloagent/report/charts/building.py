"""From the record of a run to its charts over time: which series are drawn, by which limits, against what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sloagent.model.record import Line, RunRecord, SLORecord
from sloagent.model.slo import SLO, Labels, LatencySLI, RatioSLI, Text
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import Outcome, Verdict
from sloagent.report.charts.chart import MOST_LINES, Chart, ChartLimit, ChartLine, Kind, Point, Restart, Stretch
from sloagent.report.charts.naming import shown
from sloagent.report.naming import series_name

_MOST_OVERLAID = 4
"""Lines that are drawn beside the baseline's: with more of them nobody could tell what belongs together."""


def chart_of(
    record: SLORecord,
    run: RunRecord,
    *,
    chart_id: str,
    title: Text | None = None,
    kind: Kind = Kind.LINES,
    percentiles: Sequence[float] = (),
    baseline: RunRecord | None = None,
    series: int = 0,
) -> Chart | None:
    """One SLO over its run; None where there is nothing to draw.

    Of a latency the promised percentile of each series, or, of an SLO with one series, all that are kept; `percentiles`
    (in percent) chooses others. `series` is how many series the SLO has, if more than `record.lines`. The baseline's
    lines are moved so that both runs begin together. Raises ValueError for a percentile that the SLO does not keep.
    """
    slo = record.slo
    chosen = _percentiles(slo, percentiles, single=len(record.lines) == 1)
    pairs = [(line, percentile) for line in record.lines for percentile in chosen][:MOST_LINES]
    drawn = list({line.labels: line for line, _ in pairs}.values())
    step = max((_step(line, slo.interval) for line in drawn), default=slo.interval)
    several = len(chosen) > 1
    lines = [
        ChartLine(_name(line, p, several), _points(slo, line, p), place, limits=_limits_of(slo, line.labels, p))
        for place, (line, p) in enumerate(pairs)
    ]
    if not any(point.value is not None for line in lines for point in line.points):
        return None
    start, end = _seconds(run.span)
    if kind is Kind.STACKED:
        lines = [_on_columns(line, start, step) for line in lines]
    overlaid = _overlaid(slo, pairs, lines, run, baseline) if baseline is not None and kind is Kind.LINES else []
    return Chart(
        id=chart_id, title=title or (slo.title if slo.title.en else Text(slo.name)), unit=shown(slo.unit), kind=kind,
        start=start, end=end,
        lines=(*lines, *overlaid), limits=_limits(lines) if kind is Kind.LINES else (),
        phases=tuple(Stretch(phase.name, *_seconds(phase.range)) for phase in run.run.phases),
        exclusions=tuple(Stretch(exclusion.reason, *_seconds(exclusion.range)) for exclusion in run.run.exclusions),
        restarts=_restarts(run, start, end), step=step,
        windows=sum(line.seen for line in drawn) if any(line.seen > len(line.windows) for line in drawn) else 0,
        more=max(series, len(record.lines)) - len(drawn), share_of_good=isinstance(slo.sli, RatioSLI),
        baseline=baseline.run.name if baseline is not None and overlaid else None,
        lower_bound=next((v.lower_bound for line in drawn for _, v in line.windows if v.lower_bound), ""),
    )  # fmt: skip


def _percentiles(slo: SLO, wanted: Sequence[float], *, single: bool) -> Sequence[float | None]:
    if not isinstance(slo.sli, LatencySLI):
        return [None]
    unknown = [one for one in wanted if one not in slo.quantiles]
    if unknown:
        kept = ", ".join(f"P{one:g}" for one in slo.quantiles)
        raise ValueError(f"{slo.name} keeps {kept}, and no P{unknown[0]:g} that a chart could show")
    if wanted or not single:
        return list(wanted) or [slo.main_percentile]
    return [slo.main_percentile, *(one for one in sorted(slo.quantiles, reverse=True) if one != slo.main_percentile)]


def _name(line: Line, percentile: float | None, several: bool) -> str:
    name = series_name(line.labels)
    return f"P{percentile:g} {name}".rstrip() if several and percentile is not None else name


def _points(slo: SLO, line: Line, percentile: float | None, shift: int = 0) -> tuple[Point, ...]:
    place = None if percentile is None else slo.quantiles.index(percentile)
    judged = slo.objective is not None and percentile == slo.objective.percentile
    return tuple(_point(slot + shift, verdict, place, judged=judged) for slot, verdict in line.windows)


def _point(slot: int, verdict: Verdict, place: int | None, *, judged: bool) -> Point:
    if verdict.outcome in (Outcome.ERROR, Outcome.NO_DATA):
        return Point(slot, None, verdict.outcome)
    if place is None:
        return Point(slot, verdict.value, verdict.outcome)
    quantile = verdict.quantiles[place] if place < len(verdict.quantiles) else None
    if quantile is None:
        return Point(slot, None, verdict.outcome)
    outcome = verdict.outcome if judged else Outcome.MEASURED
    return Point(slot, quantile.value, outcome, quantile.lower, quantile.upper, lower_bound=bool(verdict.lower_bound))


def _step(line: Line, interval: int) -> int:
    """Seconds that one point stands for: of thinned windows two, the least and the greatest, are left of a column."""
    if line.seen <= len(line.windows):
        return interval
    return round(2 * line.seen / max(1, len(line.windows))) * interval


def _on_columns(line: ChartLine, start: int, step: int) -> ChartLine:
    """The line with at most one point in each column, its greatest: only what stands at one time can be added."""
    greatest: dict[int, Point] = {}
    for point in line.points:
        slot = start + -(-(point.slot - start) // step) * step
        held = greatest.get(slot)
        if held is None or held.value is None or (point.value is not None and point.value > held.value):
            greatest[slot] = Point(slot, point.value, point.outcome)
    return ChartLine(line.name, tuple(greatest[slot] for slot in sorted(greatest)), line.colour)


def _overlaid(
    slo: SLO,
    pairs: Sequence[tuple[Line, float | None]],
    lines: Sequence[ChartLine],
    run: RunRecord,
    baseline: RunRecord,
) -> list[ChartLine]:
    """The baseline's lines for the first of `pairs`, or for all of a few."""
    same = [one for one in baseline.slos if (one.slo.set, one.slo.name) == (slo.set, slo.name)]
    earlier: Mapping[Labels, Line] = {line.labels: line for one in same for line in one.lines}
    shift = int((run.run.start - baseline.run.start).total_seconds())
    found = []
    for place, (line, percentile) in enumerate(pairs[: len(pairs) if len(pairs) <= _MOST_OVERLAID else 1]):
        other = earlier.get(line.labels)
        if other is not None and (percentile is None or percentile in same[0].slo.quantiles):
            points = _points(same[0].slo, other, percentile, shift)
            found.append(ChartLine(lines[place].name, points, place, baseline=True))
    return found


def _limits_of(slo: SLO, labels: Labels, percentile: float | None) -> tuple[ChartLimit, ...]:
    if slo.objective is None or percentile != slo.objective.percentile:
        return ()
    limit = slo.objective.limit_for(labels)
    bound = limit.at_most if limit.at_most is not None else limit.at_least
    found = [ChartLimit(bound)] if bound is not None else []
    return (*found, *([ChartLimit(limit.warn_at, warns=True)] if limit.warn_at is not None else []))


def _limits(lines: Sequence[ChartLine]) -> tuple[ChartLimit, ...]:
    """Each limit once; those that do not hold for all lines with the names that they hold for."""
    distinct = list(dict.fromkeys(limit for line in lines for limit in line.limits))
    found = []
    for limit in distinct:
        names = tuple(line.name for line in lines if limit in line.limits)
        found.append(ChartLimit(limit.value, limit.warns, names if len(names) < len(lines) else ()))
    return tuple(found)


def _restarts(run: RunRecord, start: int, end: int) -> tuple[Restart, ...]:
    found = [
        Restart(component.job, moment)
        for component in run.facts.collected.components
        for moment in component.started
        if start <= moment <= end
    ]
    return tuple(sorted(found, key=lambda restart: (restart.at, restart.component)))


def _seconds(stretch: TimeRange) -> tuple[int, int]:
    return int(stretch.start.timestamp()), int(stretch.end.timestamp())
