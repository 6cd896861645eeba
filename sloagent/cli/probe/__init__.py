"""`sloagent probe`: what we try ourselves, since no metric carries it."""

from __future__ import annotations

import click

from sloagent.cli.probe import run


@click.group(epilog="Example: sloagent probe run -c sloagent.yaml")
def command() -> None:
    """Measure what no metric carries: distribution, registration, and latency as a client sees it."""


command.add_command(run.command, "run")
