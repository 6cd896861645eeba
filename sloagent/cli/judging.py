"""What `check`, `report` and `demo` share: judge a range, head it, gate on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from sloagent.app import assess
from sloagent.app.assess import Stretch, stretch_of
from sloagent.app.runs import find
from sloagent.app.wiring import Agent
from sloagent.cli import options
from sloagent.cli.formats import Heading, key
from sloagent.cli.formats.terminal import Terminal
from sloagent.cli.progress import counting
from sloagent.model.record import RunRecord
from sloagent.model.run import Run
from sloagent.model.slo import SLO
from sloagent.model.timerange import TimeRange
from sloagent.model.verdict import RangeSummary


@dataclass(frozen=True, slots=True)
class Judged:
    """A stretch with the verdict of each SLO over it."""

    stretch: Stretch
    summaries: tuple[RangeSummary, ...]
    trouble: dict[SLO, str]
    """Why slots stayed pending."""

    @property
    def range(self) -> TimeRange:
        """From where to where."""
        return self.stretch.span


def judged(agent: Agent, slos: Sequence[SLO], stretch: Stretch) -> Judged:
    """Evaluate what the store lacks of the stretch and conclude; a progress line on a terminal."""
    with _progress(agent, slos, stretch) as progress:
        trouble = assess.fill(agent, slos, stretch, progress=progress)
    return Judged(stretch, tuple(_summary(agent, slo, stretch, trouble.get(slo, "")) for slo in slos), trouble)


def recorded(agent: Agent, slos: Sequence[SLO], run: Run, stretch: Stretch) -> RunRecord:
    """The record of a run; what the store lacks of it is evaluated first, with a progress line on a terminal."""
    from sloagent.app import reporting

    with _progress(agent, slos, stretch) as progress:
        return reporting.recorded(agent, slos, run, stretch, progress)


def _progress(agent: Agent, slos: Sequence[SLO], stretch: Stretch) -> AbstractContextManager[Callable[[int], None]]:
    return counting(sum(len(assess.lacking(agent.cycle, slo, stretch.counted(slo))) for slo in slos), "slots")


def _summary(agent: Agent, slo: SLO, stretch: Stretch, why_pending: str) -> RangeSummary:
    """The verdict over the stretch; where nothing at all is known of it, its reason says why nobody answered."""
    summary = assess.summary(agent.cycle, slo, stretch)
    windows = summary.windows
    if why_pending and not summary.series and not windows.evaluated and not windows.refused:
        return replace(summary, detail=why_pending)
    return summary


def run_named(agent: Agent, name: str) -> tuple[Run, Stretch]:
    """A run by its name and what is judged of it: until now, while it goes on. Raises StoreError, UsageError."""
    run = find(agent.store, name)
    now = datetime.now(UTC)
    span = options.chosen_range(run.start, min(run.end or now, now), delay=agent.settings.evaluation.delay)
    assert span is not None  # a run has a start
    if run.end is not None and span.end < run.end:
        due = run.end + timedelta(seconds=agent.settings.evaluation.delay)
        click.echo(
            f"the last {(run.end - span.end).total_seconds():.0f} s of {name} are not judged yet: their samples may still"
            f" arrive until {due:%H:%M:%S} UTC (evaluation.delay)",
            err=True,
        )
    return run, stretch_of(run, span)


def heading(agent: Agent, stretch: Stretch | None, summaries: Sequence[RangeSummary] = ()) -> Heading:
    """What the verdicts of one output have in common."""
    queries = {}
    if stretch is not None:
        for summary in summaries:
            newest = assess.newest_recorded(agent.cycle, summary.slo, stretch)
            if newest is not None:
                queries[key(newest.slo)] = newest.question.query
    return Heading(
        sets=tuple(dict.fromkeys(slo.set for slo in agent.slos)),
        version=agent.source.version(),
        url=agent.settings.prometheus.url,
        config=str(short(agent.configuration.absolute())),
        range=stretch.span if stretch else None,
        queries=queries,
    )


def terminal() -> Terminal:
    """The terminal on standard output: its width, its encoding, and colour only where somebody looks."""
    import os
    import shutil

    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    columns = shutil.get_terminal_size((160, 50)).columns
    return Terminal(columns=columns, encoding=sys.stdout.encoding or "ascii", colour=colour)


def say_trouble(trouble: dict[SLO, str]) -> None:
    """Why slots are missing, on standard error, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for slo, why in trouble.items():
        by_reason.setdefault(why, []).append(slo.name)
    for why, names in by_reason.items():
        click.echo(f"not answered ({', '.join(names)}): {why}", err=True)


def short(path: Path) -> Path:
    """Relative to where the user is, where that is shorter."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
