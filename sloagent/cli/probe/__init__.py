"""`sloagent probe`: what we try ourselves, since no metric carries it."""

from __future__ import annotations

import click

from sloagent.cli.probe import api, check, http, run, serve, throughput


@click.group(epilog="Example: sloagent probe run -c sloagent.yaml")
def command() -> None:
    """Measure what no metric carries: distribution, registration, and latency as a client sees it."""


command.add_command(run.command, "run")
command.add_command(check.command, "check")
command.add_command(http.command, "http")
command.add_command(throughput.command, "throughput")
command.add_command(serve.command, "serve")
command.add_command(api.command, "api")
