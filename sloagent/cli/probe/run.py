"""`sloagent probe run`: the probe process."""

from __future__ import annotations

from pathlib import Path

import click

from sloagent.cli import options
from sloagent.cli.logs import configure


@click.command(short_help="the probe process", epilog="Example: sloagent probe run -c sloagent.yaml")
@options.configuration
@options.listening
@options.log_lines
def command(configuration: Path, listen: str, web_config: Path | None, level: str, style: str) -> None:
    """Run the probes of the block `probes:` until told to end, and export what they measure as metrics.

    SIGTERM ends it; what the probes have made in a cluster is taken away first.
    """
    from sloagent.app.probing import ProbeProcess

    configure(level, style)
    ProbeProcess(configuration, web=options.web(listen, web_config)).run()
