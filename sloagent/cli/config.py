"""`sloagent config`: the configuration in force."""

from __future__ import annotations

from pathlib import Path

import click

from sloagent.cli import options


@click.group(epilog="Example: sloagent config show -c sloagent.yaml")
def command() -> None:
    """The configuration in force."""


@command.command(epilog="Example: sloagent config show -c sloagent.yaml")
@options.configuration
def show(configuration: Path) -> None:
    """Print the effective configuration as YAML.

    Defaults are filled in and secrets hidden; the SLO sets that are loaded stand at the end.
    """
    from sloagent.app.agent_settings import AgentSettings
    from sloagent.config.effective import effective
    from sloagent.config.load import load_agent

    settings, sets = load_agent(configuration, AgentSettings)
    click.echo(effective(settings), nl=False)
    for slo_set in sets:
        count = "1 SLO" if len(slo_set.slos) == 1 else f"{len(slo_set.slos)} SLOs"
        click.echo(f"# set {slo_set.name}: {count}, from {slo_set.place.rpartition(':')[0]}")
