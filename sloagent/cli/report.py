"""`sloagent report`: the performance report of a run, or of a range."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from sloagent.cli import options

FORMATS = ("md", "html", "json")


@click.command(epilog="Example: sloagent report -c sloagent.yaml --run soak-7 -o reports-out")
@options.configuration
@click.option("--run", "run_name", metavar="NAME", help="Report on this run; `sloagent runs list` names them.")
@options.time_range
@options.slo_names
@click.option(
    "--lang", "language", type=click.Choice(["en", "zh"]), help="Write this language only, instead of report.languages."
)
@click.option(
    "--format", "formats", default="md,html,json", show_default=True, metavar="LIST",
    help="Write these, with commas between: md, html, json.",
)  # fmt: skip
@click.option(
    "-o", "--output", "directory", type=click.Path(path_type=Path), metavar="DIR",
    help="Write into DIR, instead of report.directory.",
)  # fmt: skip
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
    """Write the report of a run or a range: what was promised, what happened, what to look at first, the evidence.

    What the store lacks is evaluated first. A report does not gate: it exits with 0 although SLOs fail; `sloagent
    check` gates.
    """
    from sloagent.app import reporting
    from sloagent.app.agent_settings import resolved
    from sloagent.app.wiring import open_agent
    from sloagent.cli import judging
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
        if run_name is not None:
            run, stretch = judging.run_named(agent, run_name)
        else:
            span = options.chosen_range(start, end, delay=agent.settings.evaluation.delay)
            assert span is not None  # --from was given
            run = Run("", span.start, span.end)
            stretch = judging.stretch_of(run, span)
        judged = judging.judged(agent, slos, stretch)
        made = reporting.report(agent, stretch, judged.summaries, run)
        target = directory or resolved(agent.settings.report.directory, configuration)
        languages = (language,) if language else agent.settings.report.languages
        for file in reporting.write(made, target, wanted, languages):
            click.echo(str(judging.short(file.absolute())))
    judging.say_trouble(judged.trouble)
