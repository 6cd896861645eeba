"""`sloagent report`: the performance report of a run, of a range, or of a run file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.cli import options

if TYPE_CHECKING:  # a command imports what it needs when it runs: --help is quick
    from sloagent.app.agent_settings import ReportSettings
    from sloagent.app.wiring import Agent
    from sloagent.model.record import RunRecord
    from sloagent.model.slo import SLO
    from sloagent.report.content import Report

FORMATS = ("md", "html", "json", "png", "junit", "github")


@click.command(epilog="Example: sloagent report -c sloagent.yaml --run v1.19-soak --baseline v1.18-soak -o reports-out")
@options.configuration
@click.option(
    "--run", "run_name", metavar="NAME|FILE",
    help="Report on this run; `sloagent runs list` names them. Or on a run file: then Prometheus is not asked.",
)  # fmt: skip
@options.time_range
@options.slo_names
@click.option(
    "--baseline", metavar="NAME|FILE", help="Set every number beside that of this earlier run, or of this run file."
)
@click.option(
    "--definition", metavar="NAME|FILE",
    help="What stands in the report, instead of report.definition: builtin:karmada-test-report, builtin:kubernetes, …",
)  # fmt: skip
@click.option(
    "--lang", "language", type=click.Choice(["en", "zh"]), help="Write this language only, instead of report.languages."
)
@click.option(
    "--format", "formats", default="md,html,json", show_default=True, metavar="LIST",
    help="Write these, with commas between: md, html, json, png (the pictures of md), junit, github (a step summary).",
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
    baseline: str | None,
    definition: str | None,
    language: str | None,
    formats: str,
    directory: Path | None,
) -> None:
    """Write the report of a run or a range: what was promised, what happened, what to look at first, the evidence.

    What the store lacks is evaluated first. A report does not gate: it exits with 0 although SLOs fail; `sloagent
    check` gates.
    """
    import gc

    from sloagent.app import reporting
    from sloagent.app.agent_settings import resolved
    from sloagent.cli import judging
    from sloagent.evaluation.consistency import check_scale

    # A long run is millions of small objects without cycles: looking through them less often saves a tenth of the time.
    gc.set_threshold(10_000, 10, 10)

    if run_name is not None and (start is not None or end is not None):
        raise click.UsageError("--run and --from/--to exclude each other")
    if (run_name is None) == (start is None):
        raise click.UsageError("name a run with --run, or a range with --from and --to")
    wanted = tuple(part.strip() for part in formats.split(",") if part.strip())
    unknown = [one for one in wanted if one not in FORMATS]
    if not wanted or unknown:
        found = ", ".join(unknown) or formats
        raise click.UsageError(f"--format takes a list of {', '.join(FORMATS)}; found `{found}`")
    for option, name in (("--run", run_name), ("--baseline", baseline)):
        if name is not None and _looks_like_a_file(name) and not Path(name).is_file():
            raise click.UsageError(f"{option}: there is no file `{name}`")
    if baseline is not None and baseline == run_name:
        raise click.UsageError(f"--baseline is `{baseline}`, the run itself: name an earlier one")
    record, earlier, settings, trouble = _records(configuration, run_name, (start, end), names, baseline)
    if definition is not None:
        settings = settings.model_copy(update={"definition": _here(definition)})
    known = [slo for one in record.sets for slo in one.slos]
    made = reporting.report(record, reporting.definition(settings, configuration, known), earlier)
    target = directory or resolved(settings.directory, configuration)
    languages = (language,) if language else settings.languages
    used = reporting.templates(settings, configuration)
    files = reporting.write(made, target, [one for one in wanted if one != "junit"], languages, used)
    if "junit" in wanted:
        files.append(_junit(made, target))
    _show(files, target, wanted)
    judging.say_trouble(trouble)
    for one in check_scale(record.facts.written.scale):
        if not one.holds:
            product = " × ".join(f"{name} ({value:,.15g})" for name, value in one.factors)
            click.echo(
                f"facts: {product} is not {one.product[0]} ({one.product[1]:,.15g}): one of them is wrong", err=True
            )


def _records(
    configuration: Path,
    run_name: str | None,
    times: tuple[datetime | None, datetime | None],
    names: Sequence[str],
    baseline: str | None,
) -> tuple[RunRecord, RunRecord | None, ReportSettings, dict[SLO, str]]:
    """The run and its baseline, each from the store or from a file, and the settings that there are."""
    from sloagent.app import run_file
    from sloagent.app.agent_settings import AgentSettings, ReportSettings
    from sloagent.app.wiring import open_agent
    from sloagent.config.load import load_settings

    record = _of(run_file.read(Path(run_name)), names) if run_name and _looks_like_a_file(run_name) else None
    earlier = run_file.read(Path(baseline)) if baseline and _looks_like_a_file(baseline) else None
    if record is not None and (baseline is None or earlier is not None):
        settings = load_settings(configuration, AgentSettings).report if configuration.exists() else ReportSettings()
        return record, earlier, settings, {}
    with open_agent(configuration) as agent:
        trouble: dict[SLO, str] = {}
        if record is None:
            record = _judged(agent, run_name, times, names)
            trouble = {one.slo: one.trouble for one in record.slos if one.trouble}
        if baseline is not None and earlier is None:
            earlier = _judged(agent, baseline, (None, None), ())
        return record, earlier, agent.settings.report, trouble


def _judged(
    agent: Agent, name: str | None, times: tuple[datetime | None, datetime | None], names: Sequence[str]
) -> RunRecord:
    from sloagent.app import run_file
    from sloagent.app.assess import stretch_of
    from sloagent.cli import judging
    from sloagent.model.run import Run

    if name is not None:
        imported = run_file.imported(agent.store, name)
        if imported is not None:
            return _of(imported, names)
        run, stretch = judging.run_named(agent, name)
    else:
        span = options.chosen_range(*times, delay=agent.settings.evaluation.delay)
        assert span is not None  # --from was given
        run = Run("", span.start, span.end)
        stretch = stretch_of(run, span)
    return judging.recorded(agent, options.chosen(agent.slos, names), run, stretch)


def _of(record: RunRecord, names: Sequence[str]) -> RunRecord:
    from dataclasses import replace

    chosen = options.chosen([one.slo for one in record.slos], names)
    return record if not names else replace(record, slos=tuple(one for one in record.slos if one.slo in chosen))


def _looks_like_a_file(name: str) -> bool:
    """Whether a name has a slash or the ending of a run file."""
    return "/" in name or Path(name).suffix in (".json", ".gz", ".yaml", ".yml")


def _here(definition: str) -> str:
    """A path that was typed counts from where the user is, not from the agent's file."""
    return definition if definition.startswith("builtin:") else str(Path(definition).absolute())


