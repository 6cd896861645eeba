"""What Prometheus says of the test bed over a run: a dozen questions, each of which may be refused without the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sloagent.model.facts import Collected, Component
from sloagent.sources import builds, envelope, scrapes
from sloagent.sources.asking import Asking, Labels
from sloagent.sources.machines import FAMILIES, machines
from sloagent.sources.promql import duration

WINDOW_SECONDS = 600
"""Over which an interval is measured: longer than the look-back of Prometheus, within which everybody scrapes."""
MOST_WINDOWS = 20
UNKNOWN_INTERVAL = 60.0
SAME_START_SECONDS = 2.0
"""Starts of one job no further apart are one: start times move by a second when a machine's clock is put right."""
ON_A_DISK = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660"'
NOTHING_SCRAPED = "it has no sample of `up` within the run: its history begins later, was lost, or lies elsewhere"


@dataclass(slots=True)
class _Scrapes:
    """What the scrapes of a run tell; everything by job."""

    up: dict[str, float]
    targets: dict[str, int] = field(default_factory=dict)
    interval: float | None = None
    resolution: int | None = None
    gaps: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    away: tuple[tuple[int, int], ...] = ()
    started: dict[str, tuple[float, ...]] = field(default_factory=dict)
    resets: dict[str, int] = field(default_factory=dict)


def collect(asking: Asking) -> Collected:
    """The facts of the stretch. Raises nothing: what is not answered is in `refusals`, with the reason.

    A Prometheus that does not answer the first question, or has nothing to it, is asked no other.
    """
    run = duration(asking.seconds)
    share = f"sum by (job) (sum_over_time(up[{run}])) / sum by (job) (count_over_time(up[{run}]))"
    scraped = _Scrapes(_by_job(asking.instant(share)))
    if not scraped.up:
        if not asking.refusals:
            asking.refused(share, NOTHING_SCRAPED)
        return Collected(questions=tuple(asking.questions), refusals=tuple(asking.refusals))
    intervals = _read_intervals(asking, scraped)
    if intervals:
        _read_gaps(asking, scraped, intervals)
    _read_restarts(asking, scraped, min(intervals.values(), default=UNKNOWN_INTERVAL), run)
    names = ", ".join(("__name__", "job", *builds.LABELS))
    told = [
        labels
        for labels, _ in asking.instant(
            f'group by ({names}) (last_over_time({{__name__=~"{builds.FAMILIES}"}}[{run}]))'
        )
    ]
    return Collected(
        components=_components(scraped, builds.builds(told)),
        machines=machines(
            asking.instant(f'last_over_time({{__name__=~"{FAMILIES}"}}[{run}])'),
            asking.instant(
                f'count by (cluster, instance) (last_over_time(node_cpu_seconds_total{{mode="idle"}}[{run}]))'
            ),
            asking.instant(
                f"max by (cluster, instance, device) (last_over_time(node_filesystem_size_bytes{{{ON_A_DISK}}}[{run}]))"
            ),
        ),
        kubernetes=builds.kubernetes(told),
        gaps=scraped.away,
        scrape_interval=scraped.interval,
        resolution=float(scraped.resolution) if scraped.resolution is not None else None,
        questions=tuple(asking.questions),
        refusals=tuple(asking.refusals),
    )


def _read_intervals(asking: Asking, scraped: _Scrapes) -> dict[str, float]:
    """How many targets each job has, and how often they are scraped, looked at now and then."""
    width = min(WINDOW_SECONDS, asking.seconds)
    every = max(width, -(-asking.seconds // MOST_WINDOWS))
    scraped.targets = {
        job: int(max((number for number in numbers if number is not None), default=0))
        for job, numbers in _rows(asking.over("count by (job) (up)", every)).items()
    }
    # A millisecond less: before Prometheus 3 a scrape on the far edge of the window would be counted too.
    since, counted = f"timestamp(up offset {width}s)", f"count_over_time(up[{width * 1000 - 1}ms])"
    spacing = f"quantile by (job) (0.5, (timestamp(up) - {since}) / {counted})"
    found = scrapes.intervals(_rows(asking.over(spacing, every)))
    if not found and all(query != spacing for query, _ in asking.refusals):
        asking.refused(spacing, "no target was scraped twice within the run, so no gap can be told from waiting")
    return found


def _read_gaps(asking: Asking, scraped: _Scrapes, intervals: Mapping[str, float]) -> None:
    """Where two scrapes in a row or more are missing: successful ones of a job, any of Prometheus itself."""
    scraped.interval = scrapes.usual(intervals, scraped.targets)
    step = scrapes.tile(asking.seconds, len(scraped.up), asking.connection.max_response_bytes)
    query = f"max by (job) (max_over_time(up[{step * 1000 - 1}ms]))"
    rows = _rows(asking.over(query, step))
    if not rows:
        return
    scraped.resolution = step
    ends = range(asking.end - asking.seconds // step * step, asking.end + 1, step)
    stretch = (asking.start, asking.end)
    anything = [end for end, *all_jobs in zip(ends, *rows.values(), strict=True) if set(all_jobs) != {None}]
    scraped.away = scrapes.gaps(anything, *stretch, min(intervals.values()), step)
    for job in scraped.up:
        interval = intervals.get(job, scraped.interval)
        seen = [end for end, best in zip(ends, rows.get(job, ()), strict=False) if best]
        own = scrapes.gaps(seen, *stretch, interval, step)
        scraped.gaps[job] = scrapes.beyond(own, scraped.away, interval + step)


def _read_restarts(asking: Asking, scraped: _Scrapes, interval: float, run: str) -> None:
    """Which processes started after the beginning, and where counters fell."""
    look = duration(scrapes.look(asking.seconds, interval, sum(scraped.targets.values())))
    late = f"process_start_time_seconds > {asking.start}"
    starts = f'last_over_time((count_values by (job) ("started", {late}))[{run}:{look}])'
    found: dict[str, list[float]] = {}
    for labels, _ in asking.instant(starts):
        try:
            found.setdefault(labels.get("job", ""), []).append(envelope.number(labels.get("started", "")))
        except ValueError as error:
            asking.refused(starts, f"a start is no time: {error}")
    scraped.started = {job: _apart(times, asking.end) for job, times in found.items()}
    falls = f"sum by (job) (resets(process_cpu_seconds_total[{run}]))"
    scraped.resets = {job: int(number) for job, number in _by_job(asking.instant(falls)).items()}


def _apart(times: Iterable[float], end: int) -> tuple[float, ...]:
    kept: list[float] = []
    last = float("-inf")
    for at in sorted(times):
        if at - last > SAME_START_SECONDS and at <= end:
            kept.append(at)
        last = at
    return tuple(kept)


def _components(scraped: _Scrapes, built: Mapping[str, builds.Build]) -> tuple[Component, ...]:
    return tuple(
        Component(
            job,
            software=(build := built.get(job, builds.UNTOLD)).software,
            versions=build.versions,
            commit=build.commit,
            go_version=build.go_version,
            instances=scraped.targets.get(job, 0),
            up=scraped.up.get(job),
            started=scraped.started.get(job, ()),
            gaps=scraped.gaps.get(job, ()),
            resets=scraped.resets.get(job, 0),
        )
        for job in sorted({*scraped.up, *built, *scraped.started})
    )


def _by_job(series: Iterable[tuple[Labels, float]]) -> dict[str, float]:
    return {labels.get("job", ""): number for labels, number in series}


def _rows(series: Iterable[tuple[Labels, list[float | None]]]) -> dict[str, list[float | None]]:
    return {labels.get("job", ""): numbers for labels, numbers in series}
