"""`sloagent rules`: SLOs as rules that Prometheus evaluates by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.cli import options
from sloagent.errors import SloagentError

if TYPE_CHECKING:  # a command imports what it needs when it runs: --help is quick
    from sloagent.app.rules_export import Export

STANDARD_OUTPUT = "-"


@click.group(epilog="Example: sloagent rules export builtin:kubernetes -o rules-out")
def command() -> None:
    """SLOs as recording and alerting rules."""


@command.command(epilog="Example: sloagent rules export -c sloagent.yaml --online -o rules-out")
@click.argument("files", nargs=-1, metavar="[FILE]…")
@click.option(
    "-c", "--config", "--config.file", "configuration", metavar="FILE", type=click.Path(path_type=Path),
    help="The agent's file, for its sets and parameters; sloagent.yaml where no FILE is named.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["prometheus", "prometheusrule"]), default="prometheus", show_default=True,
    help="Rule files, or objects for the Prometheus operator.",
)  # fmt: skip
@options.slo_names
@click.option(
    "-o", "--output", "target", default=STANDARD_OUTPUT, show_default=True, metavar="DIR",
    help="Write a file for each SLO into DIR, and beside a rule file one of tests for promtool; - is standard output.",
)  # fmt: skip
@click.option("--online", is_flag=True, help="Ask Prometheus for bucket bounds; refuse limits that are none.")
@click.option("--strict", is_flag=True, help="Exit with 3 where an SLO is refused, and write nothing.")
def export(
    files: tuple[str, ...],
    configuration: Path | None,
    form: str,
    names: tuple[str, ...],
    target: str,
    online: bool,
    strict: bool,
) -> None:
    """Compile SLOs to rules for Prometheus, a Thanos or Mimir ruler, or vmalert.

    FILE is an SLO file, a directory, a glob or builtin:NAME; without one the sets of the agent's file are taken. What
    cannot be said faithfully in a rule is refused, and named on standard error and in the files.
    """
    from sloagent.app import rule_files

    if files and configuration is not None:
        raise click.UsageError("name SLO files, or an agent's file with -c, not both")
    if online and files:
        raise click.UsageError("--online needs the Prometheus of an agent's file: use -c instead of naming SLO files")
    made = _made(files, configuration or Path("sloagent.yaml"), names, online=online)
    _say(made)
    if strict and made.refused:
        raise SloagentError(f"{_counted(len(made.refused))} cannot be exported, and --strict wants all of them")
    if not made.compiled:
        raise SloagentError("there is nothing to export: every SLO is refused")
    if target == STANDARD_OUTPUT:
        text = rule_files.prometheus(made) if form == "prometheus" else rule_files.prometheusrules(made)
        click.echo(text, nl=False)
        return
    written = rule_files.write(made, form, Path(target))
    click.echo(f"{target}: {written} {'file' if written == 1 else 'files'}")


def _made(files: Sequence[str], configuration: Path, names: Sequence[str], *, online: bool) -> Export:
    from sloagent.app import rules_export
    from sloagent.app.wiring import load, open_agent
    from sloagent.cli.check import slot_at
    from sloagent.config.load import load_slo_files

    if files:
        sets = load_slo_files(files)
        return rules_export.export(options.chosen([slo for one in sets for slo in one.slos], names))
    settings, sets = load(configuration)
    made = rules_export.export(options.chosen([slo for one in sets for slo in one.slos], names))
    if not online:
        return made
    with open_agent(configuration, remember=False, loaded=(settings, sets)) as agent:
        delay = settings.evaluation.delay
        return rules_export.checked(made, agent.source, lambda slo: slot_at(None, slo, delay))


def _say(made: Export) -> None:
    for refused in made.refused:
        click.echo(f"refused {refused.slo.set}/{refused.slo.name}: {refused.reason}", err=True)
    for one in made.compiled:
        for what in one.left_out:
            click.echo(f"left out of {one.slo.set}/{one.slo.name}: {what}", err=True)
    for slo in made.unseen:
        click.echo(f"not checked {slo.set}/{slo.name}: Prometheus has no series of it now", err=True)
    click.echo(f"{_counted(len(made.compiled))} compiled, {len(made.refused)} refused", err=True)


def _counted(number: int) -> str:
    return f"{number} SLO" if number == 1 else f"{number} SLOs"
