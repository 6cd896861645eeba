"""`sloagent rules`: SLOs as rules that Prometheus evaluates by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.cli import options
from sloagent.errors import SloagentError

if TYPE_CHECKING:  # a command imports what it needs when it runs: --help is quick
    from sloagent.app.rules_export import Export
    from sloagent.model.slo import SLO, Text

STANDARD_OUTPUT = "-"
NAMED_AT_MOST = 3


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
    "--format", "form", type=click.Choice(["prometheus", "prometheusrule", "openslo"]), default="prometheus",
    show_default=True, help="Rule files, objects for the Prometheus operator, or OpenSLO documents.",
)  # fmt: skip
@options.slo_names
@click.option(
    "-o", "--output", "target", default=STANDARD_OUTPUT, show_default=True, metavar="DIR",
    help="Write a file for each SLO into DIR, and beside a rule file one of tests for promtool; of openslo one for "
    "each set. - is standard output.",
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
    """Compile SLOs to rules for Prometheus, a Thanos or Mimir ruler, or vmalert; or write them as OpenSLO.

    FILE is an SLO file, a directory, a glob or builtin:NAME; without one the sets of the agent's file are taken. What
    cannot be said faithfully there is refused, and named on standard error and in the files.
    """
    from sloagent.app import openslo_export, rule_files, rules_export

    if files and configuration is not None:
        raise click.UsageError("name SLO files, or an agent's file with -c, not both")
    if online and files:
        raise click.UsageError("--online needs the Prometheus of an agent's file: use -c instead of naming SLO files")
    compile_ = openslo_export.export if form == "openslo" else rules_export.export
    made, titles = _made(files, configuration or Path("sloagent.yaml"), names, compile_, online=online)
    _say(made)
    if strict and made.refused:
        raise SloagentError(f"{_counted(len(made.refused))} cannot be exported, and --strict wants all of them")
    if not made.compiled:
        raise SloagentError("there is nothing to export: every SLO is refused")
    if target == STANDARD_OUTPUT:
        match form:
            case "prometheus":
                text = rule_files.prometheus(made)
            case "prometheusrule":
                text = rule_files.prometheusrules(made)
            case _:
                text = rule_files.openslo(made, titles)
        click.echo(text, nl=False)
        return
    to = Path(target)
    written = rule_files.write_openslo(made, titles, to) if form == "openslo" else rule_files.write(made, form, to)
    click.echo(f"{target}: {written} {'file' if written == 1 else 'files'}")


def _made(
    files: Sequence[str],
    configuration: Path,
    names: Sequence[str],
    compile_: Callable[[Iterable[SLO]], Export],
    *,
    online: bool,
) -> tuple[Export, dict[str, Text]]:
    """What became of the SLOs, and the titles of their sets."""
    from sloagent.app import rules_export
    from sloagent.app.wiring import load, open_agent
    from sloagent.cli.check import slot_at
    from sloagent.config.load import load_slo_files

    settings, sets = (None, load_slo_files(files)) if files else load(configuration)
    titles = {one.name: one.title for one in sets}
    made = compile_(options.chosen([slo for one in sets for slo in one.slos], names))
    if settings is None or not online:
        return made, titles
    with open_agent(configuration, remember=False, loaded=(settings, sets)) as agent:
        delay = settings.evaluation.delay
        return rules_export.checked(made, agent.source, lambda slo: slot_at(None, slo, delay)), titles


def _say(made: Export) -> None:
    for refused in made.refused:
        click.echo(f"refused {refused.slo.set}/{refused.slo.name}: {refused.reason}", err=True)
    left_out: dict[str, list[str]] = {}
    for one in made.compiled:
        for what in one.left_out:
            left_out.setdefault(what, []).append(f"{one.slo.set}/{one.slo.name}")
    for what, names in left_out.items():
        # What holds for most of them is said once; the files name each.
        whom = ", ".join(names) if len(names) <= NAMED_AT_MOST else _counted(len(names))
        click.echo(f"left out of {whom}: {what}", err=True)
    for slo in made.unseen:
        click.echo(f"not checked {slo.set}/{slo.name}: Prometheus has no series of it now", err=True)
    click.echo(f"{_counted(len(made.compiled))} compiled, {len(made.refused)} refused", err=True)


def _counted(number: int) -> str:
    return f"{number} SLO" if number == 1 else f"{number} SLOs"
