"""`sloagent validate`: lint SLO files and agent files, all problems at once."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from sloagent.errors import ConfigError

SCHEMA = "sloagent/validate/v1"


@click.command(epilog="Example: sloagent validate sloagent.yaml rules/")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
def command(files: tuple[str, ...], form: str) -> None:
    """Check SLO files, OpenSLO too, agent files and facts files: every mistake at once, each with line and column.

    FILE is a file, a directory, a glob or builtin:NAME. An agent file is checked together with the files that it
    names. Exits with 2 where anything is wrong.
    """
    from sloagent.app.agent_settings import AgentSettings
    from sloagent.config.load import Reading, raise_for
    from sloagent.config.problem import in_order

    reading = Reading()
    agents = reading.take_any(files, Path(), AgentSettings)
    slos = sum(len(slo_set.slos) for slo_set in reading.sets)
    read = agents + len(reading.files) + len(reading.facts)
    if form == "json":
        problems = [
            {name: part for name, part in asdict(problem).items() if name not in {"source", "length"}}
            for problem in in_order(reading.problems)
        ]
        answer = {"schema": SCHEMA, "files": read, "slos": slos, "problems": problems}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        if problems:
            sys.exit(ConfigError.exit_code)
        return
    raise_for(reading.problems)
    what = f"{_counted(slos, 'SLO')} in {_counted(read, 'file')}" if slos else _counted(read, "file")
    click.echo(f"{what} {'is' if (slos or read) == 1 else 'are'} well written.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
