"""`sloagent report`: the performance report of a run, or of a range."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from sloagent.cli import options

FORMATS = ("md", "html", "json")


@click.command(epilog="Example: sloagent report -c sloagent.yaml --run soak-7 -o reports-out")
@options.configuration
@click.option("--run", "run_name", metavar="NAME", help="A run by its name; see `sloagent runs list`.")
@options.time_range
@options.slo_names
@click.option("--lang", "language", type=click.Choice(["en", "zh"]), help="Instead of report.languages.")
@click.option(
    "--format", "formats", default="md,html,json", show_default=True, metavar="LIST", help="Of md, html, json."
)
@click.option(
    "-o", "--output", "directory", type=click.Path(path_type=Path), metavar="DIR", help="Instead of report.directory."
)
def command(
    configuration: Path,
    run_name: str | None,
    start: datetime | None,
    end: datetime | None,
    names: tuple[str, ...],
    language: str | None,
    formats: str,
    directory: Path | None,
) -> None:
    """Write the report: what was promised, what happened, what to look at first, and the evidence.

    What the store lacks of the run is evaluated first. It does not gate: `sloagent check` does.
    """
    from sloagent.app import reporting
    from sloagent.app.agent_settings import resolved
    from sloagent.app.wiring import open_agent
    from sloagent.cli import judging
    from sloagent.cli.runs import find
    from sloagent.model.run import Run

    if run_name is not None and end is not None:
        raise click.UsageError("--run and --from/--to exclude each other")
    if (run_name is None) == (start is None):
        raise click.UsageError("name a run with --run, or a range with --from and --to")
    wanted = tuple(part.strip() for part in formats.split(",") if part.strip())
    if not wanted or set(wanted) - set(FORMATS):
        raise click.UsageError(f"--format takes a list of {', '.join(FORMATS)}; found `{formats}`")
    with open_agent(configuration) as agent:
        slos = options.chosen(agent.slos, names)
        delay = agent.settings.evaluation.delay
        if run_name is not None:
            run = find(agent.store, run_name)
            span = options.chosen_range(run.start, min(run.end or datetime.now(UTC), datetime.now(UTC)), delay=delay)
        else:
            span = options.chosen_range(start, end, delay=delay)
            run = Run("", start or datetime.now(UTC), end)
        if span is None:
            raise click.UsageError("name a run with --run, or a range with --from and --to")
        stretch = judging.stretch_of(run, span)
        judged = judging.judged(agent, slos, stretch)
        made = reporting.report(agent, stretch, judged.summaries, run)
        target = directory or resolved(agent.settings.report.directory, configuration)
        languages = (language,) if language else agent.settings.report.languages
        for file in reporting.write(made, target, wanted, languages):
            click.echo(str(judging.short(file.absolute())))
    judging.say_trouble(judged.trouble)