def _junit(made: Report, target: Path) -> Path:
    from sloagent.cli.formats import Heading, junit
    from sloagent.report.render import written

    record = made.record
    queries = {(one.slo.set, one.slo.name): one.asked.query for one in record.slos if one.asked is not None}
    head = Heading(
        sets=tuple(one.name for one in record.sets), version=record.peer.version, url=record.peer.url, config="",
        range=record.span, queries=queries,
    )  # fmt: skip
    return written(target / "report.junit.xml", junit.over_range(head, [result.summary for result in made.results]))


def _show(files: Sequence[Path], target: Path, wanted: Sequence[str]) -> None:
    """The files that were written, pictures as one line; the step summary goes to where GitHub wants it, too."""
    from sloagent.cli import judging

    pictures = [file for file in files if file.parent != target]
    for file in files:
        if file not in pictures:
            click.echo(str(judging.short(file.absolute())))
    if pictures:
        click.echo(f"{judging.short((target / 'assets').absolute())} ({len(pictures)} pictures)")
    if "png" in wanted:
        _say_glyphs([file for file in pictures if file.suffix == ".svg"])
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if "github" in wanted and summary:
        with Path(summary).open("a", encoding="utf-8") as out:
            out.write((target / "summary.md").read_text(encoding="utf-8"))


def _say_glyphs(pictures: Sequence[Path]) -> None:
    """Which characters stand in the PNGs as empty boxes, and what to install."""
    from sloagent.report.charts.picture import without_glyphs

    missing = "".join(dict.fromkeys("".join(without_glyphs(file.read_text(encoding="utf-8")) for file in pictures)))
    if missing:
        shown = missing if len(missing) <= 12 else f"{missing[:12]}…"
        click.echo(f"no font of this machine has {shown}: install fonts-noto-cjk, or look at the SVG files", err=True)
