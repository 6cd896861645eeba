"""`sloagent backfill`: fill the store from Prometheus's past."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from sloagent.app.times import stamp
from sloagent.cli import options
from sloagent.cli.progress import counting
from sloagent.errors import SourceError


@click.command(epilog="Example: sloagent backfill -c sloagent.yaml --from -24h")
@options.configuration
@options.time_range
@options.slo_names
def command(configuration: Path, start: datetime | None, end: datetime | None, names: tuple[str, ...]) -> None:
    """Fill the store from Prometheus's past: evaluate and record every slot of a range that it lacks.

    The same slots give the same verdicts as the daemon's would have been. Exits with 3 where slots could not be asked.
    """
    from sloagent.app import assess, house_keeping
    from sloagent.app.wiring import load, open_agent
    from sloagent.cli.judging import say_trouble

    if start is None:
        raise click.UsageError("--from is needed, such as --from -24h")
    settings, sets = load(configuration)
    slos = options.chosen([slo for slo_set in sets for slo in slo_set.slos], names)
    stretch_range = options.chosen_range(start, end, delay=settings.evaluation.delay)
    assert stretch_range is not None  # --from was given
    stretch = assess.Stretch(stretch_range, inside=False)
    with open_agent(configuration, loaded=(settings, sets)) as agent:
        total = sum(len(assess.lacking(agent.cycle, slo, stretch.counted(slo))) for slo in slos)
        expected = sum(len(stretch.counted(slo)) for slo in slos)
        with counting(total, "slots") as progress:
            trouble = assess.fill(agent, slos, stretch, progress=progress)
        house_keeping.sum_up(agent.store)
        left = sum(len(assess.lacking(agent.cycle, slo, stretch.counted(slo))) for slo in slos)
        click.echo(
            f"{total - left:,} slots recorded, {expected - total:,} were there already, {left:,} stay pending "
            f"({len(slos)} SLOs, {stamp(stretch_range.start)} to {stamp(stretch_range.end)})"
        )
        say_trouble(trouble)
        if left:
            raise SourceError(
                f"{left:,} slots could not be asked", kind="pending", retryable=True,
                hint="type the same command again when Prometheus answers; what is recorded is not asked again",
            )  # fmt: skip
